"""The gurux-dlms client does business with our meter over HDLC: its framing against ours, in memory."""

from collections.abc import Iterator
from typing import Any

import pytest

from dlms_objects.classes.catalogue import Role
from dlms_objects.transport.hdlc_server import HdlcServer
from dlms_objects.transport.shared_line import SharedLine
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_parameters import LinkParameters
from dlms_objects.wire.hdlc_server import ServerLink
from tests.support.bus import Bus, Recorder
from tests.support.gurux_cipher import openssl
from tests.support.gurux_client import GuruxError
from tests.support.gurux_hdlc import GuruxHdlcClient
from tests.support.links import limits
from tests.support.meters import MeterWorld, identifier

PHYSICAL = 17
CLOCK, PURSE, JOURNAL = (8, "0.0.1.0.0.255"), (20101, "0.0.128.0.0.255"), "0.0.99.128.0.255"


class Station:
    """A meter on an HDLC line; called with a client's turn it gives the meter's."""

    def __init__(self, world: MeterWorld, information_octets: int = 128) -> None:
        self.reactor = world.reactor
        bus, line, self.ear = Bus(self.reactor, octet_s=0), SharedLine(self.reactor), Recorder()
        own = HdlcAddress.server(1, PHYSICAL)
        self.server = HdlcServer(
            self.reactor, line, LinkParameters(own=own, limits=limits(information_octets)), world.factory
        )
        bus.join(line)
        bus.join(self.ear)

    @property
    def link(self) -> ServerLink:
        return self.server._server_link

    def __call__(self, octets: bytes) -> bytes:
        self.ear.heard.clear()
        self.ear.transport.write(octets)
        for _ in range(3):
            self.reactor.advance(0)
        return b"".join(self.ear.heard)


@pytest.fixture
def world(tmp_path: Any) -> Iterator[MeterWorld]:
    world = MeterWorld(tmp_path / "meter")
    with openssl():
        yield world
    world.meter.close()


def associated(world: MeterWorld, station: Station, role: Role = Role.PUBLIC, **options: Any) -> GuruxHdlcClient:
    credentials = None if role is Role.PUBLIC else world.credentials[role]
    client = GuruxHdlcClient(station, credentials, **options)
    client.associate()
    return client


@pytest.mark.parametrize("address_octets", [0, 4])
@pytest.mark.parametrize("information_octets", [128, 64, 240])
def test_a_ciphered_session_over_hdlc(world: MeterWorld, information_octets: int, address_octets: int) -> None:
    station = Station(world, information_octets)
    options = {"information_octets": information_octets, "address_octets": address_octets}
    client = associated(world, station, Role.MANAGEMENT, **options)
    for number in range(1, 21):
        outcome = client.call(*PURSE, 1, top_up(number, 100))
        assert outcome[0] == 0
    assert client.read(*PURSE, 2) == 2000
    rows = client.read(7, JOURNAL, 2)
    assert len(rows) == 20
    client.release()
    assert station.link.corrupt_frames == 0
    public = associated(world, station, **options)
    assert public.read(1, "0.0.43.1.3.255", 2) > 20
    with pytest.raises(GuruxError):
        public.read(*PURSE, 2)
    public.release()


@pytest.mark.parametrize("information_octets", [*range(100, 130), 247, 248, 254, 255, 500])
def test_a_page_of_the_journal_comes_whole_at_every_size_of_the_information_field(
    world: MeterWorld, information_octets: int
) -> None:
    """Up to 246 octets gurux's own frames are right (above, its length field may be 256 too small): ours always are."""
    station = Station(world, information_octets)
    client = associated(world, station, Role.MANAGEMENT, information_octets=information_octets)
    assert [client.call(*PURSE, 1, top_up(number, number))[0] for number in range(1, 8)] == [0] * 7
    assert [row[1] for row in client.read(7, JOURNAL, 2)] == list(range(1, 8))


def top_up(number: int, amount: int) -> bytes:
    return b"\x02\x02\x09\x10" + bytes.fromhex(identifier(number)) + b"\x14" + amount.to_bytes(8, "big")
