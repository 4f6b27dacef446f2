"""Links to several stations on one line: one request at a time, no two at once, and an end for every wait."""

from typing import Any

import pytest
from twisted.internet.error import ConnectError, ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.task import Clock

from dlms_objects.transport.hdlc import HdlcLine
from dlms_objects.transport.hdlc_server import HdlcServer
from dlms_objects.transport.shared_line import SharedLine
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_frame import decode_frame
from dlms_objects.wire.hdlc_parameters import LinkParameters, LinkTimes
from dlms_objects.wire.wrapper import Frame, Wrapper, encode_frame
from tests.support.bus import Bus, BusEndpoint, Recorder, Recorders
from tests.support.links import limits, to_client
from tests.support.twisted_testing import advance_until, has_result, result_of, started

TIMES = LinkTimes(response_s=2.0, retries=2, pause_s=0.1, answer_s=0.5)
TURNAROUND_S = 0.02
SAP = 1


def reversed_frame(octets: bytes) -> bytes:
    """The application of the tests: the APDU the other way round, addressed back."""
    [frame] = Wrapper().receive(octets)
    return encode_frame(frame.destination, frame.source, frame.apdu[::-1])


class World:
    """A bus with servers of these physical addresses on a line of their own each, and a client's line."""

    def __init__(self, *physicals: int, answer: Any = reversed_frame, window: int = 1) -> None:
        self.clock = Clock()
        self.bus = Bus(self.clock)
        self.endpoint = BusEndpoint(self.bus)
        self.pushed: list[tuple[HdlcAddress, HdlcAddress, bytes]] = []
        self.line = HdlcLine(
            self.clock, self.endpoint, turnaround_s=TURNAROUND_S, pushed=lambda *push: self.pushed.append(push)
        )
        self.stations: dict[int, HdlcServer] = {}
        self.limits = limits(64, window)
        self.servers = {physical: Recorders(answer) for physical in physicals}
        for physical, factory in self.servers.items():
            line = SharedLine(self.clock, turnaround_s=TURNAROUND_S)
            own = HdlcAddress.server(SAP, physical)
            parameters = LinkParameters(own=own, limits=self.limits, times=TIMES)
            self.stations[physical] = HdlcServer(self.clock, line, parameters, factory)
            self.bus.join(line)

    def connecting(self, physical: int, factory: Recorders | None = None) -> Any:
        parameters = LinkParameters(
            own=HdlcAddress.client(16),
            peer=HdlcAddress.server(SAP, physical),
            limits=self.limits,
            times=TIMES,
        )
        return started(self.line.station(parameters).connect(factory or Recorders()))

    def connect(self, physical: int) -> Recorder:
        connecting = self.connecting(physical)
        self.run(lambda: has_result(connecting))
        protocol: Recorder = result_of(connecting)
        return protocol

    def run(self, met: Any) -> None:
        advance_until(self.clock, met, step_s=0.001, limit_s=60.0)


def request(apdu: bytes) -> bytes:
    return encode_frame(16, SAP, apdu)


def test_a_link_is_a_connection_of_wrapper_frames() -> None:
    world = World(17)
    client = world.connect(17)
    assert str(client.transport.getPeer()) == "HDLC 1/17"
    assert str(client.transport.getHost()) == "HDLC 16"
    client.transport.write(request(b"abc" * 100))
    world.run(lambda: client.heard)
    assert list(Wrapper().receive(client.heard[0])) == [Frame(source=SAP, destination=16, apdu=b"cba" * 100)]
    client.transport.loseConnection()
    world.run(lambda: client.lost)
    assert client.lost.check(ConnectionDone)
    assert world.servers[17].made[0].lost.check(ConnectionDone)
    world.run(lambda: len(world.bus.members) == 1)  # the line is closed with its last link
    assert world.bus.collisions == 0


def test_two_writes_are_two_requests_one_after_the_other() -> None:
    world = World(17)
    client = world.connect(17)
    client.transport.writeSequence([request(b"one"), request(b"two")])
    world.run(lambda: len(client.heard) == 2)
    assert [frame[8:] for frame in client.heard] == [b"eno", b"owt"]


@pytest.mark.parametrize("window", [1, 3])
def test_on_a_line_of_several_meters_nobody_speaks_while_another_does(window: int) -> None:
    world = World(17, 18, 300, window=window)
    connecting = [world.connecting(physical) for physical in (17, 18, 300)]
    world.run(lambda: all(has_result(each) for each in connecting))
    clients = [result_of(each) for each in connecting]
    assert world.endpoint.connections == 1
    for number in range(3):
        for client in clients:
            client.transport.write(request(bytes((number,)) * 150))
    world.run(lambda: all(len(client.heard) == 3 for client in clients))
    for client in clients:
        client.transport.loseConnection()
    world.run(lambda: all(client.lost for client in clients))
    assert world.bus.collisions == 0
    for factory in world.servers.values():
        assert [len(protocol.heard) for protocol in factory.made] == [3]


def test_the_test_would_see_two_at_once() -> None:
    world = World(17, 18)
    lines = [HdlcLine(world.clock, world.endpoint) for _ in range(2)]  # two masters, each with a lock of its own
    connecting = []
    for line, physical in zip(lines, (17, 18), strict=True):
        world.line = line
        connecting.append(world.connecting(physical))
    world.run(lambda: all(has_result(each) for each in connecting))
    assert world.bus.collisions > 0


def test_the_line_rests_between_a_frame_heard_and_a_frame_said() -> None:
    world = World(17)
    client = world.connect(17)
    client.transport.write(request(b"x" * 300))
    world.run(lambda: client.heard)
    ends_s = [said_s + world.bus.octet_s * len(octets) for said_s, _, octets in world.bus.said]
    rests_s = [said_s - end_s for (said_s, *_), end_s in zip(world.bus.said[1:], ends_s, strict=False)]
    assert min(rests_s) >= TURNAROUND_S - 1e-9


def test_a_line_that_cannot_be_had_and_a_station_that_is_silent_are_connect_errors() -> None:
    world = World()
    world.endpoint.is_refusing = True
    both = [world.connecting(17), world.connecting(18)]
    for each in both:
        with pytest.raises(ConnectError, match="refused"):
            result_of(each)
    world.endpoint.is_refusing = False
    connecting = world.connecting(17)
    world.run(lambda: has_result(connecting))
    with pytest.raises(ConnectError, match="no answer"):
        result_of(connecting)
    world.run(lambda: not world.bus.members)


def test_the_line_is_opened_anew_after_its_end() -> None:
    world = World(17)
    for connections in (1, 2):
        client = world.connect(17)
        client.transport.loseConnection()
        client.transport.loseConnection()
        world.run(lambda client=client: client.lost)
        assert world.endpoint.connections == connections


def test_no_protocol_is_no_connection() -> None:
    world = World(17)
    connecting = world.connecting(17, Recorders(limit=0))
    world.run(lambda: has_result(connecting))
    with pytest.raises(ConnectError, match="no protocol"):
        result_of(connecting)


def test_a_meter_that_is_gone_ends_its_link_and_no_other() -> None:
    world = World(17, 18)
    silent, other = world.connect(17), world.connect(18)
    world.bus.drops = lambda octets: octets[3:5] == HdlcAddress.server(SAP, 17).octets
    silent.transport.write(request(b"anyone?"))
    other.transport.write(request(b"you"))
    world.run(lambda: silent.lost and other.heard)
    assert silent.lost.check(ConnectionLost)
    assert "no answer" in silent.lost.getErrorMessage()
    assert other.heard[0][8:] == b"uoy"
    silent.transport.write(request(b"to nobody"))
    silent.transport.abortConnection()
    silent.transport.loseConnection()


def test_after_an_abort_the_line_stays_free_for_an_answer_that_may_still_come() -> None:
    world = World(17, 18)
    hasty, other = world.connect(17), world.connect(18)
    hasty.transport.write(request(b"x" * 60))
    other.transport.write(request(b"you"))
    hasty.transport.write(request(b"never sent"))
    world.clock.advance(0.01)
    began_s = world.clock.seconds()
    hasty.transport.abortConnection()
    assert hasty.lost.check(ConnectionAborted)
    world.run(lambda: other.heard)
    assert world.clock.seconds() - began_s >= TIMES.response_s
    assert (world.bus.collisions, hasty.heard) == (0, [])


def test_an_abort_while_nothing_is_asked_holds_nobody_up() -> None:
    world = World(17, 18)
    hasty, other = world.connect(17), world.connect(18)
    hasty.transport.abortConnection()
    other.transport.write(request(b"you"))
    began_s = world.clock.seconds()
    world.run(lambda: other.heard)
    assert world.clock.seconds() - began_s < TIMES.response_s


def test_a_line_that_breaks_ends_all_links_on_it() -> None:
    world = World(17, 18)
    clients, connecting = [world.connect(17), world.connect(18)], world.connecting(17)
    clients[0].transport.write(request(b"x"))
    world.bus.cut()
    assert all(client.lost.check(ConnectionLost) for client in clients)
    with pytest.raises(ConnectError):
        result_of(connecting)
    assert all(made.lost for factory in world.servers.values() for made in factory.made)
    world.clock.advance(3600)


def test_a_push_between_requests_harms_nothing() -> None:
    world = World(17)
    client = world.connect(17)
    octets = bytes.fromhex("7ea0")
    client.transport.write(request(b"one"))
    world.run(lambda: client.heard)
    world.bus.say(world.bus.members[0], octets)
    client.transport.write(request(b"two"))
    world.run(lambda: len(client.heard) == 2)


def test_of_two_apdus_in_one_turn_a_protocol_that_leaves_gets_the_first() -> None:
    world = World()
    two = to_client(0x20, b"\xe6\xe7\x00one") + to_client(0x32, b"\xe6\xe7\x00two")
    answers = {0x93: to_client(0x73, limits(64, 3).encode()), 0x10: two, 0x53: to_client(0x73)}
    server = Recorder(lambda octets: answers[decode_frame(octets[1:-1]).control])
    world.bus.join(server)
    for leaves in (False, True):
        client = world.connect(17)
        if leaves:
            client.answer = lambda _: client.transport.abortConnection() or b""  # noqa: B023
        client.transport.write(request(b"request"))
        world.run(lambda client=client: client.heard)
        assert [frame[8:] for frame in client.heard] == ([b"one"] if leaves else [b"one", b"two"])
        client.transport.abortConnection()
        world.run(lambda: len(world.bus.members) == 1)


@pytest.mark.parametrize("apdu", [b"\x0fpush", b"\x0f" + b"long" * 100])
def test_what_a_server_pushes_in_ui_frames_is_heard_and_disturbs_no_answer(apdu: bytes) -> None:
    world = World(17)
    client = world.connect(17)
    world.stations[17].push(apdu, HdlcAddress.client(16))
    world.run(lambda: world.pushed)
    client.transport.write(request(b"abc"))
    world.run(lambda: client.heard)
    assert world.pushed == [(HdlcAddress.server(SAP, 17), HdlcAddress.client(16), apdu)]
    assert list(Wrapper().receive(client.heard[0])) == [Frame(source=SAP, destination=16, apdu=b"cba")]


def test_what_is_pushed_to_another_client_is_not_ours() -> None:
    world = World(17)
    client = world.connect(17)
    world.stations[17].push(b"\x0fpush", HdlcAddress.client(1))
    client.transport.write(request(b"abc"))
    world.run(lambda: client.heard)
    assert world.pushed == []


def test_a_link_that_nobody_waits_for_any_more_lets_go_of_the_line() -> None:
    world = World(17)
    connecting = world.connecting(99)
    world.clock.advance(0.5)
    line = world.line._line
    assert line is not None
    assert line.has_listeners
    connecting.addErrback(lambda _: None)
    connecting.cancel()
    assert not line.has_listeners
    other = world.connecting(17)
    advance_until(world.clock, lambda: has_result(other), limit_s=10)
