"""The wrapper over UDP, both roles: one frame a datagram, and what connects is a connection like over TCP.

Nothing is sent twice here: an answer that does not come is a deadline of the session, and who asks again opens a new
one. A frame has to fit a datagram, so both sides negotiate APDUs of at most UDP_APDU_OCTETS and use blocks beyond.

A server takes each address it hears from for a connection, until the protocol ends it: its association's time-outs do,
as over TCP. A datagram with a forged sender costs a place until then; so the limit of the factory is for UDP alone.
"""

import contextlib
from dataclasses import replace
from typing import Any, Final, TypeVar

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectError, ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import DatagramProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from dlms_objects.transport.frame_transport import FrameTransport
from dlms_objects.wire.parameters import ClientParameters, ServerParameters
from dlms_objects.wire.wrapper import Frame, encode_frame

UDP_APDU_OCTETS: Final = 1_400
"""The longest APDU over UDP: with headers it fits the usual 1500 octets of a packet, so nothing is fragmented."""

Host = tuple[str, int]
Parameters = TypeVar("Parameters", ClientParameters, ServerParameters)


def for_udp(parameters: Parameters) -> Parameters:
    """The same parameters with APDUs that fit a datagram."""
    return replace(parameters, max_pdu=min(parameters.max_pdu, UDP_APDU_OCTETS))


class _PeerTransport(FrameTransport):
    """One protocol's frames to and from one address."""

    def __init__(self, owner: "UdpServer | _UdpClient", protocol: IProtocol, own: Host, peer: Host) -> None:
        super().__init__(protocol, host=_address(own), peer=_address(peer))
        self._owner = owner
        self._peer = peer

    def _carry(self, frame: Frame) -> None:
        self._owner.send(encode_frame(*frame), self._peer)

    def _hang_up(self) -> None:
        self._end(ConnectionDone())

    def _leave(self) -> None:
        self._end(ConnectionAborted())

    def _end(self, reason: Exception) -> None:
        self._owner.forget(self._peer)
        self.close(Failure(reason))


class UdpServer(DatagramProtocol):
    """Listens on one port; each address that speaks gets a protocol of the factory. For `reactor.listenUDP`."""

    noisy = False

    def __init__(self, protocol_factory: IProtocolFactory) -> None:
        """The factory may refuse an address by returning None; its datagrams are then not looked at."""
        self._factory = protocol_factory
        self._peers: dict[Host, _PeerTransport] = {}

    def datagramReceived(self, datagram: bytes, addr: Host) -> None:  # noqa: N802 - Twisted's name
        """Hand a datagram to its connection, which begins with the first one."""
        peer = (addr[0], addr[1])
        transport = self._peers.get(peer)
        if transport is None:
            protocol = self._factory.buildProtocol(_address(peer))
            if protocol is None:
                return
            own = self.transport.getHost()  # type: ignore[union-attr]
            self._peers[peer] = transport = _PeerTransport(self, protocol, (own.host, own.port), peer)
            transport.connect()
        transport.deliver(datagram)

    def send(self, octets: bytes, peer: Host) -> None:
        """One datagram; one that the network refuses is lost like any other."""
        with contextlib.suppress(OSError):
            self.transport.write(octets, peer)  # type: ignore[union-attr]

    def forget(self, peer: Host) -> None:
        """The connection with that address is over."""
        self._peers.pop(peer, None)


class _UdpClient(DatagramProtocol):
    """A socket of our own for one connection."""

    noisy = False

    def __init__(self, peer: Host) -> None:
        self._peer = peer
        self.connection: _PeerTransport | None = None

    def startProtocol(self) -> None:  # noqa: N802 - Twisted's name
        self.transport.connect(*self._peer)  # type: ignore[union-attr]

    def datagramReceived(self, datagram: bytes, addr: Host) -> None:  # noqa: N802 - Twisted's name
        if self.connection is not None:
            self.connection.deliver(datagram)

    def connectionRefused(self) -> None:  # noqa: N802 - Twisted's name
        connection = self.connection
        if connection is not None:
            self.forget(self._peer)
            connection.close(Failure(ConnectionLost("nobody listens there")))

    def send(self, octets: bytes, _peer: Host) -> None:
        with contextlib.suppress(OSError):
            self.transport.write(octets)  # type: ignore[union-attr, call-arg]  # it is connected

    def forget(self, _peer: Host) -> None:
        self.connection = None
        self.transport.stopListening()  # type: ignore[union-attr]


@implementer(IStreamClientEndpoint)
class UdpEndpoint:
    """A meter that listens on a UDP port."""

    def __init__(self, reactor: Any, host: str, port: int) -> None:
        """`host` is an address or a name."""
        self._reactor = reactor
        self._host, self._port = host, port

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":  # noqa: N803 - Twisted's name
        """A protocol on a socket of its own; nothing is sent yet, so it does not tell whether anybody listens."""
        found = succeed(self._host) if ":" in self._host else self._reactor.resolve(self._host)
        connected: Deferred[IProtocol] = found.addCallback(self._connected, protocolFactory)
        return connected

    def _connected(self, address: str, protocol_factory: IProtocolFactory) -> IProtocol:
        peer = (address, self._port)
        client = _UdpClient(peer)
        protocol = protocol_factory.buildProtocol(_address(peer))
        if protocol is None:
            raise ConnectError(string=f"no protocol for {address}")
        port = self._reactor.listenUDP(0, client, interface="::" if ":" in address else "")
        own = port.getHost()
        client.connection = _PeerTransport(client, protocol, (own.host, own.port), peer)
        client.connection.connect()
        return protocol


def _address(host: Host) -> "IPv4Address | IPv6Address":
    return (IPv6Address if ":" in host[0] else IPv4Address)("UDP", *host)
