"""The supply of a running meter: cut and given back with events, durable, its register standing still meanwhile."""

from datetime import datetime, timedelta

import pytest

from dlms_objects.meter.store import StorageError
from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.supply import ControlState
from dlms_objects.values.cosem_time import CosemDateTime
from tests.support.meters import NOW, MeterWorld, daily

NOON_TOMORROW_S = 86_400
SUPPLY_EVENTS = (EventCode.SUPPLY_OFF, EventCode.SUPPLY_ON)


@pytest.fixture
def world(tmp_path):
    """A meter with a policy of one hour's grace, and an electricity fee that nobody can pay, due tomorrow at 08:00."""
    world = MeterWorld(tmp_path / "meter", start=False)
    world.options = {"supply": {"grace_h": 1, "spared_weekdays": []}}
    world.start()
    world.connect().set_item("parameters", daily(kind="electricity"))
    yield world
    world.meter.close()


def supply_events(world):
    return [(code, value) for _number, code, value in world.connect().events() if code in SUPPLY_EVENTS]


def energy_wh(world):
    return world.meter.supply.energy_wh(NOW + timedelta(seconds=world.reactor.seconds() - NOW.timestamp()))


def test_an_unpaid_fee_cuts_the_supply_once_and_a_top_up_gives_it_back_at_once(world):
    world.pass_time(NOON_TOMORROW_S, tick_s=600)
    assert world.meter.supply.control is ControlState.READY_FOR_RECONNECTION
    assert supply_events(world) == [(EventCode.SUPPLY_OFF, 0)]
    world.connect().top_up(1, 1_000)
    assert world.meter.supply.is_on
    assert supply_events(world) == [(EventCode.SUPPLY_OFF, 0), (EventCode.SUPPLY_ON, 0)]


def test_the_event_names_the_fee_and_its_due_time(world):
    world.pass_time(NOON_TOMORROW_S, tick_s=600)
    (found,) = world.sql("SELECT fee_item, due FROM event WHERE code = 50")
    assert found[0] == 1
    assert CosemDateTime(found[1]).civil() == datetime(2026, 6, 11, 8)


def test_the_register_stands_still_while_the_supply_is_off_and_goes_on_from_there(world):
    world.pass_time(NOON_TOMORROW_S, tick_s=600)
    cut_at = energy_wh(world)
    world.pass_time(6 * 3600, tick_s=3600)
    assert energy_wh(world) == cut_at > 0
    world.connect().top_up(1, 9_000)
    assert energy_wh(world) == cut_at
    world.pass_time(6 * 3600, tick_s=3600)
    assert 0 < energy_wh(world) - cut_at < 10_000


def test_the_supply_is_as_it_was_after_a_restart(world):
    world.pass_time(NOON_TOMORROW_S, tick_s=600)
    before = energy_wh(world)
    world.restart()
    assert world.meter.supply.control is ControlState.READY_FOR_RECONNECTION
    assert energy_wh(world) == before


def test_a_switch_that_cannot_be_stored_does_not_happen_and_is_tried_again(world, monkeypatch):
    def full(*_):
        raise StorageError("disk full")

    store = world.meter._store  # noqa: SLF001 - to make it fail
    with monkeypatch.context() as patched:
        patched.setattr(store, "keep", full)
        world.pass_time(NOON_TOMORROW_S, tick_s=600)
        assert world.meter.supply.is_on
    world.pass_time(60)
    assert not world.meter.supply.is_on


def test_without_the_policy_in_the_configuration_what_it_had_cut_comes_back(world):
    world.pass_time(NOON_TOMORROW_S, tick_s=600)
    world.options = {}
    world.restart()
    assert world.meter.supply.is_on
    assert supply_events(world)[-1] == (EventCode.SUPPLY_ON, 0)


def test_an_altered_state_of_the_supply_is_noticed_at_the_start(world):
    world.meter.supply.disconnect(world.meter.keeper.state, NOW, 1)
    world.stop()
    world.sql("UPDATE kept_value SET octets = ? WHERE name = 'supply'", b'{"control": 9}')
    with pytest.raises(StorageError, match="supply"):
        world.start()
    world.sql("DELETE FROM kept_value")
    world.start()
