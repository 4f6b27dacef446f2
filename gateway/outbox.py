"""What the uplink takes from the outbox file, and what the head-end's answers do to it.

Rows and events leave only here, and only after an answer: in one operation the acknowledgement for the meter is stored
and the rows it covers are deleted. Every function is one operation for `Writer.run`. Imported by the uplink.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from dlms_objects.purse.entry import JournalHead
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle
from gateway.records import BatchLimits, EventBatch, EventRow, ItemDescriptor, RecordBatch, UplinkStatus
from gateway.verdict import Verdict

B = TypeVar("B", RecordBatch, EventBatch)

REQUEST_METERS = 1000
"""Batches in one request at most, as the head-end allows."""

_WITH_UNSENT_ITEMS = "exists (select 1 from item where item.title = meter.title and sent_revision < revision)"
_WITH_ROWS = "exists (select 1 from row where row.title = meter.title)"
_WITH_EVENTS = "exists (select 1 from event where event.title = meter.title)"


def record_batches(
    connection: sqlite3.Connection, limits: BatchLimits, *, after: bytes, held_back: Collection[SystemTitle]
) -> list[RecordBatch]:
    """The oldest rows, and unsent descriptors, of the next meters that have any.

    Meters come in order of title from `after` on, then from the start.
    """
    titles = _titles(connection, f"({_WITH_ROWS} or {_WITH_UNSENT_ITEMS})", after, held_back)
    return _request((_record_batch(connection, title, limits.batch_rows) for title in titles), limits)


def event_batches(
    connection: sqlite3.Connection, limits: BatchLimits, *, after: bytes, held_back: Collection[SystemTitle]
) -> list[EventBatch]:
    """The oldest events of the next meters that have any, meters chosen as for `record_batches`.

    Events wait until the descriptors of their meter are with the head-end, which names fee items in its notices; but
    not where it does not take that meter's records.
    """
    condition = f"({_WITH_EVENTS} and not (uplink_status = 'accepted' and {_WITH_UNSENT_ITEMS}))"
    titles = _titles(connection, condition, after, held_back)
    return _request((_event_batch(connection, title, limits.batch_rows) for title in titles), limits)


def take_record_verdicts(connection: sqlite3.Connection, verdicts: Sequence[Verdict]) -> None:
    """For rows the head-end has: keep the acknowledgement for the meter, then let go of the rows. Note what it said."""
    for verdict in verdicts:
        if verdict.head is not None:
            _accept_rows(connection, verdict.title, verdict.head)
        connection.executemany(
            "update item set sent_revision = ? where title = ? and number = ?",
            [(item.revision, verdict.title.octets, item.number) for item in verdict.items],
        )
        connection.execute(
            "update meter set uplink_status = ?, uplink_detail = ? where title = ? and uplink_status != ?",
            (verdict.status.value, verdict.detail, verdict.title.octets, verdict.status.value),
        )


def take_event_verdicts(connection: sqlite3.Connection, verdicts: Sequence[Verdict]) -> None:
    """Let go of the events that the head-end has."""
    for verdict in verdicts:
        if verdict.status is UplinkStatus.ACCEPTED:
            deleted = connection.execute(
                "delete from event where title = ? and number <= ?", (verdict.title.octets, verdict.number)
            ).rowcount
            _let_go(connection, deleted)


def _request(batches: Iterable[B], limits: BatchLimits) -> list[B]:
    """As many batches as one request carries."""
    taken: list[B] = []
    room = limits.request_rows
    for batch in batches:
        taken.append(batch)
        room -= len(batch.rows)
        if room <= 0 or len(taken) == REQUEST_METERS:
            break
    return taken


def _accept_rows(connection: sqlite3.Connection, title: SystemTitle, head: JournalHead) -> None:
    connection.execute(
        "insert into acknowledgement values (?, ?, ?, 0) on conflict (title) do update"
        " set sequence = excluded.sequence, digest = excluded.digest where excluded.sequence > sequence",
        (title.octets, head.sequence, head.digest),
    )
    deleted = connection.execute(
        "delete from row where title = ? and sequence <= ?", (title.octets, head.sequence)
    ).rowcount
    _let_go(connection, deleted)


def _titles(
    connection: sqlite3.Connection, condition: str, after: bytes, held_back: Collection[SystemTitle]
) -> Iterator[bytes]:
    """The titles of the meters that meet a condition, each once; more than the caller takes are not looked for."""
    excluded = {title.octets for title in held_back}
    for comparison in (">", "<="):
        query = f"select title from meter where title {comparison} ? and {condition} order by title"
        for (title,) in connection.execute(query, (after,)):
            if title not in excluded:
                yield title


def _record_batch(connection: sqlite3.Connection, title: bytes, limit: int) -> RecordBatch:
    rows: Sequence[tuple[int, bytes]] = connection.execute(
        "select sequence, row from row where title = ? order by sequence limit ?", (title, limit)
    ).fetchall()
    items = connection.execute(
        "select number, revision, kind, label, payee from item where title = ? and sent_revision < revision"
        " order by number",
        (title,),
    )
    sequence, code, scale = connection.execute(
        "select sequence, currency_code, currency_scale from meter where title = ?", (title,)
    ).fetchone()
    return RecordBatch(
        title=SystemTitle(title),
        first=rows[0][0] if rows else sequence + 1,
        rows=tuple(row for _, row in rows),
        items=tuple(
            ItemDescriptor(number=number, revision=revision, kind=kind, label=label, payee=payee)
            for number, revision, kind, label, payee in items
        ),
        currency=Currency(code, scale),
    )


def _event_batch(connection: sqlite3.Connection, title: bytes, limit: int) -> EventBatch:
    rows = connection.execute(
        "select time, number, code, fee_item, value, due from event where title = ? order by number limit ?",
        (title, limit),
    )
    return EventBatch(
        title=SystemTitle(title),
        rows=tuple(
            EventRow(time=time, number=number, code=code, fee_item=fee_item, value=value, due=due)
            for time, number, code, fee_item, value, due in rows
        ),
    )


def _let_go(connection: sqlite3.Connection, rows: int) -> None:
    if rows:
        connection.execute("update fill set held_rows = held_rows - ?", (rows,))
