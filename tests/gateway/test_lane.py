"""gateway/lane.py: nothing leaves before an answer; one meter's trouble is its own."""

from pathlib import Path
from typing import Any

import pytest

from dlms_objects.purse.outcome import EventCode
from dlms_objects.values.system_title import SystemTitle
from gateway.exchange import AnswerError
from gateway.headend_client import BatchRefusedError, HeadendUnavailableError
from gateway.lane import Lane
from gateway.records import BatchLimits
from tests.support.fake_headend import FakeHeadend
from tests.support.fake_session import FakeMeter
from tests.support.gateway_world import World
from tests.support.twisted_testing import result_of

TITLES = [SystemTitle(b"MPR\x00\x00\x00\x00" + bytes((n,))) for n in range(1, 5)]


class Scripted(FakeHeadend):
    """A head-end that refuses requests which hold a certain meter, or answers as told."""

    poison = ""
    error: Exception | None = None
    body: bytes | None = None

    async def request(self, method: str, path: str, body: bytes) -> bytes:
        if self.error is not None:
            raise self.error
        if self.poison and self.poison.encode() in body:
            self.requests.append((method, path, None))
            raise BatchRefusedError("422")
        answer = await super().request(method, path, body)
        return answer if self.body is None else self.body


@pytest.fixture
def headend() -> Scripted:
    return Scripted(*TITLES)


@pytest.fixture
def world(tmp_path: Path, headend: Scripted) -> World:
    meters = [FakeMeter(title=title) for title in TITLES]
    for meter in meters:
        for _ in range(3):
            meter.book(1)
        meter.happen(EventCode.LOW_BALANCE)
    world = World(tmp_path / "outbox.sqlite3", meters, headend, batches=BatchLimits(batch_rows=2, request_rows=100))
    for meter in meters:
        world.collect(meter)
    return world


def rows_lane(world: World) -> Lane[Any, Any]:
    return world.link._rows


def held(world: World) -> dict[int, int]:
    """How many rows of each meter are held."""
    return {title[-1]: count for title, count in world.query("select title, count(*) from row group by title")}


def test_one_request_carries_many_meters_in_order(world: World, headend: Scripted) -> None:
    assert result_of(rows_lane(world).upload())
    assert len(headend.requests) == 1
    assert held(world) == {1: 1, 2: 1, 3: 1, 4: 1}
    assert result_of(rows_lane(world).upload())
    assert held(world) == {}
    assert not result_of(rows_lane(world).upload())
    assert len(headend.requests) == 2, "nothing held, nothing asked"


@pytest.mark.parametrize("error", [HeadendUnavailableError("503"), AnswerError("html")])
def test_without_an_answer_everything_is_still_held(world: World, headend: Scripted, error: Exception) -> None:
    headend.error = error
    with pytest.raises(type(error)):
        result_of(rows_lane(world).upload())
    assert held(world) == {1: 3, 2: 3, 3: 3, 4: 3}
    assert world.query("select * from acknowledgement") == []


def test_an_answer_of_another_form_lets_nothing_go(world: World, headend: Scripted) -> None:
    headend.body = b"<html>"
    with pytest.raises(AnswerError):
        result_of(rows_lane(world).upload())
    assert held(world) == {1: 3, 2: 3, 3: 3, 4: 3}


def test_a_repeated_batch_is_answered_and_let_go(world: World, headend: Scripted) -> None:
    headend.body = b"lost on the way"
    with pytest.raises(AnswerError):
        result_of(rows_lane(world).upload())
    headend.body = None
    result_of(rows_lane(world).upload())
    assert headend.books[str(TITLES[0])].times_seen == {1: 2, 2: 2}
    assert held(world) == {1: 1, 2: 1, 3: 1, 4: 1}


def test_one_batch_that_spoils_the_request_costs_the_others_nothing(world: World, headend: Scripted) -> None:
    headend.poison = str(TITLES[2])
    assert result_of(rows_lane(world).upload())
    assert held(world) == {1: 1, 2: 1, 3: 3, 4: 1}
    assert len(headend.requests) == 1 + 4
    headend.requests.clear()
    assert result_of(rows_lane(world).upload())
    assert len(headend.requests) == 1, "the bad one is held back by now"
    assert world.query("select uplink_status from meter where uplink_status != 'accepted'") == [("refused",)]


def test_a_meter_the_head_end_does_not_know_waits_longer_each_time(world: World, headend: Scripted) -> None:
    books = headend.books.pop(str(TITLES[0]))
    tried = []
    for _ in range(60):
        before = len(headend.requests)
        result_of(rows_lane(world).upload())
        if len(headend.requests) > before and str(TITLES[0]) in str(headend.requests[-1]):
            tried.append(world.clock.seconds())
        world.clock.advance(0.5)
    assert 4 <= len(tried) <= 8, tried
    assert held(world) == {1: 3}
    headend.books[str(TITLES[0])] = books
    world.clock.advance(10)
    for _ in range(2):
        assert result_of(rows_lane(world).upload())
    assert held(world) == {}


def test_rows_and_events_are_held_back_apart(world: World, headend: Scripted) -> None:
    headend.take_records = lambda batch: {  # type: ignore[method-assign]
        "system_title": batch["system_title"],
        "status": "conflict",
        "sequence": 0,
        "digest": "",
    }
    assert not result_of(rows_lane(world).upload())
    assert result_of(world.link._events.upload())
    before = len(headend.requests)
    assert not result_of(rows_lane(world).upload())
    assert len(headend.requests) == before, "events taken do not end the rows' wait"
    assert held(world) == {1: 3, 2: 3, 3: 3, 4: 3}


def test_events_arrive_once(world: World, headend: Scripted) -> None:
    assert result_of(world.link._events.upload())
    assert not result_of(world.link._events.upload())
    assert [sorted(books.events) for books in headend.books.values()] == [[1]] * 4


def test_an_event_batch_that_spoils_the_request_costs_the_others_nothing(world: World, headend: Scripted) -> None:
    headend.poison = str(TITLES[1])
    assert result_of(world.link._events.upload())
    assert world.query("select count(*) from event") == [(1,)]
