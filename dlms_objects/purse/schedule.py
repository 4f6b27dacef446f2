"""When a fee falls due: a schedule and its occurrences, in civil time, found by arithmetic and never by counting up.

No money, no zone and no clock here: a due time is a naive civil date-time; `values.civil` says which instant that is.
Imported by `fee_item`. (Not dateutil's rrule: RFC 5545 leaves out the 31st of a short month, a fee is due on its last
day; and the jump to the first occurrence after a given time takes the same time however old the schedule is.)
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.ranges import require_whole

LAST_DAY_OF_MONTH = -1
FIRST_YEAR, LAST_YEAR = 1970, 9998  # within these every civil time has an instant in every zone
_LAST_ORDINAL = date(LAST_YEAR, 12, 31).toordinal()


class Frequency(IntEnum):
    """How often a fee falls due; each is multiplied by the interval."""

    ONCE = 0
    DAILY = 1
    WEEKLY = 2
    MONTHLY = 3
    YEARLY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The civil date-times at which a fee falls due (a subset of RFC 5545).

    `first` bounds the schedule from below and anchors it: every `interval` (1..255) days from `first`, weeks from the
    week of `first` (Monday first), months from its month, or years from its year in its month. `day` is the day of the
    month 1..31, clamped to the month's last day, or -1 for the last day (monthly, yearly), or the day of the week
    1..7, Monday 1 (weekly); it means nothing to once and daily, nor does `interval` to once. `time` is to the second.
    The schedule ends after the date `last` and after `count` (1..65535, 0: open) occurrences, counted from `first`.
    """

    frequency: Frequency
    interval: int = 1
    day: int = 0
    time: time
    first: date
    last: date | None = None
    count: int = 0

    def __post_init__(self) -> None:
        """Refuse an impossible schedule; InvalidValueError names the field."""
        if not isinstance(self.frequency, Frequency):
            raise InvalidValueError(f"schedule.frequency is none of 0..4: {self.frequency!r}")
        require_whole("schedule.interval", self.interval, 0 if self.frequency is Frequency.ONCE else 1, 255)
        require_whole("schedule.count", self.count, 0, 65535)
        self._check_day()
        if type(self.time) is not time or self.time.tzinfo is not None or self.time.microsecond:
            raise InvalidValueError(f"schedule.time is a civil time of whole seconds, not {self.time!r}")
        _check_date("schedule.first", self.first)
        if self.last is not None:
            _check_date("schedule.last", self.last)
            if self.last < self.first:
                raise InvalidValueError(f"schedule.last {self.last} is before schedule.first {self.first}")

    def first_after(self, civil: datetime) -> datetime | None:
        """The first occurrence later than `civil`; None when there is none."""
        return next(self.after(civil), None)

    def after(self, civil: datetime) -> Iterator[datetime]:
        """Every occurrence later than `civil`, in order."""
        index = self._index_after(civil)
        end = self._first_index() + self.count if self.count else None
        day = self._candidate(index)
        while day is not None and (end is None or index < end) and (self.last is None or day <= self.last):
            yield datetime.combine(day, self.time)
            index += 1
            day = self._candidate(index)

    def on(self, day: date) -> datetime | None:
        """The occurrence of that calendar day, or None; there is never more than one."""
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            return None
        due = self.first_after(datetime.combine(day, time.min) - datetime.resolution)
        return due if due is not None and due.date() == day else None

    def count_between(self, after: datetime, through: datetime) -> int:
        """How many occurrences are later than `after` and not later than `through`."""
        if self.last is not None:
            through = min(through, datetime.combine(self.last, time.max))
        end = self._index_after(through)
        if self.count:
            end = min(end, self._first_index() + self.count)
        return max(0, end - self._index_after(after))

    def _check_day(self) -> None:
        day = self.day
        if self.frequency is Frequency.WEEKLY:
            require_whole("schedule.day of a weekly fee", day, 1, 7)
        else:
            require_whole("schedule.day", day, LAST_DAY_OF_MONTH, 31)
            if day == 0 and self.frequency in (Frequency.MONTHLY, Frequency.YEARLY):
                raise InvalidValueError("schedule.day is 1..31, or -1 for the last day of the month, not 0")

    def _candidate(self, index: int) -> date | None:
        """The day of step `index` of the pattern; step 0 may lie before `first`, None lies past the last year."""
        frequency = self.frequency
        if frequency is Frequency.MONTHLY:
            year, month = divmod(self.first.year * 12 + self.first.month - 1 + index * self.interval, 12)
            return _day_of_month(year, month + 1, self.day)
        if frequency is Frequency.YEARLY:
            return _day_of_month(self.first.year + index * self.interval, self.first.month, self.day)
        if frequency is Frequency.ONCE:
            return self.first if index == 0 else None
        ordinal = self.first.toordinal()
        if frequency is Frequency.DAILY:
            ordinal += index * self.interval
        else:
            ordinal += self.day - self.first.isoweekday() + index * self.interval * 7
        return date.fromordinal(ordinal) if ordinal <= _LAST_ORDINAL else None

    def _first_index(self) -> int:
        """The step of the first occurrence: 1 when step 0 lies before `first`."""
        day = self._candidate(0)
        return 1 if day is not None and day < self.first else 0

    def _index_after(self, civil: datetime) -> int:
        """The step of the first candidate later than `civil`, not before `first`."""
        index = max(self._step_of(civil), 0)
        day = self._candidate(index)
        while day is not None and (day < self.first or datetime.combine(day, self.time) <= civil):
            index += 1
            day = self._candidate(index)
        return index

    def _step_of(self, civil: datetime) -> int:
        """A step not later than the one `_index_after` looks for, and at most two short of it."""
        first = self.first
        match self.frequency:
            case Frequency.DAILY:
                return divmod(civil.toordinal() - first.toordinal(), self.interval)[0]
            case Frequency.WEEKLY:
                monday = first.toordinal() - first.isoweekday() + 1
                return divmod(civil.toordinal() - monday, 7 * self.interval)[0]
            case Frequency.MONTHLY:
                return divmod((civil.year - first.year) * 12 + civil.month - first.month, self.interval)[0]
            case Frequency.YEARLY:
                return divmod(civil.year - first.year, self.interval)[0]
        return 0


def just_before(civil: datetime) -> datetime:
    """The latest civil time before `civil`: turns "after" into "at or after"."""
    return civil - timedelta(microseconds=1)


def _day_of_month(year: int, month: int, day: int) -> date | None:
    """Day 1..31 of a month, clamped to its last day, -1 for the last day; None past the last year."""
    if year > LAST_YEAR:
        return None
    if 1 <= day <= 28:
        return date(year, month, day)
    length = calendar.monthrange(year, month)[1]
    return date(year, month, length if day == LAST_DAY_OF_MONTH else min(day, length))


def _check_date(field: str, day: date) -> None:
    if type(day) is not date or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidValueError(f"{field} is a date in {FIRST_YEAR}..{LAST_YEAR}, not {day!r}")
