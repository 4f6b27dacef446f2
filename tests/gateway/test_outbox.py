"""gateway/outbox.py: what is taken, in which order, and what an answer lets go."""

from pathlib import Path

import pytest

from dlms_objects.purse.entry import JournalHead
from dlms_objects.purse.outcome import EventCode
from dlms_objects.values.system_title import SystemTitle
from gateway import outbox
from gateway.records import BatchLimits, UplinkStatus
from gateway.verdict import Verdict
from tests.support.fake_headend import FakeHeadend
from tests.support.fake_session import FakeItem, FakeMeter
from tests.support.gateway_world import World

LIMITS = BatchLimits(batch_rows=4, request_rows=6)


@pytest.fixture
def meters() -> list[FakeMeter]:
    meters = [FakeMeter(title=SystemTitle(b"MPR\x00\x00\x00\x00" + bytes((n,)))) for n in range(3)]
    for meter in meters:
        for _ in range(5):
            meter.book(1)
    return meters


@pytest.fixture
def world(tmp_path: Path, meters: list[FakeMeter]) -> World:
    world = World(tmp_path / "outbox.sqlite3", meters, FakeHeadend())
    for meter in meters:
        world.collect(meter)
    return world


def batches(world: World, **rest: object) -> list[tuple[int, int, int]]:
    """Meter, first and last of each batch taken."""
    taken = world.store.run(
        lambda connection: outbox.record_batches(connection, LIMITS, **{"after": b"", "held_back": (), **rest})  # type: ignore[arg-type]
    )
    return [(batch.title.octets[-1], batch.first, batch.last) for batch in taken]


def accept(world: World, meter: FakeMeter, sequence: int) -> None:
    head = JournalHead(sequence=sequence, digest=meter.rows[sequence - 1][-16:])
    verdict = Verdict(title=meter.title, status=UplinkStatus.ACCEPTED, head=head)
    world.store.run(lambda connection: outbox.take_record_verdicts(connection, [verdict]))


def test_a_request_takes_the_oldest_rows_of_each_meter_up_to_its_limit(world: World) -> None:
    assert batches(world) == [(0, 1, 4), (1, 1, 4)]


def test_a_request_names_no_more_meters_than_the_head_end_takes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "REQUEST_METERS", 1)
    assert batches(world) == [(0, 1, 4)]


def test_meters_take_turns(world: World, meters: list[FakeMeter]) -> None:
    assert batches(world, after=meters[0].title.octets) == [(1, 1, 4), (2, 1, 4)]
    assert batches(world, after=meters[1].title.octets) == [(2, 1, 4), (0, 1, 4)]
    assert batches(world, after=meters[2].title.octets) == [(0, 1, 4), (1, 1, 4)]


def test_a_meter_held_back_leaves_its_turn_to_the_next(world: World, meters: list[FakeMeter]) -> None:
    assert batches(world, held_back={meters[0].title}) == [(1, 1, 4), (2, 1, 4)]
    assert batches(world, held_back={meter.title for meter in meters}) == []


def test_accepted_rows_go_and_their_acknowledgement_comes_in_one(world: World, meters: list[FakeMeter]) -> None:
    accept(world, meters[0], 3)
    assert batches(world)[0] == (0, 4, 5)
    assert world.query("select held_rows, (select count(*) from row) from fill") == [(12, 12)]
    waiting = world.query("select title, sequence, digest, delivered from acknowledgement")
    assert waiting == [(meters[0].title.octets, 3, meters[0].rows[2][-16:], 0)]


def test_an_older_answer_takes_nothing_back(world: World, meters: list[FakeMeter]) -> None:
    accept(world, meters[0], 5)
    accept(world, meters[0], 2)
    assert world.query("select sequence from acknowledgement") == [(5,)]


def test_a_verdict_against_a_meter_keeps_everything_and_is_noted(world: World, meters: list[FakeMeter]) -> None:
    verdict = Verdict(title=meters[1].title, status=UplinkStatus.CONFLICT, detail="different rows")
    world.store.run(lambda connection: outbox.take_record_verdicts(connection, [verdict]))
    assert world.query("select count(*) from row") == [(15,)]
    noted = world.query("select title, uplink_detail from meter where uplink_status = 'conflict'")
    assert noted == [(meters[1].title.octets, "different rows")]
    accept(world, meters[1], 5)
    assert world.query("select count(*) from meter where uplink_status != 'accepted'") == [(0,)]


def test_descriptors_are_sent_until_they_were_taken_and_events_wait_for_them(
    world: World, meters: list[FakeMeter]
) -> None:
    meter = meters[2]
    for each in meters:
        accept(world, each, 5)
    meter.items[1] = FakeItem("Rent", "landlord")
    meter.happen(EventCode.WAITING_AMOUNT, fee_item=1)
    world.collect(meter)

    def events() -> int:
        taken = world.store.run(lambda connection: outbox.event_batches(connection, LIMITS, after=b"", held_back=()))
        return sum(len(batch.rows) for batch in taken)

    assert events() == 0
    assert batches(world) == [(2, 6, 5)], "a batch without rows"
    (batch,) = world.store.run(lambda connection: outbox.record_batches(connection, LIMITS, after=b"", held_back=()))
    assert [item.label for item in batch.items] == ["Rent"]
    taken = Verdict(title=meter.title, status=UplinkStatus.ACCEPTED, items=batch.items)
    world.store.run(lambda connection: outbox.take_record_verdicts(connection, [taken]))
    assert batches(world) == []
    assert events() == 1


def test_events_go_on_where_the_head_end_does_not_take_the_rows(world: World, meters: list[FakeMeter]) -> None:
    meter = meters[0]
    meter.items[1] = FakeItem("Rent", "landlord")
    meter.happen(EventCode.TAMPER, fee_item=1)
    world.collect(meter)
    conflict = Verdict(title=meter.title, status=UplinkStatus.CONFLICT, detail="different rows")
    world.store.run(lambda connection: outbox.take_record_verdicts(connection, [conflict]))
    taken = world.store.run(lambda connection: outbox.event_batches(connection, LIMITS, after=b"", held_back=()))
    assert [batch.title for batch in taken] == [meter.title]


def test_accepted_events_go(world: World, meters: list[FakeMeter]) -> None:
    for _ in range(6):
        meters[0].happen(EventCode.LOW_BALANCE)
    world.collect(meters[0])
    (batch,) = world.store.run(lambda connection: outbox.event_batches(connection, LIMITS, after=b"", held_back=()))
    assert [row.number for row in batch.rows] == [1, 2, 3, 4]
    verdicts = [
        Verdict(title=meters[0].title, status=UplinkStatus.ACCEPTED, number=3),
        Verdict(title=meters[0].title, status=UplinkStatus.CONFLICT, number=6),
    ]
    world.store.run(lambda connection: outbox.take_event_verdicts(connection, verdicts))
    assert world.query("select number from event") == [(4,), (5,), (6,)]
    assert world.query("select held_rows from fill") == [(15 + 3,)]
