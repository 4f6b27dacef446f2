"""An optical port from 300 baud to HDLC: the port is set when the octets before are out, and handed over as it is."""

from datetime import UTC, datetime
from typing import Any

import pytest
from twisted.internet import defer
from twisted.internet.error import ConnectError, ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from dlms_objects.transport.optical import OpticalEndpoint
from dlms_objects.wire.events import SendOctets
from dlms_objects.wire.mode_e import (
    OPENING_MODE,
    LineMode,
    OpeningParameters,
    OpeningServer,
    OpeningState,
    SetLine,
)
from tests.support.bus import Recorders
from tests.support.twisted_testing import advance_until, has_result, result_of, started

HDLC_MODE = LineMode(baud=9600, data_bits=8, parity="N")


class Port:
    """A port at 300 baud with a meter on the other side: what is heard in another mode than it was said in is noise."""

    def __init__(self, clock: Clock, server: OpeningServer, *, confirms: bool = True) -> None:
        self.clock, self.server, self.confirms = clock, server, confirms
        self.protocol: Any = None
        self.mode: LineMode | None = None
        self.server_mode: LineMode | None = None
        self.settings: list[tuple[float, LineMode]] = []
        self.is_closed = False
        self.busy_until_s = 0.0
        self.run_server()

    def write(self, octets: bytes) -> None:
        mode = self.mode
        self.busy_until_s = self.clock.seconds() + len(octets) * 10 / mode.baud
        self.clock.callLater(self.busy_until_s - self.clock.seconds(), self.to_server, octets, mode)

    def to_server(self, octets: bytes, mode: LineMode) -> None:
        assert self.mode == mode, "the port was set before the octets were out"
        self.server.receive_data(octets if mode == self.server_mode else b"\xff" * len(octets), self.now)
        self.run_server()

    def run_server(self) -> None:
        while (event := self.server.next_event()) is not None:
            if isinstance(event, SetLine):
                self.server_mode = event.mode
            elif isinstance(event, SendOctets) and (self.confirms or not event.octets.startswith(b"\x06")):
                self.clock.callLater(0.3, self.to_client, event.octets, self.server_mode)

    def to_client(self, octets: bytes, mode: LineMode) -> None:
        self.protocol.dataReceived(octets if mode == self.mode else b"\xff" * len(octets))

    def loseConnection(self) -> None:
        self.is_closed = True

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.seconds(), UTC)


class World:
    def __init__(self, *, name: str = "Meter", confirms: bool = True, **changes: Any) -> None:
        self.clock = Clock()
        self.lacks_parity = False
        server = OpeningServer(OpeningParameters(fastest="5", name=name, **changes))
        self.port = Port(self.clock, server, confirms=confirms)
        self.endpoint = OpticalEndpoint(self.clock, self, OpeningParameters(), set_port=self.set_port)

    def connect(self, factory: Any) -> Any:
        self.port.protocol = factory.buildProtocol(None)
        self.port.protocol.makeConnection(self.port)
        return defer.succeed(self.port.protocol)

    def set_port(self, port: Port, mode: LineMode) -> bool:
        assert port is self.port
        port.mode = mode
        port.settings.append((self.clock.seconds(), mode))
        return not self.lacks_parity or mode.parity == "N"

    def connecting(self, factory: Recorders | None = None) -> Any:
        return started(self.endpoint.connect(factory or Recorders()))

    def result(self, connecting: Any) -> Any:
        advance_until(self.clock, lambda: has_result(connecting), step_s=0.01)
        return result_of(connecting)


@pytest.mark.parametrize("confirms", [True, False])
def test_the_port_is_handed_over_in_the_mode_that_both_sides_are_in(confirms: bool) -> None:
    world = World(confirms=confirms)
    protocol = world.result(world.connecting())
    assert [mode for _, mode in world.port.settings] == [OPENING_MODE, HDLC_MODE]
    assert world.port.mode == world.port.server_mode == HDLC_MODE
    assert world.port.settings[1][0] >= world.port.busy_until_s
    assert world.port.server.state is OpeningState.OPEN
    assert (world.port.protocol, protocol.transport) == (protocol, world.port)
    world.port.protocol.dataReceived(b"\x7e")
    assert protocol.heard == [b"\x7e"]
    assert not world.port.is_closed
    assert world.clock.getDelayedCalls() == []


def test_a_meter_that_is_silent_or_speaks_no_hdlc_is_a_connect_error() -> None:
    world = World(device_address="42")
    world.endpoint = OpticalEndpoint(
        world.clock, world, OpeningParameters(device_address="43"), set_port=world.set_port
    )
    with pytest.raises(ConnectError, match="no answer"):
        world.result(world.connecting())
    assert world.port.is_closed
    world = World()
    connecting = world.connecting()
    world.port.protocol.dataReceived(b"/MPR5Meter\r\n")
    with pytest.raises(ConnectError, match="not mode e"):
        result_of(connecting)


def test_a_port_that_is_gone_and_a_factory_that_makes_nothing_are_connect_errors() -> None:
    world = World()
    connecting = world.connecting()
    world.port.protocol.connectionLost(Failure(ConnectionLost()))
    with pytest.raises(ConnectError, match="lost"):
        result_of(connecting)
    world = World()
    with pytest.raises(ConnectError, match="no protocol"):
        world.result(world.connecting(Recorders(limit=0)))
    assert world.port.is_closed


def test_a_second_copy_of_the_confirmation_while_the_port_is_set_harms_nothing() -> None:
    world = World()
    connecting = world.connecting()
    advance_until(world.clock, lambda: world.port.server.state is OpeningState.OPEN, step_s=0.01)
    for _ in range(2):
        world.port.protocol.dataReceived(b"\x06252\r\n")
    assert world.result(connecting).heard in ([], [b"\xff" * 6])


def test_a_port_that_cannot_make_parity_has_it_made_in_what_is_written() -> None:
    world = World()
    world.lacks_parity = True
    written: list[bytes] = []
    write = world.port.write

    def keep(octets: bytes) -> None:
        written.append(octets)
        write(octets)

    world.port.write = keep  # type: ignore[method-assign]
    world.result(world.connecting())
    assert bytes(octet & 0x7F for octet in written[0]) == b"/?!\r\n"
    assert all(octet.bit_count() % 2 == 0 for octet in b"".join(written))
