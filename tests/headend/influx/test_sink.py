"""The sink: nothing leaves the outbox before it is written, nothing waits for InfluxDB, no fault ends delivery."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

import pytest

from headend import points
from headend.database import Database
from headend.influx import sink as sink_module
from headend.influx.sink import IDLE_S, Sink, SinkLimits, headend_figures
from headend.influx.writer import InfluxUnavailableError, PointsRefusedError
from headend.ingest import ingest
from headend.place import Place
from tests.support.headend_books import usual_journal

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
LIMITS = SinkLimits(batch_points=2000, figures_every_s=3600, back_off_maximum_s=8, back_off_first_s=1)


class Server:
    """An InfluxDB that fails, refuses or takes its time as told."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.failures: list[Exception] = []
        self.refused = "none"
        self.hold = threading.Event()
        self.hold.set()

    def write(self, lines: Sequence[str]) -> None:
        self.hold.wait(10)
        if self.failures:
            raise self.failures.pop(0)
        if any(self.refused in line for line in lines):
            raise PointsRefusedError("400 refused")
        self.held += [line for line in lines if line not in self.held]


class Bench:
    """A database, a sink, a server and a clock that the test moves."""

    def __init__(self, place: Place) -> None:
        self.database = Database(place, write_queue=2)
        self.database.write_now(partial(points.set_wanted, wanted=True))
        self.server, self.now = Server(), START
        self.sink = Sink(self.database, self.server, LIMITS, now=lambda: self.now, random=Random(1))

    def enqueue(self, *lines: str) -> None:
        self.database.write_now(partial(points.enqueue, lines=lines))

    def status(self) -> points.SinkStatus:
        return self.database.write_now(points.sink_status)


def with_bench(place: Place, work: Callable[[Bench], object]) -> None:
    async def run() -> None:
        bench = Bench(place)
        try:
            await work(bench)  # type: ignore[misc]
        finally:
            bench.database.close()

    asyncio.run(run())


def test_points_leave_the_outbox_when_they_are_written(fresh: Place) -> None:
    async def work(bench: Bench) -> None:
        lines = [f"a n={number}i {number}" for number in range(3500)]
        bench.enqueue(*lines)
        assert [await bench.sink.step() for _ in range(3)] == [0, 0, IDLE_S]
        assert bench.server.held[:3500] == lines
        assert bench.server.held[3500].startswith("headend_status ")
        status = bench.status()
        assert (status.waiting, status.delivered, status.delivered_at) == (0, 3501, START)

    with_bench(fresh, work)


def test_a_server_that_is_away_is_tried_again_ever_more_rarely(fresh: Place) -> None:
    async def work(bench: Bench) -> None:
        bench.enqueue("a n=1i 1")
        bench.server.failures = [InfluxUnavailableError("away")] * 6
        waits = [await bench.sink.step() for _ in range(6)]
        for wait_s, longest in zip(waits, (1, 2, 4, 8, 8, 8), strict=True):
            assert longest / 2 <= wait_s <= longest
        status = bench.status()
        assert (status.waiting, status.failure, status.failed_at) == (2, "away", START)
        assert await bench.sink.step() == 0
        assert (bench.status().waiting, bench.status().failure) == (0, None)
        bench.enqueue("a n=2i 2")
        bench.server.failures = [InfluxUnavailableError("away")]
        assert await bench.sink.step() <= 1

    with_bench(fresh, work)


def test_a_refused_point_does_not_hold_up_the_others(fresh: Place) -> None:
    async def work(bench: Bench) -> None:
        bench.enqueue("a n=1i 1", "bad n=2i 2", "a n=3i 3")
        bench.server.refused = "bad"
        assert await bench.sink.step() == 0
        assert bench.server.held[:2] == ["a n=1i 1", "a n=3i 3"]
        assert bench.database.write_now(partial(points.refusals, limit=5)) == [
            points.Refusal(line="bad n=2i 2", reason="400 refused")
        ]
        assert bench.status().waiting == 0

    with_bench(fresh, work)


def test_ingest_goes_on_while_a_request_hangs(fresh: Place) -> None:
    async def work(bench: Bench) -> None:
        bench.enqueue("a n=1i 1")
        bench.server.hold.clear()
        step = asyncio.ensure_future(bench.sink.step())
        await asyncio.sleep(0.1)
        answers, _ = await bench.database.write(partial(ingest, batches=[usual_journal().batch()]))
        assert answers[0].sequence == 6
        assert not step.done()
        bench.server.hold.set()
        await step
        assert bench.status().waiting == 6

    with_bench(fresh, work)


def test_a_stop_finishes_the_request_in_hand(fresh: Place) -> None:
    async def work(bench: Bench) -> None:
        bench.enqueue("a n=1i 1")
        bench.server.hold.clear()
        running = asyncio.ensure_future(bench.sink.run())
        await asyncio.sleep(0.1)
        bench.sink.stop()
        await asyncio.sleep(0.05)
        assert not running.done()
        bench.server.hold.set()
        await asyncio.wait_for(running, 5)
        assert bench.server.held[0] == "a n=1i 1"
        assert bench.status().waiting == 0

    with_bench(fresh, work)


def test_a_fault_nobody_expected_does_not_end_delivery(fresh: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink_module, "AFTER_FAULT_S", 0.01)

    async def work(bench: Bench) -> None:
        bench.enqueue("a n=1i 1")
        bench.server.failures = [ZeroDivisionError("planted")]
        running = asyncio.ensure_future(bench.sink.run())
        while not bench.server.held:
            await asyncio.sleep(0.01)
        bench.sink.stop()
        await asyncio.wait_for(running, 5)

    with_bench(fresh, work)


def test_a_full_write_queue_is_given_way_to(fresh: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink_module, "BUSY_S", 0.01)

    async def work(bench: Bench) -> None:
        bench.enqueue("a n=1i 1")
        free = threading.Event()
        occupied = [asyncio.ensure_future(bench.database.write(lambda _connection: free.wait(10))) for _ in range(2)]
        step = asyncio.ensure_future(bench.sink.step())
        await asyncio.sleep(0.1)
        assert not step.done()
        free.set()
        assert await step == 0
        await asyncio.gather(*occupied)

    with_bench(fresh, work)


def test_the_head_ends_figures_are_written_at_their_intervals(fresh: Place) -> None:
    async def work(bench: Bench) -> None:
        for _ in range(3):
            await bench.sink.step()
        assert len(bench.server.held) == 1
        bench.now = START + timedelta(seconds=3600)
        await bench.sink.step()
        assert len(bench.server.held) == 2

    with_bench(fresh, work)


def test_the_head_ends_figures(fresh: Place) -> None:
    async def work(bench: Bench) -> None:
        bench.database.write_now(partial(ingest, batches=[usual_journal().batch()]))
        later = datetime.now(UTC) + timedelta(seconds=90)
        figures = bench.database.write_now(partial(headend_figures, now=later))
        assert 89 <= figures.pop("oldest_point_s") <= 100
        assert figures == {
            "meters": 2,
            "entries": 6,
            "conflicts": 0,
            "unknown_meters": 0,
            "points_waiting": 6,
            "points_refused": 0,
        }

    with_bench(fresh, work)
