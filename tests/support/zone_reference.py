"""When a civil due time comes, found slowly: instant after instant is asked what the clock on the wall shows.

Written from the rules alone (a time inside a gap is the first valid instant after it, a repeated one its first pass),
with nothing of `values.civil` or `purse.schedule`, to compare with.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

FIRST_YEAR, LAST_YEAR = 2020, 2037
_NOT_ZONES = ("localtime", "posix", "right", "Factory")
_MINUTE, _QUARTER, _DAY = timedelta(minutes=1), timedelta(minutes=15), timedelta(days=1)
_STRIDE = timedelta(days=5)  # no zone changes its offset there and back within it


def shown(instant: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall shows."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


@cache
def changes(name: str) -> tuple[datetime, ...]:
    """The instants in FIRST_YEAR..LAST_YEAR at which the zone changes its offset, to the minute."""
    zone, found = ZoneInfo(name), []
    begin, end = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
    while begin < end:
        instant, following = begin, begin + _STRIDE
        before = begin.astimezone(zone).utcoffset()
        if following.astimezone(zone).utcoffset() != before:
            for step in (_DAY, _QUARTER, _MINUTE):
                while (instant + step).astimezone(zone).utcoffset() == before:
                    instant += step
            found.append(instant + _MINUTE)
        begin = following
    return tuple(found)


@cache
def zones_with_changes() -> tuple[str, ...]:
    """Every zone that changes its offset in these years, by name."""
    return tuple(name for name in sorted(available_timezones()) if not name.startswith(_NOT_ZONES) and changes(name))


@cache
def first_reached(due: datetime, name: str) -> datetime:
    """The first instant at which the wall clock shows `due` or has jumped over it, for a `due` of whole minutes.

    A clock that is set back shows earlier times again: they do not come a second time. A quarter of an hour without a
    change of offset is passed over by its last minute.
    """
    zone = ZoneInfo(name)
    around = due.replace(tzinfo=UTC)
    most_ahead = max((around + side * 2 * _DAY).astimezone(zone).utcoffset() or timedelta(0) for side in (-1, 0, 1))
    instant = around - most_ahead - 5 * _QUARTER
    instant -= timedelta(minutes=instant.minute % 15)
    while True:
        last = instant + _QUARTER - _MINUTE
        is_steady = instant.astimezone(zone).utcoffset() == last.astimezone(zone).utcoffset()
        if not (is_steady and shown(last, zone) < due):
            for minute in range(15):
                if shown(instant + minute * _MINUTE, zone) >= due:
                    return instant + minute * _MINUTE
        instant += _QUARTER
