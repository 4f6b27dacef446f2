"""Taking in event rows: the meter's own log, and the notices of those events a household is told about.

An event is known by (system title, number); the same event again changes nothing, and what is in the log is never
overwritten. Numbers may be missing: the meter's event log is a ring, and a lost event is not lost money. Imported by
`api`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle
from headend import alarms, measurements, notices, points
from headend.books import Book, books_of
from headend.evidence import count_unknown
from headend.ingest import Status
from headend.schema import meter, meter_event, notice


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterEvent:
    """One row of a meter's event log; `value` is as the object model says for its `code`."""

    number: int
    time: CosemDateTime
    code: int
    fee_item: int
    value: int
    due: CosemDateTime | None

    def columns(self, meter_id: int) -> dict[str, object]:
        """The row of the meter_event table."""
        return {
            "meter_id": meter_id,
            "number": self.number,
            "time": self.time.octets,
            "code": self.code,
            "fee_item": self.fee_item,
            "value": self.value,
            "due": None if self.due is None else self.due.octets,
        }

    def point(self, title: SystemTitle) -> str:
        """The same for InfluxDB."""
        return measurements.meter_event(
            meter=str(title),
            number=self.number,
            time=self.time,
            code=self.code,
            fee_item=self.fee_item,
            value=self.value,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatch:
    """Events of one meter, in any order."""

    title: SystemTitle
    events: tuple[MeterEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAnswer:
    """What is held of a meter's events: `number` is the highest one."""

    title: SystemTitle
    status: Status
    number: int
    detail: str | None = None


def ingest_events(
    connection: Connection, batches: Sequence[EventBatch], *, owner: int | None = None
) -> list[EventAnswer]:
    """Take in events, each batch on its own merits; one answer per batch, in order. `owner` as for `ingest`."""
    books = books_of(connection, (batch.title for batch in batches), owner=owner)
    answers: list[EventAnswer] = []
    for batch in batches:
        book = books.get(batch.title)
        if book is None:
            count_unknown(connection, str(batch.title), rows=len(batch.events), owner=owner)
            answers.append(EventAnswer(title=batch.title, status=Status.UNKNOWN_METER, number=0))
        else:
            answers.append(_take(connection, book, batch))
    return answers


def _take(connection: Connection, book: Book, batch: EventBatch) -> EventAnswer:
    wanted = [event.columns(book.meter_id) for event in batch.events]
    held = _held(connection, book.meter_id, [event.number for event in batch.events])
    fresh: dict[int, MeterEvent] = {}
    for event, columns in zip(batch.events, wanted, strict=True):
        known = held.setdefault(event.number, columns)
        if known != columns:
            detail = f"event {event.number} is known with other content"
            return EventAnswer(title=book.title, status=Status.CONFLICT, number=book.event_number, detail=detail)
        if known is columns:
            fresh[event.number] = event
    if fresh:
        _write(connection, book, list(fresh.values()))
    return EventAnswer(title=book.title, status=Status.ACCEPTED, number=book.event_number)


def _held(connection: Connection, meter_id: int, numbers: Sequence[int]) -> dict[int, dict[str, object]]:
    rows = connection.execute(
        select(meter_event).where(meter_event.c.meter_id == meter_id, meter_event.c.number.in_(numbers))
    )
    return {row["number"]: dict(row) for row in rows.mappings()}


def _write(connection: Connection, book: Book, events: Sequence[MeterEvent]) -> None:
    connection.execute(insert(meter_event), [event.columns(book.meter_id) for event in events])
    rows = [
        _notice_row(book, notices.OF_EVENT_CODE[event.code], event)
        for event in events
        if event.code in notices.OF_EVENT_CODE
    ]
    if rows:
        connection.execute(insert(notice), rows)
    for event in events:
        if event.code in alarms.OF_EVENT_CODE:
            name = alarms.OF_EVENT_CODE[event.code].replace("_", " ")
            facts = alarms.AlarmFacts(subject=str(book.title), detail=name, household=book.household)
            alarms.raise_alarm(connection, alarms.AlarmKind.METER_ALARM, event.number, facts)
    points.enqueue(connection, [event.point(book.title) for event in events])
    book.event_number = max(book.event_number, *(event.number for event in events))
    connection.execute(update(meter).where(meter.c.id == book.meter_id).values(event_number=book.event_number))


def _notice_row(book: Book, kind: notices.NoticeKind, event: MeterEvent) -> dict[str, object]:
    descriptor = book.descriptors.newest(event.fee_item)
    is_change = kind is notices.NoticeKind.PARAMETERS_CHANGED
    facts = notices.Facts(
        time=event.time.octets.hex(),
        fee_item=event.fee_item,
        label=descriptor.label,
        payee=descriptor.payee,
        due=event.due.octets.hex() if event.due is not None and event.due.is_specified else None,
        value_minor=None if is_change else event.value,
        revision=event.value if is_change else None,
    )
    return notices.row_of(book.meter_id, kind, event.number, facts)
