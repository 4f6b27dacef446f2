"""The disconnect control over DLMS: read by the reader, commanded by management, its mode as the configuration says."""

import pytest

from dlms_objects.classes.catalogue import SUPPLY, Role
from dlms_objects.classes.standard import DISCONNECT_CONTROL
from dlms_objects.errors import RefusedError
from dlms_objects.purse.outcome import EventCode
from tests.support.meters import MeterWorld

ATTRIBUTES = ("output_state", "control_state", "control_mode")


def shown(client):
    return [client.get(DISCONNECT_CONTROL, SUPPLY, attribute) for attribute in ATTRIBUTES]


def command(client, method):
    return client.call(DISCONNECT_CONTROL, SUPPLY, method, 0)


def test_management_switches_off_and_on_and_each_switch_is_one_event(world, client):
    assert shown(client) == [True, 1, 4]
    for method in ("remote_disconnect", "remote_disconnect", "remote_reconnect", "remote_reconnect"):
        command(client, method)
    assert shown(client) == [True, 1, 4]
    events = [(code, value) for _number, code, value in client.events() if code >= EventCode.SUPPLY_OFF]
    assert events == [(EventCode.SUPPLY_OFF, 1), (EventCode.SUPPLY_ON, 1)]


def test_what_was_switched_off_stays_off_after_a_restart(world, client):
    command(client, "remote_disconnect")
    world.restart()
    assert shown(world.connect(Role.READER)) == [False, 0, 4]


def test_with_a_policy_a_reconnection_waits_for_nothing_but_what_is_owed(tmp_path):
    world = MeterWorld(tmp_path / "meter", start=False)
    world.options = {"supply": {}}
    world.start()
    client = world.connect()
    command(client, "remote_disconnect")
    assert shown(client) == [False, 0, 6]
    command(client, "remote_reconnect")
    assert shown(client) == [True, 1, 6]
    world.meter.close()


def test_a_reader_switches_nothing(world):
    reader = world.connect(Role.READER)
    with pytest.raises(RefusedError):
        command(reader, "remote_disconnect")
    assert shown(reader) == [True, 1, 4]
