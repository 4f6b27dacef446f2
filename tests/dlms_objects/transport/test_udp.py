"""The wrapper over UDP with real sockets: associations, lost datagrams, strangers, and APDUs that fit a datagram."""

from typing import Any

import pytest
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import deferLater

from dlms_objects.classes.catalogue import Role
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.errors import TransportLostError
from dlms_objects.meter.connection import MeterFactory
from dlms_objects.transport import udp
from dlms_objects.transport.client import open_session
from dlms_objects.transport.remote_object import RemoteObject
from dlms_objects.transport.udp import UDP_APDU_OCTETS, UdpServer, for_udp
from tests.support.meters import JOURNAL_BUFFER, MeterWorld, identifier
from tests.support.real_reactor import run_for_real


class Listening:
    """A meter on a UDP port of loopback, under a real reactor."""

    def __init__(self, world: MeterWorld, reactor: Any, interface: str = "127.0.0.1", limit: int = 8) -> None:
        self.world, self.reactor = world, reactor
        self.factory = MeterFactory(reactor, world.meter, for_udp(world.meter.server_parameters(180.0)), limit)
        self.server = UdpServer(self.factory)
        self.port = reactor.listenUDP(0, self.server, interface=interface)
        self.endpoint = f"udp:{quoteStringArgument(interface)}:{self.port.getHost().port}"

    async def session(self, **changes: Any) -> Any:
        return await open_session(self.reactor, self.endpoint, self.world.parameters(Role.MANAGEMENT, **changes))

    async def stop(self) -> None:
        await self.factory.drop_all()
        await self.port.stopListening()


def over_udp(world: MeterWorld, work: Any, **options: Any) -> Any:
    async def run(reactor: Any) -> Any:
        listening = Listening(world, reactor, **options)
        try:
            return await work(listening)
        finally:
            await listening.stop()

    return run_for_real(run)


@pytest.mark.parametrize("interface", ["127.0.0.1", "::1"])
def test_a_session_over_udp_is_a_session(world: MeterWorld, interface: str) -> None:
    async def top_up(listening: Listening) -> int:
        session = await listening.session()
        purse = RemoteObject(session, PURSE, PURSE_NAME)
        await purse.call("top_up", {"transaction_id": identifier(1), "amount": 5_000})
        balance = await purse.get("balance")
        await session.release()
        return int(balance)

    assert over_udp(world, top_up, interface=interface) == 5_000


def test_no_datagram_is_longer_than_a_packet_and_long_answers_come_in_blocks(
    world: MeterWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.connect()
    for number in range(1, 101):
        client.top_up(number, 10)
    sent: list[int] = []
    send = UdpServer.send

    def watched(self: UdpServer, octets: bytes, peer: Any) -> None:
        sent.append(len(octets))
        send(self, octets, peer)

    monkeypatch.setattr(UdpServer, "send", watched)

    async def read(listening: Listening) -> bytes:
        session = await listening.session()
        octets: bytes = await session.get(JOURNAL_BUFFER)
        await session.release()
        return octets

    assert over_udp(world, read) == client.read(JOURNAL_BUFFER)
    assert UDP_APDU_OCTETS // 2 < max(sent) <= UDP_APDU_OCTETS + 8
    assert len(sent) > 7


def test_a_lost_answer_is_a_deadline_and_nothing_is_done_twice(
    world: MeterWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(listening: Listening) -> None:
        session = await listening.session(timeout_s=0.3)
        monkeypatch.setattr(UdpServer, "send", lambda *_: None)
        with pytest.raises(TransportLostError):
            await RemoteObject(session, PURSE, PURSE_NAME).call(
                "top_up", {"transaction_id": identifier(1), "amount": 5_000}
            )

    over_udp(world, lose)
    assert world.meter.keeper.state.balance == 5_000
    assert world.connect().top_up(1, 5_000)["outcome"] == "repeated"


def test_nobody_listens_is_a_lost_line(world: MeterWorld) -> None:
    async def ask(listening: Listening) -> None:
        await listening.port.stopListening()
        listening.port = listening.reactor.listenUDP(0, DatagramProtocol(), interface="127.0.0.1")
        with pytest.raises(TransportLostError):
            await listening.session(timeout_s=2.0)

    over_udp(world, ask)


def test_strangers_cost_their_own_place_only_and_give_it_back(world: MeterWorld) -> None:
    class Stranger(DatagramProtocol):
        pass

    async def disturb(listening: Listening) -> None:
        reactor, there = listening.reactor, ("127.0.0.1", listening.port.getHost().port)
        sockets = [reactor.listenUDP(0, Stranger(), interface="127.0.0.1") for _ in range(20)]
        session = await listening.session()
        for socket in sockets:
            socket.write(b"GET / HTTP/1.1\r\n\r\n", there)
        await deferLater(reactor, 0.2, lambda: None)
        assert await RemoteObject(session, PURSE, PURSE_NAME).get("balance") == 0
        await session.release()
        again = await listening.session()
        await again.release()
        for socket in sockets:
            await socket.stopListening()

    over_udp(world, disturb, limit=4)


def test_parameters_for_udp_are_the_same_but_for_the_longest_apdu(world: MeterWorld) -> None:
    parameters = world.parameters(Role.MANAGEMENT)
    assert for_udp(parameters).max_pdu == udp.UDP_APDU_OCTETS < parameters.max_pdu
    assert for_udp(for_udp(parameters)) == for_udp(parameters)
