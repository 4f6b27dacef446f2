"""Compact arrays: an array whose type is said once (its contents description), and its elements.

Here: the values and their rules. Not here: octets (`wire.compact_array`). `Data` of type compact-array holds a
`CompactArray`; made by `compact_array`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.data import Data, DataType

MAXIMUM_ELEMENTS = 0xFFFF
"""Elements of an array inside a contents description: its number is 16 bits wide."""


@dataclass(frozen=True, slots=True)
class TypeDescription:
    """The type of a value and of all that is in it.

    A structure has one member per member; an array has one member, the type of its `elements` (0..65535) elements; no
    other type has members. A compact-array has no place in a description.
    """

    type: DataType
    members: tuple["TypeDescription", ...] = ()
    elements: int = 0

    def __post_init__(self) -> None:
        """Refuse what describes no value (InvalidValueError)."""
        is_array = self.type is DataType.ARRAY
        if self.type is DataType.COMPACT_ARRAY:
            raise InvalidValueError("a contents description holds no compact-array")
        if is_array and len(self.members) != 1:
            raise InvalidValueError(f"an array is described by the type of its elements, not by {len(self.members)}")
        if self.members and not is_array and self.type is not DataType.STRUCTURE:
            raise InvalidValueError(f"{self.type.name.lower()} has no members")
        if not 0 <= self.elements <= (MAXIMUM_ELEMENTS if is_array else 0):
            raise InvalidValueError(f"{self.type.name.lower()} of {self.elements} elements")

    def describes(self, value: Data) -> bool:
        """True when the value is of exactly this type."""
        if value.type is not self.type:
            return False
        if self.type is DataType.STRUCTURE:
            inner = self.members
        elif self.type is DataType.ARRAY:
            inner = self.members * self.elements
        else:
            return True
        return len(inner) == len(value.value) and all(
            member.describes(part) for member, part in zip(inner, value.value, strict=True)
        )


@dataclass(frozen=True, slots=True)
class CompactArray:
    """The elements of a compact-array, each of the described type."""

    description: TypeDescription
    elements: tuple[Data, ...]

    def __iter__(self) -> Iterator[Data]:
        """The elements."""
        return iter(self.elements)

    def __len__(self) -> int:
        """The number of elements."""
        return len(self.elements)


def compact_array(elements: Iterable[Data], description: TypeDescription | None = None) -> Data:
    """A compact-array; without a description, that of the first element is taken.

    InvalidValueError when an element is not of the described type, or there is nothing to take a description from.
    """
    members = tuple(elements)
    if description is None:
        if not members:
            raise InvalidValueError("a compact-array without elements needs a description")
        description = describe(members[0])
    if not all(description.describes(member) for member in members):
        raise InvalidValueError("the elements of a compact-array are all of the described type")
    return Data(DataType.COMPACT_ARRAY, CompactArray(description, members))


def describe(value: Data) -> TypeDescription:
    """The type of a value; InvalidValueError for an empty array, a mixed one, and a compact-array."""
    if value.type is DataType.STRUCTURE:
        return TypeDescription(value.type, tuple(describe(member) for member in value.value))
    if value.type is DataType.ARRAY:
        if not value.value:
            raise InvalidValueError("an empty array does not say of what type its elements are")
        inner = describe(value.value[0])
        if not all(inner.describes(member) for member in value.value):
            raise InvalidValueError("the elements of an array are not all of one type")
        return TypeDescription(value.type, (inner,), len(value.value))
    return TypeDescription(value.type)
