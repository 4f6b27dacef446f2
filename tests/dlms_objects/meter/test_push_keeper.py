"""What is pushed: each new entry and event once, sealed under a fresh counter, from the settings as last stored."""

from datetime import timedelta

import pytest

from dlms_objects.classes.purse_class import EVENT_ROW, JOURNAL_ROW
from dlms_objects.classes.shape import conforms
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.device_objects import device_name
from dlms_objects.meter.push_keeper import MOST_AT_ONCE
from dlms_objects.meter.push_settings import REPETITION_DELAY, RETRIES, SEND_DESTINATION
from dlms_objects.meter.store import StorageError
from dlms_objects.purse.outcome import EventCode
from dlms_objects.values import data as cosem
from dlms_objects.wire.notification_receiver import NotificationRefusal
from tests.support.meters import CLIENT_TITLE, NOW, Role, daily
from tests.support.push_listener import PushListener

SOMEWHERE = cosem.structure(cosem.enum(0), cosem.octet_string(b"192.0.2.9:4059"), cosem.enum(0))
NOWHERE = cosem.structure(cosem.enum(0), cosem.octet_string(b""), cosem.enum(0))


@pytest.fixture
def listener(world):
    return PushListener(world.credentials[Role.MANAGEMENT], CLIENT_TITLE)


def taken_up(world, listener, now=NOW):
    """What the meter would push now, as the listener hears it."""
    before = len(listener.heard)
    for notification in world.meter.pushes.take_up(now):
        listener.hear(world.meter.pushes.seal(notification), now)
    return listener.heard[before:]


def test_nothing_is_taken_up_without_a_destination_nor_later_what_came_before_one(world, client, listener):
    client.top_up(1, 5_000)
    assert world.meter.pushes.take_up(NOW) == []
    world.meter.pushes.change(SEND_DESTINATION, SOMEWHERE)
    assert taken_up(world, listener) == []


def test_every_new_entry_and_every_new_event_is_one_push(world, client, listener):
    world.meter.pushes.change(SEND_DESTINATION, SOMEWHERE)
    client.top_up(1, 5_000)
    client.set_item("parameters", daily())
    client.top_up(2, 6_000)
    heard = taken_up(world, listener)
    newest = EventCode.SHORTFALL_AHEAD
    assert [(one.sequence, one.code) for one in heard] == [
        (1, newest),
        (2, newest),
        (2, EventCode.PARAMETERS_CHANGED),
        (2, newest),
    ]
    assert taken_up(world, listener) == []


def test_a_push_says_whose_it_is_and_when_in_rows_of_the_declared_shape(world, client, listener):
    world.meter.pushes.change(SEND_DESTINATION, SOMEWHERE)
    client.top_up(1, 5_000)
    (one,) = taken_up(world, listener)
    assert one.title == world.made.system_title
    assert one.device_name == device_name(world.made.system_title)
    assert one.date_time == world.meter.keeper.stamp(NOW).octets
    assert conforms(JOURNAL_ROW, cosem.structure(*one.entry))
    assert conforms(EVENT_ROW, cosem.structure(*one.event))
    assert client.purse("last_entry")["amount"] == one.entry[5].value == 5_000


def test_asked_for_a_push_holds_the_newest_entry_and_event_even_when_there_is_none(world, listener):
    world.meter.pushes.change(SEND_DESTINATION, SOMEWHERE)
    world.meter.pushes.ask()
    (one,) = taken_up(world, listener)
    assert (one.sequence, one.code) == (0, EventCode.POWER_UP)
    world.sql("DELETE FROM event")
    world.meter.pushes.ask()
    (one,) = taken_up(world, listener)
    assert (one.sequence, one.code) == (0, 0)


def test_more_than_fit_at_once_follow_in_order(world, client, listener):
    world.meter.pushes.change(SEND_DESTINATION, SOMEWHERE)
    for number in range(1, MOST_AT_ONCE + 6):
        client.top_up(number, 10)
    first, rest = taken_up(world, listener), taken_up(world, listener)
    assert [one.sequence for one in first + rest] == list(range(1, MOST_AT_ONCE + 6))
    assert len(first) == MOST_AT_ONCE


def test_the_first_push_after_a_restart_is_the_power_up(world, client, listener):
    world.meter.pushes.change(SEND_DESTINATION, SOMEWHERE)
    client.top_up(1, 5_000)
    world.restart()
    (one,) = taken_up(world, listener)
    assert (one.sequence, one.code) == (1, EventCode.POWER_UP)


def test_a_frame_heard_twice_or_altered_is_refused(world, client, listener):
    world.meter.pushes.change(SEND_DESTINATION, SOMEWHERE)
    client.top_up(1, 5_000)
    (notification,) = world.meter.pushes.take_up(NOW)
    frame = world.meter.pushes.seal(notification)
    listener.hear(frame, NOW)
    listener.hear(frame, NOW)
    listener.hear(frame[:-1] + bytes((frame[-1] ^ 1,)), NOW)
    assert len(listener.heard) == 1
    assert [one.cause for one in listener.refused] == [NotificationRefusal.REPLAY, NotificationRefusal.DECRYPTION]


def test_the_same_notification_is_sealed_under_another_counter_each_time(world, client, listener):
    world.meter.pushes.change(SEND_DESTINATION, SOMEWHERE)
    client.top_up(1, 5_000)
    (notification,) = world.meter.pushes.take_up(NOW)
    frames = [world.meter.pushes.seal(notification) for _ in range(3)]
    assert len(set(frames)) == 3
    for frame in frames:
        listener.hear(frame, NOW)
    assert len(listener.heard) == 3


def test_settings_last_and_a_refused_one_changes_nothing(world):
    world.meter.pushes.change(SEND_DESTINATION, SOMEWHERE)
    world.meter.pushes.change(RETRIES, cosem.unsigned(9))
    with pytest.raises(InvalidValueError):
        world.meter.pushes.change(SEND_DESTINATION, cosem.structure(*(*NOWHERE.value[:2], cosem.enum(7))))
    settings = world.meter.pushes.settings
    world.restart()
    assert world.meter.pushes.settings == settings
    assert (settings.retries, settings.destination) == (9, b"192.0.2.9:4059")


def test_a_setting_that_cannot_be_stored_is_not_in_force(world, monkeypatch):
    def full(*_):
        raise StorageError("disk full")

    monkeypatch.setattr(world.meter._store, "keep", full)  # noqa: SLF001 - to make it fail
    with pytest.raises(StorageError):
        world.meter.pushes.change(REPETITION_DELAY, cosem.long_unsigned(1))
    assert world.meter.pushes.settings.repetition_delay_s == 60


def test_altered_settings_are_noticed_at_the_start(world):
    world.meter.pushes.change(RETRIES, cosem.unsigned(9))
    world.stop()
    world.sql("UPDATE kept_value SET octets = ?", b"\x11")
    with pytest.raises(StorageError, match="push"):
        world.start()
    world.sql("DELETE FROM kept_value")
    world.start()


def test_windows_are_those_of_the_meters_zone(world):
    night = cosem.array(
        [
            cosem.structure(
                *(cosem.octet_string(bytes.fromhex(f"ffffffffff{hour:02x}0000ff8000ff")) for hour in (11, 13))
            )
        ]
    )
    world.meter.pushes.change(4, night)
    assert world.meter.pushes.is_open(NOW)
    assert not world.meter.pushes.is_open(NOW + timedelta(hours=2))
