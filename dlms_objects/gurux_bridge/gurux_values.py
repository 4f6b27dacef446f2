"""Values as gurux-dlms decodes them, back to typed data of a declared shape. Imported by `purse_objects`."""

import re
from typing import Any

from dlms_objects.classes.shape import Array, Leaf, Nullable, Shape, Structure
from dlms_objects.errors import InvalidValueError
from dlms_objects.values import data as cosem
from dlms_objects.values.data import NULL, WHOLE_NUMBER_RANGES, Data, DataType

_HEXADECIMAL_TEXT = re.compile(r"[0-9A-F]{2}( [0-9A-F]{2})*")


def typed(shape: Shape | None, value: Any) -> Data:
    """The value as data of the shape; InvalidValueError when it is something else.

    gurux gives None for an empty array, and the hexadecimal text of its octets for a utf8-string that is not ASCII.
    """
    match shape:
        case Nullable():
            return NULL if value is None else typed(shape.shape, value)
        case Array():
            return cosem.array(typed(shape.element, element) for element in _list(value or []))
        case Structure():
            given = _list(value)
            if len(given) != len(shape.members):
                raise InvalidValueError(f"a structure of {len(shape.members)} members is wanted, not of {len(given)}")
            return cosem.structure(
                *(typed(inner, member) for (_, inner), member in zip(shape.members, given, strict=True))
            )
        case Leaf():
            return _leaf(shape, value)
    raise InvalidValueError("the attribute has no declared type")


def _leaf(shape: Leaf, value: Any) -> Data:
    if shape.type in WHOLE_NUMBER_RANGES:
        return cosem.whole_number(shape.type, value)
    if shape.type is DataType.BOOLEAN:
        return cosem.boolean(bool(value))
    if shape.type is DataType.BIT_STRING:
        return cosem.bit_string(str(value))
    if shape.type is DataType.OCTET_STRING and isinstance(value, bytes | bytearray):
        return cosem.octet_string(bytes(value))
    if shape.type is DataType.VISIBLE_STRING and isinstance(value, str):
        return cosem.visible_string(value)
    if shape.type is DataType.UTF8_STRING and isinstance(value, str):
        return cosem.utf8_string(_text(value))
    raise InvalidValueError(f"{shape.type.name.lower()} is wanted, not {value!r}")


def _text(value: str) -> str:
    """What a utf8-string was before gurux showed it: it shows only octets that are not ASCII in hexadecimal."""
    if _HEXADECIMAL_TEXT.fullmatch(value):
        try:
            decoded = bytes.fromhex(value).decode()
        except UnicodeDecodeError:
            return value
        return value if decoded.isascii() else decoded
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise InvalidValueError(f"a list is wanted, not {value!r}")
    return list(value)
