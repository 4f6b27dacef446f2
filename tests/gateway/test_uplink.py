"""gateway/uplink.py: on while there is something to send, slower while the head-end is away."""

from pathlib import Path

import pytest

from dlms_objects.purse.outcome import EventCode
from gateway.headend_client import HeadendUnavailableError
from tests.support.fake_headend import FakeHeadend
from tests.support.fake_session import FakeMeter
from tests.support.gateway_world import World


@pytest.fixture
def meter() -> FakeMeter:
    meter = FakeMeter()
    for _ in range(10):
        meter.book(1)
    meter.happen(EventCode.LOW_BALANCE)
    return meter


@pytest.fixture
def world(tmp_path: Path, meter: FakeMeter) -> World:
    world = World(tmp_path / "outbox.sqlite3", [meter], FakeHeadend(meter.title))
    world.collect()
    return world


def test_steps_follow_at_once_until_everything_is_sent(world: World, meter: FakeMeter) -> None:
    waits_s = [world.upload() for _ in range(4)]
    assert waits_s == [0, 0, 0, 5]
    books = world.headend.books[str(meter.title)]
    assert (books.rows, len(books.events)) == (meter.rows, 1)
    assert [path for _, path, _ in world.headend.requests].count("/api/gateway/v1/records") == 3


def test_an_absent_head_end_is_waited_for_longer_each_time(world: World) -> None:
    def away(_what: str) -> None:
        raise HeadendUnavailableError("no route")

    world.headend.step = away
    waits_s = [world.upload() for _ in range(6)]
    assert 0.5 <= waits_s[0] <= 1
    assert 4 <= waits_s[5] <= 8
    assert world.link.failures == 6
    world.headend.step = lambda _what: None
    assert world.upload() == 0
    assert world.link.failures == 0


def test_a_store_that_fails_is_waited_out_and_nothing_is_lost(world: World, meter: FakeMeter) -> None:
    world.store.run(
        lambda connection: (
            connection.execute(
                "create trigger full before insert on acknowledgement begin select raise(abort, 'disk full'); end"
            ).rowcount
        )
    )
    assert 0 < world.upload() < 5
    assert world.query("select count(*) from row") == [(10,)]
    world.store.run(lambda connection: connection.execute("drop trigger full").rowcount)
    while world.upload() == 0:
        pass
    assert world.headend.books[str(meter.title)].rows == meter.rows
