"""Lines that meters serve: every station on each, a port that is lost opened again, mode E from client to client."""

from typing import Any

import pytest
from twisted.internet.error import ConnectError
from twisted.internet.task import Clock

from dlms_objects.errors import InvalidValueError
from dlms_objects.transport.hdlc import HdlcLine
from dlms_objects.transport.line_host import FIRST_RETRY_S, REST_S, PortHost, Stations, StationsFactory
from dlms_objects.transport.optical import OpticalEndpoint
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_parameters import LinkParameters, LinkTimes
from dlms_objects.wire.mode_e import OPENING_MODE, LineMode, OpeningParameters
from dlms_objects.wire.wrapper import Wrapper, encode_frame
from tests.support.bus import Bus, BusEndpoint, Recorders
from tests.support.links import limits
from tests.support.twisted_testing import advance_until, has_result, result_of, started

TIMES = LinkTimes(response_s=2.0, retries=2, pause_s=0.1, answer_s=0.5)
HDLC_MODE = LineMode(baud=9600, data_bits=8, parity="N")


def signed(physical: int) -> Any:
    def answer(octets: bytes) -> bytes:
        [frame] = Wrapper().receive(octets)
        return encode_frame(frame.destination, frame.source, frame.apdu + str(physical).encode())

    return answer


class World:
    """Meters on a bus that a host serves, and a client's line."""

    def __init__(self, *physicals: int, opening: OpeningParameters | None = None) -> None:
        self.clock = Clock()
        self.bus = Bus(self.clock)
        self.stations = Stations(self.clock, turnaround_s=0.01)
        for physical in physicals:
            parameters = LinkParameters(own=HdlcAddress.server(1, physical), limits=limits(64), times=TIMES)
            self.stations.add(parameters, Recorders(signed(physical)))
        self.port = BusEndpoint(self.bus)
        self.modes: list[LineMode] = []
        self.host = PortHost(self.clock, self.port, self.stations, opening, set_port=self.set_port)

    def set_port(self, _port: Any, mode: LineMode) -> bool:
        self.modes.append(mode)
        return True

    def start(self) -> None:
        starting = started(self.host.start())
        self.run(lambda: has_result(starting))
        result_of(starting)

    def ask(self, physical: int, *, optical: bool = False) -> bytes:
        """What that meter answers to `?`, over a line of the client's own."""
        endpoint: Any = BusEndpoint(self.bus)
        if optical:
            endpoint = OpticalEndpoint(self.clock, endpoint, OpeningParameters(), set_port=lambda *_: True)
        line = HdlcLine(self.clock, endpoint, turnaround_s=0.01)
        peer = HdlcAddress.server(1, physical)
        station = line.station(LinkParameters(own=HdlcAddress.client(16), peer=peer, limits=limits(64), times=TIMES))
        connecting = started(station.connect(Recorders()))
        self.run(lambda: has_result(connecting))
        client: Any = result_of(connecting)
        client.transport.write(encode_frame(16, 1, b"?"))
        self.run(lambda: client.heard)
        client.transport.loseConnection()
        self.run(lambda: client.lost)
        heard: bytes = client.heard[0][8:]
        return heard

    def run(self, met: Any) -> None:
        advance_until(self.clock, met, step_s=0.001, limit_s=120.0)


def test_several_meters_answer_on_one_port_each_to_its_address() -> None:
    world = World(17, 18, 300)
    world.start()
    assert [world.ask(physical) for physical in (17, 18, 300)] == [b"?17", b"?18", b"?300"]
    assert world.bus.collisions == 0


def test_two_meters_of_one_address_are_refused() -> None:
    world = World(17)
    with pytest.raises(InvalidValueError, match="1/17"):
        world.stations.add(LinkParameters(own=HdlcAddress(upper=1, lower=17, octet_count=4)), Recorders())


def test_a_port_that_cannot_be_opened_is_an_error_at_the_start() -> None:
    world = World(17)
    world.port.is_refusing = True
    with pytest.raises(ConnectError):
        world.start()
    world.host.stop()
    assert world.clock.getDelayedCalls() == []


@pytest.mark.parametrize("opening", [None, OpeningParameters()])
def test_a_port_that_is_lost_is_opened_again_however_long_it_takes(opening: OpeningParameters | None) -> None:
    world = World(17, opening=opening)
    world.start()
    world.port.is_refusing = True
    world.bus.cut()
    world.clock.advance(FIRST_RETRY_S)
    world.clock.advance(2 * FIRST_RETRY_S)
    world.port.is_refusing = False
    world.clock.advance(4 * FIRST_RETRY_S)
    world.clock.advance(0.1)
    assert world.ask(17, optical=opening is not None) == b"?17"


@pytest.mark.parametrize("opening", [None, OpeningParameters()])
def test_a_host_that_was_stopped_opens_nothing_more(opening: OpeningParameters | None) -> None:
    world = World(17, opening=opening)
    world.start()
    world.host.stop()
    world.clock.advance(0.1)
    connections = world.port.connections
    world.clock.advance(3600)
    assert (world.port.connections, world.bus.members) == (connections, [])
    assert world.clock.getDelayedCalls() == []


def test_a_stop_while_the_port_is_away_ends_the_retries() -> None:
    world = World(17)
    world.start()
    world.port.is_refusing = True
    world.bus.cut()
    world.host.stop()
    world.clock.advance(3600)
    assert world.clock.getDelayedCalls() == []


def test_an_optical_port_serves_one_client_after_the_other_each_after_its_sign_on() -> None:
    world = World(17, opening=OpeningParameters(fastest="5"))
    world.start()
    for _ in range(3):
        assert world.ask(17, optical=True) == b"?17"
        world.clock.advance(2 * REST_S)
    assert world.modes == [OPENING_MODE, HDLC_MODE] * 3 + [OPENING_MODE]
    assert world.port.connections == 1, "the port stays open"


def test_an_optical_port_whose_client_never_comes_to_hdlc_waits_for_the_next() -> None:
    world = World(17, opening=OpeningParameters())
    world.start()
    peer = BusEndpoint(world.bus)
    joined = peer.connect(Recorders())
    world.run(lambda: has_result(joined))
    result_of(joined).transport.write(b"/?!\r\n\x06262\r\n")
    world.clock.advance(3 * REST_S)
    assert world.ask(17, optical=True) == b"?17"


def test_an_optical_port_that_is_lost_while_a_client_has_a_link_comes_back() -> None:
    world = World(17, opening=OpeningParameters())
    world.start()
    assert world.ask(17, optical=True) == b"?17"
    world.bus.cut()
    for _ in range(10):
        world.clock.advance(REST_S)
    assert world.ask(17, optical=True) == b"?17"


def test_each_tcp_connection_is_a_line_with_every_meter_up_to_a_limit() -> None:
    world = World(17, 18)
    factory = StationsFactory(world.stations, 1)
    line = factory.buildProtocol(None)
    assert line is not None
    world.bus.join(line)
    assert [world.ask(physical) for physical in (17, 18)] == [b"?17", b"?18"]
    assert factory.buildProtocol(None) is None
    factory.close_all()
    world.clock.advance(1)
    assert factory.buildProtocol(None) is not None
