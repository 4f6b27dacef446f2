"""A serial line as far as a computer without one has it: pseudo terminals joined by socat, Twisted at both ends."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool

from dlms_objects.classes.catalogue import Role
from dlms_objects.meter.connection import MeterFactory
from dlms_objects.transport.client import open_session
from dlms_objects.transport.hdlc import HdlcLine
from dlms_objects.transport.hdlc_server import HdlcServer
from dlms_objects.transport.serial import SerialEndpoint, SerialSettings
from dlms_objects.transport.shared_line import SharedLine
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_parameters import LinkParameters, LinkTimes
from dlms_objects.wire.wrapper import Wrapper, encode_frame
from tests.support.bus import Recorder, Recorders
from tests.support.gurux_cipher import openssl
from tests.support.gurux_hdlc import GuruxHdlcClient
from tests.support.links import limits
from tests.support.meters import BALANCE, MeterWorld
from tests.support.serial_pair import serial_pair
from tests.support.twisted_testing import run_in_reactor

pytestmark = pytest.mark.e2e

TIMES = LinkTimes(response_s=1.0, retries=3, inter_octet_s=0.2)
PHYSICALS = (17, 18, 300)


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    with serial_pair(tmp_path) as pair:
        yield pair


def answered(physical: int) -> Callable[[bytes], bytes]:
    """The application of the tests: the APDU the other way round, signed."""

    def answer(octets: bytes) -> bytes:
        [frame] = Wrapper().receive(octets)
        return encode_frame(frame.destination, frame.source, frame.apdu[::-1] + str(physical).encode())

    return answer


def port_at(reactor: Any, device: Path) -> SerialEndpoint:
    return SerialEndpoint(reactor, SerialSettings(device=str(device), baudrate=115_200))


async def served(reactor: Any, port: Path, factories: dict[int, Any]) -> SharedLine:
    """Stations with these physical addresses at one end of the line."""
    line = SharedLine(reactor, turnaround_s=0.002)
    for physical, factory in factories.items():
        parameters = LinkParameters(own=HdlcAddress.server(1, physical), limits=limits(128, 3), times=TIMES)
        HdlcServer(reactor, line, parameters, factory)
    await port_at(reactor, port).connect(Factory.forProtocol(lambda: line))
    return line


def line_to(reactor: Any, port: Path) -> HdlcLine:
    return HdlcLine(reactor, port_at(reactor, port), turnaround_s=0.002)


def parameters(physical: int) -> LinkParameters:
    return LinkParameters(
        own=HdlcAddress.client(16),
        peer=HdlcAddress.server(1, physical),
        limits=limits(128, 3),
        times=TIMES,
    )


async def until(reactor: Any, met: Callable[[], Any]) -> None:
    for _ in range(2000):
        if met():
            return
        await deferLater(reactor, 0.005)
    raise AssertionError("not met")


def test_several_meters_on_one_line_answer_in_turn_and_noise_is_survived(ports: tuple[Path, Path]) -> None:
    sizes = (1, 200, 1000)

    async def work(reactor: Any) -> list[list[bytes]]:
        far = await served(reactor, ports[1], {physical: Recorders(answered(physical)) for physical in PHYSICALS})
        line = line_to(reactor, ports[0])
        clients: list[Recorder] = await gatherResults(
            [line.station(parameters(physical)).connect(Recorders()) for physical in PHYSICALS]
        )
        for size in sizes:
            far.write(b"\x7e\xa0noise\xff\x7e")
            for client in clients:
                client.transport.write(encode_frame(16, 1, bytes(size)))
            await until(reactor, lambda size=size: all(len(c.heard) == sizes.index(size) + 1 for c in clients))
        for client in clients:
            client.transport.loseConnection()
        await until(reactor, lambda: all(client.lost for client in clients))
        far.transport.loseConnection()
        return [[frame[8:] for frame in client.heard] for client in clients]

    heard = run_in_reactor(work)
    assert heard == [[bytes(size) + str(physical).encode() for size in sizes] for physical in PHYSICALS]


def test_a_meter_that_is_not_there_is_a_connect_error_and_the_line_goes_on(ports: tuple[Path, Path]) -> None:
    async def work(reactor: Any) -> bool:
        far = await served(reactor, ports[1], {17: Recorders(answered(17))})
        line = line_to(reactor, ports[0])
        present = await line.station(parameters(17)).connect(Recorders())
        with pytest.raises(ConnectError, match="no answer"):
            await line.station(parameters(99)).connect(Recorders())
        present.transport.write(encode_frame(16, 1, b"still there?"))
        await until(reactor, lambda: present.heard)
        present.transport.loseConnection()
        await until(reactor, lambda: present.lost)
        far.transport.loseConnection()
        return True

    assert run_in_reactor(work)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[MeterWorld]:
    """A meter whose clock runs with the reactor of the test."""
    world = MeterWorld(tmp_path / "meter", start=False)
    yield world
    world.meter.close()


def powered(world: MeterWorld, reactor: Any) -> MeterFactory:
    """The meter, switched on under a real reactor."""
    world.reactor = reactor
    world.start()
    return world.factory


def test_a_session_of_ours_with_our_meter(ports: tuple[Path, Path], world: MeterWorld) -> None:
    async def work(reactor: Any) -> bytes:
        far = await served(reactor, ports[1], {17: powered(world, reactor)})
        endpoint = f"hdlc+serial:{ports[0]}:baudrate=115200:physical=17:turnaround=2"
        session = await open_session(reactor, endpoint, world.parameters(Role.MANAGEMENT))
        balance = await session.get(BALANCE)
        await session.release()
        await deferLater(reactor, 0.1)
        far.transport.loseConnection()
        return balance

    assert run_in_reactor(work) == b"\x14" + bytes(8)


def test_a_session_of_gurux_with_our_meter(ports: tuple[Path, Path], world: MeterWorld) -> None:
    def gurux() -> int:
        with serial.Serial(str(ports[0]), 115200, timeout=10) as port, openssl():

            def exchange(octets: bytes) -> bytes:
                port.write(octets)
                return read_turn(port)

            client = GuruxHdlcClient(exchange, world.credentials[Role.MANAGEMENT])
            client.associate()
            balance: int = client.read(20101, "0.0.128.0.0.255", 2)
            client.release()
        return balance

    async def work(reactor: Any) -> int:
        far = await served(reactor, ports[1], {17: powered(world, reactor)})
        asking: Deferred[int] = deferToThreadPool(reactor, reactor.getThreadPool(), gurux)
        balance = await asking
        far.transport.loseConnection()
        return balance

    assert run_in_reactor(work) == 0


def read_turn(port: serial.Serial) -> bytes:
    """One frame; the meter's window is 1 unless asked for more."""
    octets = port.read(3)
    length = int.from_bytes(octets[1:3], "big") & 0x7FF
    octets += port.read(length - 1)
    assert octets.endswith(b"\x7e")
    return octets
