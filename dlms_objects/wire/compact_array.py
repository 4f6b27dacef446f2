"""Compact arrays in A-XDR: one contents description, then the contents of all elements without tags and counts.

Only `axdr` imports it. What a description promises is weighed before anything is allocated: an element takes at least
one octet, and makes at most VALUES_PER_OCTET values of each octet it takes, so that short octets cannot grow into a
flood of empty values.
"""

import struct
from collections.abc import Callable

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.compact_array import CompactArray, TypeDescription
from dlms_objects.values.data import Data, DataType
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lengths import decode_length, encode_length
from dlms_objects.wire.row_layout import typed_structures, typed_values
from dlms_objects.wire.simple_types import (
    EMPTY_TYPES,
    FIXED_FORMATS,
    SIMPLE_TYPES,
    decode_content,
    encode_simple,
    take,
)

VALUES_PER_OCTET = 8
"""Values (containers and empty ones included) that a described element may make of one octet of contents."""

_ELEMENTS = struct.Struct(">H")
_TYPES = {type_.value: type_ for type_ in SIMPLE_TYPES}


def decode_compact_array(octets: bytes, offset: int, depth: int) -> tuple[CompactArray, int]:
    """The compact-array after its tag, and the offset after it; MalformedError when there is no whole one.

    `depth` is how many more containers may be inside one another in it.
    """
    description, offset = _decode_description(octets, offset, depth)
    length, offset = decode_length(octets, offset)
    contents, end = take(octets, length, offset)
    if contents and (objection := _objection(description)):
        raise MalformedError(objection)
    return CompactArray(description, _decode_contents(description, contents)), end


def encode_compact_array(value: CompactArray, depth: int) -> bytes:
    """The octets after the tag; InvalidValueError when an element is not of the described type, or does not fit it.

    `depth` is how many more containers may be inside one another in it.
    """
    description = value.description
    if value.elements and (objection := _objection(description)):
        raise InvalidValueError(objection)
    if not all(description.describes(element) for element in value.elements):
        raise InvalidValueError("an element of a compact-array is not of the described type")
    contents = b"".join(map(_encode_content, value.elements))
    return _encode_description(description, depth) + encode_length(len(contents)) + contents


def _decode_description(octets: bytes, offset: int, depth: int) -> tuple[TypeDescription, int]:
    tag, offset = take(octets, 1, offset)
    type_ = _TYPES.get(tag[0])
    if type_ is not None:
        return TypeDescription(type_), offset
    if depth < 1:
        raise MalformedError("too many arrays and structures inside one another in a contents description")
    if tag[0] == DataType.ARRAY:
        elements, offset = take(octets, _ELEMENTS.size, offset)
        member, offset = _decode_description(octets, offset, depth - 1)
        return TypeDescription(DataType.ARRAY, (member,), *_ELEMENTS.unpack(elements)), offset
    if tag[0] != DataType.STRUCTURE:
        raise MalformedError(f"no type in a contents description has the tag {tag.hex()}")
    count, offset = decode_length(octets, offset)
    if count > len(octets) - offset:
        raise MalformedError(f"{count} members are described and {len(octets) - offset} octets are left")
    members = []
    for _ in range(count):
        member, offset = _decode_description(octets, offset, depth - 1)
        members.append(member)
    return TypeDescription(DataType.STRUCTURE, tuple(members)), offset


def _encode_description(description: TypeDescription, depth: int) -> bytes:
    tag = bytes((description.type,))
    if description.type in SIMPLE_TYPES:
        return tag
    if depth < 1:
        raise InvalidValueError("too many arrays and structures inside one another in a contents description")
    members = b"".join(_encode_description(member, depth - 1) for member in description.members)
    if description.type is DataType.ARRAY:
        return tag + _ELEMENTS.pack(description.elements) + members
    return tag + encode_length(len(description.members)) + members


def _weigh(description: TypeDescription) -> tuple[int, int]:
    """The fewest octets an element takes, and the number of values it makes."""
    if description.type in SIMPLE_TYPES:
        code = FIXED_FORMATS.get(description.type)
        fewest = 1 if code is None else struct.calcsize(">" + code)
        return (0 if description.type in EMPTY_TYPES else fewest), 1
    weights = [_weigh(member) for member in description.members]
    times = description.elements if description.type is DataType.ARRAY else 1
    return times * sum(octets for octets, _ in weights), 1 + times * sum(values for _, values in weights)


def _objection(description: TypeDescription) -> str:
    """Why elements of that description are not taken in, or an empty text."""
    octets, values = _weigh(description)
    if octets and values <= octets * VALUES_PER_OCTET:
        return ""
    return f"elements of a compact-array make {values} values of {octets} octets; at most {VALUES_PER_OCTET} of each"


def _decode_contents(description: TypeDescription, contents: bytes) -> tuple[Data, ...]:
    if not contents:
        return ()
    cells = description.members if description.type is DataType.STRUCTURE else (description,)
    codes = [FIXED_FORMATS.get(cell.type) for cell in cells]
    if None not in codes:
        layout = struct.Struct(">" + "".join(filter(None, codes)))
        if len(contents) % layout.size:
            raise MalformedError(f"{len(contents)} octets are not elements of {layout.size} octets each")
        rows = layout.iter_unpack(contents)
        if description.type is DataType.STRUCTURE:
            return tuple(typed_structures([cell.type for cell in cells], rows))
        return tuple(typed_values(description.type, [content for (content,) in rows]))
    elements: list[Data] = []
    read, offset = _reader(description), 0
    while offset < len(contents):
        element, offset = read(contents, offset)
        elements.append(element)
    return tuple(elements)


def _reader(description: TypeDescription) -> Callable[[bytes, int], tuple[Data, int]]:
    """What reads one value of that description at an offset."""
    type_ = description.type
    if type_ in SIMPLE_TYPES:

        def read_simple(octets: bytes, offset: int) -> tuple[Data, int]:
            content, offset = decode_content(type_, octets, offset)
            return Data(type_, content), offset

        return read_simple

    fewest, _values = _weigh(description)
    readers = [_reader(member) for member in description.members]
    times = description.elements if type_ is DataType.ARRAY else 1

    def read_members(octets: bytes, offset: int) -> tuple[Data, int]:
        if fewest > len(octets) - offset:
            raise MalformedError("the contents of a compact-array end inside an element")
        members = []
        for read in readers * times:
            member, offset = read(octets, offset)
            members.append(member)
        return Data(type_, tuple(members)), offset

    return read_members


def _encode_content(element: Data) -> bytes:
    if element.type in SIMPLE_TYPES:
        return encode_simple(element)[1:]
    return b"".join(map(_encode_content, element.value))
