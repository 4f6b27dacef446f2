"""Figures of the gateway: what the outbox holds, how old it is, what waits and what is wrong.

Read from the outbox file, in one operation for `Writer.run` or from outside while a gateway is at work. Imported by the
heartbeat in `service.py`, and by `deploy/`.
"""

import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway.commands.log import counts
from gateway.store import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxFigures:
    """`held_rows` counts journal rows and events together, against `maximum_rows`; ages are None when nothing is held.

    `collected_entries` is the sum of all meters' last collected sequence numbers: every entry that ever came through.
    Commands wait for their meters, are begun (what came of them is not known), or wait with their results.
    """

    meters: int
    collected_entries: int
    held_rows: int
    held_events: int
    maximum_rows: int
    oldest_row_age_s: int | None
    acknowledgements_waiting: int
    evidence: int
    meters_held_back: int
    commands_waiting: int = 0
    commands_begun: int = 0
    command_results_waiting: int = 0

    def document(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)


def outbox_figures(connection: sqlite3.Connection, *, maximum_rows: int, now_s: int) -> OutboxFigures:
    """The figures at `now_s` (unix time)."""

    def one(query: str) -> Any:
        return connection.execute(query).fetchone()[0]

    oldest_s = one(  # of each meter the row of the lowest sequence
        "select min((select collected_at_s from row where row.title = meter.title order by sequence limit 1))"
        " from meter"
    )
    commands = counts(connection)
    return OutboxFigures(
        meters=one("select count(*) from meter"),
        collected_entries=one("select coalesce(sum(sequence), 0) from meter"),
        held_rows=one("select held_rows from fill"),
        held_events=one("select count(*) from event"),
        maximum_rows=maximum_rows,
        oldest_row_age_s=None if oldest_s is None else max(0, now_s - oldest_s),
        acknowledgements_waiting=one("select count(*) from acknowledgement where delivered < sequence"),
        evidence=one("select count(*) from evidence"),
        meters_held_back=one("select count(*) from meter where uplink_status != 'accepted'"),
        commands_waiting=commands["waiting"],
        commands_begun=commands["begun"],
        command_results_waiting=commands["unreported"],
    )


def read_figures(path: Path, *, maximum_rows: int, now_s: int) -> OutboxFigures:
    """The figures of an outbox file, which a gateway may be using; StoreError when there is none."""
    with reading(path) as connection:
        return outbox_figures(connection, maximum_rows=maximum_rows, now_s=now_s)
