"""Date-times as clients write them: which instant one means on this meter. Imported by the objects of the meter."""

from datetime import datetime
from zoneinfo import ZoneInfo

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.civil import instant_of
from dlms_objects.values.cosem_time import CosemDateTime

_OPEN_DATE = b"\xff" * 4
_OPEN_TIME = b"\xff" * 3


def instant_meant(octets: bytes, zone: ZoneInfo) -> datetime | None:
    """The UTC instant of a COSEM date-time, None where nothing of it is specified.

    One without deviation is civil time in `zone`. InvalidValueError for octets that are no date-time, for a partial
    one, a day that does not exist, and an instant beyond the calendar.
    """
    moment = CosemDateTime(octets)
    if octets[:4] == _OPEN_DATE and octets[5:8] == _OPEN_TIME:
        return None
    civil = moment.civil()
    if civil is None:
        raise InvalidValueError(f"not a full date-time of the calendar: {octets.hex()}")
    try:
        instant = instant_of(civil, zone) if moment.deviation_minutes is None else moment.instant()
    except OverflowError:
        instant = None
    if instant is None:
        raise InvalidValueError(f"a date-time beyond the calendar: {octets.hex()}")
    return instant


def full_instant(octets: bytes, zone: ZoneInfo) -> datetime:
    """As `instant_meant`; InvalidValueError also where nothing is specified."""
    instant = instant_meant(octets, zone)
    if instant is None:
        raise InvalidValueError("a full date-time is wanted, not one that is not specified")
    return instant
