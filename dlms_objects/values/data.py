"""Typed COSEM data: one value with its A-XDR type, and one constructor per type that refuses what does not fit.

The Python value of each type: null-data and don't-care None; array and structure a tuple of `Data`; compact-array a
`values.compact_array.CompactArray`; boolean bool; bit-string a str of `0` and `1`, left-most bit first; the whole
numbers, the deltas, bcd and enum int; octet-string bytes; visible-string an ASCII str; utf8-string str; float32/float64
float; date-time, date, time their 12, 5, 4 octets as bytes.
"""

import struct
from collections.abc import Iterable
from enum import IntEnum
from typing import Any, NamedTuple

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.cosem_time import CosemDate, CosemDateTime, CosemTime


class DataType(IntEnum):
    """The A-XDR tag of each common data type (as in gurux-dlms 1.0.203 DataType; from 28 on as in Gurux.DLMS.Net)."""

    NULL_DATA = 0
    ARRAY = 1
    STRUCTURE = 2
    BOOLEAN = 3
    BIT_STRING = 4
    DOUBLE_LONG = 5
    DOUBLE_LONG_UNSIGNED = 6
    OCTET_STRING = 9
    VISIBLE_STRING = 10
    UTF8_STRING = 12
    BCD = 13
    INTEGER = 15
    LONG = 16
    UNSIGNED = 17
    LONG_UNSIGNED = 18
    COMPACT_ARRAY = 19
    LONG64 = 20
    LONG64_UNSIGNED = 21
    ENUM = 22
    FLOAT32 = 23
    FLOAT64 = 24
    DATE_TIME = 25
    DATE = 26
    TIME = 27
    DELTA_INTEGER = 28
    DELTA_LONG = 29
    DELTA_DOUBLE_LONG = 30
    DELTA_UNSIGNED = 31
    DELTA_LONG_UNSIGNED = 32
    DELTA_DOUBLE_LONG_UNSIGNED = 33
    DONT_CARE = 255


WHOLE_NUMBER_RANGES: dict[DataType, tuple[int, int]] = {
    DataType.INTEGER: (-(2**7), 2**7 - 1),
    DataType.LONG: (-(2**15), 2**15 - 1),
    DataType.DOUBLE_LONG: (-(2**31), 2**31 - 1),
    DataType.LONG64: (-(2**63), 2**63 - 1),
    DataType.UNSIGNED: (0, 2**8 - 1),
    DataType.LONG_UNSIGNED: (0, 2**16 - 1),
    DataType.DOUBLE_LONG_UNSIGNED: (0, 2**32 - 1),
    DataType.LONG64_UNSIGNED: (0, 2**64 - 1),
    DataType.ENUM: (0, 2**8 - 1),
    DataType.BCD: (-(2**7), 2**7 - 1),
    DataType.DELTA_INTEGER: (-(2**7), 2**7 - 1),
    DataType.DELTA_LONG: (-(2**15), 2**15 - 1),
    DataType.DELTA_DOUBLE_LONG: (-(2**31), 2**31 - 1),
    DataType.DELTA_UNSIGNED: (0, 2**8 - 1),
    DataType.DELTA_LONG_UNSIGNED: (0, 2**16 - 1),
    DataType.DELTA_DOUBLE_LONG_UNSIGNED: (0, 2**32 - 1),
}


_FLOAT32 = struct.Struct(">f")


class Data(NamedTuple):
    """One typed COSEM value; build it with the functions of this module, which check ranges."""

    type: DataType
    value: Any


NULL = Data(DataType.NULL_DATA, None)
DONT_CARE = Data(DataType.DONT_CARE, None)


def whole_number(type_: DataType, value: int) -> Data:
    """A whole number of any type in WHOLE_NUMBER_RANGES; InvalidValueError when it does not fit exactly.

    The deltas, which have no function of their own, are made by this one.
    """
    low, high = WHOLE_NUMBER_RANGES[type_]
    if isinstance(value, bool) or not hasattr(value, "__index__") or not low <= value <= high:
        raise InvalidValueError(f"{type_.name.lower().replace('_', '-')} holds {low}..{high}, not {value!r}")
    return Data(type_, int(value))


def integer(value: int) -> Data:
    """A signed 8-bit number."""
    return whole_number(DataType.INTEGER, value)


def long(value: int) -> Data:
    """A signed 16-bit number."""
    return whole_number(DataType.LONG, value)


def double_long(value: int) -> Data:
    """A signed 32-bit number."""
    return whole_number(DataType.DOUBLE_LONG, value)


def long64(value: int) -> Data:
    """A signed 64-bit number; all amounts are of this type."""
    return whole_number(DataType.LONG64, value)


def unsigned(value: int) -> Data:
    """An unsigned 8-bit number."""
    return whole_number(DataType.UNSIGNED, value)


def long_unsigned(value: int) -> Data:
    """An unsigned 16-bit number."""
    return whole_number(DataType.LONG_UNSIGNED, value)


def double_long_unsigned(value: int) -> Data:
    """An unsigned 32-bit number."""
    return whole_number(DataType.DOUBLE_LONG_UNSIGNED, value)


def long64_unsigned(value: int) -> Data:
    """An unsigned 64-bit number."""
    return whole_number(DataType.LONG64_UNSIGNED, value)


def bcd(value: int) -> Data:
    """The one octet of a bcd, which the standard holds as a signed number: -128..127, digits unread."""
    return whole_number(DataType.BCD, value)


def enum(value: int) -> Data:
    """An enumerated value, 0..255."""
    return whole_number(DataType.ENUM, value)


def boolean(value: bool) -> Data:  # noqa: FBT001 - the type's own constructor
    """A boolean."""
    if type(value) is not bool:
        raise InvalidValueError(f"boolean holds True or False, not {value!r}")
    return Data(DataType.BOOLEAN, value)


def bit_string(bits: str) -> Data:
    """A bit-string from `0` and `1` characters, left-most bit first."""
    if set(bits) - {"0", "1"}:
        raise InvalidValueError(f"a bit-string is written with 0 and 1, not {bits!r}")
    return Data(DataType.BIT_STRING, bits)


def octet_string(octets: bytes) -> Data:
    """An octet-string."""
    return Data(DataType.OCTET_STRING, bytes(octets))


def visible_string(text: str) -> Data:
    """A visible-string; InvalidValueError for anything but printable ASCII."""
    if not (text.isascii() and (text.isprintable() or not text)):
        raise InvalidValueError(f"a visible-string is printable ASCII, not {text!r}")
    return Data(DataType.VISIBLE_STRING, text)


def utf8_string(text: str) -> Data:
    """A utf8-string; InvalidValueError for a lone surrogate, which UTF-8 cannot carry."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidValueError(f"not UTF-8: {text!r}") from error
    return Data(DataType.UTF8_STRING, text)


def float32(value: float) -> Data:
    """A 32-bit float, rounded to the nearest that there is; InvalidValueError when it is beyond the largest."""
    try:
        (nearest,) = _FLOAT32.unpack(_FLOAT32.pack(value))
    except (struct.error, OverflowError) as error:
        raise InvalidValueError(f"not a float32: {value!r}") from error
    return Data(DataType.FLOAT32, nearest)


def float64(value: float) -> Data:
    """A 64-bit float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValueError(f"not a float64: {value!r}")
    try:
        return Data(DataType.FLOAT64, float(value))
    except OverflowError as error:
        raise InvalidValueError(f"not a float64: {value!r}") from error


def date_time(moment: CosemDateTime) -> Data:
    """A date-time as its own type; most attributes hold it as an octet-string of the same 12 octets instead."""
    return Data(DataType.DATE_TIME, moment.octets)


def date(day: CosemDate) -> Data:
    """A date as its own type."""
    return Data(DataType.DATE, day.octets)


def time(moment: CosemTime) -> Data:
    """A time as its own type."""
    return Data(DataType.TIME, moment.octets)


def structure(*members: Data) -> Data:
    """A structure of those members."""
    return Data(DataType.STRUCTURE, members)


def array(elements: Iterable[Data]) -> Data:
    """An array; InvalidValueError when the elements are not all of one type."""
    members = tuple(elements)
    if len({member.type for member in members}) > 1:
        raise InvalidValueError("the elements of an array are all of one type")
    return Data(DataType.ARRAY, members)
