"""Series of a purse for pictures and small charts: the balance at the end of each day of a month, the month's shares.

Only reads; whole minor units. The month is the civil month of the household's zone. Imported by `spending`, the API and
`delivery.message`.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, select

from dlms_objects.purse.entry import Entry
from dlms_objects.values.civil import civil_of, instant_of, time_zone
from headend.books import descriptors_of
from headend.descriptors import Descriptors
from headend.monthly import totals_of
from headend.notices import FeeTotal
from headend.schema import entry as entry_table
from headend.statements import Purse


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBalance:
    """The balance at the end of a civil day, in minor units."""

    day: date
    balance_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One month of a purse. `days`: from its first day to its last, or to that of the newest entry booked."""

    month: str
    days: tuple[DayBalance, ...]
    totals: tuple[FeeTotal, ...]


def month_series(connection: Connection, purse: Purse, month: str) -> Month:
    """The series of a month such as `2026-03`; no days when nothing was booked by its end.

    The month's entries are found by bisection, which takes the meter's times for ascending.
    """
    zone = time_zone(purse.time_zone)
    first_day = date.fromisoformat(f"{month}-01")
    last_day = first_day.replace(day=monthrange(first_day.year, first_day.month)[1])
    begin = instant_of(datetime.combine(first_day, datetime.min.time()), zone)
    end = instant_of(datetime.combine(last_day + timedelta(days=1), datetime.min.time()), zone)
    first = first_from(connection, purse, begin)
    after = first_from(connection, purse, end)
    entries = [_entry(connection, purse, number) for number in range(max(first - 1, 1), after)]
    of_month = [entry for entry in entries if entry.sequence >= first]
    known = descriptors_of(connection, [purse.meter_id]).get(purse.meter_id, Descriptors())
    if not entries:
        return Month(month=month, days=(), totals=())
    if after > purse.sequence:
        last_day = max([first_day, *(_day(entry, purse) for entry in of_month)]) if of_month else first_day
    balance = entries[0].balance if entries[0].sequence < first else entries[0].balance - entries[0].amount
    closing = {_day(entry, purse): entry.balance for entry in of_month}
    days = []
    for step in range((last_day - first_day).days + 1):
        day = first_day + timedelta(days=step)
        balance = closing.get(day, balance)
        days.append(DayBalance(day=day, balance_minor=balance))
    return Month(month=month, days=tuple(days), totals=totals_of(of_month, known))


def _day(entry: Entry, purse: Purse) -> date:
    instant = entry.time.instant()
    return date.min if instant is None else civil_of(instant, time_zone(purse.time_zone)).date()


def first_from(connection: Connection, purse: Purse, instant: datetime) -> int:
    """The number of the first entry at or after an instant; one more than the last when there is none."""
    low, high = 1, purse.sequence + 1
    while low < high:
        middle = (low + high) // 2
        made = _entry(connection, purse, middle).time.instant()
        if made is None or made < instant:
            low = middle + 1
        else:
            high = middle
    return low


def _entry(connection: Connection, purse: Purse, number: int) -> Entry:
    row = connection.execute(
        select(entry_table.c.row).where(entry_table.c.meter_id == purse.meter_id, entry_table.c.sequence == number)
    ).scalar_one()
    return Entry.from_row(row)
