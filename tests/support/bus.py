"""A half-duplex line in memory: whoever is on it hears what the others say, octets take time, two at once collide."""

from collections.abc import Callable
from typing import Any

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

OCTET_S = 0.001


class Bus:
    """The line; `collisions` counts how often two spoke at once."""

    def __init__(self, clock: Clock, *, octet_s: float = OCTET_S) -> None:
        """Nobody is on it."""
        self.clock = clock
        self.octet_s = octet_s
        self.collisions = 0
        self.said: list[tuple[float, Any, bytes]] = []
        self.members: list[BusTransport] = []
        self.drops: Callable[[bytes], bool] = lambda _: False
        self._busy_until_s = 0.0

    def join(self, protocol: Any) -> "BusTransport":
        """Connect a protocol."""
        transport = BusTransport(self, protocol)
        self.members.append(transport)
        protocol.makeConnection(transport)
        return transport

    def say(self, speaker: "BusTransport", octets: bytes) -> None:
        """Put octets on the line; the others hear them when the last one is out."""
        now_s = self.clock.seconds()
        self.collisions += now_s < self._busy_until_s and self.said[-1][1] is not speaker
        self.said.append((now_s, speaker, octets))
        self._busy_until_s = max(now_s, self._busy_until_s) + self.octet_s * len(octets)
        if not self.drops(octets):
            self.clock.callLater(self._busy_until_s - now_s, self._hear, speaker, octets)

    def cut(self) -> None:
        """The line breaks for all."""
        for member in tuple(self.members):
            member.end(Failure(ConnectionLost()))

    def _hear(self, speaker: "BusTransport", octets: bytes) -> None:
        for member in tuple(self.members):
            if member is not speaker:
                member.protocol.dataReceived(octets)


class BusTransport:
    """One member's connection to the line."""

    def __init__(self, bus: Bus, protocol: Any) -> None:
        """`Bus.join` makes it."""
        self.bus = bus
        self.protocol = protocol
        self.disconnecting = False

    def write(self, octets: bytes) -> None:
        """Say octets."""
        self.bus.say(self, octets)

    def loseConnection(self) -> None:  # noqa: N802 - Twisted's name
        """Leave, a moment later."""
        if not self.disconnecting:
            self.disconnecting = True
            self.bus.clock.callLater(0, self.end, Failure(ConnectionDone()))

    def end(self, reason: Failure) -> None:
        """Leave now."""
        if self in self.bus.members:
            self.bus.members.remove(self)
            self.protocol.connectionLost(reason)


class BusEndpoint:
    """A client endpoint that leads to the bus."""

    def __init__(self, bus: Bus) -> None:
        """It refuses while `is_refusing`, and connects only at `let` while `is_slow`."""
        self.bus = bus
        self.is_refusing = False
        self.connections = 0

    def connect(self, factory: Any) -> "Deferred[Any]":
        """Join."""
        if self.is_refusing:
            return defer.fail(ConnectError(string="refused"))
        self.connections += 1
        joined: Deferred[Any] = Deferred()

        def join() -> None:
            protocol = factory.buildProtocol(None)
            self.bus.join(protocol)
            joined.callback(protocol)

        self.bus.clock.callLater(0.01, join)
        return joined


class Recorder(Protocol):
    """A protocol that keeps what it hears, and answers with `answer` if there is one."""

    def __init__(self, answer: Callable[[bytes], bytes] | None = None) -> None:
        """Nothing heard."""
        self.answer = answer
        self.heard: list[bytes] = []
        self.lost: Failure | None = None

    def dataReceived(self, octets: bytes) -> None:  # noqa: N802 - Twisted's name
        """Keep it; answer it."""
        self.heard.append(octets)
        if self.answer is not None and self.transport is not None:
            self.transport.write(self.answer(octets))

    def connectionLost(self, reason: Failure | None = None) -> None:  # noqa: N802
        """Keep why."""
        self.lost = reason


class Recorders(Factory):
    """Makes recorders and keeps them; with `answer` None they are silent."""

    def __init__(self, answer: Callable[[bytes], bytes] | None = None, *, limit: int = 1000) -> None:
        """It makes no more than `limit`."""
        self.answer = answer
        self.limit = limit
        self.made: list[Recorder] = []

    def buildProtocol(self, addr: Any) -> Recorder | None:  # noqa: N802 - Twisted's name
        """Another one."""
        if len(self.made) >= self.limit:
            return None
        self.made.append(Recorder(self.answer))
        return self.made[-1]
