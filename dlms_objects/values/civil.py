"""Civil time: from a naive local date-time to an instant and back, with one rule for gaps and repeated hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dlms_objects.errors import InvalidValueError

# Files beside the zones in the database of a system: whatever this machine is set to, and clocks with leap seconds.
_NOT_ZONES = ("localtime", "posix", "right")


def time_zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; InvalidValueError where there is none."""
    try:
        if not name.startswith(_NOT_ZONES):
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, a directory of the database
        pass
    raise InvalidValueError(f"no such time zone (an IANA name is wanted, such as Asia/Shanghai): {name!r}")


def civil_of(instant: datetime, zone: ZoneInfo) -> datetime:
    """The naive local date-time of an aware instant."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def instant_of(civil: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a naive local date-time.

    A time inside a gap (daylight saving begins) is the first valid instant after the gap; a repeated hour is its first
    pass.
    """
    first = civil.replace(tzinfo=zone, fold=0)
    instant = first.astimezone(UTC)
    if civil_of(instant, zone) == civil:
        return instant
    return _end_of_gap(civil, zone)


def _end_of_gap(civil: datetime, zone: ZoneInfo) -> datetime:
    """The instant of the transition whose gap swallows `civil`, to the second, by bisection.

    In a gap fold=0 uses the offset before the transition and fold=1 the one after it (PEP 495), so the transition lies
    between the two instants.
    """
    late = civil.replace(tzinfo=zone, fold=0).astimezone(UTC)
    early = civil.replace(tzinfo=zone, fold=1).astimezone(UTC)
    low, high = early.replace(microsecond=0), late.replace(microsecond=0) + timedelta(seconds=1)
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
