"""The rules of deduction in a running meter, asked over DLMS; docs/deductions.md says which test shows which rule.

What the other tests of the meter show is not repeated here; that every test named there exists is shown here too.
"""

import ast
import re
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.purse import operations
from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.state import JOURNAL_CAPACITY
from tests.support.meters import NOW, Client, MeterWorld, daily, plain_parameters
from tests.support.purses import identifier
from tests.support.recorded_disk import folder_in_memory
from tests.support.sources import ROOT

DAY_S, HOUR_S = 86_400, 3_600
REGISTER = {"class_id": 3, "logical_name": "1.0.1.8.0.255", "attribute": 2}


@pytest.fixture
def world() -> Iterator[MeterWorld]:
    """A meter at noon in Shanghai, whose clients may stay for days."""
    with tempfile.TemporaryDirectory(prefix="meterpurse-rules-", dir=folder_in_memory()) as place:
        world = MeterWorld(Path(place, "meter"), start=False)
        world.inactivity_s = 1e9
        world.start()
        yield world
        world.meter.close()


def settle(client: Client, **changes: Any) -> None:
    client.set(PURSE, PURSE_NAME, "settings", client.purse("settings") | changes)


def told(client: Client, *codes: EventCode) -> list[tuple[EventCode, int]]:
    """The events of these codes, in order, with their values."""
    return [(EventCode(code), value) for _number, code, value in client.events() if code in codes]


def taken(client: Client) -> list[tuple[int, str, int]]:
    """(item, due, amount) of every deduction."""
    return [(one.fee_item, str(one.due)[:16], -one.amount) for one in client.journal() if one.fee_item]


def test_the_prompt_comes_before_the_due_time_and_each_crossing_is_told_once(world: MeterWorld) -> None:
    client = world.connect()
    settle(client, low_balance_threshold=500)
    client.set_item("parameters", plain_parameters(amount=1_000, schedule={"day": 15}))
    client.top_up(1, 400)
    status = client.purse("status")
    assert (status["flags"][:3], status["shortfall"], status["next_due"][:10]) == ("110", 600, "2026-06-15")
    world.pass_time(5 * DAY_S, HOUR_S)
    assert client.purse("status")["flags"][:3] == "111"
    client.top_up(2, 5_000)
    codes = (EventCode.LOW_BALANCE, EventCode.SHORTFALL_AHEAD, EventCode.INSUFFICIENT, EventCode.SETTLED)
    assert told(client, *codes) == list(zip(codes, (0, 1_000, 600, 1_000), strict=True))
    assert taken(client) == [(1, "2026-06-15 08:00", 1_000)]
    assert client.purse("status")["flags"][:3] == "000"


@pytest.mark.parametrize(
    ("policy", "paid"), [("pay_what_fits", [2, 3]), ("hold_lower", [])], ids=["pay_what_fits", "hold_lower"]
)
def test_the_policy_decides_whether_a_lower_priority_is_paid_while_a_higher_one_waits(
    world: MeterWorld, policy: str, paid: list[int]
) -> None:
    client = world.connect()
    settle(client, insufficient_policy=policy)
    client.top_up(1, 1_000)
    for number, (priority, amount) in enumerate([(0, 5_000), (1, 300), (2, 200)], start=1):
        client.set_item("parameters", daily(priority=priority, amount=amount, schedule=once("2026-06-11")), number)
    world.pass_time(DAY_S, HOUR_S)
    assert [item for item, _due, _amount in taken(client)] == paid
    client.top_up(2, 10_000)
    assert sorted(item for item, _due, _amount in taken(client)) == [1, 2, 3]


def once(day: str) -> dict[str, Any]:
    return {"frequency": "once", "day": 0, "first": day}


def test_a_deduction_goes_down_to_the_overdraft_limit_and_not_below(world: MeterWorld) -> None:
    client = world.connect()
    settle(client, overdraft_limit=1_500)
    client.top_up(1, 1_000)
    client.set_item("parameters", daily())
    world.pass_time(5 * DAY_S, HOUR_S)
    assert client.purse("balance") == -1_000
    assert client.item("status")["state"] == "waiting_balance"
    assert client.item("status")["missed"] == 3


def test_so_many_are_caught_up_in_one_check_oldest_first_and_the_rest_in_the_next(world: MeterWorld) -> None:
    client = world.connect()
    settle(client, max_catch_up=2)
    client.top_up(1, 100_000)
    client.set_item("parameters", daily())
    client.release()
    world.stop()
    world.reactor.rightNow += 5 * DAY_S
    world.start()
    client = world.connect()
    assert [due[:10] for _item, due, _amount in taken(client)] == ["2026-06-11", "2026-06-12"]
    assert client.do("check_now", 0) == {"entries_made": 2}
    assert client.do("check_now", 0) == {"entries_made": 1}
    assert client.do("check_now", 0) == {"entries_made": 0}


@pytest.mark.parametrize(
    ("start", "due", "at"),
    [
        ("2026-03-28T12:00:00+01:00", "2026-03-29 02:30", "2026-03-29 03:00:00+02:00"),
        ("2026-10-24T12:00:00+02:00", "2026-10-25 02:30", "2026-10-25 02:30:00+02:00"),
    ],
    ids=["a gap", "a repeated hour"],
)
def test_daylight_saving_moves_no_fee_to_another_day_and_takes_none_twice(
    world: MeterWorld, start: str, due: str, at: str
) -> None:
    world.reactor.rightNow = datetime.fromisoformat(start).timestamp()
    world.meter.advance(world.reactor.seconds())
    client = world.connect()
    settle(client, time_zone="Europe/Berlin")
    client.top_up(1, 100_000)
    client.set_item("parameters", daily(schedule={"frequency": "daily", "day": 0, "time": "02:30:00"}))
    world.pass_time(2 * DAY_S, 60)
    first, second = client.journal()[1:]
    assert [str(first.due)[:16], str(first.time)] == [due, at]
    assert str(second.due)[11:16] == "02:30"


def test_a_register_that_was_exchanged_charges_nothing_and_is_told(world: MeterWorld) -> None:
    price = {"price": 56, "scaler": -3, "register": REGISTER}
    client = world.connect()
    client.top_up(1, 1_000_000)
    client.set_item("parameters", daily(kind="electricity", amount_source="metered", amount=0, unit_price=price))
    world.pass_time(DAY_S, HOUR_S)
    client.release()
    world.options = {"consumption": {"seed": 1, "kwh_per_year": 10}}
    world.restart()
    world.pass_time(2 * DAY_S, HOUR_S)
    client = world.connect()
    first, rolled_back, after = taken(client)
    assert first[2] > 0
    assert rolled_back[2] == 0
    assert after[2] < first[2]
    ((code, reading),) = told(client, EventCode.REGISTER_ROLL_BACK)
    assert reading <= max(world.meter.keeper.registers(world.meter.advance(world.reactor.seconds())).values())


def test_a_full_journal_stops_deductions_with_an_event_until_it_is_acknowledged(world: MeterWorld) -> None:
    client = world.connect()
    client.set_item("parameters", daily())
    keeper, store = world.meter.keeper, world.meter._store
    for number in range(JOURNAL_CAPACITY):
        keeper.carry_out(
            NOW, lambda state, at=number: operations.top_up(state, store, NOW, identifier(1_000_000 + at), 10)
        )
    world.pass_time(3 * DAY_S, HOUR_S)
    assert taken(client) == []
    assert told(client, EventCode.JOURNAL_FULL) == [(EventCode.JOURNAL_FULL, JOURNAL_CAPACITY)]
    assert client.purse("status")["flags"][5] == "1"
    assert client.top_up(1, 5)["outcome"] == "journal_full"
    assert client.do("acknowledge", client.purse("journal_head")) == "done"
    assert [due[:10] for _item, due, _amount in taken(client)] == ["2026-06-11", "2026-06-12", "2026-06-13"]
    assert client.top_up(1, 5)["outcome"] == "done"


def test_a_reversed_deduction_is_not_taken_again(world: MeterWorld) -> None:
    client = world.connect()
    client.top_up(1, 5_000)
    client.set_item("parameters", daily())
    world.pass_time(DAY_S, HOUR_S)
    assert client.do("reverse", {"transaction_id": "0" * 31 + "7", "sequence": 2})["outcome"] == "done"
    world.pass_time(HOUR_S, 60)
    assert client.purse("balance") == 5_000
    assert len(taken(client)) == 2  # the deduction and its reversal, which names the item


def test_a_start_is_told(world: MeterWorld) -> None:
    client = world.connect()
    assert told(client, EventCode.POWER_UP) == [(EventCode.POWER_UP, 0)]
    client.release()
    world.restart()
    assert len(told(world.connect(), EventCode.POWER_UP)) == 2


def test_a_clock_that_went_back_while_the_power_was_off_is_told_at_the_start(world: MeterWorld) -> None:
    client = world.connect()
    client.top_up(1, 5_000)
    client.set_item("parameters", daily())
    world.pass_time(DAY_S, HOUR_S)
    client.release()
    world.reactor.rightNow -= 3 * DAY_S
    world.restart()
    world.restart()
    client = world.connect()
    # The clock is behind the last event by two days: that of the configuration, a day before the power went.
    assert told(client, EventCode.CLOCK_SET) == [(EventCode.CLOCK_SET, -2 * DAY_S)]
    assert len(taken(client)) == 1


def test_each_change_of_terms_is_told(world: MeterWorld) -> None:
    client = world.connect()
    water = plain_parameters(kind="water", amount_source="cloud", amount=0)
    client.set_item("parameters", water)
    client.set_item("passive_parameters", water | {"label": "Water"})
    client.set_item("activation_time", "2026-06-11T00:00:00")
    client.do_item("set_amount", {"due": "2026-07-01", "amount": 450, "reference": "0" * 32})
    world.pass_time(DAY_S, HOUR_S)
    codes = (EventCode.PARAMETERS_CHANGED, EventCode.AMOUNT_SET, EventCode.PASSIVE_ACTIVATED)
    assert told(client, *codes) == list(zip(codes, (1, 450, 2), strict=True))


def named_tests(text: str) -> list[tuple[str, str]]:
    """(file, function) of every test that a page names as `file.py::function`."""
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)


def test_every_test_that_the_page_of_rules_names_exists() -> None:
    named = named_tests((ROOT / "docs" / "deductions.md").read_text())
    assert len(named) > 30
    missing = []
    for path, name in named:
        tree = ast.parse((ROOT / path).read_text())
        if name not in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}:
            missing.append(f"{path}::{name}")
    assert missing == []


def test_every_event_but_those_of_the_supply_is_in_the_page_of_rules() -> None:
    page = (ROOT / "docs" / "deductions.md").read_text()
    codes = {int(code) for code in re.findall(r"^\| (\d+) \w", page, re.MULTILINE)}
    assert codes == {int(code) for code in EventCode} - {EventCode.SUPPLY_OFF, EventCode.SUPPLY_ON}
