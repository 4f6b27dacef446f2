"""Where a household's money went: the entries between two days, each with how it came here, and the sums by fee.

Only reads; whole minor units. Days are civil days of the household's zone. Imported by `api`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from dlms_objects.errors import LocalError
from dlms_objects.values.civil import instant_of, time_zone
from headend.books import descriptors_of
from headend.delivery_path import Delivery, deliveries
from headend.descriptors import Descriptors
from headend.monthly import totals_of
from headend.notices import FeeTotal
from headend.series import first_from
from headend.statements import BookedEntry, Purse, entries

MOST_ENTRIES = 5_000


class TooMuchError(LocalError):
    """There is more between the days than one statement shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """An entry and the delivery that brought it; None when it came before paths were noted."""

    booked: BookedEntry
    delivery: Delivery | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What happened from `first` to before `end`: the balance before and after, the entries, the sums by fee."""

    balance_before: int
    balance_after: int
    spent: tuple[Spent, ...]
    totals: tuple[FeeTotal, ...]


def spending(connection: Connection, purse: Purse, first: date, end: date) -> Spending:
    """The statement of a purse from the day `first` to before the day `end`; TooMuchError beyond MOST_ENTRIES.

    The entries are found by bisection, which takes the meter's times for ascending.
    """
    begin, after = (_first_of(connection, purse, day) for day in (first, end))
    if after - begin > MOST_ENTRIES:
        raise TooMuchError(f"there are {after - begin} entries; a statement shows {MOST_ENTRIES}: ask for fewer days")
    found = entries(connection, purse.meter_id, after=begin - 1, limit=after - begin) if after > begin else []
    brought = deliveries(connection, purse.meter_id, first=begin, last=after - 1) if found else []
    known = descriptors_of(connection, [purse.meter_id]).get(purse.meter_id, Descriptors())
    before = _balance_before(connection, purse, begin)
    return Spending(
        balance_before=before,
        balance_after=found[-1].entry.balance if found else before,
        spent=tuple(Spent(booked=each, delivery=_delivery_of(each.entry.sequence, brought)) for each in found),
        totals=totals_of([each.entry for each in found], known),
    )


def _first_of(connection: Connection, purse: Purse, day: date) -> int:
    midnight = datetime.combine(day, datetime.min.time())
    return first_from(connection, purse, instant_of(midnight, time_zone(purse.time_zone)))


def _balance_before(connection: Connection, purse: Purse, begin: int) -> int:
    if begin <= 1:
        return 0
    (last,) = entries(connection, purse.meter_id, after=begin - 2, limit=1)
    return last.entry.balance


def _delivery_of(sequence: int, brought: Sequence[Delivery]) -> Delivery | None:
    return next((each for each in brought if each.first_sequence <= sequence <= each.last_sequence), None)
