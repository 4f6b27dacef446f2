"""Typed views: the A-XDR octets of any attribute, as read by our own client, as a readable plain value.

A plain value is text, a number, a truth value, None, or dicts and lists of them. Registers read as exact decimals with
their unit, profiles as rows by column; both need a second attribute, the companion, which the caller reads too. Never
raises on well-formed octets. Imported by the command line.
"""

from collections.abc import Sequence
from typing import Any

from gurux_dlms.enums import DataType as GuruxType

from dlms_objects.classes.catalogue import CLASSES
from dlms_objects.classes.interface import InterfaceClass
from dlms_objects.classes.shape import Structure, conforms
from dlms_objects.classes.standard import PROFILE_GENERIC, REGISTER
from dlms_objects.errors import InvalidValueError
from dlms_objects.gurux_bridge.class_views import CLASS_VIEWS
from dlms_objects.gurux_bridge.names import names_of, ui_type
from dlms_objects.gurux_bridge.readers import Reader, date, float_text, moment, plain, reader_of, text, time
from dlms_objects.gurux_bridge.units import unit_symbol, with_unit
from dlms_objects.values.data import WHOLE_NUMBER_RANGES, Data, DataType
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.wire import axdr

# (class, attribute) -> the attribute of the same object without which it does not read well.
_SCALED = {(3, 2): 3, (4, 2): 3, (5, 2): 4, (5, 3): 4}
_COMPANIONS = _SCALED | {(7, 2): 3}
_BUFFER = (7, 2)
_SCALER_UNIT_SHAPE = REGISTER.attribute("scaler_unit").shape
_CAPTURE_SHAPE = PROFILE_GENERIC.attribute("capture_objects").shape
_BY_UI_TYPE: dict[int, Reader] = {
    int(GuruxType.STRING): text,
    int(GuruxType.STRING_UTF8): text,
    int(GuruxType.DATETIME): moment,
    int(GuruxType.DATE): date,
    int(GuruxType.TIME): time,
}

Column = tuple[str, Reader]


def companion_of(attribute: AttributeDescriptor) -> AttributeDescriptor | None:
    """The attribute that `view` wants beside this one: scaler_unit of a register, capture_objects of a profile."""
    number = _COMPANIONS.get((attribute.class_id, attribute.attribute))
    return None if number is None else AttributeDescriptor(attribute.class_id, attribute.logical_name, number)


def view(attribute: AttributeDescriptor, octets: bytes, companion: bytes | None = None) -> Any:
    """The attribute's value as a readable plain value; MalformedError when the octets are no value.

    Without its companion, or with one of a wrong type, a register's value is unscaled and a profile's rows are lists.
    Values in a profile's rows are unscaled: their scalers are the registers' own.
    """
    value = axdr.decode(octets)
    beside = None if companion is None else axdr.decode(companion)
    key = (attribute.class_id, attribute.attribute)
    if beside is not None and key in _SCALED:
        return _with_scaler(value, beside)
    if beside is not None and key == _BUFFER:
        return _rows(value, beside)
    return _reader(attribute)(value)


def _reader(attribute: AttributeDescriptor) -> Reader:
    """How one attribute reads: as declared for our own classes, by the table, by what gurux knows of its octets."""
    number = attribute.attribute
    if number == 1:
        return reader_of(PROFILE_GENERIC.attribute(1).shape)
    known = CLASS_VIEWS.get(attribute.class_id, {}).get(number)
    if known is not None:
        return known
    declared = CLASSES.get(attribute.class_id)
    shape = None if declared is None else _shape(declared, number)
    if shape is not None:
        return reader_of(shape)
    return _BY_UI_TYPE.get(ui_type(attribute.class_id, attribute.logical_name, number), plain)


def _shape(declared: InterfaceClass, number: int) -> Any:
    try:
        return declared.attribute(number).shape
    except InvalidValueError:
        return None


def _with_scaler(value: Data, beside: Data) -> Any:
    if _SCALER_UNIT_SHAPE is None or not conforms(_SCALER_UNIT_SHAPE, beside):
        return plain(value)
    scaler, unit = (member.value for member in beside.value)
    if value.type in WHOLE_NUMBER_RANGES:
        return with_unit(value.value, scaler, unit)
    if value.type in (DataType.FLOAT32, DataType.FLOAT64) and scaler == 0:
        return f"{float_text(value)} {unit_symbol(unit)}".rstrip()
    return plain(value)


def _rows(value: Data, captured: Data) -> Any:
    """The rows of a profile as dicts by column, those of another length as lists; null-data repeats the row before."""
    if _CAPTURE_SHAPE is None or not conforms(_CAPTURE_SHAPE, captured) or value.type not in _ROWS:
        return plain(value)
    columns = _columns([tuple(member.value for member in column.value) for column in captured.value])
    return [_row(row, columns) for row in value.value]


_ROWS = (DataType.ARRAY, DataType.COMPACT_ARRAY)


def _row(row: Data, columns: Sequence[Column]) -> Any:
    if row.type is not DataType.STRUCTURE or len(row.value) != len(columns):
        return plain(row)
    return {name: reader(cell) for (name, reader), cell in zip(columns, row.value, strict=True)}


def _columns(captured: Sequence[tuple[int, bytes, int, int]]) -> list[Column]:
    """A name and a reader for each capture object; the logical name joins the name where it is needed to tell apart."""
    found = [_column(class_id, LogicalName(name), attribute, index) for class_id, name, attribute, index in captured]
    names = [name for name, _ in found]
    return [
        (name if names.count(name) == 1 else f"{name} {LogicalName(place[1])}", reader)
        for (name, reader), place in zip(found, captured, strict=True)
    ]


def _column(class_id: int, logical_name: LogicalName, attribute: int, index: int) -> Column:
    names = names_of(class_id)
    name = (None if names is None else names.attributes.get(attribute)) or f"{class_id}:{attribute}"
    reader = _reader(AttributeDescriptor(class_id, logical_name, attribute))
    if index == 0:
        return name, reader
    declared = CLASSES.get(class_id)
    shape = None if declared is None else _shape(declared, attribute)
    if isinstance(shape, Structure) and index <= len(shape.members):
        member, inner = shape.members[index - 1]
        return member, reader_of(inner)
    return f"{name}[{index}]", plain
