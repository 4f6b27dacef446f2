"""The gateway killed at every single step: every row still arrives once, and the meter is told of what arrived.

A step is an answer of meter or head-end (before and after it takes effect) or an SQL statement (before and after), so
every await and every commit is among them. Three deliberate faults show that the search finds what it looks for.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dlms_objects.purse.entry import JournalHead
from dlms_objects.purse.outcome import EventCode
from dlms_objects.values.system_title import SystemTitle
from gateway import intake, outbox, uplink
from gateway.collector import Collector
from gateway.store import Operation
from tests.support.fake_headend import FakeHeadend
from tests.support.fake_session import FakeItem, FakeMeter
from tests.support.gateway_world import Crash, StepCounter, World

TITLES = (SystemTitle(b"MPR\x00\x00\x00\x00\x01"), SystemTitle(b"MPR\x00\x00\x00\x00\x02"))


class WrongBooksError(Exception):
    """What the search found; not an assertion, so that the deliberate faults can be told from a broken test."""


def live(meters: list[FakeMeter]) -> None:
    """A day in the meters: a top-up, deductions, and a change of parameters after them."""
    for meter in meters:
        meter.book(10_000)
        for _ in range(3):
            meter.book(-100, fee_item=1)
        meter.items[1].revision += 1
        meter.happen(EventCode.PARAMETERS_CHANGED, fee_item=1, value=meter.items[1].revision)


def crash_at(step: int, folder: Path) -> str | None:
    """One day or two, the gateway killed at that step, and a restart; what was the last step, None: no crash."""
    folder.mkdir()
    path = folder / "outbox.sqlite3"
    meters = [FakeMeter(title=title, items={1: FakeItem("Rent", "landlord")}) for title in TITLES]
    headend = FakeHeadend(*TITLES)
    steps = StepCounter(step)
    world = None
    live(meters)
    try:
        world = World(path, meters, headend, step=steps)
        world.cycle()
        live(meters)
        world.cycle()
    except Crash:
        pass
    if world is not None:
        world.die()
    require_nothing_lost(path, headend)
    world = World(path, meters, headend)
    world.cycle()
    world.die()
    for meter in meters:
        require_equal_books(meter, headend, path)
    return steps.crashed_at


def require_nothing_lost(path: Path, headend: FakeHeadend) -> None:
    """At the moment of the crash: each row up to the cursor is in the outbox or at the head-end, with its counters."""
    with sqlite3.connect(path) as connection:
        for title, sequence in connection.execute("select title, sequence from meter").fetchall():
            held = {row for (row,) in connection.execute("select sequence from row where title = ?", (title,))}
            arrived = len(headend.books[str(SystemTitle(title))].rows)
            if not set(range(arrived + 1, sequence + 1)) <= held:
                raise WrongBooksError(f"the cursor is at {sequence}, {arrived} arrived and {sorted(held)} are held")
            counters = connection.execute("select highest from received_counter where system_title = ?", (title,))
            if sequence and not counters.fetchall():
                raise WrongBooksError("rows without the counters of the answers that brought them")


def require_equal_books(meter: FakeMeter, headend: FakeHeadend, path: Path) -> None:
    """In the end: meter, gateway and head-end agree on everything, and nothing waits."""
    books = headend.books[str(meter.title)]
    with sqlite3.connect(path) as connection:
        waiting = connection.execute(
            "select (select held_rows from fill), (select count(*) from row), (select count(*) from event),"
            " (select count(*) from evidence), (select count(*) from acknowledgement where delivered < sequence)"
        ).fetchone()
    found = {
        "rows": books.rows == meter.rows,
        "balance": books.balance == meter.balance,
        "events": sorted(books.events) == list(range(1, len(meter.events) + 1)),
        "descriptor": (1, meter.items[1].revision) in books.items,
        "acknowledgement": meter.acknowledged == meter.head,
        "waiting": waiting == (0, 0, 0, 0, 0),
    }
    if not all(found.values()):
        raise WrongBooksError(f"{meter.title}: {found}, waiting {waiting}")


@pytest.mark.slow
def test_killed_at_any_step_every_row_arrives_once_and_is_acknowledged(tmp_path: Path) -> None:
    crashed: list[str] = []
    while (last := crash_at(len(crashed), tmp_path / str(len(crashed)))) is not None:
        crashed.append(last)
    assert len(crashed) > 500
    for what in ("before get", "after get", "before acknowledge", "after acknowledge", "before COMMIT", "after COMMIT"):
        assert sum(step.startswith(what) for step in crashed) >= 4, what
    assert sum("records" in step for step in crashed) >= 4


def commit_cursor_first(
    connection: sqlite3.Connection, page: intake.Page, *, maximum_rows: int, counters: Operation[None]
) -> None:
    """Fault: the cursor is durable before the rows are."""
    commit_page(connection, page, maximum_rows=maximum_rows, counters=counters)
    rows = connection.execute("select * from row where title = ?", (page.title.octets,)).fetchall()
    connection.execute("delete from row where title = ?", (page.title.octets,))
    for statement in ("COMMIT", "BEGIN IMMEDIATE", "SAVEPOINT operation"):
        connection.execute(statement)
    connection.executemany("insert into row values (?, ?, ?, ?)", rows)


commit_page = intake.commit_page


def take_before_the_answer(next_batches: Callable[..., Any]) -> Callable[..., Any]:
    """Fault: rows leave the outbox when they are sent, not when they are answered for."""

    def take(connection: sqlite3.Connection, *arguments: Any, **rest: Any) -> Any:
        batches = next_batches(connection, *arguments, **rest)
        for batch in batches:
            connection.execute("delete from row where title = ? and sequence <= ?", (batch.title.octets, batch.last))
            connection.execute("update fill set held_rows = held_rows - ?", (len(batch.rows),))
        return batches

    return take


async def deliver_before_the_meter_has_it(self: Collector, head: JournalHead | None) -> None:
    """Fault: an acknowledgement counts as delivered before the meter was told."""
    if head is not None:
        await self._writer.run(
            partial(intake.acknowledgement_delivered, title=self._title, head=head, counters=self._keep_counters())
        )
        await self._reader.acknowledge(head)


def crash_at_each(steps: range, folder: Path) -> None:
    """Crash at each of these steps in turn, in worlds of their own."""
    for step in steps:
        crash_at(step, folder / str(step))


@pytest.mark.parametrize(
    ("fault", "steps", "found"),
    [
        ("cursor first", range(1000), "the cursor is at"),
        ("rows deleted before the answer", range(1000), "the cursor is at"),
        ("delivered before told", range(1000, 0, -1), "'acknowledgement': False"),
    ],
)
def test_the_search_finds_a_deliberate_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, steps: range, found: str
) -> None:
    match fault:
        case "cursor first":
            monkeypatch.setattr(intake, "commit_page", commit_cursor_first)
        case "rows deleted before the answer":
            kind = replace(uplink.JOURNAL_ROWS, next_batches=take_before_the_answer(outbox.record_batches))
            monkeypatch.setattr(uplink, "JOURNAL_ROWS", kind)
        case _:
            monkeypatch.setattr(Collector, "_acknowledge", deliver_before_the_meter_has_it)
    with pytest.raises(WrongBooksError, match=found):
        crash_at_each(steps, tmp_path)
