"""What carries single wrapper frames instead of a stream, as a Twisted transport: over HDLC links and over UDP.

A protocol reads and writes wrapper frames as over TCP; each frame is handed on by itself. Nothing piles up: an answer
has gone before the next request comes. So producers are never paused, and a pause of ours would change nothing.
"""

from abc import ABC, abstractmethod

from twisted.internet.interfaces import IAddress, IConsumer, IProducer, IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import implementer

from dlms_objects.wire.wrapper import Frame, Wrapper


@implementer(ITransport, IConsumer, IPushProducer)
class FrameTransport(ABC):
    """The transport of one protocol. What carries the frames is the subclass's business."""

    def __init__(self, protocol: IProtocol, *, host: IAddress, peer: IAddress) -> None:
        """`host` is the address of the protocol's side; `connect` comes next."""
        self._protocol = protocol
        self._host_address, self._peer_address = host, peer
        self._wrapper = Wrapper()
        self.disconnecting = False
        self.disconnected = False

    @abstractmethod
    def _carry(self, frame: Frame) -> None:
        """Send one frame."""

    @abstractmethod
    def _hang_up(self) -> None:
        """End it after what was sent."""

    @abstractmethod
    def _leave(self) -> None:
        """End it at once."""

    def connect(self) -> None:
        """Tell the protocol that it can speak."""
        self._protocol.makeConnection(self)

    def deliver(self, octets: bytes) -> None:
        """A frame of the peer; none after the end."""
        if not self.disconnected:
            self._protocol.dataReceived(octets)

    def close(self, reason: Failure) -> None:
        """It is over."""
        self.disconnected = True
        self._protocol.connectionLost(reason)

    def write(self, octets: bytes) -> None:
        """Send those wrapper frames; nothing once it is over."""
        for frame in self._wrapper.receive(octets):
            if not self.disconnected:
                self._carry(frame)

    def writeSequence(self, pieces: "list[bytes]") -> None:  # type: ignore[override]  # noqa: N802 - Twisted's name
        """As `write`."""
        self.write(b"".join(pieces))

    def loseConnection(self) -> None:  # noqa: N802 - Twisted's name
        """End it after what was written."""
        if not (self.disconnecting or self.disconnected):
            self.disconnecting = True
            self._hang_up()

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        """End it at once."""
        if not self.disconnected:
            self._leave()

    def getPeer(self) -> IAddress:  # noqa: N802 - Twisted's name
        """The other side."""
        return self._peer_address

    def getHost(self) -> IAddress:  # noqa: N802 - Twisted's name
        """Our own side."""
        return self._host_address

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:  # noqa: N802, B027 - Twisted's name, and need
        """There is nothing to pause it for."""

    def unregisterProducer(self) -> None:  # noqa: N802, B027 - Twisted's name, and need
        """As if it had never been registered."""

    def pauseProducing(self) -> None:  # noqa: N802, B027 - Twisted's name, and need
        """The next request waits for the answer to this one anyhow."""

    def resumeProducing(self) -> None:  # noqa: N802, B027 - Twisted's name, and need
        """Nothing was paused."""

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """End it after what was written."""
        self.loseConnection()
