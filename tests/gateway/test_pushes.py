"""gateway/pushes.py with real sockets: who verifies is collected at once, everybody else changes nothing."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import deferLater

from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.cipher_keys import CipherKeys
from dlms_objects.wire.ciphered import GENERAL_GLO_CIPHERING
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from dlms_objects.wire.notification import DataNotification
from dlms_objects.wire.security import SecurityContext
from dlms_objects.wire.wrapper import encode_frame
from gateway.pushes import PushAddressError, Pushes
from tests.support.twisted_testing import run_in_reactor

GATEWAY, METER, STRANGER = (SystemTitle(b"MPG\0\0\0\0\1"), SystemTitle(b"MPR\0\0\0\0\1"), SystemTitle(b"MPR\0\0\0\0\2"))
KEYS = CipherKeys(global_unicast_encryption_key=b"E" * 16, authentication_key=b"A" * 16)
OTHER_KEYS = CipherKeys(global_unicast_encryption_key=b"F" * 16, authentication_key=b"A" * 16)
NOTIFICATION = DataNotification(body=b"\x11\x07").encode()


def counters() -> Counters:
    return Counters(sent=MemorySentCounters(), received=MemoryReceivedCounters())


def pushed(title: SystemTitle = METER, keys: CipherKeys = KEYS, count: int = 1) -> list[bytes]:
    context = SecurityContext(keys=keys, own_title=title, counters=counters(), is_server=True)
    return [encode_frame(1, 1, context.protect(GENERAL_GLO_CIPHERING, NOTIFICATION)) for _ in range(count)]


class Street:
    """A listener that knows one meter, and how often it would have been collected."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.collected = 0
        context = SecurityContext(keys=KEYS, own_title=GATEWAY, peer_title=METER, counters=counters())
        self.pushes = Pushes(reactor, "127.0.0.1:0")
        self.pushes.add(METER, context, self.collect)
        self.pushes.startService()

    def collect(self) -> None:
        self.collected += 1

    async def over_udp(self, *frames: bytes) -> None:
        socket = self.reactor.listenUDP(0, DatagramProtocol(), interface="127.0.0.1")
        for frame in frames:
            socket.write(frame, ("127.0.0.1", self.pushes.port))
        await deferLater(self.reactor, 0.1)
        await socket.stopListening()


def on_a_street(work: Callable[[Street], Coroutine[Any, Any, None]]) -> Street:
    streets: list[Street] = []

    async def run(reactor: Any) -> None:
        street = Street(reactor)
        streets.append(street)
        try:
            await work(street)
        finally:
            await street.pushes.stopService()

    run_in_reactor(run)
    return streets[0]


def test_each_push_that_verifies_has_its_meter_collected() -> None:
    assert on_a_street(lambda street: street.over_udp(*pushed(count=3))).collected == 3


@pytest.mark.parametrize(
    "frames",
    [
        pushed(keys=OTHER_KEYS),
        pushed(title=STRANGER),
        [encode_frame(1, 1, NOTIFICATION)],
        [pushed()[0][:-1]],
        [b"GET / HTTP/1.1\r\n\r\n"],
    ],
    ids=["other keys", "unknown meter", "plain", "cut", "no frame"],
)
def test_what_does_not_verify_has_nobody_collected(frames: list[bytes]) -> None:
    assert on_a_street(lambda street: street.over_udp(*frames)).collected == 0


def test_a_push_heard_twice_counts_once() -> None:
    assert on_a_street(lambda street: street.over_udp(*pushed() * 2)).collected == 1


def test_an_address_in_use_is_an_error_with_the_address_in_it() -> None:
    async def twice(street: Street) -> None:
        second = Pushes(street.reactor, f"127.0.0.1:{street.pushes.port}")
        with pytest.raises(PushAddressError, match=f"127.0.0.1:{street.pushes.port}"):
            second.startService()
        await second.stopService()

    on_a_street(twice)
