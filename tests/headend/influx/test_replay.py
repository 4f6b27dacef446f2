"""The ledger makes the same lines at any later time, whatever it has learnt meanwhile."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from headend import points
from headend.events import EventBatch, ingest_events
from headend.influx import replay
from headend.influx.query import Series
from headend.influx.replay import Compared, Held, Rebuilt, compare, ledger_lines, rebuild
from headend.influx.target import Target
from headend.influx.writer import PointsRefusedError
from headend.ingest import ingest
from tests.support.headend_books import OTHER_TITLE, RENT, TITLE, WATER, usual_journal
from tests.support.influx_feed import usual_events

TARGET = Target(url="http://influx", token=None, org="-", bucket="books", timeout_s=1, gzip=False)


def at_ingest(connection: Connection) -> list[str]:
    return [line for bundle in points.next_bundles(connection, maximum_points=10**6) for line in bundle.lines]


@pytest.fixture
def told(connection: Connection) -> list[str]:
    """The lines of two meters as they were enqueued; what an item is called was told late or never."""
    points.set_wanted(connection, True)
    journal = usual_journal()
    ingest(connection, [journal.batch(1, 3, items=())])
    ingest(connection, [journal.batch(4, 6, items=(RENT, replace(WATER, payee="another works", revision=0)))])
    ingest(connection, [usual_journal(OTHER_TITLE).batch(items=(RENT, WATER))])
    ingest_events(connection, [EventBatch(title=TITLE, events=tuple(usual_events()))])
    ingest(connection, [replace(journal.batch(6, 6), items=(WATER,))])
    return at_ingest(connection)


def test_the_ledger_makes_the_lines_of_the_ingest_again(connection: Connection, told: list[str]) -> None:
    assert len(told) == 15
    assert sorted(ledger_lines(connection)) == sorted(told)
    assert any("item=1,payee=unassigned" in line for line in told)
    assert any("payee=another\\ works" in line for line in told)


def test_a_rebuild_writes_everything_and_says_what_was_refused(connection: Connection, told: list[str]) -> None:
    held: list[str] = []

    class Writer:
        def write(self, lines: Sequence[str]) -> None:
            if any("kind=adjustment" in line for line in lines):
                raise PointsRefusedError("400 no adjustments")
            held.extend(lines)

    done = rebuild(connection, Writer(), batch_points=4)
    assert (done.written, [refusal.reason for refusal in done.refusals]) == (13, ["400 no adjustments"] * 2)
    assert sorted([*held, *(refusal.line for refusal in done.refusals)]) == sorted(told)
    assert rebuild(connection, Writer(), batch_points=100) == Rebuilt(
        written=13, refusals=tuple(sorted(done.refusals, key=lambda refusal: refusal.line))
    )


def test_the_bucket_is_held_against_the_ledger(
    connection: Connection, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    balance = usual_journal().balance
    series = [
        Series(measurement="purse_entry", tags={"meter": str(TITLE)}, rows=({"count": 6, "sum": balance},)),
        Series(measurement="purse_entry", tags={"meter": "FF"}, rows=({"count": 1, "sum": 2},)),
    ]
    monkeypatch.setattr(replay, "query", lambda target, _statement: series if target == TARGET else [])
    whole, nothing = Held(count=6, sum_minor=balance), Held(count=0, sum_minor=0)
    compared = compare(connection, TARGET)
    assert compared == [
        Compared(system_title=str(TITLE), ledger=whole, bucket=whole),
        Compared(system_title=str(OTHER_TITLE), ledger=whole, bucket=nothing),
        Compared(system_title="FF", ledger=nothing, bucket=Held(count=1, sum_minor=2)),
    ]
    assert [each.is_same for each in compared] == [True, False, False]
