"""How meters stand, as gateways read them along with a collection: figures for InfluxDB, nothing of which is booked.

A reading is kept as points only; while no InfluxDB is configured it is let go. Imported by `api`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from dlms_objects.purse.prompt import ItemState
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle
from headend import measurements, points
from headend.books import Book, books_of
from headend.evidence import count_unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReading:
    """A fee item: its oldest occurrence not deducted, what it asks (minor units, 0: not known), how many there are."""

    number: int
    state: ItemState
    due: CosemDateTime | None
    amount_minor: int
    missed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReading:
    """One meter at one moment: `time` on its own clock, `read_at_s` on the gateway's (unix time)."""

    title: SystemTitle
    time: CosemDateTime
    read_at_s: int
    energy_wh: int | None
    flags: int
    shortfall_minor: int
    items: tuple[ItemReading, ...]


def take(connection: Connection, readings: Sequence[MeterReading], *, now: datetime, owner: int | None = None) -> None:
    """Tell InfluxDB how these meters stand; one that is not registered is counted. `owner` as for `ingest`."""
    books = books_of(connection, (reading.title for reading in readings), owner=owner)
    lines: list[str] = []
    for reading in readings:
        book = books.get(reading.title)
        if book is None:
            count_unknown(connection, str(reading.title), rows=0, owner=owner)
        else:
            lines += _points(book, reading, now)
    points.enqueue(connection, lines)


def _points(book: Book, reading: MeterReading, now: datetime) -> list[str]:
    meter, moment = str(book.title), reading.time.instant() or now
    currency = book.currency.code if book.currency is not None else measurements.NOBODY
    offset = None if reading.time.instant() is None else int(moment.timestamp()) - reading.read_at_s
    made = [
        measurements.purse_status(
            meter=meter,
            currency=currency,
            flags=reading.flags,
            shortfall_minor=reading.shortfall_minor,
            clock_offset_s=offset,
            now=moment,
        )
    ]
    if reading.energy_wh is not None:
        made.append(measurements.reading(meter=meter, register="1.0.1.8.0.255", value=reading.energy_wh, now=moment))
    for item in reading.items:
        told = book.descriptors.newest(item.number)
        made.append(
            measurements.fee_status(
                meter=meter,
                currency=currency,
                item=told.label or str(item.number),
                payee=told.payee,
                state=item.state.name.lower(),
                amount_minor=item.amount_minor,
                missed=item.missed,
                age_s=_age_s(item, reading.time),
                now=moment,
            )
        )
    return made


def _age_s(item: ItemReading, time: CosemDateTime) -> int | None:
    """For how long the oldest occurrence is due, in civil seconds; None when nothing is due."""
    due, told = None if item.due is None else item.due.civil(), time.civil()
    if due is None or told is None or item.missed == 0 or due > told:
        return None
    return int((told - due).total_seconds())
