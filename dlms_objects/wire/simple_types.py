"""The simple data types in A-XDR: the content of one value that holds no other value.

Here: their formats and their content without the tag. Not here: tags and containers (`axdr`), arrays of one described
type (`compact_array`), whole rows (`row_layout`): those import it.

Decided: any octet but 00 is a true boolean; padding bits of a bit-string are ignored; control characters in a
visible-string are kept, octets above 7F refused; the digits of a bcd are not judged.
"""

import struct
from collections.abc import Callable
from typing import Any

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.data import Data, DataType
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lengths import decode_length, encode_length

NUMBER_FORMATS: dict[DataType, str] = {
    DataType.DOUBLE_LONG: "i",
    DataType.DOUBLE_LONG_UNSIGNED: "I",
    DataType.BCD: "b",
    DataType.INTEGER: "b",
    DataType.LONG: "h",
    DataType.UNSIGNED: "B",
    DataType.LONG_UNSIGNED: "H",
    DataType.LONG64: "q",
    DataType.LONG64_UNSIGNED: "Q",
    DataType.ENUM: "B",
    DataType.FLOAT32: "f",
    DataType.FLOAT64: "d",
    DataType.DELTA_INTEGER: "b",
    DataType.DELTA_LONG: "h",
    DataType.DELTA_DOUBLE_LONG: "i",
    DataType.DELTA_UNSIGNED: "B",
    DataType.DELTA_LONG_UNSIGNED: "H",
    DataType.DELTA_DOUBLE_LONG_UNSIGNED: "I",
}
"""The `struct` code of every number; big-endian."""

FIXED_LENGTHS: dict[DataType, int] = {DataType.DATE_TIME: 12, DataType.DATE: 5, DataType.TIME: 4}
"""Octets of the types that are plain octets of a known length."""

FIXED_FORMATS: dict[DataType, str] = (
    NUMBER_FORMATS | {DataType.BOOLEAN: "?"} | {type_: f"{length}s" for type_, length in FIXED_LENGTHS.items()}
)
"""The `struct` code of every type whose content has always the same length, which is one octet at least."""

ONE_OCTET_VALUES: dict[DataType, tuple[Data, ...]] = {
    type_: tuple(Data(type_, struct.unpack(">" + code, bytes((octet,)))[0]) for octet in range(256))
    for type_, code in FIXED_FORMATS.items()
    if struct.calcsize(code) == 1
}
"""Every value of the types of one octet, made once and shared; by the octet, or by the value itself."""

EMPTY_TYPES = frozenset({DataType.NULL_DATA, DataType.DONT_CARE})
"""The types whose content is no octet at all."""

Content = tuple[Any, int]
"""The Python value of a content, and the offset after it."""

_PACKERS: dict[DataType, Callable[..., bytes]] = {
    type_: struct.Struct(f">B{code}").pack for type_, code in NUMBER_FORMATS.items()
}


def encode_simple(value: Data) -> bytes:
    """Tag and content; InvalidValueError when the value does not fit its type, or its type is a container."""
    type_, content = value
    try:
        pack = _PACKERS.get(type_)
        return bytes((type_,)) + _encode_content(type_, content) if pack is None else pack(type_, content)
    except (struct.error, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise InvalidValueError(f"not a value of {type_!r}: {content!r}") from error


def decode_content(type_: DataType, octets: bytes, offset: int) -> Content:
    """The content of a simple type that starts at `offset`; MalformedError when there is no whole one."""
    return _DECODERS[type_](octets, offset)


def take(octets: bytes, length: int, offset: int) -> tuple[bytes, int]:
    """`length` octets from `offset`, and the offset after them; MalformedError when there are fewer."""
    end = offset + length
    if end > len(octets):
        raise MalformedError("the octets end inside a value")
    return octets[offset:end], end


def _encode_content(type_: DataType, content: Any) -> bytes:
    """The content of a type that is no number; ValueError, TypeError or AttributeError when it does not fit."""
    match type_:
        case DataType.OCTET_STRING:
            return encode_length(len(content)) + bytes(memoryview(content))
        case DataType.VISIBLE_STRING | DataType.UTF8_STRING:
            text = str.encode(content, _CHARACTERS[type_])
            return encode_length(len(text)) + text
        case DataType.BOOLEAN if isinstance(content, bool):
            return bytes((content,))
        case DataType.BIT_STRING if not set(content) - {"0", "1"}:
            packed_length = (len(content) + 7) // 8
            packed = int("0" + content.ljust(8 * packed_length, "0"), 2).to_bytes(packed_length, "big")
            return encode_length(len(content)) + packed
        case DataType.NULL_DATA | DataType.DONT_CARE if content is None:
            return b""
        case DataType.DATE_TIME | DataType.DATE | DataType.TIME if len(content) == FIXED_LENGTHS[type_]:
            return bytes(memoryview(content))
    raise ValueError("no such content")


def _number_decoder(code: str) -> Callable[[bytes, int], Content]:
    layout = struct.Struct(">" + code)
    unpack_from, size = layout.unpack_from, layout.size

    def decode(octets: bytes, offset: int) -> Content:
        try:
            return unpack_from(octets, offset)[0], offset + size
        except struct.error:
            raise MalformedError("the octets end inside a value") from None

    return decode


def _text_decoder(type_: DataType) -> Callable[[bytes, int], Content]:
    def decode(octets: bytes, offset: int) -> Content:
        text, end = _decode_octet_string(octets, offset)
        return _text(type_, text), end

    return decode


def _text(type_: DataType, octets: bytes) -> str:
    try:
        return octets.decode(_CHARACTERS[type_])
    except UnicodeDecodeError as error:
        raise MalformedError(f"not a {type_.name.lower().replace('_', '-')}: {octets[:32].hex()}") from error


def _decode_octet_string(octets: bytes, offset: int) -> tuple[bytes, int]:
    length, offset = decode_length(octets, offset)
    return take(octets, length, offset)


def _decode_bit_string(octets: bytes, offset: int) -> Content:
    bits, offset = decode_length(octets, offset)
    packed, offset = take(octets, (bits + 7) // 8, offset)
    return f"{int.from_bytes(packed, 'big'):0{8 * len(packed)}b}"[:bits], offset


def _decode_nothing(_octets: bytes, offset: int) -> Content:
    return None, offset


_CHARACTERS = {DataType.VISIBLE_STRING: "ascii", DataType.UTF8_STRING: "utf-8"}
_DECODERS: dict[DataType, Callable[[bytes, int], Content]] = {
    **{type_: _number_decoder(code) for type_, code in FIXED_FORMATS.items()},
    **{type_: _text_decoder(type_) for type_ in _CHARACTERS},
    **dict.fromkeys(EMPTY_TYPES, _decode_nothing),
    DataType.OCTET_STRING: _decode_octet_string,
    DataType.BIT_STRING: _decode_bit_string,
}
SIMPLE_TYPES = frozenset(_DECODERS)
"""Every type that holds no other value."""
