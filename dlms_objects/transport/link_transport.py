"""An HDLC link as a Twisted transport, for a protocol that reads and writes wrapper frames.

The associations speak wrapper frames, whatever carries them: over HDLC the SAPs in their headers are the addresses of
the link, and only the APDUs go on the line. Imported by `hdlc` and `hdlc_server`.
"""

from typing import Protocol as Interface

from twisted.internet.interfaces import IAddress, IConsumer, IProducer, IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import implementer

from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.wrapper import Wrapper, encode_frame


class LinkOwner(Interface):
    """What a transport asks of the driver of its link."""

    def say(self, apdu: bytes) -> None:
        """Send an APDU."""

    def hang_up(self) -> None:
        """End the link after what was said."""

    def abort(self) -> None:
        """Leave the link at once."""


@implementer(IAddress)
class HdlcPeer:
    """The address of a station, for factories and logs."""

    def __init__(self, address: HdlcAddress) -> None:
        """Of this station."""
        self.address = address

    def __str__(self) -> str:
        """As in `HDLC 1/17`."""
        return f"HDLC {self.address}"


@implementer(ITransport, IConsumer, IPushProducer)
class LinkTransport:
    """The transport of one protocol for as long as one link is open.

    Nothing piles up in it: an answer has gone before the next request comes. So producers are never paused, and a pause
    of ours would change nothing.
    """

    def __init__(self, owner: LinkOwner, protocol: IProtocol, *, own: HdlcAddress, peer: HdlcAddress) -> None:
        """`own` is the address of the protocol's side; `connect` comes next."""
        self._owner = owner
        self._protocol = protocol
        self._own, self._peer = HdlcPeer(own), HdlcPeer(peer)
        self._wrapper = Wrapper()
        self.disconnecting = False
        self.disconnected = False

    def connect(self) -> None:
        """Tell the protocol that it can speak."""
        self._protocol.makeConnection(self)

    def deliver(self, apdu: bytes) -> None:
        """An APDU of the peer; none after the end."""
        if not self.disconnected:
            self._protocol.dataReceived(encode_frame(self._peer.address.upper, self._own.address.upper, apdu))

    def close(self, reason: Failure) -> None:
        """The link is gone."""
        self.disconnected = True
        self._protocol.connectionLost(reason)

    def write(self, octets: bytes) -> None:
        """Send the APDUs in those wrapper frames; nothing once the link is gone."""
        for frame in self._wrapper.receive(octets):
            if not self.disconnected:
                self._owner.say(frame.apdu)

    def writeSequence(self, pieces: "list[bytes]") -> None:  # type: ignore[override]  # noqa: N802 - Twisted's name
        """As `write`."""
        self.write(b"".join(pieces))

    def loseConnection(self) -> None:  # noqa: N802 - Twisted's name
        """End the link after what was written."""
        if not (self.disconnecting or self.disconnected):
            self.disconnecting = True
            self._owner.hang_up()

    def abortConnection(self) -> None:  # noqa: N802 - Twisted's name
        """Leave the link at once."""
        if not self.disconnected:
            self._owner.abort()

    def getPeer(self) -> IAddress:  # noqa: N802 - Twisted's name
        """The other station."""
        return self._peer

    def getHost(self) -> IAddress:  # noqa: N802 - Twisted's name
        """Our own station."""
        return self._own

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:  # noqa: N802 - Twisted's name
        """There is nothing to pause it for."""

    def unregisterProducer(self) -> None:  # noqa: N802 - Twisted's name
        """As if it had never been registered."""

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The next request waits for the answer to this one anyhow."""

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Nothing was paused."""

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """End the link after what was written."""
        self.loseConnection()
