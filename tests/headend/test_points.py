"""The outbox of points: kept with their facts, in order, until they are delivered."""

from datetime import UTC, datetime

from sqlalchemy import Connection, text

from headend import points
from headend.events import EventBatch, ingest_events
from headend.ingest import ingest
from tests.support.headend_books import TITLE, usual_journal
from tests.support.influx_feed import usual_events

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def waiting(connection: Connection) -> list[str]:
    return [line for bundle in points.next_bundles(connection, maximum_points=10**6) for line in bundle.lines]


def test_nothing_is_kept_while_no_influxdb_is_wanted(connection: Connection) -> None:
    points.enqueue(connection, ["a n=1i 1"])
    ingest(connection, [usual_journal().batch()])
    assert waiting(connection) == []
    assert not points.is_wanted(connection)


def test_every_entry_and_event_is_a_point_exactly_once(connection: Connection) -> None:
    points.set_wanted(connection, True)
    for _ in range(2):
        ingest(connection, [usual_journal().batch()])
        ingest_events(connection, [EventBatch(title=TITLE, events=tuple(usual_events()))])
    kinds = [line.partition(",")[0] for line in waiting(connection)]
    assert kinds == ["purse_entry"] * 6 + ["meter_event"] * 3


def test_what_is_rolled_back_has_no_point(connection: Connection) -> None:
    points.set_wanted(connection, True)
    attempt = connection.begin_nested()
    ingest(connection, [usual_journal().batch()])
    assert len(waiting(connection)) == 6
    attempt.rollback()
    assert waiting(connection) == []


def test_bundles_come_in_order_and_never_exceed_a_request(connection: Connection) -> None:
    points.set_wanted(connection, True)
    lines = [f"a n={number}i {number}" for number in range(2_500)]
    points.enqueue(connection, lines)
    points.enqueue(connection, ["b n=1i 1"])
    assert waiting(connection) == [*lines, "b n=1i 1"]
    sizes = {
        most: [len(bundle.lines) for bundle in points.next_bundles(connection, maximum_points=most)]
        for most in (1, 1999, 2000, 2500, 2501)
    }
    assert sizes == {1: [1000], 1999: [1000], 2000: [1000] * 2, 2500: [1000, 1000, 500], 2501: [1000, 1000, 500, 1]}


def test_what_is_delivered_leaves_and_what_is_refused_is_put_aside(connection: Connection) -> None:
    points.set_wanted(connection, True)
    points.enqueue(connection, ["a n=1i 1", "a n=2i 2"])
    (bundle,) = points.next_bundles(connection, maximum_points=9)
    points.enqueue(connection, ["a n=3i 3"])
    points.note_failure(connection, "away", now=NOW)
    failing = points.sink_status(connection)
    assert (failing.waiting, failing.failure, failing.failed_at, failing.delivered_at) == (3, "away", NOW, None)
    assert failing.oldest_queued_at is not None
    refusal = points.Refusal(line="a n=2i 2", reason="400 no")
    points.settle(connection, [bundle], [refusal], now=NOW)
    status = points.sink_status(connection)
    assert (status.waiting, status.delivered, status.delivered_at, status.refused) == (1, 1, NOW, 1)
    assert (status.failure, status.failed_at, status.wanted) == (None, None, True)
    assert waiting(connection) == ["a n=3i 3"]
    assert points.refusals(connection, limit=5) == [refusal]
    assert points.refusals(connection, limit=0) == []


def test_turning_it_off_drops_what_waits(connection: Connection) -> None:
    points.set_wanted(connection, True)
    points.enqueue(connection, ["a n=1i 1"])
    points.set_wanted(connection, False)
    assert connection.execute(text("SELECT count(*) FROM point_bundle")).scalar_one() == 0
    assert points.sink_status(connection).oldest_queued_at is None
