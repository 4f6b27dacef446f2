"""gateway/holdings.py: what is held of each meter, how long there is room, and the evidence, while a gateway writes."""

from pathlib import Path

import pytest

from dlms_objects.purse.outcome import EventCode
from gateway.collector import JournalFault
from gateway.holdings import Holdings, read_evidence, read_holdings
from gateway.records import UplinkStatus
from gateway.store import StoreError
from tests.support.fake_headend import FakeHeadend
from tests.support.fake_session import FakeMeter, FakeSession
from tests.support.gateway_world import NOW_S, World


def holdings(world: World, *, age_s: int = 7200) -> Holdings:
    """What is held so long after everything was collected."""
    return read_holdings(world.path, maximum_rows=1000, now_s=NOW_S + age_s)


def collected(tmp_path: Path, entries: int) -> tuple[World, FakeMeter]:
    """A gateway that has collected so many entries, and an event, of one meter."""
    meter = FakeMeter()
    world = World(tmp_path / "outbox.sqlite3", [meter], FakeHeadend(meter.title))
    for _ in range(entries):
        meter.book(1)
    meter.happen(EventCode.LOW_BALANCE)
    world.collect()
    return world, meter


def test_each_meter_is_there_with_what_is_held_of_it(tmp_path: Path) -> None:
    world, meter = collected(tmp_path, 5)
    found = holdings(world)
    (of_meter,) = found.meters
    assert (of_meter.title, of_meter.collected, of_meter.held_rows, of_meter.held_events) == (meter.title, 5, 5, 1)
    assert (of_meter.oldest_row_age_s, of_meter.uplink_status) == (7200, UplinkStatus.ACCEPTED)
    assert (found.held_rows, found.fill) == (6, 0.006)
    while world.upload() == 0:
        pass
    (sent,) = holdings(world).meters
    assert (sent.held_rows, sent.oldest_row_age_s, sent.acknowledgement_waiting) == (0, None, True)


def test_the_days_left_follow_the_rate_of_the_last_day(tmp_path: Path) -> None:
    world, _meter = collected(tmp_path, 5)
    room = 1000 - 6
    assert holdings(world, age_s=7200).days_left == pytest.approx(room / (5 / 7200) / 86_400)
    assert holdings(world, age_s=86_400).days_left == pytest.approx(room / 5)


def test_no_rate_is_told_where_none_is_known(tmp_path: Path) -> None:
    world, _meter = collected(tmp_path, 5)
    assert holdings(world, age_s=3599).days_left is None, "held for less than an hour"
    assert holdings(world, age_s=86_401).days_left is None, "nothing came within the last day"


def test_a_meter_that_is_held_back_says_why(tmp_path: Path) -> None:
    world, _meter = collected(tmp_path, 1)
    world.headend.books.clear()
    world.upload()
    (of_meter,) = holdings(world).meters
    assert of_meter.uplink_status is UplinkStatus.UNKNOWN_METER


def test_evidence_is_listed_and_its_rows_can_be_read(tmp_path: Path) -> None:
    world, meter = collected(tmp_path, 2)
    other = FakeMeter()
    for _ in range(3):
        other.book(2)
    with pytest.raises(JournalFault):
        world.collect(session=FakeSession(other))
    (found,) = read_evidence(world.path)
    assert (found.number, found.title, found.expected.sequence) == (1, meter.title, 2)
    entries = found.entries()
    assert entries
    assert all(entry is not None and entry.digest == row[-16:] for entry, row in zip(entries, found.rows, strict=True))
    assert read_evidence(world.path, 1) == [found]
    assert read_evidence(world.path, 2) == []
    assert holdings(world).meters[0].evidence == 1


def test_rows_that_are_none_are_kept_and_said_to_be_none(tmp_path: Path) -> None:
    world, meter = collected(tmp_path, 1)
    world.store.run(
        lambda connection: connection.execute(
            "insert into evidence(title, found_at_s, cause, expected_sequence, expected_digest, found_sequence,"
            " found_digest, rows) values (?, 0, 'fork', 1, x'00', 1, x'01', ?)",
            (meter.title.octets, bytes(98)),
        )
    )
    (found,) = read_evidence(world.path)
    assert (found.rows, found.entries()) == ((bytes(98),), (None,))


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        read_holdings(tmp_path / "none", maximum_rows=1, now_s=0)
    with pytest.raises(StoreError):
        read_evidence(tmp_path / "none")
