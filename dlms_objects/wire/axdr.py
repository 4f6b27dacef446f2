"""The general A-XDR codec: one typed value (`Data`) to octets and back.

Here: tags and containers; what is inside is in `simple_types`, `compact_array` and, for arrays of rows that are all
alike, `row_layout`. Everything that is not a page of a known profile (`row_plan`) goes through here. Decoding is
strict: octets left over, a length or count beyond the octets that remain, nesting deeper than 16 and text that is not
text are MalformedError, and nothing is allocated before it is known to be there.

Decided: elements of a received array may differ in type (profiles leave repeated cells out as null-data). The rest of
what is decided stands in `simple_types`.
"""

import struct
from collections.abc import Callable
from typing import Any

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.data import NULL, Data, DataType
from dlms_objects.wire.compact_array import decode_compact_array, encode_compact_array
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lengths import decode_length, encode_length
from dlms_objects.wire.row_layout import Column, layout_of
from dlms_objects.wire.simple_types import (
    NUMBER_FORMATS,
    ONE_OCTET_VALUES,
    SIMPLE_TYPES,
    decode_content,
    encode_simple,
)

DEPTH_LIMIT = 16
"""Containers (arrays, structures and compact-arrays) inside one another."""

REGULAR_ROWS = 4
"""From this many structures in an array on, it is worth while to look whether they are all alike."""


def encode(value: Data) -> bytes:
    """The octets of one value; InvalidValueError when it does not fit its type or nests deeper than 16."""
    return _encode(value, 0)


def decode(octets: bytes | bytearray | memoryview) -> Data:
    """The one value that the octets are, to the last of them; MalformedError otherwise."""
    octets = bytes(octets)
    value, end = decode_prefix(octets, 0)
    if end != len(octets):
        raise MalformedError(f"{len(octets) - end} octets are left over after a value")
    return value


def decode_prefix(octets: bytes, offset: int, *, depth: int = 0) -> tuple[Data, int]:
    """The value that starts at `offset`, and the offset after it; MalformedError when there is no whole one.

    `depth` is how many containers are already open around the value.
    """
    members, end = _decode_members(octets, offset, 1, depth)
    return members[0], end


def column_of(cell: Data) -> Column:
    """The column that a cell belongs to, when all cells of it have the same type and length."""
    return Column(cell.type, len(cell.value) if cell.type is DataType.OCTET_STRING else None)


# By tag: one-octet values are shared, other numbers are read by one unpacker per type.
_ONE_OCTET: list[tuple[Data, ...] | None] = [None] * 256
_NUMBERS: list[tuple[DataType, Callable[[bytes, int], tuple[Any, ...]], int] | None] = [None] * 256
_PACKERS: dict[int, Callable[..., bytes]] = {}
for _type, _code in NUMBER_FORMATS.items():
    _layout = struct.Struct(">" + _code)
    _NUMBERS[_type] = (_type, _layout.unpack_from, _layout.size)
    _PACKERS[_type] = struct.Struct(">B" + _code).pack
for _type, _values in ONE_OCTET_VALUES.items():
    _ONE_OCTET[_type], _NUMBERS[_type] = _values, None
_SIMPLE = {type_.value: type_ for type_ in SIMPLE_TYPES}
_OCTET_STRING, _ARRAY, _STRUCTURE = DataType.OCTET_STRING, DataType.ARRAY, DataType.STRUCTURE
_new = tuple.__new__  # a Data in two thirds of the time of Data()


def _decode_members(octets: bytes, offset: int, count: int, depth: int) -> tuple[list[Data], int]:  # noqa: C901, PLR0912 - the general hot loop, kept flat for speed
    """`count` values one after the other; `depth` containers are open around them."""
    if depth > DEPTH_LIMIT:
        raise MalformedError(f"more than {DEPTH_LIMIT} arrays and structures inside one another")
    members: list[Data] = []
    append, new, data_class = members.append, _new, Data
    numbers, one_octet = _NUMBERS, _ONE_OCTET
    octet_string, null, size = _OCTET_STRING, NULL, len(octets)
    try:
        for _ in range(count):
            tag = octets[offset]
            offset += 1
            if tag == 9:
                length = octets[offset]
                offset += 1
                if length > 0x7F:
                    length, offset = decode_length(octets, offset - 1)
                end = offset + length
                if end > size:
                    raise MalformedError("the octets end inside an octet-string")
                append(new(data_class, (octet_string, octets[offset:end])))
                offset = end
            elif (number := numbers[tag]) is not None:
                type_, unpack_from, length = number
                append(new(data_class, (type_, unpack_from(octets, offset)[0])))
                offset += length
            elif (shared := one_octet[tag]) is not None:
                append(shared[octets[offset]])
                offset += 1
            elif tag == 0:
                append(null)
            elif tag in (1, 2):
                length = octets[offset]
                offset += 1
                if length > 0x7F:
                    length, offset = decode_length(octets, offset - 1)
                if length > size - offset:  # the smallest element, null-data, is one octet
                    raise MalformedError(f"{length} elements are announced and {size - offset} octets are left")
                if tag == 2:
                    inner, offset = _decode_members(octets, offset, length, depth + 1)
                    append(new(data_class, (_STRUCTURE, tuple(inner))))
                else:
                    inner, offset = _decode_elements(octets, offset, length, depth + 1)
                    append(new(data_class, (_ARRAY, tuple(inner))))
            else:
                value, offset = _decode_other(tag, octets, offset, depth)
                append(value)
    except (IndexError, struct.error):
        raise MalformedError("the octets end inside a value") from None
    return members, offset


def _decode_elements(octets: bytes, offset: int, count: int, depth: int) -> tuple[list[Data], int]:
    """The elements of an array: by the layout of the first where it is a structure and all are like it."""
    if count < REGULAR_ROWS or octets[offset] != _STRUCTURE:
        return _decode_members(octets, offset, count, depth)
    first, start = _decode_members(octets, offset, 1, depth)
    layout = layout_of(tuple(map(column_of, first[0].value)))
    if layout is not None and layout.length == start - offset and layout.length > 2:
        end = offset + count * layout.length
        rows = octets[offset:end]
        if layout.matches(rows, count):
            return list(layout.typed_rows(rows)), end
    rest, end = _decode_members(octets, start, count - 1, depth)
    return first + rest, end


def _decode_other(tag: int, octets: bytes, offset: int, depth: int) -> tuple[Data, int]:
    """The value after the tag of a type that is rare in pages of rows."""
    if tag == DataType.COMPACT_ARRAY:
        if depth >= DEPTH_LIMIT:
            raise MalformedError(f"more than {DEPTH_LIMIT} arrays and structures inside one another")
        elements, offset = decode_compact_array(octets, offset, DEPTH_LIMIT - depth - 1)
        return Data(DataType.COMPACT_ARRAY, elements), offset
    type_ = _SIMPLE.get(tag)
    if type_ is None:
        raise MalformedError(f"no common data type has the tag {tag:02X}")
    content, offset = decode_content(type_, octets, offset)
    return Data(type_, content), offset


def _encode(value: Data, depth: int) -> bytes:
    type_, content = value
    try:
        if type_ is _OCTET_STRING:
            return b"".join((b"\x09", encode_length(len(content)), content))
        pack = _PACKERS.get(type_)
        return _encode_other(value, depth) if pack is None else pack(type_, content)
    except InvalidValueError:
        raise
    except (struct.error, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise InvalidValueError(f"not a value of {type_!r}: {content!r}") from error


def _encode_other(value: Data, depth: int) -> bytes:
    type_, content = value
    if type_ in SIMPLE_TYPES:
        return encode_simple(value)
    if depth >= DEPTH_LIMIT:
        raise InvalidValueError(f"more than {DEPTH_LIMIT} arrays and structures inside one another")
    tag = bytes((DataType(type_),))
    if type_ is DataType.COMPACT_ARRAY:
        return tag + encode_compact_array(content, DEPTH_LIMIT - depth - 1)
    return tag + encode_length(len(content)) + b"".join([_encode(member, depth + 1) for member in content])
