"""The server's side of HDLC links on a line: each link that a client opens is a connection for the meter's protocol.

Here: one station on its line. Not here: the link itself (`wire.hdlc_server`). Imported by whoever serves a meter.
"""

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IProtocolFactory, IReactorTime
from twisted.python.failure import Failure

from dlms_objects.transport.link_driver import LinkDriver
from dlms_objects.transport.link_transport import HdlcPeer, LinkTransport
from dlms_objects.transport.shared_line import SharedLine
from dlms_objects.wire.events import SendOctets
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_events import (
    ApduReceived,
    Disconnect,
    LinkClosed,
    LinkEnd,
    LinkEvent,
    LinkOpened,
    SendApdu,
    SendUnconfirmed,
)
from dlms_objects.wire.hdlc_parameters import LinkParameters
from dlms_objects.wire.hdlc_server import ServerLink


class HdlcServer(LinkDriver):
    """One station on a line; several of them may stand on one."""

    def __init__(
        self,
        reactor: IReactorTime,
        line: SharedLine,
        parameters: LinkParameters,
        protocol_factory: IProtocolFactory,
    ) -> None:
        """Each link gets a protocol of the factory, which reads and writes wrapper frames between the link's SAPs."""
        self._server_link = ServerLink(parameters)
        super().__init__(reactor, line, self._server_link)
        self._own = parameters.own
        self._factory = protocol_factory
        self._transport: LinkTransport | None = None

    @property
    def is_open(self) -> bool:
        """Whether a client has a link."""
        return self._transport is not None

    def say(self, apdu: bytes) -> None:
        """Answer the request that came last, or be asked for it."""
        self._speak(SendApdu(apdu))

    def push(self, apdu: bytes, client: HdlcAddress) -> None:
        """Send an APDU unasked, in UI frames, to a client or to the address of all; nobody confirms it."""
        self._line.write(self._link.send(SendUnconfirmed(apdu, client), self._now()))

    def hang_up(self) -> None:
        """Answer no more in this link once all is said."""
        self._act()

    def abort(self) -> None:
        """Answer no more in this link from now on."""
        self._speak(Disconnect())

    def _speak(self, command: SendApdu | Disconnect) -> None:
        octets = self._link.send(command, self._now())
        if octets:
            self._line.write(octets)
        self._act()

    def _take(self, event: LinkEvent) -> None:
        match event:  # what a client sends in UI frames is passed over: nothing here is done without an association
            case SendOctets():
                self._line.write(event.octets)
            case LinkOpened():
                self._open(event.peer)
            case ApduReceived() if self._transport is not None:
                self._transport.deliver(event.apdu)
            case LinkClosed():
                is_good = event.end in (LinkEnd.REQUESTED, LinkEnd.INACTIVITY)
                words = event.end.name.lower().replace("_", " ")
                self._close(Failure(ConnectionDone() if is_good else ConnectionLost(f"the HDLC link ended: {words}")))

    def _rest(self) -> None:
        transport = self._transport
        if transport is not None and transport.disconnecting and not self._link.has_unsent:
            self._speak(Disconnect())

    def _open(self, client: HdlcAddress) -> None:
        protocol = self._factory.buildProtocol(HdlcPeer(client))
        if protocol is None:
            self._speak(Disconnect())
            return
        self._transport = LinkTransport(self, protocol, own=self._own, peer=client)
        self._transport.connect()

    def _close(self, reason: Failure) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close(reason)

    def _lost(self, reason: Failure) -> None:
        self._close(reason)
