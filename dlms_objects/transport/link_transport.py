"""An HDLC link as a Twisted transport, for a protocol that reads and writes wrapper frames.

The associations speak wrapper frames, whatever carries them: over HDLC the SAPs in their headers are the addresses of
the link, and only the APDUs go on the line. Imported by `hdlc` and `hdlc_server`.
"""

from typing import Protocol as Interface

from twisted.internet.interfaces import IAddress, IProtocol
from zope.interface import implementer

from dlms_objects.transport.frame_transport import FrameTransport
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.wrapper import Frame, encode_frame


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


class LinkTransport(FrameTransport):
    """The transport of one protocol for as long as one link is open."""

    def __init__(self, owner: LinkOwner, protocol: IProtocol, *, own: HdlcAddress, peer: HdlcAddress) -> None:
        """`own` is the address of the protocol's side; `connect` comes next."""
        super().__init__(protocol, host=HdlcPeer(own), peer=HdlcPeer(peer))
        self._owner = owner
        self._own, self._peer = own, peer

    def deliver(self, octets: bytes) -> None:
        """An APDU of the peer; none after the end."""
        super().deliver(encode_frame(self._peer.upper, self._own.upper, octets))

    def _carry(self, frame: Frame) -> None:
        self._owner.say(frame.apdu)

    def _hang_up(self) -> None:
        self._owner.hang_up()

    def _leave(self) -> None:
        self._owner.abort()
