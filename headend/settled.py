"""Closed periods of payees as they were closed: their totals, sums and lines. Only reads; imported by `api`.

Amounts are whole minor units, signed as the payee sees them.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, Row, Select, and_, select

from dlms_objects.purse.entry import Entry
from dlms_objects.values.money import Currency
from headend.schema import account, meter
from headend.schema import entry as entry_table
from headend.schema_settlement import settlement_line, settlement_period, settlement_sum
from headend.settlement import Item, Line, Sums
from headend.visibility import Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A closed period of a payee: from `begins_at` (None: from the beginning) to before `ends_at`, a midnight.

    `end_day` is the day that begins with it in `time_zone`.
    """

    period_id: int
    number: int
    payee: str
    currency: Currency
    begins_at: datetime | None
    ends_at: datetime
    end_day: date
    time_zone: str
    sums: Sums
    closed_at: datetime
    closed_by: str


def periods(connection: Connection, payee: str, seen: Condition, *, after: int, limit: int) -> list[Period]:
    """At most `limit` closed periods of a payee with a number above `after`, oldest first, as far as they are seen."""
    rows = connection.execute(
        _PERIODS.where(seen, settlement_period.c.payee == payee, settlement_period.c.number > after)
        .order_by(settlement_period.c.number)
        .limit(limit)
    )
    return [_period(row) for row in rows]


def period(connection: Connection, payee: str, number: int, seen: Condition) -> Period | None:
    """One closed period, or None when there is none that is seen."""
    found = periods(connection, payee, seen, after=number - 1, limit=1)
    return found[0] if found and found[0].number == number else None


def item_sums(connection: Connection, period_id: int) -> dict[Item, Sums]:
    """The sums of each item of a closed period, by kind and label."""
    rows = connection.execute(
        select(settlement_sum)
        .where(settlement_sum.c.period_id == period_id)
        .order_by(settlement_sum.c.item_kind, settlement_sum.c.label)
    )
    return {(row.item_kind, row.label): _sums(row) for row in rows}


def lines(connection: Connection, period_id: int, *, after: int = 0, limit: int | None = None) -> list[Line]:
    """The lines of a closed period with a number above `after`, at most `limit` of them (None: all), by number."""
    rows = connection.execute(
        select(settlement_line, meter.c.system_title, entry_table.c.row)
        .join(meter, meter.c.id == settlement_line.c.meter_id)
        .join(
            entry_table,
            and_(
                entry_table.c.meter_id == settlement_line.c.meter_id,
                entry_table.c.sequence == settlement_line.c.sequence,
            ),
        )
        .where(settlement_line.c.period_id == period_id, settlement_line.c.number > after)
        .order_by(settlement_line.c.number)
        .limit(limit)
    )
    return [_line(row) for row in rows]


_PERIODS: Select[tuple[object, ...]] = select(
    settlement_period, account.c.currency_code, account.c.currency_scale
).join(account, account.c.id == settlement_period.c.account_id)


def _period(row: Row[tuple[object, ...]]) -> Period:
    return Period(
        period_id=row.id,
        number=row.number,
        payee=row.payee,
        currency=Currency(row.currency_code, row.currency_scale),
        begins_at=None if row.begins_at is None else row.begins_at.replace(tzinfo=UTC),
        ends_at=row.ends_at.replace(tzinfo=UTC),
        end_day=row.end_day,
        time_zone=row.time_zone,
        sums=_sums(row),
        closed_at=row.closed_at.replace(tzinfo=UTC),
        closed_by=row.closed_by,
    )


def _sums(row: Row[tuple[object, ...]]) -> Sums:
    return Sums(
        collected_minor=row.collected_minor,
        reversed_minor=row.reversed_minor,
        entries=row.entries,
        late_entries=row.late_entries,
    )


def _line(row: Row[tuple[object, ...]]) -> Line:
    entry = Entry.from_row(row.row)
    return Line(
        number=row.number,
        meter_id=row.meter_id,
        system_title=row.system_title,
        household=row.household,
        sequence=row.sequence,
        kind=entry.kind,
        fee_item=entry.fee_item,
        item_kind=row.item_kind,
        label=row.label,
        due=entry.due,
        time=entry.time,
        amount_minor=row.amount_minor,
        is_late=bool(row.is_late),
    )
