"""Shapes: what the value of an attribute or a method parameter looks like, declared once.

A shape checks typed data (`conforms`), turns it into plain values for people and JSON (`to_plain`) and back
(`from_plain`). Classes declare their attributes with shapes; the meter and the command line both use them.

Plain values: structures are dicts, arrays lists, octet-strings hexadecimal text, logical names dotted text, COSEM times
ISO 8601 text (None where not specified), named enumerations their names, null-data None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from dlms_objects.errors import InvalidValueError
from dlms_objects.values import data as cosem
from dlms_objects.values.cosem_time import DEVIATION_NOT_SPECIFIED, CosemDate, CosemDateTime, CosemTime
from dlms_objects.values.data import Data, DataType
from dlms_objects.values.logical_name import LogicalName


@dataclass(frozen=True, slots=True)
class View:
    """How the octets of an octet-string read for people; both functions raise InvalidValueError."""

    name: str
    to_plain: Callable[[bytes], Any]
    from_plain: Callable[[Any], bytes]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One simple type; `length` fixes (or with `at_most` bounds) the octets of a string or the bits of a bit-string."""

    type: DataType
    length: int | None = None
    at_most: bool = False
    view: View | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure of named members in order."""

    members: tuple[tuple[str, "Shape"], ...]


@dataclass(frozen=True, slots=True)
class Array:
    """An array of elements of one shape."""

    element: "Shape"


@dataclass(frozen=True, slots=True)
class Nullable:
    """null-data, or the given shape."""

    shape: "Shape"


Shape = Leaf | Structure | Array | Nullable


_CONSTRUCTORS: Mapping[DataType, Callable[[Any], Data]] = {
    DataType.BOOLEAN: cosem.boolean,
    DataType.BIT_STRING: cosem.bit_string,
    DataType.OCTET_STRING: lambda text: cosem.octet_string(bytes.fromhex(text)),
    DataType.VISIBLE_STRING: cosem.visible_string,
    DataType.UTF8_STRING: cosem.utf8_string,
}
_WRITTEN_AS_TEXT = (DataType.BIT_STRING, DataType.OCTET_STRING, DataType.VISIBLE_STRING, DataType.UTF8_STRING)


def conforms(shape: Shape, value: Data) -> bool:
    """True when typed data has exactly this shape."""
    match shape:
        case Nullable():
            return value.type is DataType.NULL_DATA or conforms(shape.shape, value)
        case Array():
            return value.type is DataType.ARRAY and all(conforms(shape.element, element) for element in value.value)
        case Structure():
            return (
                value.type is DataType.STRUCTURE
                and len(value.value) == len(shape.members)
                and all(conforms(inner, member) for (_, inner), member in zip(shape.members, value.value, strict=True))
            )
        case Leaf():
            return value.type is shape.type and _length_fits(shape, value)


def to_plain(shape: Shape, value: Data) -> Any:
    """Typed data of this shape as plain values; InvalidValueError where it has another shape."""
    if not conforms(shape, value):
        raise InvalidValueError(f"the value is not of the declared type: {value!r}")
    return _plain(shape, value)


def from_plain(shape: Shape, plain: Any, where: str = "value") -> Data:
    """Plain values as typed data; InvalidValueError says which member is wrong and what it should be."""
    match shape:
        case Nullable():
            return cosem.NULL if plain is None else from_plain(shape.shape, plain, where)
        case Array():
            if not isinstance(plain, list | tuple):
                raise InvalidValueError(f"{where}: a list is wanted, not {plain!r}")
            return cosem.array(from_plain(shape.element, item, f"{where}[{n}]") for n, item in enumerate(plain))
        case Structure():
            return _structure_from_plain(shape, plain, where)
        case Leaf():
            try:
                value = _leaf_from_plain(shape, plain)
            except (InvalidValueError, TypeError, ValueError) as error:
                raise InvalidValueError(f"{where}: {error}") from error
            if not _length_fits(shape, value):
                raise InvalidValueError(f"{where}: {'at most ' if shape.at_most else ''}{shape.length} long is wanted")
            return value


def _plain(shape: Shape, value: Data) -> Any:
    match shape:
        case Nullable():
            return None if value.type is DataType.NULL_DATA else _plain(shape.shape, value)
        case Array():
            return [_plain(shape.element, element) for element in value.value]
        case Structure():
            return {
                name: _plain(inner, member) for (name, inner), member in zip(shape.members, value.value, strict=True)
            }
        case Leaf():
            return plain_leaf(value, shape)


def plain_leaf(value: Data, shape: Leaf | None = None) -> Any:
    """The plain form of any simple value, with the names and views of its shape where one is given."""
    if shape is not None and shape.view is not None:
        return shape.view.to_plain(value.value)
    if shape is not None and shape.names and value.value < len(shape.names):
        return shape.names[value.value]
    return value.value.hex() if isinstance(value.value, bytes) else value.value


def plain_data(value: Data) -> Any:
    """Any typed data as plain values without a shape: structures and arrays become lists."""
    if value.type in (DataType.ARRAY, DataType.STRUCTURE, DataType.COMPACT_ARRAY):
        return [plain_data(member) for member in value.value]
    return plain_leaf(value)


def _structure_from_plain(shape: Structure, plain: Any, where: str) -> Data:
    names = [name for name, _ in shape.members]
    if not isinstance(plain, Mapping) or set(plain) != set(names):
        given = sorted(plain) if isinstance(plain, Mapping) else plain
        raise InvalidValueError(f"{where}: exactly the members {', '.join(names)} are wanted, not {given!r}")
    return cosem.structure(*(from_plain(inner, plain[name], f"{where}.{name}") for name, inner in shape.members))


def _leaf_from_plain(shape: Leaf, plain: Any) -> Data:
    if shape.type in _WRITTEN_AS_TEXT and not isinstance(plain, str) and (plain is not None or shape.view is None):
        raise InvalidValueError(f"text is wanted, not {plain!r}")
    if shape.view is not None:
        return Data(shape.type, shape.view.from_plain(plain))
    if shape.names and isinstance(plain, str):
        if plain not in shape.names:
            raise InvalidValueError(f"one of {', '.join(shape.names)} is wanted, not {plain!r}")
        return Data(shape.type, shape.names.index(plain))
    if shape.type in cosem.WHOLE_NUMBER_RANGES:
        return cosem.whole_number(shape.type, plain)
    if shape.type not in _CONSTRUCTORS:
        raise InvalidValueError(f"{shape.type.name} cannot be given in plain form")
    return _CONSTRUCTORS[shape.type](plain)


def _length_fits(shape: Leaf, value: Data) -> bool:
    if shape.length is None:
        return True
    octets = value.value.encode() if isinstance(value.value, str) else value.value
    return len(octets) <= shape.length if shape.at_most else len(octets) == shape.length


def _logical_name_from_plain(plain: str | None) -> bytes:
    return LogicalName.parse(str(plain)).octets


def _date_time_to_plain(octets: bytes) -> str | None:
    moment = CosemDateTime(octets)
    civil, deviation = moment.civil(), moment.deviation_minutes
    if civil is None:
        return None
    return civil.isoformat() if deviation is None else str(moment).replace(" ", "T")


def _date_time_from_plain(plain: str | None) -> bytes:
    if plain is None:
        return CosemDateTime.NOT_SPECIFIED.octets
    moment = datetime.fromisoformat(plain)
    octets = bytearray(CosemDateTime.from_civil(moment.replace(tzinfo=None, microsecond=0)).octets)
    offset = moment.utcoffset()
    deviation = DEVIATION_NOT_SPECIFIED if offset is None else -int(offset.total_seconds()) // 60
    octets[9:11] = deviation.to_bytes(2, "big", signed=True)
    if offset is not None:
        octets[11] = 0
    return bytes(octets)


def _date_to_plain(octets: bytes) -> str | None:
    day = CosemDate(octets).date()
    return None if day is None else day.isoformat()


def _date_from_plain(plain: str | None) -> bytes:
    return CosemDate.NOT_SPECIFIED.octets if plain is None else CosemDate.from_date(date.fromisoformat(plain)).octets


def _time_to_plain(octets: bytes) -> str | None:
    clock = CosemTime(octets).time()
    return None if clock is None else clock.isoformat()


LOGICAL_NAME = Leaf(
    DataType.OCTET_STRING,
    6,
    view=View("logical name", lambda octets: str(LogicalName(octets)), _logical_name_from_plain),
)
DATE_TIME = Leaf(DataType.OCTET_STRING, 12, view=View("date-time", _date_time_to_plain, _date_time_from_plain))
DATE = Leaf(DataType.OCTET_STRING, 5, view=View("date", _date_to_plain, _date_from_plain))
TIME = Leaf(
    DataType.OCTET_STRING,
    4,
    view=View("time", _time_to_plain, lambda text: CosemTime.from_time(time.fromisoformat(text)).octets),
)
IDENTIFIER = Leaf(DataType.OCTET_STRING, 16)
