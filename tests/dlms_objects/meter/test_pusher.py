"""The pusher: everything new reaches every destination, by TCP or UDP; what fails is tried again, then given up."""

from datetime import timedelta

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.protocol import DatagramProtocol, Factory

from dlms_objects.meter.push_settings import SEND_DESTINATION, TransportService
from dlms_objects.meter.pusher import DELIVERY_S, MAXIMUM_QUEUE, Pusher
from dlms_objects.meter.store import StorageError
from dlms_objects.purse.outcome import EventCode
from dlms_objects.values import data as cosem
from tests.support.memory_network import MemoryReactor, RawPeer
from tests.support.meters import CLIENT_TITLE, NOW, Role
from tests.support.push_listener import PushListener
from tests.support.real_reactor import run_for_real

RETRIES, DELAY_S = 2, 10


class Listening(Factory):
    """Whoever is pushed to: its connections."""

    def __init__(self):
        self.peers = []

    def buildProtocol(self, addr):
        self.peers.append(RawPeer())
        return self.peers[-1]


class PushWorld:
    """A meter, a network of its own for its pushes, and who listens there."""

    def __init__(self, world, destination=b"192.0.2.9:4059"):
        self.meter = world.meter
        self.client = world.connect()
        self.reactor = MemoryReactor(NOW.timestamp())
        self.listening = Listening()
        self.listener = PushListener(world.credentials[Role.MANAGEMENT], CLIENT_TITLE)
        self.pusher = Pusher(self.reactor, self.meter.pushes)
        self.direct(destination)
        values = {5: cosem.long_unsigned(0), 6: cosem.unsigned(RETRIES), 7: cosem.long_unsigned(DELAY_S)}
        for attribute, value in values.items():
            self.meter.pushes.change(attribute, value)

    def direct(self, destination, service=TransportService.TCP):
        value = cosem.structure(cosem.enum(service), cosem.octet_string(destination), cosem.enum(0))
        self.meter.pushes.change(SEND_DESTINATION, value)

    def up(self):
        self.reactor.listener = self.listening

    def down(self):
        self.reactor.listener = None

    def tick(self, seconds=0.0):
        self.reactor.advance(seconds)
        self.pusher.poke(NOW + timedelta(seconds=self.reactor.seconds() - NOW.timestamp()))
        self.reactor.settle()

    def heard(self):
        """The sequence numbers heard so far, of all connections."""
        for peer in self.listening.peers:
            if peer.heard:
                self.listener.hear(peer.heard, NOW)
        self.listening.peers.clear()
        return [one.sequence for one in self.listener.heard if one.code != EventCode.CLOCK_SET]


@pytest.fixture
def pushes(world):
    pushes = PushWorld(world)
    yield pushes
    pushes.pusher.stop()


def test_a_new_entry_is_heard_once(pushes):
    pushes.up()
    pushes.client.top_up(1, 5_000)
    for _ in range(3):
        pushes.tick(1)
    assert pushes.heard() == [1]
    assert pushes.listener.refused == []


def test_what_waits_goes_over_one_connection_in_order(pushes):
    for number in range(1, 6):
        pushes.client.top_up(number, 10)
    pushes.up()
    pushes.tick()
    assert len(pushes.listening.peers) == 1
    assert pushes.heard() == [1, 2, 3, 4, 5]


def test_what_failed_is_tried_again_after_the_delay_and_not_before(pushes):
    pushes.client.top_up(1, 5_000)
    pushes.tick()
    pushes.up()
    pushes.tick(DELAY_S - 1)
    assert pushes.heard() == []
    pushes.tick(1)
    assert pushes.heard() == [1]


def test_after_the_last_retry_it_is_given_up_and_the_next_push_is_not(pushes):
    pushes.client.top_up(1, 5_000)
    for _ in range(RETRIES + 1):
        pushes.tick(DELAY_S)
    pushes.up()
    pushes.tick(DELAY_S)
    assert pushes.heard() == []
    pushes.client.top_up(2, 5_000)
    pushes.tick()
    assert pushes.heard() == [2]


def test_a_connection_that_is_lost_before_all_was_written_is_a_failure(pushes):
    pushes.up()
    pushes.client.top_up(1, 5_000)
    pushes.pusher.poke(NOW)
    pushes.reactor.lines[-1].client.abortConnection()
    pushes.listening.peers.clear()
    pushes.tick(DELAY_S)
    assert pushes.heard() == [1]


def test_a_peer_that_never_reads_fails_after_a_while_and_is_tried_again(pushes):
    pushes.up()
    pushes.client.top_up(1, 5_000)
    pushes.pusher.poke(NOW)
    stuck = pushes.reactor.lines[-1]
    pushes.reactor.lines.clear()
    pushes.reactor.advance(DELIVERY_S)
    assert stuck.client.is_lost
    pushes.listening.peers.clear()
    pushes.tick(DELAY_S)
    assert pushes.heard() == [1]


def test_one_destination_that_is_down_holds_up_no_other(world):
    pushes = PushWorld(world, b"192.0.2.8:1,192.0.2.9:2")
    reached, connect = [], pushes.reactor.connectTCP
    pushes.up()

    def partly(host, port, factory, **options):
        reached.append((host, port))
        pushes.reactor.listener = pushes.listening if host.endswith("9") else None
        return connect(host, port, factory, **options)

    pushes.reactor.connectTCP = partly
    pushes.client.top_up(1, 5_000)
    pushes.tick()
    assert reached == [("192.0.2.8", 1), ("192.0.2.9", 2)]
    assert pushes.heard() == [1]


def test_what_waits_has_a_limit_and_the_oldest_are_dropped(pushes):
    for number in range(1, MAXIMUM_QUEUE + 11):
        pushes.client.top_up(number, 1)
        if number % 50 == 0:
            pushes.tick()
    pushes.up()
    pushes.tick(DELAY_S)
    assert pushes.heard() == list(range(11, MAXIMUM_QUEUE + 11))


def test_nothing_leaves_outside_the_communication_window(world):
    pushes = PushWorld(world)
    hour = [cosem.octet_string(bytes.fromhex(f"ffffffffff{hour:02x}0000ff8000ff")) for hour in (13, 14)]
    pushes.meter.pushes.change(4, cosem.array([cosem.structure(*hour)]))
    pushes.up()
    pushes.client.top_up(1, 5_000)
    pushes.tick()
    assert pushes.heard() == []
    pushes.tick(3600)
    assert pushes.heard() == [1]


def test_the_start_is_put_off_at_random_within_the_interval(world, monkeypatch):
    pushes = PushWorld(world)
    pushes.meter.pushes.change(5, cosem.long_unsigned(60))
    monkeypatch.setattr("dlms_objects.meter.pusher.random.uniform", lambda low, high: low + high / 2)
    pushes.up()
    pushes.client.top_up(1, 5_000)
    pushes.tick()
    pushes.tick(29)
    assert pushes.heard() == []
    pushes.tick(1)
    assert pushes.heard() == [1]


def test_a_changed_destination_forgets_what_the_old_one_was_to_be_told(pushes):
    pushes.client.top_up(1, 5_000)
    pushes.tick()
    pushes.direct(b"192.0.2.10:4059")
    pushes.up()
    pushes.client.top_up(2, 5_000)
    pushes.tick(DELAY_S)
    assert pushes.heard() == [2]


def test_a_counter_that_cannot_be_reserved_is_a_failure_like_another(pushes, monkeypatch):
    def full(_notification):
        raise StorageError("disk full")

    pushes.up()
    pushes.client.top_up(1, 5_000)
    with monkeypatch.context() as patched:
        patched.setattr(pushes.meter.pushes, "seal", full)
        pushes.tick()
    pushes.tick(DELAY_S)
    assert pushes.heard() == [1]


def test_a_store_that_cannot_be_read_is_asked_again_at_the_next_tick(pushes, monkeypatch):
    def broken(_now):
        raise StorageError("I/O error")

    pushes.up()
    pushes.client.top_up(1, 5_000)
    with monkeypatch.context() as patched:
        patched.setattr(pushes.meter.pushes, "take_up", broken)
        pushes.tick()
    pushes.tick()
    assert pushes.heard() == [1]


def test_stopping_gives_up_what_is_on_its_way(pushes):
    pushes.up()
    pushes.client.top_up(1, 5_000)
    pushes.pusher.poke(NOW)
    pushes.pusher.stop()
    pushes.reactor.settle()
    pushes.reactor.advance(3600)
    assert pushes.heard() == []
    assert pushes.reactor.getDelayedCalls() == []


def test_datagrams_over_real_udp_are_heard(world):
    heard = PushListener(world.credentials[Role.MANAGEMENT], CLIENT_TITLE)
    client = world.connect()

    class Socket(DatagramProtocol):
        def __init__(self):
            self.got = Deferred()

        def datagramReceived(self, datagram, addr):
            heard.hear(datagram, NOW)
            if len(heard.heard) == 2:
                self.got.callback(None)

    async def push(reactor):
        socket = Socket()
        port = reactor.listenUDP(0, socket, interface="127.0.0.1")
        value = cosem.structure(
            cosem.enum(TransportService.UDP), cosem.octet_string(b"127.0.0.1:%d" % port.getHost().port), cosem.enum(0)
        )
        world.meter.pushes.change(SEND_DESTINATION, value)
        client.top_up(1, 5_000)
        client.top_up(2, 5_000)
        Pusher(reactor, world.meter.pushes).poke(NOW)
        await socket.got
        await port.stopListening()

    run_for_real(push)
    assert sorted(one.sequence for one in heard.heard) == [1, 2]
