"""gateway/commands/desk.py: polls are paced, and a meter that is not here is refused."""

from pathlib import Path

from dlms_objects.values.system_title import SystemTitle
from gateway.commands.desk import KNOWN_PAUSE_S, SHORTEST_ROUND_S
from tests.support.command_world import CommandWorld
from tests.support.fake_headend import FakeHeadend
from tests.support.meters import MeterWorld, identifier


def test_what_is_known_is_not_asked_for_without_a_pause(tmp_path: Path) -> None:
    meter = MeterWorld(tmp_path / "meter")
    world = CommandWorld(tmp_path / "o.sqlite3", meter, FakeHeadend(), SystemTitle(b"MPG\x00\x00\x00\x00\x07"))
    assert world.poll() == SHORTEST_ROUND_S, "answered at once with nothing"
    world.headend.command(identifier(1), world.credentials.system_title, "supply", parameters={"connected": True})
    assert world.poll() <= SHORTEST_ROUND_S
    assert world.poll() == KNOWN_PAUSE_S
    world.headend.command(identifier(2), SystemTitle(b"MPR\x09\x09\x09\x09\x09"), "supply", parameters={})
    world.poll()
    world.report()
    assert world.headend.results[identifier(2)]["reason"] == "no such meter"
    world.die()
