"""The push setup over DLMS: management writes it, readers read it, what is no destination is refused."""

import pytest

from dlms_objects.classes.catalogue import PUSH_SETUP_NAME, Role
from dlms_objects.classes.standard import PUSH_SETUP
from dlms_objects.errors import RefusedError
from dlms_objects.meter.push_settings import PushSettings

SOMEWHERE = {"transport_service": 0, "destination": b"192.0.2.9:4059".hex(), "message": 0}
WRITTEN = {
    "send_destination_and_method": SOMEWHERE,
    "communication_window": [{"start_time": "2026-06-10T08:00:00", "end_time": "2026-06-10T09:00:00"}],
    "randomisation_start_interval": 30,
    "number_of_retries": 5,
    "repetition_delay": 120,
}


def read(client, attribute):
    return client.get(PUSH_SETUP, PUSH_SETUP_NAME, attribute)


def write(client, attribute, plain):
    client.set(PUSH_SETUP, PUSH_SETUP_NAME, attribute, plain)


def test_what_management_writes_everybody_who_may_reads_after_a_restart_too(world, client):
    for attribute, plain in WRITTEN.items():
        write(client, attribute, plain)
    world.restart()
    reader = world.connect(Role.READER)
    assert {attribute: read(reader, attribute) for attribute in WRITTEN} == WRITTEN


def test_the_push_object_list_names_device_entry_and_event_and_cannot_be_written(client):
    listed = read(client, "push_object_list")
    assert [(one["class_id"], one["logical_name"], one["attribute_index"]) for one in listed] == [
        (1, "0.0.42.0.0.255", 2),
        (20101, "0.0.128.0.0.255", 8),
        (20101, "0.0.128.0.0.255", 9),
    ]
    with pytest.raises(RefusedError):
        write(client, "push_object_list", listed)


def test_a_destination_that_is_none_is_refused_and_nothing_changes(world, client):
    with pytest.raises(RefusedError):
        write(client, "send_destination_and_method", {**SOMEWHERE, "destination": b"nowhere".hex()})
    assert world.meter.pushes.settings == PushSettings()


def test_push_sends_at_the_next_tick(world, client):
    write(client, "send_destination_and_method", SOMEWHERE)
    client.call(PUSH_SETUP, PUSH_SETUP_NAME, "push", 0)
    assert len(world.meter.pushes.take_up(world.requester(Role.READER).now)) == 1


def test_a_reader_changes_nothing(world):
    reader = world.connect(Role.READER)
    with pytest.raises(RefusedError):
        write(reader, "number_of_retries", 1)
    with pytest.raises(RefusedError):
        reader.call(PUSH_SETUP, PUSH_SETUP_NAME, "push", 0)
