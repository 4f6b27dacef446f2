"""Monthly statements: a notice for each civil month of a meter, made when the first entry of a later month is booked.

By then nothing of the month can be missing, because the ledger books a journal without gaps. A statement covers the
entries from the last statement's end on, so each entry is in exactly one, even when the meter's clock was set back.
Whole minor units only. Imported by `delivery.plan` and `series`.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, insert, select

from dlms_objects.purse.entry import Entry, EntryKind
from dlms_objects.values.civil import civil_of, time_zone
from headend.books import descriptors_of
from headend.descriptors import Descriptors
from headend.notices import Facts, FeeTotal, NoticeKind, facts_of, row_of
from headend.schema import entry as entry_table
from headend.schema import meter, notice


def close_months(connection: Connection, meter_ids: Iterable[int]) -> bool:
    """Write the statements that the newest entries of these meters make possible; whether there were any."""
    wrote = False
    for row in connection.execute(select(meter).where(meter.c.id.in_(list(meter_ids)))).all():
        statements = list(_statements(connection, row))
        if statements:
            connection.execute(insert(notice), statements)
            wrote = True
    return wrote


def totals_of(entries: Iterable[Entry], known: Descriptors) -> tuple[FeeTotal, ...]:
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


def month_of(entry: Entry, zone: ZoneInfo) -> str:
    """The civil month of an entry, such as `2026-03`; empty when the meter did not know the time."""
    instant = entry.time.instant()
    return "" if instant is None else f"{civil_of(instant, zone):%Y-%m}"


def _statements(connection: Connection, told: Row[tuple[object, ...]]) -> Iterator[dict[str, object]]:
    through, zone = _covered(connection, told.id), time_zone(told.time_zone)
    ends = _entries(connection, told.id, (through + 1, told.sequence))
    if len(ends) < 2 or month_of(ends[-1], zone) <= month_of(ends[0], zone):
        return
    entries = _entries(connection, told.id, range(through + 1, told.sequence + 1))
    known = descriptors_of(connection, [told.id]).get(told.id, Descriptors())
    months = _by_month(entries, zone)
    for month, of_month in months[:-1]:
        if month:
            number = int(month.replace("-", ""))
            yield row_of(told.id, NoticeKind.STATEMENT, number, _facts(month, of_month, known))


def _covered(connection: Connection, meter_id: int) -> int:
    """The last sequence number that a statement covers; 0 when there is none."""
    last = connection.execute(
        select(notice.c.facts)
        .where(notice.c.meter_id == meter_id, notice.c.kind == NoticeKind.STATEMENT.value)
        .order_by(notice.c.number.desc())
        .limit(1)
    ).scalar_one_or_none()
    return 0 if last is None else facts_of(last).through_sequence or 0


def _entries(connection: Connection, meter_id: int, numbers: range | tuple[int, int]) -> list[Entry]:
    """The entries of a range of numbers, or the two of a pair, in order."""
    within = (
        entry_table.c.sequence.between(numbers[0], numbers[-1])
        if isinstance(numbers, range) and numbers
        else entry_table.c.sequence.in_(numbers)
    )
    rows = connection.execute(
        select(entry_table.c.row).where(entry_table.c.meter_id == meter_id, within).order_by(entry_table.c.sequence)
    )
    return [Entry.from_row(row) for row in rows.scalars()]


def _by_month(entries: Sequence[Entry], zone: ZoneInfo) -> list[tuple[str, list[Entry]]]:
    """Entries by month in order; one of an earlier month than the one before it (or of none) counts with that one."""
    latest = ""
    marked: list[tuple[str, Entry]] = []
    for entry in entries:
        latest = max(latest, month_of(entry, zone))
        marked.append((latest, entry))
    return [(month, [entry for _, entry in group]) for month, group in groupby(marked, key=lambda pair: pair[0])]


def _facts(month: str, entries: Sequence[Entry], known: Descriptors) -> Facts:
    totals = totals_of(entries, known)
    topped_up = sum(
        entry.amount
        for entry in entries
        if entry.kind is EntryKind.TOP_UP or (entry.kind is EntryKind.REVERSAL and not entry.fee_item)
    )
    return Facts(
        time=entries[-1].time.octets.hex(),
        month=month,
        through_sequence=entries[-1].sequence,
        before_minor=entries[0].balance - entries[0].amount,
        after_minor=entries[-1].balance,
        topped_up_minor=topped_up,
        deducted_minor=sum(total.amount_minor for total in totals),
        adjusted_minor=sum(entry.amount for entry in entries if entry.kind is EntryKind.ADJUSTMENT),
        totals=totals,
    )
