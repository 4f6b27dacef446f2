"""Settlement: what is owed to a payee, and closing a period of it for ever.

Everything on a payee's account is settled in exactly one period. Closing takes every entry that no earlier period took
and that the meter made before the period's end. So what arrives after its period was closed falls into the next one
that is closed, where it is `late`; nothing is lost by that, and a closed period never changes. An entry whose meter's
clock stands for no instant, or is a day ahead of ours, is taken at once: no later end would be more right.

Amounts are whole minor units, signed as the payee sees them. Reading closed periods is `settled`'s business.
Imported by `settled` and `api`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, select

from dlms_objects.errors import LocalError
from dlms_objects.purse.entry import Entry, EntryKind
from dlms_objects.values.civil import instant_of, time_zone
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.money import Currency
from headend.bulk import Cell, insert_rows
from headend.column_types import naive
from headend.ledger import PAYABLE
from headend.schema import COUNTER_LINE, account, fee_item, meter, posting
from headend.schema import entry as entry_table
from headend.schema_settlement import settlement_line, settlement_period, settlement_reach, settlement_sum
from headend.told import ITEM_AS_BOOKED
from headend.visibility import Condition

CLOCK_AHEAD = timedelta(days=1)
"""An entry dated further in the future than this has a wrong time."""
_LINE_COLUMNS = (
    "meter_id",
    "sequence",
    "period_id",
    "number",
    "amount_minor",
    "household",
    "item_kind",
    "label",
    "is_late",
)


class SettlementError(LocalError):
    """The period cannot be closed; nothing was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payable:
    """The account of what is owed to a payee, in one currency; `closed_until`: the end of its last closed period."""

    account_id: int
    organisation_id: int
    payee: str
    currency: Currency
    closed_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry on a payee's account: what household paid (or got back: below 0) for which item, in minor units.

    `number` counts the lines of a period from 1; the lines of what is open are counted as if it were closed now.
    """

    number: int
    meter_id: int
    system_title: str
    household: str
    sequence: int
    kind: EntryKind
    fee_item: int
    item_kind: int
    label: str
    due: CosemDateTime
    time: CosemDateTime
    amount_minor: int
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """So many entries, `late_entries` of them late: what was collected, and what was given back, in minor units."""

    collected_minor: int
    reversed_minor: int
    entries: int
    late_entries: int

    @property
    def payable_minor(self) -> int:
        """What is to be paid to the payee; below 0 when more was given back than collected."""
        return self.collected_minor - self.reversed_minor

    @classmethod
    def of(cls, lines: Iterable[Line]) -> "Sums":
        """The sums of some lines."""
        lines = list(lines)
        return cls(
            collected_minor=sum(line.amount_minor for line in lines if line.kind is EntryKind.DEDUCTION),
            reversed_minor=-sum(line.amount_minor for line in lines if line.kind is EntryKind.REVERSAL),
            entries=len(lines),
            late_entries=sum(line.is_late for line in lines),
        )


Item = tuple[int, str]
"""What people call a fee: its kind (the object model's number) and label, whichever number it has in which meter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodEnd:
    """The midnight with which a civil day begins in a zone: that day is the first one after the period."""

    day: date
    zone: str

    @property
    def instant(self) -> datetime:
        """The first instant after the period; InvalidValueError when there is no such zone."""
        return instant_of(datetime.combine(self.day, time.min), time_zone(self.zone))


def payables(connection: Connection, seen: Condition, *, payee: str | None = None) -> list[Payable]:
    """The payees' accounts that are seen (a condition of `visibility`), by payee and currency; or only one payee's."""
    wanted = [seen] if payee is None else [seen, account.c.name == f"{PAYABLE}{payee}"]
    rows = connection.execute(
        select(account, func.max(settlement_period.c.ends_at).label("closed_until"))
        .join(settlement_period, settlement_period.c.account_id == account.c.id, isouter=True)
        .where(account.c.name.startswith(PAYABLE, autoescape=True), *wanted)
        .group_by(account.c.id)
        .order_by(account.c.name, account.c.currency_code, account.c.currency_scale)
    )
    return [
        Payable(
            account_id=row.id,
            organisation_id=row.organisation_id,
            payee=row.name.removeprefix(PAYABLE),
            currency=Currency(row.currency_code, row.currency_scale),
            closed_until=None if row.closed_until is None else row.closed_until.replace(tzinfo=UTC),
        )
        for row in rows
    ]


def open_lines(connection: Connection, payable: Payable) -> list[Line]:
    """What is on the account and in no closed period, by meter and sequence.

    It costs as much as there is in the organisation's journals since the account's last closing.
    """
    rows: Iterable[Row[Any]] = connection.execute(_OPEN, {"account_id": payable.account_id})
    return [_line(number, row, payable.closed_until) for number, row in enumerate(rows, 1)]


def per_item(lines: Iterable[Line]) -> dict[Item, Sums]:
    """The sums of each item, by kind and label."""
    found: dict[Item, list[Line]] = {}
    for line in lines:
        found.setdefault((line.item_kind, line.label), []).append(line)
    return {item: Sums.of(of_item) for item, of_item in sorted(found.items())}


def close(connection: Connection, payable: Payable, end: PeriodEnd, *, by: str, now: datetime) -> int:
    """Close the account's period that ends with `end`; its number, counted from 1 for each payee.

    SettlementError when the end is not after that of the last one, or has not come. Runs in the one writer's
    transaction; `by` is who closes it.
    """
    instant = end.instant
    if payable.closed_until is not None and instant <= payable.closed_until:
        raise SettlementError(f"{payable.payee} is closed until {payable.closed_until.isoformat()} already")
    if instant > now:
        raise SettlementError(f"the period ends {instant.isoformat()}, which has not come")
    found = open_lines(connection, payable)
    taken = [line for line in found if _is_of_period(line, instant, now)]
    number, period_id = _write_period(connection, payable, end, Sums.of(taken), by=by, now=now)
    insert_rows(connection, settlement_line, _LINE_COLUMNS, _cells(taken, period_id))
    items = [_item_values(period_id, item, sums) for item, sums in per_item(taken).items()]
    if items:
        connection.execute(insert(settlement_sum), items)
    _reach_on(connection, payable, found, taken)
    return number


def _is_of_period(line: Line, end: datetime, now: datetime) -> bool:
    """Whether an open entry belongs to a period that is closed now."""
    made = line.time.instant()
    return made is None or made < end or made > now + CLOCK_AHEAD


_REACHED = and_(settlement_reach.c.account_id == account.c.id, settlement_reach.c.meter_id == meter.c.id)
_OPEN = (
    select(
        meter.c.id.label("meter_id"),
        meter.c.system_title,
        meter.c.household,
        entry_table.c.row,
        posting.c.amount_minor,
        fee_item.c.kind.label("item_kind"),
        fee_item.c.label,
    )
    .select_from(account)
    .join(meter, meter.c.organisation_id == account.c.organisation_id)
    .join(settlement_reach, _REACHED, isouter=True)
    .join(
        posting,
        and_(
            posting.c.meter_id == meter.c.id,
            posting.c.sequence > func.coalesce(settlement_reach.c.sequence, 0),
            posting.c.line == COUNTER_LINE,
            posting.c.account_id == account.c.id,
        ),
    )
    .join(entry_table, and_(entry_table.c.meter_id == meter.c.id, entry_table.c.sequence == posting.c.sequence))
    .join(fee_item, ITEM_AS_BOOKED, isouter=True)
    .join(
        settlement_line,
        and_(settlement_line.c.meter_id == meter.c.id, settlement_line.c.sequence == posting.c.sequence),
        isouter=True,
    )
    .where(account.c.id == bindparam("account_id"), settlement_line.c.meter_id.is_(None))
    .order_by(meter.c.system_title, posting.c.sequence)
)


def _line(number: int, row: Row[Any], closed_until: datetime | None) -> Line:
    entry = Entry.from_row(row.row)
    made = entry.time.instant()
    return Line(
        number=number,
        meter_id=row.meter_id,
        system_title=row.system_title,
        household=row.household,
        sequence=entry.sequence,
        kind=entry.kind,
        fee_item=entry.fee_item,
        item_kind=row.item_kind or 0,
        label=row.label or "",
        due=entry.due,
        time=entry.time,
        amount_minor=row.amount_minor,
        is_late=made is not None and closed_until is not None and made < closed_until,
    )


def _write_period(  # noqa: PLR0913 - the columns of a period
    connection: Connection, payable: Payable, end: PeriodEnd, sums: Sums, *, by: str, now: datetime
) -> tuple[int, int]:
    """The new period's number and its row's."""
    number = (
        1
        + connection.execute(
            select(func.coalesce(func.max(settlement_period.c.number), 0)).where(
                settlement_period.c.organisation_id == payable.organisation_id,
                settlement_period.c.payee == payable.payee,
            )
        ).scalar_one()
    )
    period_id = connection.execute(
        insert(settlement_period)
        .values(
            organisation_id=payable.organisation_id,
            account_id=payable.account_id,
            payee=payable.payee,
            number=number,
            begins_at=None if payable.closed_until is None else naive(payable.closed_until),
            ends_at=naive(end.instant),
            end_day=end.day,
            time_zone=end.zone,
            closed_at=naive(now),
            closed_by=by,
            **_sums_values(sums),
        )
        .returning(settlement_period.c.id)
    ).scalar_one()
    return number, period_id


def _sums_values(sums: Sums) -> dict[str, int]:
    return {
        "collected_minor": sums.collected_minor,
        "reversed_minor": sums.reversed_minor,
        "entries": sums.entries,
        "late_entries": sums.late_entries,
    }


def _item_values(period_id: int, item: Item, sums: Sums) -> dict[str, object]:
    kind, label = item
    return {"period_id": period_id, "item_kind": kind, "label": label, **_sums_values(sums)}


def _cells(taken: Sequence[Line], period_id: int) -> list[tuple[Cell, ...]]:
    return [
        (
            line.meter_id,
            line.sequence,
            period_id,
            number,
            line.amount_minor,
            line.household,
            line.item_kind,
            line.label,
            int(line.is_late),
        )
        for number, line in enumerate(taken, 1)
    ]


def _reach_on(connection: Connection, payable: Payable, found: Sequence[Line], taken: Sequence[Line]) -> None:
    """Note for each meter up to where nothing is left: its head, or just before the first entry that was left open."""
    is_taken = {(line.meter_id, line.sequence) for line in taken}
    left: dict[int, int] = {}
    for line in found:
        if (line.meter_id, line.sequence) not in is_taken:
            left.setdefault(line.meter_id, line.sequence)
    heads = connection.execute(
        select(meter.c.id, meter.c.sequence).where(meter.c.organisation_id == payable.organisation_id)
    ).all()
    connection.execute(delete(settlement_reach).where(settlement_reach.c.account_id == payable.account_id))
    reached: list[tuple[Cell, ...]] = [
        (payable.account_id, meter_id, left[meter_id] - 1 if meter_id in left else head) for meter_id, head in heads
    ]
    insert_rows(connection, settlement_reach, ("account_id", "meter_id", "sequence"), reached)
