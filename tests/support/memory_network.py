"""TCP connections in memory: a reactor whose clock the test moves, and lines whose octets the test sees and alters."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from twisted.internet import task
from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError, ConnectionAborted, ConnectionDone, ConnectionRefusedError
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from tests.support.twisted_testing import result_of, started

T = TypeVar("T")

METER_HOST, CLIENT_HOST = "192.0.2.1", "192.0.2.2"
HIGH_WATER_OCTETS = 1 << 16


class MemoryTransport:
    """One end of a line: what is written waits in `outgoing` until the network carries it over."""

    def __init__(self, peer_host: str) -> None:
        """Nothing is connected yet."""
        self.peer_host = peer_host
        self.outgoing: deque[bytes] = deque()
        self.protocol: Any = None
        self.other: MemoryTransport
        self.on_write: Callable[[bytes], None] = lambda _octets: None
        self.is_reading = True
        self.is_closing = False
        self.is_lost = False
        self.producer: Any = None
        self.producer_is_paused = False

    def write(self, octets: bytes) -> None:
        """Queue octets; a registered producer is paused above HIGH_WATER_OCTETS."""
        if self.is_lost:
            return
        self.on_write(octets)
        self.outgoing.append(octets)
        if self.producer is not None and sum(map(len, self.outgoing)) > HIGH_WATER_OCTETS:
            self.producer_is_paused = True
            self.producer.pauseProducing()

    def loseConnection(self) -> None:  # noqa: N802 - Twisted's name
        """Close after what was written."""
        self.is_closing = True
        self.is_reading = False

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        """Close at once."""
        self.outgoing.clear()
        self.lose(ConnectionAborted())

    def lose(self, reason: Exception) -> None:
        """Both ends learn that the line is gone."""
        for end, why in ((self, reason), (self.other, ConnectionDone())):
            if not end.is_lost:
                end.is_lost = True
                end.protocol.connectionLost(Failure(why))

    def getPeer(self) -> IPv4Address:  # noqa: N802 - Twisted's name
        """The other end."""
        return IPv4Address("TCP", self.peer_host, 50_000)

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: N802 - Twisted's name
        """As Twisted's TCP transports."""
        assert streaming
        assert self.producer is None
        self.producer = producer

    def unregisterProducer(self) -> None:  # noqa: N802 - Twisted's name
        """As Twisted's TCP transports."""
        self.producer = None

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Read nothing for now."""
        self.is_reading = False

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Read again."""
        self.is_reading = not self.is_closing

    def drained(self) -> None:
        """Everything written was carried over."""
        if self.producer is not None and self.producer_is_paused:
            self.producer_is_paused = False
            self.producer.resumeProducing()
        elif self.is_closing and not self.is_lost:
            self.lose(ConnectionDone())


Alter = Callable[[bytes], bytes]


class Line:
    """One connection; `to_meter` and `to_client` may alter what is carried, and everything carried is kept."""

    def __init__(self, client: MemoryTransport, meter: MemoryTransport) -> None:
        """Join the two ends."""
        self.client, self.meter = client, meter
        client.other, meter.other = meter, client
        self.to_meter: Alter = lambda octets: octets
        self.to_client: Alter = lambda octets: octets
        self.carried_to_meter: list[bytes] = []
        self.carried_to_client: list[bytes] = []

    def carry(self) -> bool:
        """Carry over what both ends wrote; whether there was anything to do."""
        moved = self._carry(self.client, self.meter, self.to_meter, self.carried_to_meter)
        return self._carry(self.meter, self.client, self.to_client, self.carried_to_client) or moved

    @staticmethod
    def _carry(source: MemoryTransport, sink: MemoryTransport, alter: Alter, carried: list[bytes]) -> bool:
        moved = False
        while source.outgoing and sink.is_reading and not sink.is_lost:
            octets = alter(source.outgoing.popleft())
            carried.append(octets)
            moved = True
            if octets:
                sink.protocol.dataReceived(octets)
        if not source.outgoing and (source.producer_is_paused or source.is_closing) and not source.is_lost:
            source.drained()
            moved = True
        return moved


class MemoryReactor(task.Clock):
    """A clock that also connects: `connectTCP` reaches the factory that `listener` is."""

    def __init__(self, now_s: float) -> None:
        """Begin at that second."""
        super().__init__()
        self.rightNow = now_s
        self.listener: Factory | None = None
        self.lines: list[Line] = []
        self.client_host = CLIENT_HOST

    def connectTCP(  # noqa: N802 - Twisted's name
        self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None
    ) -> "MemoryReactor":
        """Connect a client factory with the listener."""
        factory.doStart()
        factory.startedConnecting(self)
        meter_side = None if self.listener is None else self.listener.buildProtocol(self._address(None))
        if meter_side is None:
            factory.clientConnectionFailed(self, Failure(ConnectionRefusedError("nobody listens")))
            return self
        self._join(factory.buildProtocol(None), meter_side)
        return self

    def listenTCP(  # noqa: N802 - Twisted's name
        self, port: int, factory: Factory, backlog: int = 50, interface: str = ""
    ) -> "MemoryPort":
        """Listen with a server factory; CannotListenError while another listens."""
        if self.listener is not None:
            raise CannotListenError(interface, port, OSError(98, "Address already in use"))
        self.listener = factory
        return MemoryPort(self, interface, port)

    def dial(self, protocol: Protocol, host: str | None = None) -> Line | None:
        """Connect a bare protocol; None when the listener does not take it."""
        assert self.listener is not None
        meter_side = self.listener.buildProtocol(self._address(host))
        return None if meter_side is None else self._join(protocol, meter_side, host)

    def run(self, awaitable: Awaitable[T]) -> T:
        """Carry octets until everything is quiet; the result, or what it raised; AssertionError if it still waits."""
        under_way = started(awaitable)
        self.settle()
        return result_of(under_way)

    def settle(self) -> None:
        """Carry octets until nothing moves."""
        self.advance(0)
        while any([line.carry() for line in self.lines]):
            self.advance(0)
        self.lines = [line for line in self.lines if not line.client.is_lost]

    def _address(self, host: str | None) -> IPv4Address:
        return IPv4Address("TCP", host or self.client_host, 50_000)

    def _join(self, client_side: Any, meter_side: Any, host: str | None = None) -> Line:
        line = Line(MemoryTransport(METER_HOST), MemoryTransport(host or self.client_host))
        line.client.protocol, line.meter.protocol = client_side, meter_side
        self.lines.append(line)
        meter_side.makeConnection(line.meter)
        client_side.makeConnection(line.client)
        return line


class MemoryPort:
    """What `listenTCP` gives."""

    def __init__(self, reactor: MemoryReactor, interface: str, port: int) -> None:
        """Listening."""
        self._reactor = reactor
        self._address = IPv4Address("TCP", interface, port)

    def getHost(self) -> IPv4Address:  # noqa: N802 - Twisted's name
        """Where it listens."""
        return self._address

    def stopListening(self) -> None:  # noqa: N802 - Twisted's name
        """Listen no more."""
        self._reactor.listener = None


class RawPeer(Protocol):
    """A peer that says what the test wants and keeps what it hears."""

    def __init__(self) -> None:
        """Nothing heard yet."""
        self.heard = b""
        self.is_closed = False

    def dataReceived(self, octets: bytes) -> None:  # noqa: N802 - Twisted's name
        """Keep it."""
        self.heard += octets

    def connectionLost(self, reason: Any = None) -> None:  # noqa: N802 - Twisted's name
        """The meter hung up."""
        self.is_closed = True
