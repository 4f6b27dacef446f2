"""gateway/line.py: on schedule, within its limits, and one bad meter never stops another."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.task import Clock

from dlms_objects.errors import RemoteError, TransportLostError
from dlms_objects.values.system_title import SystemTitle
from gateway.back_off import BackOff
from gateway.collector import CollectionLimits
from gateway.counters import AssociationCounters
from gateway.line import Line, LineSettings
from gateway.purse_reader import Session
from gateway.store import Store
from gateway.writer import Writer
from tests.support.fake_session import FakeMeter, FakeSession
from tests.support.gateway_world import inline
from tests.support.twisted_testing import has_result, result_of, started

EVERY_S = 60.0
LIMIT_S = 20.0


class Bench:
    """Lines with sessions made on demand; `opened` lists them."""

    def __init__(self, path: Path, *, concurrency: int = 2) -> None:
        self.clock = Clock()
        self.store = Store(path)
        self.writer = Writer(self.store, inline)
        self.sessions = DeferredSemaphore(concurrency)
        self.opened: list[FakeSession] = []
        self.collected = 0
        self.read_meters: list[SystemTitle] = []

    def line(self, meter: FakeMeter, open_session: Callable[[FakeMeter], FakeSession] = FakeSession) -> Line:
        async def open_() -> FakeSession:
            self.opened.append(open_session(meter))
            return self.opened[-1]

        def collected() -> None:
            self.collected += 1

        return Line(
            LineSettings(
                name="flat",
                title=meter.title,
                collect_every_s=EVERY_S,
                session_limit_s=LIMIT_S,
                collection=CollectionLimits(page_rows=3, maximum_rows=1000),
            ),
            open_,
            self.writer,
            AssociationCounters(self.store, meter.title, 1),
            BackOff(2, 600, Random(1)),
            clock=self.clock,
            now_s=lambda: int(self.clock.seconds()),
            sessions=self.sessions,
            collected=collected,
            read=self.read,
        )

    async def read(self, session: Session, title: SystemTitle) -> None:
        assert isinstance(session, FakeSession)
        assert not session.ended
        self.read_meters.append(title)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "outbox.sqlite3")


@pytest.fixture
def meter() -> FakeMeter:
    meter = FakeMeter()
    meter.book(100)
    return meter


class Silent(FakeSession):
    """A meter that never answers."""

    async def get(self, *_arguments: object) -> bytes:
        return await Deferred()


def broken(error: Exception) -> Callable[[FakeMeter], FakeSession]:
    """A session that cannot be opened."""

    def open_(_meter: FakeMeter) -> FakeSession:
        raise error

    return open_


def test_a_session_is_released_and_the_next_is_on_schedule(bench: Bench, meter: FakeMeter) -> None:
    line = bench.line(meter)
    assert result_of(line.step()) == EVERY_S
    assert bench.opened[0].ended == "released"
    assert bench.collected == 1
    assert result_of(line.step()) == EVERY_S
    assert bench.collected == 1, "nothing new, nothing to upload"
    assert bench.read_meters == [meter.title] * 2, "it is read in each session, before that ends"
    assert (line.sessions_begun, line.sessions_failed) == (2, 0)


@pytest.mark.parametrize("error", [TransportLostError("gone"), RemoteError("nonsense")])
def test_a_failure_is_waited_out_longer_each_time(bench: Bench, meter: FakeMeter, error: Exception) -> None:
    line = bench.line(meter, broken(error))
    waits_s = [result_of(line.step()) for _ in range(4)]
    assert 1 <= waits_s[0] <= 2
    assert 8 <= waits_s[3] <= 16
    assert line.failures == 4
    assert (line.sessions_begun, line.sessions_failed) == (4, 4)
    assert bench.read_meters == []


def test_success_ends_the_back_off(bench: Bench, meter: FakeMeter) -> None:
    line = bench.line(meter, lambda meter: FakeSession(meter) if len(bench.opened) else broken(RemoteError())(meter))
    result_of(line.step())
    assert line.failures == 1
    bench.opened.append(FakeSession(meter))
    result_of(line.step())
    assert line.failures == 0


def test_a_silent_meter_is_given_up_after_the_limit(bench: Bench, meter: FakeMeter) -> None:
    line = bench.line(meter, Silent)
    step = started(line.step())
    bench.clock.advance(LIMIT_S - 0.1)
    assert not has_result(step)
    bench.clock.advance(0.1)
    assert result_of(step) <= 2
    assert bench.opened[0].ended == "aborted"
    assert bench.sessions.tokens == bench.sessions.limit, "its place is free again"


def test_a_bad_meter_holds_one_place_and_stops_no_other(bench: Bench, meter: FakeMeter) -> None:
    others = [FakeMeter(title=SystemTitle(b"MPR\x00\x00\x00\x01" + bytes((n,)))) for n in range(5)]
    stuck = started(bench.line(meter, Silent).step())
    assert [result_of(bench.line(other).step()) for other in others] == [EVERY_S] * 5
    assert not has_result(stuck)


def test_no_more_sessions_than_there_are_places(bench: Bench) -> None:
    meters = [FakeMeter(title=SystemTitle(b"MPR\x00\x00\x00\x01" + bytes((n,)))) for n in range(4)]
    steps = [started(bench.line(meter, Silent).step()) for meter in meters]
    assert len(bench.opened) == 2
    bench.clock.advance(LIMIT_S)
    assert len(bench.opened) == 4
    assert [has_result(step) for step in steps] == [True, True, False, False]


def test_a_stopped_line_opens_no_session(bench: Bench, meter: FakeMeter) -> None:
    line = bench.line(meter)
    line.stop()
    result_of(line.step())
    assert bench.opened == []


def test_stopping_ends_the_session_after_its_page(bench: Bench, meter: FakeMeter) -> None:
    for _ in range(9):
        meter.book(1)

    class Stopping(FakeSession):
        def journal(self, first: int, last: int) -> bytes:
            line.stop()
            return super().journal(first, last)

    line = bench.line(meter, Stopping)
    result_of(line.step())
    assert bench.opened[0].ended == "released"
    assert bench.store.run(lambda connection: connection.execute("select sequence from meter").fetchone()) == (3,)
    assert bench.read_meters == [], "a line that is stopping asks no more questions"


def test_a_session_begins_with_counters_in_reserve(bench: Bench, meter: FakeMeter) -> None:
    reserved: list[tuple[int]] = []

    def look(meter: FakeMeter) -> FakeSession:
        ceilings = bench.store.run(lambda connection: connection.execute("select ceiling from sent_counter").fetchall())
        reserved.extend(ceilings)
        return FakeSession(meter)

    line = bench.line(meter, look)
    result_of(line.step())
    result_of(line.step())
    assert reserved == [(64,), (64,)]


def test_a_full_disk_is_waited_out(bench: Bench, meter: FakeMeter) -> None:
    line = bench.line(meter)
    bench.store.run(
        lambda connection: (
            connection.execute(
                "create trigger full before insert on row begin select raise(abort, 'disk full'); end"
            ).rowcount
        )
    )
    assert result_of(line.step()) <= 2
    assert bench.opened[0].ended == "aborted"
    bench.store.run(lambda connection: connection.execute("drop trigger full").rowcount)
    assert result_of(line.step()) == EVERY_S
    assert bench.collected == 1
