"""Listening for what meters push: TCP connections, UDP datagrams and HDLC UI frames in, notifications out.

Here: sockets, limits, time-outs. Not here: who is believed (`wire.notification_receiver`), what a push means. Imported
by whoever acts on pushes: `heard` is given each event of the receiver and where it came from, and must not raise.

    listener = PushListener(reactor, ReceiverParameters(contexts=contexts), heard)
    reactor.listenTCP(4059, listener.factory(maximum_connections=100))
    reactor.listenUDP(4059, listener.datagrams())
    line = HdlcLine(reactor, endpoint, pushed=listener.take_apdu)
"""

from collections.abc import Callable
from datetime import UTC, datetime

from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from dlms_objects.errors import RemoteError, TransportLostError
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.notification_receiver import NotificationReceiver, ReceiverEvent, ReceiverParameters
from dlms_objects.wire.wrapper import encode_frame

Heard = Callable[[ReceiverEvent, str], None]
"""Takes an event of a receiver and the address it came from, as `192.0.2.1` or `HDLC 1/17`."""

log = Logger()


class PushListener:
    """One listener for any number of meters, whatever they push over."""

    def __init__(self, reactor: IReactorTime, parameters: ReceiverParameters, heard: Heard) -> None:
        """`parameters` says who is believed, and how long the rest of a frame may take."""
        self.reactor = reactor
        self.parameters = parameters
        self.heard = heard

    def factory(self, *, maximum_connections: int) -> "PushFactory":
        """For `listenTCP`: a connection beyond the limit is closed at once."""
        return PushFactory(self, maximum_connections)

    def datagrams(self) -> DatagramProtocol:
        """For `listenUDP`."""
        return _PushDatagrams(self)

    def take_apdu(self, source: HdlcAddress, destination: HdlcAddress, apdu: bytes) -> None:
        """For `HdlcLine`: an APDU that came in UI frames."""
        self.take(encode_frame(source.upper, destination.upper, apdu), f"HDLC {source}")

    def take(self, octets: bytes, peer: str) -> None:
        """Whole frames, all at once; what is not whole is not looked at."""
        receiver = NotificationReceiver(self.parameters)
        try:
            receiver.receive_data(octets, self.now())
        except RemoteError as error:
            log.warn("a push from {peer} was not understood: {error}", peer=peer, error=error)
        self.drain(receiver, peer)

    def drain(self, receiver: NotificationReceiver, peer: str) -> None:
        """Hand out what a receiver holds."""
        while (event := receiver.next_event()) is not None:
            self.heard(event, peer)

    def now(self) -> datetime:
        """The time, for the receivers."""
        return datetime.fromtimestamp(self.reactor.seconds(), UTC)


class PushFactory(Factory):
    """The TCP connections of a listener."""

    noisy = False

    def __init__(self, listener: PushListener, limit: int) -> None:
        """At most `limit` are open at a time."""
        self.listener = listener
        self._limit = limit
        self._open = 0

    def buildProtocol(self, addr: IAddress | None) -> "_PushConnection | None":  # noqa: N802 - Twisted's name
        """A connection, or None when there are too many."""
        peer = str(getattr(addr, "host", addr))
        if self._open >= self._limit:
            log.warn("a push from {peer} was closed: {limit} connections are open", peer=peer, limit=self._limit)
            return None
        self._open += 1
        return _PushConnection(self, peer)

    def closed(self) -> None:
        """A connection tells that it is gone."""
        self._open -= 1


class _PushConnection(Protocol):
    """One TCP connection, which says nothing."""

    def __init__(self, factory: PushFactory, peer: str) -> None:
        self._factory = factory
        self._listener = factory.listener
        self._peer = peer
        self._receiver = NotificationReceiver(self._listener.parameters)
        self._timer: IDelayedCall | None = None

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Wait for the first frame no longer than for the rest of one."""
        self._wait(self._listener.parameters.rest_timeout_s)

    def dataReceived(self, octets: bytes) -> None:  # noqa: N802 - Twisted's name
        """Hand out what came; one that speaks no wrapper is cut off."""
        try:
            self._receiver.receive_data(octets, self._listener.now())
        except RemoteError as error:
            log.warn("a push from {peer} was cut off: {error}", peer=self._peer, error=error)
            self._cut()
        self._listener.drain(self._receiver, self._peer)
        self._wait(self._listener.parameters.rest_timeout_s)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Forget it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._factory.closed()

    def _wait(self, seconds: float) -> None:
        """Cut off who is silent for so long; the receiver's own deadline is never later."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._listener.reactor.callLater(seconds, self._time_passed)

    def _time_passed(self) -> None:
        self._timer = None
        try:
            self._receiver.handle_timeout(self._listener.now())
        except TransportLostError as error:
            log.warn("a push from {peer} was cut off: {error}", peer=self._peer, error=error)
        self._cut()

    def _cut(self) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]


class _PushDatagrams(DatagramProtocol):
    """One UDP port."""

    noisy = False

    def __init__(self, listener: PushListener) -> None:
        self._listener = listener

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:  # noqa: N802 - Twisted's name
        """One datagram is whole frames."""
        self._listener.take(datagram, addr[0])
