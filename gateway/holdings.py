"""What the outbox file holds of each meter, and the evidence it keeps: for operators, read beside a running gateway.

The figures of the whole are in `status.py`. Everything here only looks. Imported by `deploy/`.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.entry import ROW_LENGTH, Entry, JournalHead
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle
from gateway.records import UplinkStatus
from gateway.store import reading

SHORTEST_WINDOW_S = 3600
LONGEST_WINDOW_S = 86_400
"""The rate of collection is measured over what is held of the last day; less than an hour of it tells nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterHolding:
    """What is held of one meter; anything but `accepted` in `uplink_status` holds its records back, and why.

    `collected` is the last sequence number that was collected; `oldest_row_age_s` is None when no row is held.
    """

    title: SystemTitle
    collected: int
    held_rows: int
    held_events: int
    oldest_row_age_s: int | None
    uplink_status: UplinkStatus
    uplink_detail: str
    acknowledgement_waiting: bool
    evidence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """The whole outbox: rows and events together in `held_rows`, of `maximum_rows`.

    `days_left` is how long there is room if the head-end takes nothing from now on, at the rate of the last day; None
    when the oldest row came less than an hour ago, which tells no rate.
    """

    held_rows: int
    maximum_rows: int
    days_left: float | None
    meters: tuple[MeterHolding, ...]

    @property
    def fill(self) -> float:
        """How full it is, 0..1."""
        return self.held_rows / self.maximum_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvidence:
    """Two ends that did not meet: what our copy led to expect, what the meter had, and the rows that show it."""

    number: int
    title: SystemTitle
    found_at_s: int
    cause: str
    expected: JournalHead
    found: JournalHead
    rows: tuple[bytes, ...]
    currency: Currency | None

    def entries(self) -> tuple[Entry | None, ...]:
        """Each row as an entry; None for octets that are no journal row."""
        return tuple(_entry(row) for row in self.rows)


def read_holdings(path: Path, *, maximum_rows: int, now_s: int) -> Holdings:
    """What an outbox file holds at `now_s` (unix time); StoreError when there is none."""
    with reading(path) as connection:
        connection.execute("begin")  # one moment for all questions
        (held_rows,) = connection.execute("select held_rows from fill").fetchone()
        return Holdings(
            held_rows=held_rows,
            maximum_rows=maximum_rows,
            days_left=_days_left(connection, maximum_rows - held_rows, now_s),
            meters=tuple(_meters(connection, now_s)),
        )


def read_evidence(path: Path, number: int | None = None) -> list[KeptEvidence]:
    """The evidence in an outbox file, oldest first, or the piece of that number; StoreError when there is no file."""
    with reading(path) as connection:
        rows = connection.execute(
            "select id, title, found_at_s, cause, expected_sequence, expected_digest, found_sequence, found_digest,"
            " rows, currency_code, currency_scale from evidence left join meter using (title)"
            " where ? is null or id = ? order by id",
            (number, number),
        ).fetchall()
    return [
        KeptEvidence(
            number=id_,
            title=SystemTitle(title),
            found_at_s=found_at_s,
            cause=cause,
            expected=JournalHead(sequence=expected, digest=expected_digest),
            found=JournalHead(sequence=found, digest=found_digest),
            rows=tuple(octets[at : at + ROW_LENGTH] for at in range(0, len(octets), ROW_LENGTH)),
            currency=None if code is None else Currency(code, scale),
        )
        for id_, title, found_at_s, cause, expected, expected_digest, found, found_digest, octets, code, scale in rows
    ]


def _meters(connection: sqlite3.Connection, now_s: int) -> Iterator[MeterHolding]:
    held = {
        title: (rows, oldest_s)
        for title, rows, oldest_s in connection.execute(
            "select title, count(*), min(collected_at_s) from row group by title"
        )
    }
    events = dict(connection.execute("select title, count(*) from event group by title").fetchall())
    evidence = dict(connection.execute("select title, count(*) from evidence group by title").fetchall())
    waiting = {title for (title,) in connection.execute("select title from acknowledgement where delivered < sequence")}
    for title, sequence, status, detail in connection.execute(
        "select title, sequence, uplink_status, uplink_detail from meter order by title"
    ):
        rows, oldest_s = held.get(title, (0, None))
        yield MeterHolding(
            title=SystemTitle(title),
            collected=sequence,
            held_rows=rows,
            held_events=events.get(title, 0),
            oldest_row_age_s=None if oldest_s is None else max(0, now_s - oldest_s),
            uplink_status=UplinkStatus(status),
            uplink_detail=detail or "",
            acknowledgement_waiting=title in waiting,
            evidence=evidence.get(title, 0),
        )


def _days_left(connection: sqlite3.Connection, room: int, now_s: int) -> float | None:
    since_s = now_s - LONGEST_WINDOW_S
    rows, oldest_s = connection.execute(
        "select count(*), min(collected_at_s) from row where collected_at_s >= ?", (since_s,)
    ).fetchone()
    if oldest_s is None or now_s - oldest_s < SHORTEST_WINDOW_S:
        return None
    rate_per_s = float(rows) / float(now_s - oldest_s)
    return float(max(0, room)) / rate_per_s / 86_400


def _entry(row: bytes) -> Entry | None:
    try:
        return Entry.from_row(row)
    except InvalidValueError:
        return None
