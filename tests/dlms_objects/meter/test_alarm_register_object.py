"""The alarm register: set with its event, kept through power cuts, cleared by management, and again while it lasts."""

import pytest

from dlms_objects.classes.catalogue import ALARM_REGISTER, Role
from dlms_objects.classes.standard import DATA
from dlms_objects.meter.alarms import Alarm
from dlms_objects.purse.outcome import EventCode
from dlms_objects.transport.client import AccessRefusedByMeterError
from dlms_objects.values import data as cosem
from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire import axdr
from tests.support.meters import NOW, daily

REGISTER = AttributeDescriptor(DATA.class_id, ALARM_REGISTER, 2)
SECURITY = Alarm.REPLAY_REFUSED | Alarm.DECRYPTION_FAILED


def alarms(client) -> Alarm:
    return Alarm(axdr.decode(client.read(REGISTER)).value)


def write(client, value: int) -> None:
    client.write(REGISTER, axdr.encode(cosem.double_long_unsigned(value)))


def note(world, *codes: EventCode) -> None:
    for code in codes:
        world.meter.keeper.note(NOW, code)


def test_a_new_meter_has_no_alarm(world):
    assert alarms(world.connect(Role.READER)) == Alarm(0)


def test_an_event_sets_its_bit_and_a_power_cut_keeps_it(world, tmp_path):
    note(world, EventCode.REPLAY_REFUSED, EventCode.POWER_UP, EventCode.REPLAY_REFUSED)
    world.cut_power(tmp_path / "after")
    assert alarms(world.connect()) == Alarm.REPLAY_REFUSED


def test_management_clears_bits_and_can_set_none(world):
    note(world, EventCode.REPLAY_REFUSED, EventCode.DECRYPTION_FAILED, EventCode.TAMPER)
    client = world.connect()
    assert alarms(client) == SECURITY | Alarm.TAMPER
    write(client, SECURITY)
    assert alarms(client) == SECURITY
    for value in (SECURITY | Alarm.SUPPLY_OFF, 2**31, 2**32 - 1):
        with pytest.raises(AccessRefusedByMeterError) as refused:
            write(client, value)
        assert refused.value.result is DataAccessResult.OTHER_REASON
    assert alarms(client) == SECURITY
    write(client, 0)
    assert alarms(client) == Alarm(0)
    world.restart()
    assert alarms(world.connect()) == Alarm(0)


def test_another_type_is_refused(world):
    with pytest.raises(AccessRefusedByMeterError):
        world.connect().write(REGISTER, axdr.encode(cosem.unsigned(0)))


def test_a_condition_that_lasts_stays_set_and_one_that_ends_stays_until_it_is_cleared(world):
    client = world.connect()
    client.set_item("parameters", daily())
    assert Alarm.SHORTFALL_AHEAD in alarms(client)
    write(client, 0)
    assert Alarm.SHORTFALL_AHEAD in alarms(client)
    client.top_up(1, 1_000_000)
    assert Alarm.SHORTFALL_AHEAD not in alarms(client)  # the clearing took the event's bit, the top-up the condition
    note(world, EventCode.SHORTFALL_AHEAD)
    assert Alarm.SHORTFALL_AHEAD in alarms(client)
