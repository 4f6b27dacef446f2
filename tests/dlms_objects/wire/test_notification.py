"""Notifications: those of real meters mean what they say, with one deviation tolerated; the rest is strict."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.data import Data, DataType, array, boolean, octet_string, structure, unsigned, visible_string
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.wire import axdr
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.notification import (
    DataNotification,
    EventNotificationRequest,
    decode_data_notification,
    decode_event_notification,
)
from dlms_objects.wire.wrapper import Wrapper
from tests.support.apdus import U32, attributes, date_times, raw_values
from tests.support.mutation import first_escape
from tests.support.vectors import information_of, load, parts

PUSHES = load("hdlc", valid=True, classes={"data-notification"})
NOTIFICATIONS = load("notification", valid=True, classes={"data-notification"})
EVENTS = load("notification", valid=True, classes={"event-notification"})
NAME = LogicalName.parse("1.0.0.3.0.255")
TIME = bytes.fromhex("07ea0b1607100000008000ff")


def check_body(apdu, wanted):
    """The body is the container and count that the vector says, and begins with its first member."""
    body = axdr.decode(apdu.body)
    assert axdr.encode(body) == apdu.body
    assert f"{body.type.name.lower()}[{len(body.value)}]" == wanted["body"]
    if "first" in wanted:
        shown = {DataType.OCTET_STRING: lambda value: f"o:{value.hex()}", DataType.VISIBLE_STRING: "v:{}".format}
        assert [shown[cell.type](cell.value) for cell in body.value[0].value] == wanted["first"]["struct"]


def check_head(apdu, wanted):
    """The long-invoke-id-and-priority and the date-time are those of the vector."""
    assert f"{apdu.long_invoke_id_and_priority:08x}" == wanted["long_invoke_id"]
    assert (apdu.date_time and apdu.date_time.hex()) == wanted["date_time"]


@pytest.mark.parametrize("vector", NOTIFICATIONS, ids=lambda vector: vector["id"])
def test_a_public_notification_means_what_it_says_and_is_written_back_exactly(vector):
    (octets,) = parts(vector)
    apdu = decode_apdu(octets)
    check_head(apdu, vector["expect"])
    check_body(apdu, vector["expect"])
    assert apdu.encode() == octets


@pytest.mark.parametrize("vector", PUSHES, ids=lambda vector: vector["id"])
def test_a_notification_pushed_in_a_frame_means_what_it_says(vector):
    octets = information_of(*parts(vector))
    apdu = decode_apdu(octets)
    check_body(apdu, vector["expect"])
    if "note" in vector["expect"]:  # the deviation: written back without the tag that should not be there
        assert apdu.encode() == octets.replace(b"\x09\x0c", b"\x0c", 1)
        assert (apdu.date_time, apdu.is_confirmed) == (bytes.fromhex("07e1090f05052128ff800000"), True)
    else:
        check_head(apdu, vector["expect"])
        assert apdu.encode() == octets


def test_a_push_with_a_wrong_check_sequence_holds_no_value_either():
    (vector,) = load("hdlc", valid=False, classes={"data-notification"})
    (frame,) = parts(vector)
    with pytest.raises(ValueError, match="frame check"):
        information_of(frame)
    apdu = decode_apdu(frame[frame.index(b"\xe6\xe7\x00") + 3 : -3])
    with pytest.raises(MalformedError):
        axdr.decode(apdu.body)


@pytest.mark.parametrize("vector", load("notification", valid=False), ids=lambda vector: vector["id"])
def test_a_body_that_is_no_data_is_malformed_and_its_octets_are_kept(vector):
    (octets,) = parts(vector)
    apdu = decode_apdu(octets)
    assert octets.endswith(apdu.body)
    assert apdu.date_time is None
    with pytest.raises(MalformedError):
        axdr.decode(apdu.body)


@pytest.mark.parametrize("vector", EVENTS, ids=lambda vector: vector["id"])
def test_a_public_event_means_what_it_says(vector):
    (octets,) = parts(vector)
    wanted = vector["expect"]
    if "obis" in wanted:
        apdu = decode_apdu(octets)
        assert apdu.attribute == AttributeDescriptor(1, NAME, wanted["attr"])
        assert axdr.decode(apdu.value) == boolean(wanted["value"])
        assert apdu.encode() == octets
        return
    (frame,) = Wrapper().receive(octets)
    assert len(frame.apdu) == wanted["length"]
    apdu = decode_apdu(frame.apdu)
    assert axdr.decode(apdu.value) == octet_string(wanted["value"].encode())
    assert apdu.attribute.class_id == 1
    assert apdu.encode() == frame.apdu.replace(b"\x09\x0c", b"\x01\x0c", 1)  # written back with a presence octet


@given(raw_values, date_times, U32)
def test_a_data_notification_comes_back_as_it_went(body, date_time, number):
    apdu = DataNotification(body=body, date_time=date_time, long_invoke_id_and_priority=number)
    assert decode_data_notification(apdu.encode()) == apdu


@given(attributes, raw_values, date_times)
def test_an_event_notification_comes_back_as_it_went(attribute, value, time):
    apdu = EventNotificationRequest(attribute=attribute, value=value, time=time)
    assert decode_event_notification(apdu.encode()) == apdu


@given(st.integers(0, 2**24 - 1), st.lists(st.booleans(), min_size=4, max_size=4))
def test_the_long_number_holds_invoke_id_and_four_flags(invoke_id, flags):
    number = invoke_id | sum(flag << bit for flag, bit in zip(flags, range(28, 32), strict=True))
    apdu = DataNotification(body=b"\x00", long_invoke_id_and_priority=number)
    found = [apdu.is_self_descriptive, apdu.breaks_on_error, apdu.is_confirmed, apdu.has_high_priority]
    assert (apdu.long_invoke_id, found) == (invoke_id, flags)


NOTIFICATION = DataNotification(
    body=axdr.encode(structure(visible_string("CNY"), array([unsigned(1)]))), date_time=TIME
).encode()
EVENT = EventNotificationRequest(attribute=AttributeDescriptor(1, NAME, 2), value=b"\x03\xff", time=TIME).encode()


def test_the_octets_are_those_of_the_standard():
    assert NOTIFICATION.hex() == "0f" + "00000000" + "0c" + TIME.hex() + "02020a03434e5901011101"
    assert EVENT.hex() == "c2" + "010c" + TIME.hex() + "0001" + "0100000300ff" + "02" + "03ff"


@pytest.mark.parametrize(
    "octets",
    [
        *("", "0f", "0f00000000", "0f0000000000", "0f000000000c", "0f00000000020000", "0f00000000090b" + "00" * 12),
        *("0f00000000" + "0c" + "00" * 12, "0f00000000" + "810d" + "00" * 14, "1000000000000000"),
        "0f00000000" + "090c" + "00" * 12,
    ],
)
def test_what_is_no_data_notification_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_data_notification(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "octets",
    ["", "c2", "c200", "c2020c" + "00" * 30, "c2010b" + "00" * 30, "c2010c" + "00" * 11, "c200" + "00" * 9, "c300"],
)
def test_what_is_no_event_notification_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_event_notification(bytes.fromhex(octets))


def test_a_time_of_another_length_and_a_number_too_large_are_not_sent():
    with pytest.raises(InvalidValueError):
        DataNotification(body=b"\x00", date_time=bytes(5))
    with pytest.raises(InvalidValueError):
        EventNotificationRequest(attribute=AttributeDescriptor(1, NAME, 2), value=b"\x00", time=b"")
    with pytest.raises(InvalidValueError):
        DataNotification(body=b"\x00", long_invoke_id_and_priority=2**32).encode()


def test_no_mutation_brings_anything_but_malformed():
    assert first_escape(decode_data_notification, [NOTIFICATION]) is None
    assert first_escape(decode_event_notification, [EVENT]) is None


def test_the_mutations_find_a_decoder_that_does_not_judge_the_length_of_a_time(monkeypatch):
    monkeypatch.setattr("dlms_objects.wire.notification.DATE_TIME_OCTETS", 13)
    assert first_escape(decode_event_notification, [EVENT]) is None
    monkeypatch.setattr("dlms_objects.wire.notification.decode_length", lambda octets, offset: (octets[offset], offset))
    assert first_escape(decode_data_notification, [NOTIFICATION]) is not None


def test_values_are_not_looked_into():
    apdu = decode_event_notification(EVENT[:-2] + b"\x07\x07")
    assert apdu.value == b"\x07\x07"
    assert Data(DataType.BOOLEAN, True) == axdr.decode(decode_event_notification(EVENT).value)
