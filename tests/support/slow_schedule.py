"""The occurrences of a schedule by looking at every day: slow, and written from the rules alone, to compare with."""

import calendar
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from dlms_objects.purse.schedule import Frequency, Schedule


def slow_occurrences(subject: Schedule, until: date) -> Iterator[datetime]:
    """Every occurrence up to the day `until`."""
    number, day = 0, subject.first
    end = until if subject.last is None else min(until, subject.last)
    while day <= end and (subject.count == 0 or number < subject.count):
        if _is_due(subject, day):
            number += 1
            yield datetime.combine(day, subject.time)
        day += timedelta(days=1)


def _is_due(subject: Schedule, day: date) -> bool:
    first = subject.first
    length = calendar.monthrange(day.year, day.month)[1]
    day_of_month = length if subject.day == -1 else min(subject.day, length)
    months = (day.year - first.year) * 12 + day.month - first.month
    match subject.frequency:
        case Frequency.ONCE:
            return day == first
        case Frequency.DAILY:
            return (day - first).days % subject.interval == 0
        case Frequency.WEEKLY:
            monday, of_first = (one - timedelta(days=one.weekday()) for one in (day, first))
            return day.isoweekday() == subject.day and (monday - of_first).days // 7 % subject.interval == 0
        case Frequency.MONTHLY:
            return day.day == day_of_month and months % subject.interval == 0
    return day.day == day_of_month and months % (12 * subject.interval) == 0
