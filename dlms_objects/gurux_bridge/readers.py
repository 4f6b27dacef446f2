"""Readers: functions from typed data to readable plain values, and how they are put together.

A reader never raises and never drops anything: data of another type than it reads comes out as the plain value.
Imported by the views.
"""

import struct
from collections.abc import Callable
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from math import isfinite
from typing import Any

from dlms_objects.classes.shape import (
    DATE,
    DATE_TIME,
    LOGICAL_NAME,
    TIME,
    Array,
    Leaf,
    Nullable,
    Shape,
    Structure,
    plain_data,
)
from dlms_objects.gurux_bridge.moments import date_text, moment_text, time_text
from dlms_objects.gurux_bridge.units import unit_symbol
from dlms_objects.values.data import Data, DataType
from dlms_objects.values.logical_name import LogicalName

Reader = Callable[[Data], Any]

_LISTS = (DataType.ARRAY, DataType.COMPACT_ARRAY)
_ADDRESS_OCTETS = {4: IPv4Address, 16: IPv6Address}
_FLOAT32 = struct.Struct(">f")


def plain(value: Data) -> Any:
    """The plain value; floats by the fewest digits that mean them."""
    if value.type in (DataType.ARRAY, DataType.STRUCTURE, DataType.COMPACT_ARRAY):
        return [plain(member) for member in value.value]
    if value.type is DataType.DATE_TIME:
        return moment_text(value.value)
    if value.type is DataType.DATE:
        return date_text(value.value)
    if value.type is DataType.TIME:
        return time_text(value.value)
    if value.type in (DataType.FLOAT32, DataType.FLOAT64):
        return float_text(value)
    return plain_data(value)


def float_text(value: Data) -> str:
    """A float of 32 or 64 bits as the shortest decimal that is read back as the same float."""
    number = value.value
    if value.type is DataType.FLOAT32 and isfinite(number):
        shortest = (f"{number:.{digits}g}" for digits in range(6, 10))
        number = next(float(text) for text in shortest if _FLOAT32.pack(float(text)) == _FLOAT32.pack(number))
    return repr(number)


def members(**readers: Reader) -> Reader:
    """A structure with those members in order, as a dict."""

    def read(value: Data) -> Any:
        if value.type is not DataType.STRUCTURE or len(value.value) != len(readers):
            return plain(value)
        return {name: reader(member) for (name, reader), member in zip(readers.items(), value.value, strict=True)}

    return read


def each(reader: Reader) -> Reader:
    """An array or compact-array, as a list."""
    return lambda value: [reader(member) for member in value.value] if value.type in _LISTS else plain(value)


def named(enumeration: type[IntEnum] | tuple[str, ...]) -> Reader:
    """A number by the name of the member of a gurux enumeration, or of the tuple."""
    names = (
        dict(enumerate(enumeration))
        if isinstance(enumeration, tuple)
        else {int(member): member.name.lower() for member in enumeration}
    )

    def read(value: Data) -> Any:
        return names.get(value.value, value.value) if isinstance(value.value, int) else plain(value)

    return read


def of_octets(length: int | None, read: Callable[[bytes], Any]) -> Reader:
    """An octet-string of that length (None: any) by a function of its octets."""

    def reader(value: Data) -> Any:
        octets = value.value
        fits = isinstance(octets, bytes) and (length is None or len(octets) == length)
        return read(octets) if fits else plain(value)

    return reader


def _text(octets: bytes) -> str:
    """Printable text as it is, anything else as hexadecimal."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return octets.hex()
    return text if text.isprintable() else octets.hex()


def _address(octets: bytes) -> str:
    kind = _ADDRESS_OCTETS.get(len(octets))
    return octets.hex() if kind is None else str(kind(octets))


moment = of_octets(12, moment_text)
date = of_octets(5, date_text)
time = of_octets(4, time_text)
logical_name = of_octets(6, lambda octets: str(LogicalName(octets)))
text = of_octets(None, _text)
ip_address = of_octets(None, _address)


def ip_number(value: Data) -> Any:
    """An IPv4 address kept as a number of 32 bits."""
    return str(IPv4Address(value.value)) if value.type is DataType.DOUBLE_LONG_UNSIGNED else plain(value)


def unit(value: Data) -> Any:
    """A unit by its symbol."""
    return unit_symbol(value.value) if value.type is DataType.ENUM else plain(value)


_BY_LEAF = {id(DATE_TIME): moment, id(DATE): date, id(TIME): time, id(LOGICAL_NAME): logical_name}


def reader_of(shape: Shape | None) -> Reader:
    """The reader of a declared shape."""
    match shape:
        case Structure():
            return members(**{name: reader_of(inner) for name, inner in shape.members})
        case Array():
            return each(reader_of(shape.element))
        case Nullable():
            return reader_of(shape.shape)
        case Leaf() if shape.names:
            return named(shape.names)
        case Leaf():
            return _BY_LEAF.get(id(shape), plain)
    return plain
