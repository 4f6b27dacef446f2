"""What an interface class is: its id, version, attributes and methods, each with a number, a name and a shape."""

from dataclasses import dataclass
from typing import TypeVar

from dlms_objects.classes.shape import LOGICAL_NAME, Shape
from dlms_objects.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute; shape None where its type is the object's own choice (the value of a Data object)."""

    number: int
    name: str
    shape: Shape | None


@dataclass(frozen=True, slots=True)
class Method:
    """One method, the shape of its parameter, and of its result (None: no result)."""

    number: int
    name: str
    parameter: Shape
    result: Shape | None = None


_Numbered = TypeVar("_Numbered", Attribute, Method)


@dataclass(frozen=True, slots=True)
class InterfaceClass:
    """One COSEM interface class; attribute 1 is always the logical name."""

    class_id: int
    version: int
    name: str
    attributes: tuple[Attribute, ...]
    methods: tuple[Method, ...] = ()

    def attribute(self, key: int | str) -> Attribute:
        """The attribute of that number or name; InvalidValueError where there is none."""
        return _find(self.attributes, key, f"{self.name} has no attribute")

    def method(self, key: int | str) -> Method:
        """The method of that number or name; InvalidValueError where there is none."""
        return _find(self.methods, key, f"{self.name} has no method")


def interface_class(
    class_id: int, version: int, name: str, attributes: tuple[tuple[str, Shape | None], ...], *methods: Method
) -> InterfaceClass:
    """A class whose attributes are numbered from 2 in the order given, after the logical name."""
    numbered = tuple(Attribute(number, *pair) for number, pair in enumerate(attributes, start=2))
    return InterfaceClass(class_id, version, name, (Attribute(1, "logical_name", LOGICAL_NAME), *numbered), methods)


def _find(declared: tuple[_Numbered, ...], key: int | str, message: str) -> _Numbered:
    for item in declared:
        if key in (item.number, item.name):
            return item
    raise InvalidValueError(f"{message} {key}")
