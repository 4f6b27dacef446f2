"""Monthly statements: a notice for each civil month of a meter, made when the first entry of a later month is booked.

By then nothing of the month can be missing, because the ledger books a journal without gaps. A statement covers the
entries from the last statement's end on, so each entry is in exactly one, even when the meter's clock was set back.
Whole minor units only. Imported by `delivery.plan` and `series`.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate, groupby
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select

from dlms_objects.errors import LocalError
from dlms_objects.purse.entry import Entry, EntryKind, time_of_row
from dlms_objects.purse.row_page import RowColumns, RowPage
from dlms_objects.values.civil import civil_of, time_zone
from headend.books import descriptors_of
from headend.bulk import update_rows
from headend.descriptors import Descriptors
from headend.notices import Facts, FeeTotal, NoticeKind, row_of
from headend.schema import entry as entry_table
from headend.schema import meter, notice


def close_months(connection: Connection, meter_ids: Iterable[int]) -> None:
    """Write the statements that the newest entries of these meters make possible."""
    first, last = entry_table.alias("first"), entry_table.alias("last")
    ends = connection.execute(
        select(meter.c.id, meter.c.stated_sequence, meter.c.time_zone, first.c.row, last.c.row)
        .join(first, (first.c.meter_id == meter.c.id) & (first.c.sequence == meter.c.stated_sequence + 1))
        .join(last, (last.c.meter_id == meter.c.id) & (last.c.sequence == meter.c.sequence))
        .where(meter.c.id.in_(list(meter_ids)))
    ).all()
    due = [
        (meter_id, stated, zone)
        for meter_id, stated, name, first_row, last_row in ends
        if month_of(last_row, zone := time_zone(name)) > month_of(first_row, zone)
    ]
    known = descriptors_of(connection, [meter_id for meter_id, _, _ in due]) if due else {}
    statements: list[dict[str, object]] = []
    through: list[tuple[int, int]] = []
    for meter_id, stated, zone in due:
        closed = _closed(connection, meter_id, stated, zone, known.get(meter_id, Descriptors()))
        statements += [row_of(meter_id, NoticeKind.STATEMENT, number, facts) for number, facts in closed]
        through += [(meter_id, facts.through_sequence or 0) for _number, facts in closed[-1:]]
    if statements:
        connection.execute(insert(notice), statements)
    update_rows(connection, meter, ("id", "stated_sequence"), through)


def totals_of(entries: Iterable[Entry | RowColumns], known: Descriptors) -> tuple[FeeTotal, ...]:
    """What was deducted for each fee item, less what was given back, by number; each under its newest label."""
    sums: dict[int, int] = {}
    revisions: dict[int, int] = {}
    for entry in entries:
        if entry.fee_item and entry.kind in (EntryKind.DEDUCTION, EntryKind.REVERSAL):
            sums[entry.fee_item] = sums.get(entry.fee_item, 0) - entry.amount
            revisions[entry.fee_item] = max(entry.revision, revisions.get(entry.fee_item, 0))
    found = []
    for number, amount in sorted(sums.items()):
        told = known.at(number, revisions[number])
        found.append(FeeTotal(fee_item=number, label=told.label, payee=told.payee, amount_minor=amount))
    return tuple(found)


def month_of(row: bytes, zone: ZoneInfo) -> str:
    """The civil month in a zone of the entry of a row, such as `2026-03`; empty when its time is no instant."""
    year, month, day = row[4] << 8 | row[5], row[6], row[7]
    if day in _ANYWHERE and month in _MONTHS and year in _YEARS and 0xFF not in row[9:12] and row[13:15] != _NOWHERE:
        return f"{year:04}-{month:02}"
    instant = time_of_row(row).instant()
    if instant is None:
        return ""
    civil = civil_of(instant, zone)
    return f"{civil.year:04}-{civil.month:02}"


_YEARS = range(1, 10_000)
_MONTHS = range(1, 13)
_NOWHERE = b"\x80\x00"  # the deviation is not specified
_ANYWHERE = range(3, 27)
"""Days that are of the same month in every zone of the world: no two clocks are two days apart."""


def _closed(
    connection: Connection, meter_id: int, stated: int, zone: ZoneInfo, known: Descriptors
) -> list[tuple[int, Facts]]:
    """The months of a meter that have ended and are not stated yet: each month's number and facts."""
    rows = connection.execute(
        select(entry_table.c.row)
        .where(entry_table.c.meter_id == meter_id, entry_table.c.sequence > stated)
        .order_by(entry_table.c.sequence)
    )
    months = _by_month(rows.scalars().all(), zone)
    return [(int(month.replace("-", "")), _facts(month, page, known)) for month, page in months[:-1] if month]


def _by_month(rows: Sequence[bytes], zone: ZoneInfo) -> list[tuple[str, RowPage]]:
    """Rows by month in order; one of an earlier month than the one before it (or of none) counts with that one."""
    months = accumulate((month_of(row, zone) for row in rows), max)
    parted = groupby(zip(months, rows, strict=True), key=lambda pair: pair[0])
    return [(month, _page(row for _, row in group)) for month, group in parted]


def _page(rows: Iterable[bytes]) -> RowPage:
    page = RowPage.of(b"".join(rows))
    if page is None:
        raise LocalError("the ledger holds a row that is no journal row")
    return page


def _facts(month: str, page: RowPage, known: Descriptors) -> Facts:
    columns = page.columns
    totals = totals_of(columns, known)
    topped_up = sum(
        entry.amount
        for entry in columns
        if entry.kind == EntryKind.TOP_UP or (entry.kind == EntryKind.REVERSAL and not entry.fee_item)
    )
    return Facts(
        time=time_of_row(page.row(len(columns) - 1)).octets.hex(),
        month=month,
        through_sequence=columns[-1].sequence,
        before_minor=columns[0].balance - columns[0].amount,
        after_minor=columns[-1].balance,
        topped_up_minor=topped_up,
        deducted_minor=sum(total.amount_minor for total in totals),
        adjusted_minor=sum(entry.amount for entry in columns if entry.kind == EntryKind.ADJUSTMENT),
        totals=totals,
    )
