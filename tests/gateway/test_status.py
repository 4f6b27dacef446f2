"""gateway/status.py: the figures, after each thing that changes them."""

import json
from pathlib import Path

import pytest

from dlms_objects.purse.outcome import EventCode
from gateway.collector import JournalFault
from gateway.status import OutboxFigures, outbox_figures, read_figures
from tests.support.fake_headend import FakeHeadend
from tests.support.fake_session import FakeMeter, FakeSession
from tests.support.gateway_world import NOW_S, World


def figures(world: World) -> OutboxFigures:
    return world.store.run(lambda connection: outbox_figures(connection, maximum_rows=1000, now_s=NOW_S + 90))


def test_figures_follow_what_happens(tmp_path: Path) -> None:
    meter = FakeMeter()
    world = World(tmp_path / "outbox.sqlite3", [meter], FakeHeadend(meter.title))
    empty = figures(world)
    assert (empty.meters, empty.held_rows, empty.oldest_row_age_s) == (0, 0, None)

    for _ in range(5):
        meter.book(1)
    meter.happen(EventCode.LOW_BALANCE)
    world.collect()
    held = figures(world)
    assert (held.meters, held.collected_entries, held.held_rows, held.held_events) == (1, 5, 6, 1)
    assert (held.oldest_row_age_s, held.acknowledgements_waiting) == (90, 0)

    assert read_figures(world.path, maximum_rows=1000, now_s=NOW_S + 90) == held, "from outside, while it is at work"

    while world.upload() == 0:
        pass
    sent = figures(world)
    assert (sent.held_rows, sent.oldest_row_age_s, sent.acknowledgements_waiting) == (0, None, 1)

    other = FakeMeter()
    other.book(2)
    with pytest.raises(JournalFault):
        world.collect(session=FakeSession(other))
    world.headend.books.clear()
    meter.book(1)
    world.collect()
    world.upload()
    trouble = figures(world)
    assert (trouble.evidence, trouble.meters_held_back, trouble.acknowledgements_waiting) == (1, 1, 0)


def test_figures_are_plain_values(tmp_path: Path) -> None:
    world = World(tmp_path / "outbox.sqlite3", [], FakeHeadend())
    assert json.loads(json.dumps(figures(world).document()))["maximum_rows"] == 1000
