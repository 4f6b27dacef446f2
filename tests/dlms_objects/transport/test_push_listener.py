"""Listening for pushes with real sockets and in memory: who is heard, who is cut off, and what disturbs nobody."""

from datetime import UTC, datetime
from typing import Any

import pytest
from twisted.internet.task import deferLater
from twisted.internet.testing import StringTransport
from twisted.logger import globalLogPublisher

from dlms_objects.meter.push_settings import SEND_DESTINATION
from dlms_objects.meter.pusher import Pusher
from dlms_objects.transport.push_listener import PushListener
from dlms_objects.values import data as cosem
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.notification_receiver import NotificationReceived, NotificationRefused, ReceiverParameters
from dlms_objects.wire.security import SecurityContext
from dlms_objects.wire.wrapper import Wrapper
from tests.support.memory_network import MemoryReactor
from tests.support.meters import CLIENT_TITLE, NOW, MeterWorld, Role, fresh_counters
from tests.support.real_reactor import run_for_real

REST_S = 5.0


class Ears:
    """A listener that knows one meter, and what it heard."""

    def __init__(self, world: MeterWorld, reactor: Any) -> None:
        credentials = world.credentials[Role.MANAGEMENT]
        context = SecurityContext(keys=credentials.cipher_keys(), own_title=CLIENT_TITLE, counters=fresh_counters())
        parameters = ReceiverParameters(contexts={credentials.system_title: context}.get, rest_timeout_s=REST_S)
        self.events: list[tuple[Any, str]] = []
        self.listener = PushListener(reactor, parameters, lambda event, peer: self.events.append((event, peer)))

    @property
    def received(self) -> list[tuple[SystemTitle | None, str]]:
        return [(event.system_title, peer) for event, peer in self.events if isinstance(event, NotificationReceived)]

    @property
    def refused(self) -> list[str]:
        return [event.cause.name for event, _peer in self.events if isinstance(event, NotificationRefused)]


@pytest.fixture
def frame(world: MeterWorld) -> bytes:
    """A push of that meter."""
    value = cosem.structure(cosem.enum(0), cosem.octet_string(b"192.0.2.9:4059"), cosem.enum(0))
    world.meter.pushes.change(SEND_DESTINATION, value)
    world.connect().top_up(1, 5_000)
    (notification,) = world.meter.pushes.take_up(NOW)
    return world.meter.pushes.seal(notification)


@pytest.fixture
def logged() -> Any:
    events: list[Any] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


@pytest.mark.parametrize("service", [0, 1], ids=["TCP", "UDP"])
def test_what_a_meter_pushes_over_real_sockets_is_heard_with_its_title(world: MeterWorld, service: int) -> None:
    client = world.connect()

    async def push(reactor: Any) -> Ears:
        ears = Ears(world, reactor)
        if service:
            port = reactor.listenUDP(0, ears.listener.datagrams(), interface="127.0.0.1")
        else:
            port = reactor.listenTCP(0, ears.listener.factory(maximum_connections=4), interface="127.0.0.1")
        there = b"127.0.0.1:%d" % port.getHost().port
        world.meter.pushes.change(
            SEND_DESTINATION, cosem.structure(cosem.enum(service), cosem.octet_string(there), cosem.enum(0))
        )
        client.top_up(1, 5_000)
        pusher = Pusher(reactor, world.meter.pushes)
        pusher.poke(NOW)
        while not ears.events:
            await deferLater(reactor, 0.01, lambda: None)
        pusher.stop()
        await port.stopListening()
        return ears

    assert run_for_real(push).received == [(world.made.system_title, "127.0.0.1")]


def connected(ears: Ears, limit: int = 4) -> tuple[Any, StringTransport]:
    protocol = ears.listener.factory(maximum_connections=limit).buildProtocol(None)
    assert protocol is not None
    transport = StringTransport()
    protocol.makeConnection(transport)
    return protocol, transport


def test_a_frame_in_any_pieces_is_heard(world: MeterWorld, frame: bytes) -> None:
    ears = Ears(world, MemoryReactor(NOW.timestamp()))
    protocol, transport = connected(ears)
    for octet in frame:
        protocol.dataReceived(bytes((octet,)))
    assert ears.received == [(world.made.system_title, "None")]
    assert transport.value() == b"", "nobody is answered"


def test_what_is_no_frame_cuts_the_connection_after_what_came_before_it(world: MeterWorld, frame: bytes) -> None:
    ears = Ears(world, MemoryReactor(NOW.timestamp()))
    protocol, transport = connected(ears)
    protocol.dataReceived(frame + b"GET / HTTP/1.1\r\n")
    assert len(ears.received) == 1
    assert transport.disconnected


@pytest.mark.parametrize("begun", [0, 10])
def test_a_connection_that_says_nothing_more_is_cut_off(world: MeterWorld, frame: bytes, begun: int) -> None:
    reactor = MemoryReactor(NOW.timestamp())
    ears = Ears(world, reactor)
    protocol, transport = connected(ears)
    if begun:
        protocol.dataReceived(frame[:begun])
    reactor.advance(REST_S - 0.1)
    assert not transport.disconnected
    reactor.advance(0.1)
    assert transport.disconnected
    protocol.connectionLost()
    assert reactor.getDelayedCalls() == []


def test_a_connection_beyond_the_limit_is_closed_and_a_place_given_up_is_free(world: MeterWorld, logged: Any) -> None:
    ears = Ears(world, MemoryReactor(NOW.timestamp()))
    factory = ears.listener.factory(maximum_connections=1)
    first = factory.buildProtocol(None)
    first.makeConnection(StringTransport())
    assert factory.buildProtocol(None) is None
    assert sum("connections are open" in str(event.get("log_format")) for event in logged) == 1
    first.connectionLost()
    assert factory.buildProtocol(None) is not None


def test_replayed_altered_and_halved_datagrams_are_refused_or_passed_over(world: MeterWorld, frame: bytes) -> None:
    ears = Ears(world, MemoryReactor(NOW.timestamp()))
    socket = ears.listener.datagrams()
    for datagram in (frame, frame, frame[:-1] + bytes((frame[-1] ^ 1,)), frame[:20], b"GET / HTTP/1.1\r\n"):
        socket.datagramReceived(datagram, ("192.0.2.5", 1))
    assert ears.received == [(world.made.system_title, "192.0.2.5")]
    assert ears.refused == ["REPLAY", "DECRYPTION"]


def test_ui_frames_of_an_hdlc_line_are_heard_from_their_station(world: MeterWorld, frame: bytes) -> None:
    ears = Ears(world, MemoryReactor(NOW.timestamp()))
    (unwrapped,) = Wrapper().receive(frame)
    ears.listener.take_apdu(HdlcAddress.server(1, 17), HdlcAddress.client(1), unwrapped.apdu)
    assert ears.received == [(world.made.system_title, "HDLC 1/17")]
    ((event, _peer),) = ears.events
    assert (event.source, event.destination) == (1, 1)


def test_the_receivers_are_told_the_reactors_time(world: MeterWorld) -> None:
    assert Ears(world, MemoryReactor(NOW.timestamp())).listener.now() == datetime(2026, 6, 10, 4, tzinfo=UTC)
