"""A listener for pushed notifications: what it believes, what it passes over, and what closes it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dlms_objects.errors import RemoteError, TransportLostError
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import events as ev
from dlms_objects.wire.general_transfer import stream
from dlms_objects.wire.notification import DataNotification, EventNotificationRequest
from dlms_objects.wire.notification_receiver import (
    NotificationReceived,
    NotificationReceiver,
    NotificationRefusal,
    NotificationRefused,
    ReceiverParameters,
)
from dlms_objects.wire.policy import SecurityPolicy
from dlms_objects.wire.security import SecurityContext
from dlms_objects.wire.wrapper import encode_frame
from tests.support.associations import (
    GATEWAY,
    GET,
    JOURNAL,
    KEYS,
    LATER,
    MANAGEMENT,
    METER,
    NOW,
    OTHER_KEYS,
    STRANGER,
    bit_flips,
    byte_by_byte,
    counters,
    whole,
)
from tests.support.mutation import mutations
from tests.support.services import associated, octet_string
from tests.support.states import general_block

DATA = DataNotification(body=b"\x11\x07", long_invoke_id_and_priority=3)
EVENT = EventNotificationRequest(attribute=JOURNAL, value=b"\x11\x07", time=bytes(12))
LONG = DataNotification(body=octet_string(1000))
PUSH_SAP = 103


class Listener:
    """A receiver that knows one meter, and that meter."""

    def __init__(self, *, policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED_ENCRYPTED, **changes: Any) -> None:
        """The counters of both sides live on in here."""
        self.received = counters()
        context = SecurityContext(keys=KEYS, own_title=GATEWAY, peer_title=METER, counters=self.received, policy=policy)
        self.parameters = ReceiverParameters(contexts={METER: context}.get, **changes)
        self.receiver = NotificationReceiver(self.parameters)
        self.meter = self.sender(policy=policy)

    def sender(self, **changes: Any) -> SecurityContext:
        """A system that pushes: by default the meter."""
        values: dict[str, Any] = {"keys": KEYS, "own_title": METER, "counters": counters(5), "is_server": True}
        return SecurityContext(**values | changes)

    def push(self, notification: Any, sender: SecurityContext | None = None) -> bytes:
        """The frame of a ciphered notification."""
        return pushed((self.meter if sender is None else sender).protect(0xDB, notification.encode()))

    def events(self, octets: bytes) -> list[Any]:
        """What the receiver makes of the octets."""
        self.receiver.receive_data(octets, NOW)
        return list(iter(self.receiver.next_event, None))

    @property
    def highest(self) -> int | None:
        """The highest counter that was stored for the meter."""
        return self.received.received.highest(METER)


def pushed(apdu: bytes) -> bytes:
    return encode_frame(MANAGEMENT, PUSH_SAP, apdu)


def received(notification: Any, title: SystemTitle | None = METER) -> NotificationReceived:
    return NotificationReceived(MANAGEMENT, PUSH_SAP, title, notification)


def refused(cause: NotificationRefusal, title: SystemTitle | None = METER) -> NotificationRefused:
    return NotificationRefused(MANAGEMENT, PUSH_SAP, title, cause)


# --- what is believed ---


@pytest.mark.parametrize("cut", [whole, byte_by_byte])
@pytest.mark.parametrize("notification", [DATA, EVENT, LONG])
def test_a_ciphered_notification_is_handed_out_with_the_title_that_its_tag_proves(
    cut: Callable[[bytes], Iterator[bytes]], notification: Any
) -> None:
    listener = Listener()
    octets = listener.push(notification) + listener.push(DATA)
    found = [event for piece in cut(octets) for event in listener.events(piece)]
    assert found == [received(notification), received(DATA)]
    assert listener.highest == 6


def test_what_our_server_pushes_in_an_association_a_listener_takes_too() -> None:
    pair = associated(sap=MANAGEMENT)
    listener = Listener()
    for notification in (DATA, EVENT, LONG):
        assert listener.events(pushed(pair.server.send(ev.Notify(notification))[8:])) == [received(notification)]


@pytest.mark.parametrize("pdu", [64, 200])
def test_a_notification_in_general_blocks_is_joined_and_nobody_is_answered(pdu: int) -> None:
    listener = Listener()
    ciphered = listener.meter.protect(0xDB, LONG.encode())
    frames = list(map(pushed, stream(ciphered, pdu)))
    for octets in frames[:-1]:
        assert listener.events(octets) == []
        assert listener.receiver.next_timeout() == NOW + timedelta(seconds=30)
    assert listener.events(frames[-1] + listener.push(DATA)) == [received(LONG), received(DATA)]
    assert listener.receiver.next_timeout() is None


def test_a_plain_notification_is_handed_out_only_where_it_is_wanted_and_proves_nothing() -> None:
    plain = pushed(DATA.encode())
    assert Listener().events(plain) == [refused(NotificationRefusal.UNPROTECTED, None)]
    assert Listener(accepts_plain=True).events(plain) == [received(DATA, None)]


def test_the_policy_of_the_system_decides_what_its_notifications_must_be() -> None:
    for policy in (SecurityPolicy.AUTHENTICATED, SecurityPolicy.ENCRYPTED):
        listener = Listener(policy=policy)
        assert listener.events(listener.push(DATA)) == [received(DATA)]
        assert listener.events(listener.push(DATA, Listener().sender(counters=counters(99)))) == [
            refused(NotificationRefusal.DECRYPTION)
        ]


# --- what is passed over ---


def test_a_replay_is_passed_over_at_once_later_and_after_a_restart() -> None:
    listener = Listener()
    first, second = listener.push(DATA), listener.push(EVENT)
    assert len(listener.events(first + second)) == 2
    for octets in (first, second):
        assert listener.events(octets) == [refused(NotificationRefusal.REPLAY)]
    listener.receiver = NotificationReceiver(listener.parameters)
    assert listener.events(second) == [refused(NotificationRefusal.REPLAY)]
    assert listener.highest == 6


def test_a_bit_flipped_anywhere_is_never_believed_and_moves_no_counter() -> None:
    listener = Listener()
    for altered in bit_flips(listener.push(DATA)[8:]):
        events = listener.events(pushed(altered))
        assert [type(event) for event in events] == [NotificationRefused]
    assert listener.highest is None
    assert listener.events(listener.push(DATA)) == [received(DATA)]


@pytest.mark.parametrize(
    ("changes", "event"),
    [
        ({"keys": OTHER_KEYS}, refused(NotificationRefusal.DECRYPTION)),
        ({"own_title": STRANGER}, refused(NotificationRefusal.UNKNOWN_SYSTEM, STRANGER)),
        ({"policy": SecurityPolicy.AUTHENTICATED}, refused(NotificationRefusal.DECRYPTION)),
    ],
)
def test_a_stranger_another_key_and_a_weaker_protection_are_passed_over(changes: dict[str, Any], event: Any) -> None:
    listener = Listener()
    assert listener.events(listener.push(DATA, listener.sender(**changes))) == [event]
    assert listener.highest is None
    assert listener.events(listener.push(DATA)) == [received(DATA)]


def test_our_own_notification_sent_back_is_passed_over() -> None:
    listener = Listener()
    own = replace(listener.parameters, contexts=lambda _title: listener.sender(own_title=GATEWAY, is_server=False))
    listener.receiver = NotificationReceiver(own)
    reflected = listener.sender(own_title=GATEWAY)
    assert listener.events(listener.push(DATA, reflected)) == [refused(NotificationRefusal.DECRYPTION, GATEWAY)]


@pytest.mark.parametrize(
    ("apdu", "cause"),
    [
        (b"", NotificationRefusal.UNPROTECTED),
        (GET, NotificationRefusal.UNPROTECTED),
        (b"\xca\x05\x30\x00\x00\x00\x01", NotificationRefusal.UNKNOWN_SYSTEM),
        (b"\xdc\x00\x05\x30\x00\x00\x00\x01", NotificationRefusal.UNKNOWN_SYSTEM),
        (b"\xdb\x00\x05\x30\x00\x00\x00\x01", NotificationRefusal.UNKNOWN_SYSTEM),
        (b"\xdb\x08", NotificationRefusal.MALFORMED),
        (general_block(2, b"x"), NotificationRefusal.MALFORMED),
        (b"\xe0", NotificationRefusal.MALFORMED),
        (general_block(1, general_block(1, b"x"), last=True), NotificationRefusal.UNPROTECTED),
    ],
)
def test_what_names_nobody_or_is_broken_is_passed_over(apdu: bytes, cause: NotificationRefusal) -> None:
    assert Listener().events(pushed(apdu)) == [refused(cause, None)]


def test_only_notifications_are_handed_out() -> None:
    listener = Listener(accepts_plain=True)
    ciphered = pushed(listener.meter.protect(0xDB, GET))
    assert listener.events(ciphered) == [refused(NotificationRefusal.NOT_A_NOTIFICATION)]
    assert listener.events(pushed(GET)) == [refused(NotificationRefusal.NOT_A_NOTIFICATION, None)]
    assert listener.events(pushed(b"\x0f")) == [refused(NotificationRefusal.MALFORMED, None)]
    assert listener.events(pushed(b"\xff")) == [refused(NotificationRefusal.MALFORMED, None)]


def test_a_block_out_of_order_or_over_the_limit_ends_only_its_own_transfer() -> None:
    listener = Listener(accepts_plain=True, maximum_octets=100)
    pieces = list(map(pushed, stream(LONG.encode(), 64)))
    assert listener.events(pieces[0] + pieces[2]) == [refused(NotificationRefusal.MALFORMED, None)]
    assert listener.events(pieces[0] + pieces[1]) == [refused(NotificationRefusal.MALFORMED, None)]
    assert listener.receiver.next_timeout() is None
    assert listener.events(pushed(DATA.encode())) == [received(DATA, None)]


def test_a_first_block_begins_anew() -> None:
    listener = Listener(accepts_plain=True)
    pieces = list(map(pushed, stream(LONG.encode(), 64)))
    assert listener.events(b"".join(pieces[:5] + pieces)) == [received(LONG, None)]


# --- what closes it ---


def test_octets_that_are_no_frames_close_the_receiver_after_what_came_before() -> None:
    listener = Listener()
    with pytest.raises(RemoteError):
        listener.receiver.receive_data(listener.push(DATA) + b"\xff" * 8, NOW)
    assert listener.receiver.next_event() == received(DATA)
    assert listener.receiver.next_timeout() is None
    with pytest.raises(RemoteError):
        listener.receiver.receive_data(listener.push(DATA), NOW)


def test_a_frame_over_the_limit_is_not_kept() -> None:
    listener = Listener(maximum_octets=100)
    with pytest.raises(RemoteError):
        listener.receiver.receive_data(listener.push(LONG)[:8], NOW)


def test_a_rest_that_never_comes_closes_the_receiver() -> None:
    listener = Listener(rest_timeout_s=5.0)
    assert listener.receiver.next_timeout() is None
    listener.receiver.handle_timeout(LATER)
    listener.events(listener.push(DATA)[:-1])
    listener.receiver.handle_timeout(NOW + timedelta(seconds=4.9))
    with pytest.raises(TransportLostError):
        listener.receiver.handle_timeout(NOW + timedelta(seconds=5))
    assert listener.receiver.next_timeout() is None
    with pytest.raises(RemoteError):
        listener.receiver.receive_data(b"", NOW)


def test_no_mutated_push_raises_anything_but_a_remote_error_or_is_believed() -> None:
    listener = Listener()
    genuine = [listener.push(DATA), listener.push(EVENT), pushed(stream(listener.push(LONG)[8:], 64)[0])]
    for octets in mutations(genuine, count=1500):
        listener.receiver = NotificationReceiver(listener.parameters)
        try:
            events = listener.events(octets)
        except RemoteError:
            continue
        believed = [event.notification for event in events if isinstance(event, NotificationReceived)]
        assert all(notification in (DATA, EVENT) for notification in believed)
