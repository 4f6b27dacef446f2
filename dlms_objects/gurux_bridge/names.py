"""Names: every standard interface class with its attributes and methods, and what a logical name stands for.

Names are as in gurux-dlms 1.0.203, in the standard's manner of writing; where it has none or wrong ones (it gives the
security setup the clock's methods), as `missing_names` has them. The classes our own meters declare
come first. Imported by the views and the command line.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from gurux_dlms._GXObjectFactory import _GXObjectFactory
from gurux_dlms.enums import ObjectType
from gurux_dlms.GXDLMSConverter import GXDLMSConverter

from dlms_objects.classes.catalogue import CLASSES
from dlms_objects.classes.purse_class import JOURNAL_NAME
from dlms_objects.gurux_bridge.missing_names import CLASS_NAMES, MISSING_CLASSES, attributes_added, methods_of
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceNames:
    """The names of one class in one version: its own, and those of its attributes and methods by number."""

    class_id: int
    version: int
    name: str
    attributes: Mapping[int, str]
    methods: Mapping[int, str]


# gurux numbers the SMTP setup 2, which is no class; it is 46.
_GURUX_CLASSES = frozenset(int(kind) for kind in ObjectType) - {0, 2}
_OWN_OBJECTS = {JOURNAL_NAME: "Purse journal"}
_FIRST_MANUFACTURER_CLASS = 8192
_LAST_VERSION = 3
_NO_DESCRIPTION = ("Invalid", "Manufacturer specific")


@cache
def names_of(class_id: int, version: int = 0) -> InterfaceNames | None:
    """The names of a class; None for one that neither we nor gurux know."""
    name, attributes, methods = _standard_names(class_id, version)
    declared = CLASSES.get(class_id)
    if declared is not None and (declared.version <= version or not attributes):
        name = declared.name
        attributes |= {attribute.number: attribute.name for attribute in declared.attributes}
        methods |= {method.number: method.name for method in declared.methods}
    if not name:
        return None
    return InterfaceNames(class_id=class_id, version=version, name=name, attributes=attributes, methods=methods)


def known_classes() -> Iterator[int]:
    """The id of every class that has a name here."""
    numbers = {*_GURUX_CLASSES, *MISSING_CLASSES, *CLASSES}
    yield from sorted(number for number in numbers if names_of(number) is not None)


def class_name(class_id: int, version: int = 0) -> str:
    """The name of a class, or `class 4711`."""
    names = names_of(class_id, version)
    return f"class {class_id}" if names is None else names.name


def descriptor_name(descriptor: AttributeDescriptor | MethodDescriptor) -> str:
    """`Register.value 1.0.1.8.0.255`, of any vendor's meter; numbers where there is no name."""
    for version in range(_LAST_VERSION, -1, -1):
        names = names_of(descriptor.class_id, version)
        if names is None:
            break
        member = (
            names.attributes.get(descriptor.attribute)
            if isinstance(descriptor, AttributeDescriptor)
            else names.methods.get(descriptor.method)
        )
        if member is not None:
            return f"{names.name}.{member} {descriptor.logical_name}"
    return str(descriptor)


@cache
def description(class_id: int, logical_name: LogicalName) -> str:
    """What the OBIS code of an object says it is; empty where the code says nothing."""
    if logical_name in _OWN_OBJECTS:
        return _OWN_OBJECTS[logical_name]
    declared = CLASSES.get(class_id)
    if declared is not None and class_id >= _FIRST_MANUFACTURER_CLASS:
        number = logical_name.octets[4]
        return f"{declared.name} {number}" if number else declared.name
    found = _converter().getDescription(str(logical_name), class_id)
    words = " ".join(found[0].split()) if found else ""
    return "" if words in _NO_DESCRIPTION else words.removeprefix("Ch. 0 ")


def ui_type(class_id: int, logical_name: LogicalName, attribute: int) -> int:
    """The type that the octets of an octet-string stand for (a gurux DataType), 0 where gurux says none."""
    made = gurux_object(class_id)
    if made is None:
        return 0
    made.logicalName = str(logical_name)
    if attribute == 2 and description(class_id, logical_name):
        _converter().updateOBISCodeInformation(made)
    return int(made.getUIDataType(attribute))


def gurux_object(class_id: int, version: int | None = None) -> Any:
    """A fresh object of gurux's for that class, None where gurux has only its number."""
    if class_id not in _GURUX_CLASSES:
        return None
    made = _GXObjectFactory.createObject(ObjectType(class_id))
    if not hasattr(made, "getNames"):
        return None
    if version is not None:
        made.version = version
    return made


@cache
def _converter() -> GXDLMSConverter:
    return GXDLMSConverter()


def _standard_names(class_id: int, version: int) -> tuple[str, dict[int, str], dict[int, str]]:
    missing = MISSING_CLASSES.get(class_id)
    if missing is not None:
        name, attributes, methods = missing
        return name, _numbered(("logical_name", *attributes)), _numbered(methods)
    made = gurux_object(class_id, version)
    if made is None:
        return (_class_words(class_id) if class_id in _GURUX_CLASSES else ""), {}, {}
    names = tuple(made.getNames())[: made.getAttributeCount()]
    return (
        _class_words(class_id),
        _numbered(tuple(map(_snake, names))) | attributes_added(class_id, version),
        _numbered(methods_of(class_id, version, tuple(map(_snake, _methods(made))))),
    )


def _methods(made: Any) -> tuple[str, ...]:
    """The method names gurux gives: a tuple of text, where it does not give something else."""
    names = made.getMethodNames()
    return tuple(names) if isinstance(names, tuple | list) and all(isinstance(name, str) for name in names) else ()


def _class_words(class_id: int) -> str:
    given = CLASS_NAMES.get(class_id)
    return given if given is not None else ObjectType(class_id).name.replace("_", " ").capitalize()


def _snake(words: str) -> str:
    name = "_".join(words.replace("/", " ").replace("&", " and ").lower().split())
    return "scaler_unit" if name == "scaler_and_unit" else name


def _numbered(names: tuple[str, ...]) -> dict[int, str]:
    return dict(enumerate(names, start=1))
