"""What collection writes to the outbox file: cursors, pages, events, fee item descriptors, evidence, deliveries.

Every function is one operation for `Writer.run`: it runs inside a transaction, and a page and its cursor are one
operation, so that no crash can part them. Imported by the collector and `status.py`.

A cursor is the last row collected of a meter (sequence, digest, balance after it); rows stay here until the head-end
has them, the cursor stays for ever.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from dlms_objects.errors import LocalError
from dlms_objects.purse.entry import JournalHead
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle
from gateway.records import EventRow, ItemDescriptor
from gateway.store import Operation


class OutboxFullError(LocalError):
    """The outbox holds as many rows as it may: the meters keep theirs until the head-end has taken some."""


class CursorMovedError(LocalError):
    """The cursor is not where the page begins: two collections of one meter ran at a time. Nothing was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the collection of one meter stands; `acknowledgement` is one still to be carried to the meter."""

    title: SystemTitle
    head: JournalHead
    balance: int
    event_number: int
    currency: Currency | None
    revisions: dict[int, int]
    acknowledgement: JournalHead | None
    held_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Verified rows that follow `after`, the head and balance they lead to, and the descriptors that go with them."""

    title: SystemTitle
    after: JournalHead
    rows: Sequence[bytes]
    head: JournalHead
    balance: int
    currency: Currency
    items: Sequence[ItemDescriptor]
    collected_at_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Events up to number `through`, the highest asked for (a log forgets its oldest), and their descriptors."""

    title: SystemTitle
    rows: Sequence[EventRow]
    through: int
    currency: Currency
    items: Sequence[ItemDescriptor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Two ends that do not meet: what our copy leads to expect, what was found instead, and the rows that show it."""

    title: SystemTitle
    cause: str
    expected: JournalHead
    found: JournalHead
    rows: bytes
    found_at_s: int


def standing(connection: sqlite3.Connection, title: SystemTitle) -> Standing:
    """Where the collection of a meter stands; a meter never seen stands before its first entry."""
    row = connection.execute(
        "select sequence, digest, balance, event_number, currency_code, currency_scale from meter where title = ?",
        (title.octets,),
    ).fetchone()
    if row is None:
        empty = JournalHead.empty(title)
        row = (empty.sequence, empty.digest, 0, 0, None, None)
    sequence, digest, balance, event_number, code, scale = row
    waiting = connection.execute(
        "select sequence, digest from acknowledgement where title = ? and delivered < sequence", (title.octets,)
    ).fetchone()
    revisions = connection.execute("select number, revision from item where title = ?", (title.octets,))
    (held_rows,) = connection.execute("select held_rows from fill").fetchone()
    return Standing(
        title=title,
        head=JournalHead(sequence=sequence, digest=digest),
        balance=balance,
        event_number=event_number,
        currency=None if code is None else Currency(code, scale),
        revisions=dict(revisions.fetchall()),
        acknowledgement=None if waiting is None else JournalHead(sequence=waiting[0], digest=waiting[1]),
        held_rows=held_rows,
    )


def commit_page(connection: sqlite3.Connection, page: Page, *, maximum_rows: int, counters: Operation[None]) -> None:
    """Store a page, the cursor after it and its descriptors; OutboxFullError or CursorMovedError store nothing."""
    _require_cursor(connection, page.title, page.after)
    _fill(connection, len(page.rows), maximum_rows)
    title = page.title.octets
    first = page.after.sequence + 1
    connection.executemany(
        "insert into row values (?, ?, ?, ?)",
        [(title, sequence, row, page.collected_at_s) for sequence, row in enumerate(page.rows, start=first)],
    )
    connection.execute(
        "update meter set sequence = ?, digest = ?, balance = ? where title = ?",
        (page.head.sequence, page.head.digest, page.balance, title),
    )
    _describe(connection, page.title, page.currency, page.items)
    counters(connection)


def commit_events(
    connection: sqlite3.Connection, page: EventPage, *, maximum_rows: int, counters: Operation[None]
) -> None:
    """Store events, the event cursor after them and their descriptors; OutboxFullError stores nothing."""
    _register(connection, page.title)
    _fill(connection, len(page.rows), maximum_rows)
    title = page.title.octets
    connection.executemany(
        "insert into event values (?, ?, ?, ?, ?, ?, ?)",
        [(title, row.number, row.time, row.code, row.fee_item, row.value, row.due) for row in page.rows],
    )
    connection.execute("update meter set event_number = ? where title = ?", (page.through, title))
    _describe(connection, page.title, page.currency, page.items)
    counters(connection)


def keep_evidence(connection: sqlite3.Connection, evidence: Evidence, *, counters: Operation[None]) -> bool:
    """Keep what shows a gap or a fork, once for the same two ends; True when it was not known before."""
    added = connection.execute(
        "insert or ignore into evidence(title, found_at_s, cause, expected_sequence, expected_digest, found_sequence,"
        " found_digest, rows) values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            evidence.title.octets,
            evidence.found_at_s,
            evidence.cause,
            evidence.expected.sequence,
            evidence.expected.digest,
            evidence.found.sequence,
            evidence.found.digest,
            evidence.rows,
        ),
    ).rowcount
    counters(connection)
    return bool(added)


def acknowledgement_delivered(
    connection: sqlite3.Connection, title: SystemTitle, head: JournalHead, *, counters: Operation[None]
) -> None:
    """Note that the meter has taken the acknowledgement up to `head`; a newer one stays to be delivered."""
    connection.execute(
        "update acknowledgement set delivered = max(delivered, ?) where title = ?", (head.sequence, title.octets)
    )
    counters(connection)


def _register(connection: sqlite3.Connection, title: SystemTitle) -> None:
    empty = JournalHead.empty(title)
    connection.execute(
        "insert or ignore into meter(title, sequence, digest, balance) values (?, ?, ?, 0)",
        (title.octets, empty.sequence, empty.digest),
    )


def _describe(
    connection: sqlite3.Connection, title: SystemTitle, currency: Currency, items: Sequence[ItemDescriptor]
) -> None:
    connection.execute(
        "update meter set currency_code = ?, currency_scale = ? where title = ?",
        (currency.code, currency.scale, title.octets),
    )
    connection.executemany(
        "insert into item values (?, ?, ?, ?, ?, ?, -1) on conflict (title, number) do update set"
        " revision = excluded.revision, kind = excluded.kind, label = excluded.label, payee = excluded.payee",
        [(title.octets, item.number, item.revision, item.kind, item.label, item.payee) for item in items],
    )


def _require_cursor(connection: sqlite3.Connection, title: SystemTitle, after: JournalHead) -> None:
    _register(connection, title)
    sequence, digest = connection.execute(
        "select sequence, digest from meter where title = ?", (title.octets,)
    ).fetchone()
    if (sequence, digest) != (after.sequence, after.digest):
        raise CursorMovedError(f"{title}: the page follows entry {after.sequence}, the cursor is at {sequence}")


def _fill(connection: sqlite3.Connection, rows: int, maximum_rows: int) -> None:
    ((held_rows,),) = connection.execute(
        "update fill set held_rows = held_rows + ? returning held_rows", (rows,)
    ).fetchall()
    if held_rows > maximum_rows:
        raise OutboxFullError(f"the outbox may hold {maximum_rows} rows, and {held_rows - rows} are held")
