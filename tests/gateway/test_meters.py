"""gateway/meters.py: meters come and go while the others are collected; a session in flight ends first."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from dlms_objects.errors import LocalError
from dlms_objects.transport.credentials import MeterCredentials
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.parameters import ClientParameters
from gateway import meters
from gateway.config import CollectionSection, MeterSection
from gateway.meters import LineLimits, Meters
from gateway.purse_reader import Session
from gateway.pushes import Pushes
from gateway.store import Store
from gateway.writer import Writer
from tests.support.fake_session import FakeMeter, FakeSession
from tests.support.gateway_world import inline
from tests.support.twisted_testing import has_result, result_of, started

OWN = SystemTitle(b"MPG\x00\x00\x00\x00\x07")
TITLES = (SystemTitle(b"MPR\x00\x00\x00\x00\x01"), SystemTitle(b"MPR\x00\x00\x00\x00\x02"))


class HeldSession(FakeSession):
    """A session whose answers come when `go_on` is called."""

    def __init__(self, meter: FakeMeter) -> None:
        super().__init__(meter)
        self.held: Deferred[None] | None = Deferred()

    async def get(self, *arguments: Any) -> bytes:
        if self.held is not None:
            await self.held
        return await super().get(*arguments)

    def go_on(self) -> None:
        held, self.held = self.held, None
        assert held is not None
        held.callback(None)


class Bench:
    """Two meters in memory, whose sessions are listed in `opened`."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.clock = Clock()
        self.store = Store(path)
        self.known = {title: FakeMeter(title=title) for title in TITLES}
        for meter in self.known.values():
            meter.book(100)
        self.opened: list[FakeSession] = []
        self.session: type[FakeSession] = FakeSession
        self.pushes = Pushes(self.clock, None)
        self.meters = Meters(
            self.clock,
            OWN,
            LineLimits(collection=CollectionSection(concurrency=1), maximum_rows=1000),
            store=self.store,
            writer=Writer(self.store, inline),
            pushes=self.pushes,
            read=self.read,
            collected=lambda: None,
        )
        monkeypatch.setattr(meters, "open_session", self.open)
        self.meters.startService()

    async def read(self, session: Session, title: SystemTitle) -> None:
        """Nothing is read beside the journal."""

    async def open(self, _reactor: Any, _endpoint: str, parameters: ClientParameters, **_: Any) -> FakeSession:
        assert parameters.security is not None
        assert parameters.security.peer_title is not None
        self.opened.append(self.session(self.known[parameters.security.peer_title]))
        return self.opened[-1]

    def add(self, number: int, *, name: str = "") -> None:
        section = MeterSection(
            name=name or f"flat-{number}",
            system_title=TITLES[number],
            endpoint="tcp:127.0.0.1:4059",
            key_file=self.path.parent / "keys.toml",
            collect_every_s=60,
        )
        self.meters.add(section, credentials(number))
        self.clock.advance(0)


def credentials(number: int) -> MeterCredentials:
    return MeterCredentials(
        system_title=TITLES[number],
        client_sap=1,
        server_sap=1,
        encryption_key=bytes([number + 7] * 15 + [1]),
        authentication_key=bytes([number + 7] * 15 + [2]),
    )


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench(tmp_path / "outbox.sqlite3", monkeypatch)
    yield bench
    bench.store.close()


def test_a_meter_added_while_the_others_are_collected_is_collected_too(bench: Bench) -> None:
    bench.add(0)
    assert [session.meter.title for session in bench.opened] == [TITLES[0]]
    bench.add(1)
    assert [session.meter.title for session in bench.opened] == list(TITLES)
    assert {session.ended for session in bench.opened} == {"released"}
    assert len(bench.meters.lines) == 2


def test_a_session_in_flight_ends_before_its_meter_is_gone(bench: Bench) -> None:
    bench.session = HeldSession
    bench.add(0)
    (session,) = bench.opened
    assert isinstance(session, HeldSession)
    gone = started(bench.meters.remove("flat-0"))
    assert not has_result(gone)
    assert not session.ended
    with pytest.raises(LocalError, match="flat-0 is here already"):
        bench.add(0)
    session.go_on()
    assert has_result(gone)
    assert session.ended == "released"
    assert bench.meters.lines == []
    bench.clock.advance(3600)
    assert len(bench.opened) == 1
    assert bench.clock.getDelayedCalls() == []


def test_a_meter_that_leaves_frees_its_name_and_title_and_the_place_of_its_session(bench: Bench) -> None:
    bench.add(0)
    result_of(bench.meters.remove("flat-0"))
    bench.add(0, name="flat-0-moved")
    bench.add(1)
    assert [session.ended for session in bench.opened] == ["released"] * 3


def test_removing_one_leaves_the_others_alone(bench: Bench) -> None:
    bench.session = HeldSession
    bench.add(0)
    bench.add(1)
    (session,) = bench.opened
    assert isinstance(session, HeldSession)
    gone = started(bench.meters.remove("flat-0"))
    bench.session = FakeSession
    session.go_on()
    assert has_result(gone)
    assert [(session.meter.title, session.ended) for session in bench.opened] == [
        (TITLES[0], "released"),
        (TITLES[1], "released"),
    ]


def test_removing_twice_at_a_time_is_removing_once(bench: Bench) -> None:
    bench.session = HeldSession
    bench.add(0)
    (session,) = bench.opened
    assert isinstance(session, HeldSession)
    both = [started(bench.meters.remove("flat-0")), started(bench.meters.remove("flat-0"))]
    session.go_on()
    assert all(map(has_result, both))
    with pytest.raises(LocalError, match="there is no meter flat-0"):
        result_of(bench.meters.remove("flat-0"))


def test_a_stop_waits_for_a_meter_that_is_leaving(bench: Bench) -> None:
    bench.session = HeldSession
    bench.add(0)
    (session,) = bench.opened
    assert isinstance(session, HeldSession)
    gone, stopped = started(bench.meters.remove("flat-0")), bench.meters.stopService()
    assert not has_result(stopped)
    session.go_on()
    assert has_result(gone)
    assert has_result(stopped)
    assert bench.clock.getDelayedCalls() == []


def test_a_title_belongs_to_one_meter(bench: Bench) -> None:
    bench.add(0)
    with pytest.raises(LocalError, match=f"flat-9: {TITLES[0]} is meter flat-0"):
        bench.add(0, name="flat-9")


def test_a_meter_that_left_is_a_stranger_to_pushes(bench: Bench) -> None:
    bench.add(0)
    contexts = bench.pushes._contexts
    assert list(contexts) == [TITLES[0]]
    result_of(bench.meters.remove("flat-0"))
    assert contexts == {}
