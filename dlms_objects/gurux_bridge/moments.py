"""COSEM date-times, dates and times as text that keeps what is left open: `*-03-last Sun 02:00:00`.

A full value reads as ISO 8601. Nothing raises: octets that are no time at all are shown as hexadecimal. Imported by
the readers.
"""

import struct

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.cosem_time import CosemDate, CosemDateTime, CosemTime

NOT_SPECIFIED = "not specified"

_OPEN = 0xFF
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = {0xFD: "daylight-savings-end", 0xFE: "daylight-savings-begin", _OPEN: "*"}
_DAYS = {0xFD: "second-last", 0xFE: "last", _OPEN: "*"}
_DATE = struct.Struct(">HBBB")


def moment_text(octets: bytes) -> str:
    """12 octets; with the offset to UTC where it is specified."""
    try:
        moment = CosemDateTime(octets)
    except InvalidValueError:
        return octets.hex()
    if moment.civil() is not None:
        return str(moment)
    date, time = _date_words(octets[:5]), _time_words(octets[5:9])
    shown = NOT_SPECIFIED if (date, time) == ("*-*-*", "*:*:*") else f"{date} {time}"
    deviation = moment.deviation_minutes
    if deviation is None:
        return shown
    sign, minutes = ("-", deviation) if deviation > 0 else ("+", -deviation)
    return f"{shown} {sign}{minutes // 60:02d}:{minutes % 60:02d}"


def date_text(octets: bytes) -> str:
    """5 octets."""
    try:
        day = CosemDate(octets).date()
    except InvalidValueError:
        return octets.hex()
    if day is not None:
        return day.isoformat()
    words = _date_words(octets)
    return NOT_SPECIFIED if words == "*-*-*" else words


def time_text(octets: bytes) -> str:
    """4 octets; hundredths only where there are some."""
    try:
        CosemTime(octets)
    except InvalidValueError:
        return octets.hex()
    words = _time_words(octets)
    return NOT_SPECIFIED if words == "*:*:*" else words


def _date_words(octets: bytes) -> str:
    year, month, day, weekday = _DATE.unpack(octets)
    words = "-".join(
        (
            "*" if year == 0xFFFF else f"{year:04d}",
            _MONTHS.get(month, f"{month:02d}"),
            _DAYS.get(day, f"{day:02d}" if day <= 31 else f"{day:02X}h"),
        )
    )
    return words if weekday == _OPEN else f"{words} {_WEEKDAYS[weekday - 1]}"


def _time_words(octets: bytes) -> str:
    words = ":".join("*" if part == _OPEN else f"{part:02d}" for part in octets[:3])
    return words if octets[3] in (0, _OPEN) else f"{words}.{octets[3]:02d}"
