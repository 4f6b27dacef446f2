"""The ledger's points made again from the ledger: `influx rebuild` writes them, `influx check` counts them.

The same rows make the same lines as at ingest, so writing them into a bucket that has them changes nothing, and an
empty bucket gets the identical set. Only reads the ledger; the service may be running. Imported by `operations`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from sqlalchemy import Connection, func, select

from dlms_objects.purse.entry import Entry
from dlms_objects.values.cosem_time import CosemDateTime
from headend import measurements
from headend.influx.query import query
from headend.influx.target import Target
from headend.influx.writer import LineWriter, deliver
from headend.points import Refusal
from headend.schema import COUNTER_LINE, account, fee_item, meter, meter_event, posting
from headend.schema import entry as entry_table
from headend.told import ITEM_AS_BOOKED

PAGE = 5000

_COUNTED = 'SELECT count("amount_minor"), sum("amount_minor") FROM "purse_entry" GROUP BY "meter"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild wrote: points taken by InfluxDB, and those it refused."""

    written: int
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The entries of one meter in one place: how many, and the exact sum of their amounts in minor units."""

    count: int
    sum_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One meter's entries in the ledger and in the bucket."""

    system_title: str
    ledger: Held
    bucket: Held

    @property
    def is_same(self) -> bool:
        """Whether the bucket holds what the ledger holds."""
        return self.ledger == self.bucket


def ledger_lines(connection: Connection) -> Iterator[str]:
    """Every point that follows from the ledger: of the entries of all meters, then of their events."""
    return chain(_entry_lines(connection), _event_lines(connection))


def rebuild(connection: Connection, writer: LineWriter, *, batch_points: int) -> Rebuilt:
    """Write every point that follows from the ledger; InfluxUnavailableError when the server goes away. Blocks."""
    lines = ledger_lines(connection)
    written, refusals = 0, []
    while batch := list(islice(lines, batch_points)):
        refused = deliver(writer, batch)
        written += len(batch) - len(refused)
        refusals += refused
    return Rebuilt(written=written, refusals=tuple(refusals))


def compare(connection: Connection, target: Target) -> list[Compared]:
    """Count and sum the entries of every meter in both places, by system title. Blocks."""
    rows = connection.execute(
        select(meter.c.system_title, func.count(entry_table.c.sequence), func.sum(entry_table.c.amount_minor))
        .join(entry_table, entry_table.c.meter_id == meter.c.id, isouter=True)
        .group_by(meter.c.id)
    )
    ledger = {title: Held(count=count, sum_minor=int(total or 0)) for title, count, total in rows}
    bucket = {
        series.tags["meter"]: Held(count=series.rows[0]["count"], sum_minor=series.rows[0]["sum"])
        for series in query(target, _COUNTED)
    }
    nothing = Held(count=0, sum_minor=0)
    return [
        Compared(system_title=title, ledger=ledger.get(title, nothing), bucket=bucket.get(title, nothing))
        for title in sorted({*ledger, *bucket})
    ]


def _entry_lines(connection: Connection) -> Iterator[str]:
    rows = connection.execute(
        select(meter.c.system_title, entry_table.c.row, account.c.name, account.c.currency_code, fee_item.c.label)
        .join(entry_table, entry_table.c.meter_id == meter.c.id)
        .join(
            posting,
            (posting.c.meter_id == entry_table.c.meter_id)
            & (posting.c.sequence == entry_table.c.sequence)
            & (posting.c.line == COUNTER_LINE),
        )
        .join(account, account.c.id == posting.c.account_id)
        .join(fee_item, ITEM_AS_BOOKED, isouter=True)
        .order_by(entry_table.c.meter_id, entry_table.c.sequence)
        .execution_options(yield_per=PAGE)
    )
    for title, row, counter, currency, label in rows:
        yield measurements.purse_entry(
            Entry.from_row(row), meter=title, currency=currency, account=counter, label=label or ""
        )


def _event_lines(connection: Connection) -> Iterator[str]:
    rows = connection.execute(
        select(meter.c.system_title, meter_event)
        .join(meter_event, meter_event.c.meter_id == meter.c.id)
        .order_by(meter_event.c.meter_id, meter_event.c.number)
        .execution_options(yield_per=PAGE)
    )
    for row in rows:
        yield measurements.meter_event(
            meter=row.system_title,
            number=row.number,
            time=CosemDateTime(row.time),
            code=row.code,
            fee_item=row.fee_item,
            value=row.value,
        )
