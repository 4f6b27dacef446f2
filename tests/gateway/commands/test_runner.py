"""gateway/commands/runner.py with a real meter: carried out once, repeated safely, refused with the reason, expired."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dlms_objects.values.system_title import SystemTitle
from gateway.commands.runner import NO_KEYS
from tests.support.command_world import CommandWorld
from tests.support.fake_headend import FakeHeadend
from tests.support.meters import MeterWorld, identifier, plain_parameters

OWN = SystemTitle(b"MPG\x00\x00\x00\x00\x07")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[CommandWorld]:
    meter = MeterWorld(tmp_path / "meter")
    world = CommandWorld(tmp_path / "outbox.sqlite3", meter, FakeHeadend(meter.made.system_title), OWN)
    yield world
    world.die()


def ordered(
    world: CommandWorld, kind: str, place: int = 1, /, expires_s: float | None = None, **parameters: Any
) -> None:
    end = None if expires_s is None else datetime.fromtimestamp(world.meter.reactor.seconds() + expires_s, UTC)
    world.headend.command(
        identifier(place),
        world.credentials.system_title,
        kind,
        parameters=parameters,
        expires_at=None if end is None else end.isoformat(),
    )


Told = tuple[str, str | None, dict[str, Any]]


def result(world: CommandWorld, kind: str, place: int = 1, /, **parameters: Any) -> Told:
    ordered(world, kind, place, **parameters)
    world.cycle()
    told = world.headend.results[identifier(place)]
    return told["state"], told["reason"], told["answer"]


def test_every_kind_is_carried_out_and_read_back(world: CommandWorld) -> None:
    rent = plain_parameters(enabled=False)
    later = {**rent, "amount": 7}
    settings = world.meter.connect().purse("settings")
    clock = {"class_id": 8, "logical_name": "0.0.1.0.0.255", "attribute": 2}
    orders: list[tuple[str, dict[str, Any]]] = [
        ("top_up", {"transaction_id": identifier(91), "amount_minor": 500}),
        ("adjust", {"transaction_id": identifier(92), "amount_minor": -100}),
        ("reverse", {"transaction_id": identifier(93), "sequence": 1}),
        ("set_fee_item", {"number": 1, "parameters": rent, "activation_time": None}),
        ("set_fee_item", {"number": 1, "parameters": later, "activation_time": "2027-01-01T00:00:00+00:00"}),
        ("cancel_fee_item_change", {"number": 1}),
        ("read_fee_item", {"number": 1}),
        ("delete_fee_item", {"number": 1}),
        ("settings", {**settings, "look_ahead_s": 60}),
        ("clock", {"maximum_step_s": 60}),
        ("supply", {"connected": False}),
        ("supply", {"connected": True}),
        ("read", clock),
    ]
    found = [result(world, kind, number, **parameters)[:2] for number, (kind, parameters) in enumerate(orders, 1)]
    expected: list[tuple[str, str | None]] = [("confirmed", None)] * len(orders)
    expected[2] = ("refused", "amount_out_of_range")
    assert found == expected


@pytest.mark.parametrize(
    ("kind", "parameters", "reason"),
    [
        ("reverse", {"transaction_id": identifier(9), "sequence": 7}, "no_such_entry"),
        ("cancel_amount", {"number": 1, "due": "2026-07-01"}, "no_such_entry"),
        ("top_up", {"transaction_id": "00" * 16, "amount_minor": 1}, "all zero"),
        ("top_up", {"transaction_id": identifier(9)}, "amount_minor"),
        ("dance", {}, "knows no command"),
        ("read", {"class_id": 1, "logical_name": "0.0.77.0.0.255", "attribute": 2}, "object-undefined"),
    ],
)
def test_a_refusal_names_its_reason(world: CommandWorld, kind: str, parameters: dict[str, Any], reason: str) -> None:
    state, words, _answer = result(world, kind, **parameters)
    assert state == "refused"
    assert reason in (words or "")


def test_a_clock_too_far_off_is_left_alone(world: CommandWorld) -> None:
    world.meter.connect().set(*clock_of(), "2026-06-10T13:00:00+08:00")
    state, reason, answer = result(world, "clock", maximum_step_s=60)
    assert (state, answer) == ("refused", {"drift_s": 3600})
    assert "+3600 s" in (reason or "")


def clock_of() -> tuple[Any, Any, str]:
    from dlms_objects.classes.catalogue import CLOCK_NAME
    from dlms_objects.classes.standard import CLOCK

    return CLOCK, CLOCK_NAME, "time"


def test_what_was_never_begun_expires_and_nothing_moves(world: CommandWorld) -> None:
    ordered(world, "top_up", expires_s=30, transaction_id=identifier(9), amount_minor=5)
    world.is_reachable = False
    world.cycle()
    assert world.headend.results == {}
    world.meter.pass_time(31)
    world.is_reachable = True
    world.cycle()
    assert world.headend.results[identifier(1)]["state"] == "expired"
    assert world.meter.connect().purse("balance") == 0


def test_a_command_delivered_again_after_its_report_is_not_run_again(world: CommandWorld) -> None:
    assert result(world, "supply", connected=False)[0] == "confirmed"
    world.headend.results.clear()
    world.meter.connect().call(*supply_of(), 0)
    world.cycle()
    assert world.headend.results[identifier(1)]["answer"]["output_state"] is False
    assert world.query("select attempts from command") == [(1,)]


def supply_of() -> tuple[Any, Any, str]:
    from dlms_objects.classes.catalogue import SUPPLY
    from dlms_objects.classes.standard import DISCONNECT_CONTROL

    return DISCONNECT_CONTROL, SUPPLY, "remote_reconnect"


def test_without_management_keys_a_command_is_refused(tmp_path: Path) -> None:
    meter = MeterWorld(tmp_path / "meter")
    headend = FakeHeadend(meter.made.system_title)
    world = CommandWorld(tmp_path / "outbox.sqlite3", meter, headend, OWN, has_keys=False)
    assert result(world, "supply", connected=True)[:2] == ("refused", NO_KEYS)
    world.die()
