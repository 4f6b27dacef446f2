"""HDLC links to meters over a line that they share, as endpoints: what connects to one is a connection like over TCP.

Here: the line opened with the first link and closed with the last, one request at a time on it, connect and disconnect.
Not here: the link itself (`wire.hdlc_client`). Imported by whoever opens sessions.

    line = HdlcLine(reactor, SerialEndpoint(reactor, serial_settings("serial:/dev/ttyUSB0")), turnaround_s=0.01)
    meter = line.station(LinkParameters(own=HdlcAddress.client(1), peer=HdlcAddress.server(1, 17)))
    protocol = await meter.connect(factory)
"""

from collections.abc import Callable
from typing import Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface import implementer

from dlms_objects.transport.link_driver import LinkDriver
from dlms_objects.transport.link_transport import HdlcPeer, LinkTransport
from dlms_objects.transport.shared_line import SharedLine
from dlms_objects.wire.events import SendOctets
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_client import ClientLink
from dlms_objects.wire.hdlc_events import (
    ApduReceived,
    Connect,
    Disconnect,
    LinkClosed,
    LinkCommand,
    LinkEnd,
    LinkEvent,
    SendApdu,
    UnconfirmedReceived,
)
from dlms_objects.wire.hdlc_parameters import LinkParameters
from dlms_objects.wire.hdlc_states import ClientLinkState

Pushed = Callable[[HdlcAddress, HdlcAddress, bytes], None]
"""Takes an APDU that a server sent in UI frames, unasked, with the server and the client; must not raise."""

_C: Final = ClientLinkState
_RESTING: Final = (_C.CONNECTED, _C.DISCONNECTED)


class HdlcLine:
    """A line and the stations on it; the connection is open while a link is."""

    def __init__(
        self,
        reactor: IReactorTime,
        endpoint: IStreamClientEndpoint,
        *,
        turnaround_s: float = 0.0,
        pushed: Pushed = lambda _source, _destination, _apdu: None,
    ) -> None:
        """`endpoint` leads to the line; it rests for `turnaround_s` before each of our turns.

        `pushed` hears what servers push while a link is open; without it nobody does.
        """
        self.pushed = pushed
        self._reactor = reactor
        self._endpoint = endpoint
        self._turnaround_s = turnaround_s
        self._line: SharedLine | None = None
        self._opening: list[Deferred[SharedLine]] = []

    def station(self, parameters: LinkParameters) -> "HdlcEndpoint":
        """The endpoint of one server on the line."""
        return HdlcEndpoint(self, parameters)

    async def connect(self, parameters: LinkParameters, protocol_factory: IProtocolFactory) -> IProtocol:
        """A protocol on a new link; ConnectError when the line or the link cannot be had."""
        channel = _Channel(self._reactor, await self._open_line(), parameters, self.pushed)
        return await channel.open(protocol_factory)

    async def _open_line(self) -> SharedLine:
        if self._line is not None and self._line.transport is not None and self._line.has_listeners:
            return self._line
        waiting: Deferred[SharedLine] = Deferred()
        self._opening.append(waiting)
        if len(self._opening) == 1:
            line = SharedLine(self._reactor, turnaround_s=self._turnaround_s)
            connecting = self._endpoint.connect(Factory.forProtocol(lambda: line))
            connecting.addCallbacks(lambda _: self._opened(line), self._failed)
        return await waiting

    def _opened(self, line: SharedLine) -> None:
        self._line = line
        opening, self._opening = self._opening, []
        for waiting in opening:
            waiting.callback(line)

    def _failed(self, failure: Failure) -> None:
        opening, self._opening = self._opening, []
        for waiting in opening:
            waiting.errback(failure)


@implementer(IStreamClientEndpoint)
class HdlcEndpoint:
    """One server on a line."""

    def __init__(self, line: HdlcLine, parameters: LinkParameters) -> None:
        """`HdlcLine.station` makes it."""
        self._line = line
        self._parameters = parameters

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":  # noqa: N803 - Twisted's name
        """A protocol on a new link, which reads and writes wrapper frames between the SAPs of the link."""
        return Deferred.fromCoroutine(self._line.connect(self._parameters, protocolFactory))


class _Channel(LinkDriver):
    """One link, from its opening to its end."""

    def __init__(self, reactor: IReactorTime, line: SharedLine, parameters: LinkParameters, pushed: Pushed) -> None:
        self._pushed = pushed
        self._client_link = ClientLink(parameters)
        super().__init__(reactor, line, self._client_link)
        self._own = parameters.own
        self._server = self._client_link.server
        self._quiet_s = parameters.times.response_s
        self._holds_line = False
        self._apdus: list[bytes] = []
        self._end: LinkEnd | None = None
        self._opened: Deferred[None] = Deferred()
        self._transport: LinkTransport | None = None

    async def open(self, protocol_factory: IProtocolFactory) -> IProtocol:
        """Open the link, then make the protocol."""
        self._ask(Connect())
        try:
            await self._opened
        except CancelledError:  # nobody waits any more: the line is not to be held by asking again
            self.abort()
            raise
        protocol = protocol_factory.buildProtocol(HdlcPeer(self._server))
        if protocol is None:
            self.abort()
            raise ConnectError(string=f"HDLC {self._server}: no protocol for it")
        self._transport = LinkTransport(self, protocol, own=self._own, peer=self._server)
        self._transport.connect()
        return protocol

    def say(self, apdu: bytes) -> None:
        """Send a request when the line is free."""
        self._ask(SendApdu(apdu))

    def hang_up(self) -> None:
        """Disconnect when the line is free."""
        self._ask(Disconnect())

    def abort(self) -> None:
        """Leave at once; an answer that may still come has its time before another station is asked."""
        if self._holds_line:
            self._holds_line = False
            self._line.free(after_s=self._quiet_s)
        self._stop()
        self._tell(Failure(ConnectionAborted()))

    def _ask(self, command: LinkCommand) -> None:
        self._line.reserve().addCallback(lambda _: self._begin(command))

    def _begin(self, command: LinkCommand) -> None:
        """The line is ours for this command and all that belongs to it."""
        if self._is_over:
            self._line.free()
            return
        self._holds_line = True
        self._line.write(self._link.send(command, self._now()))
        self._watch()

    def _take(self, event: LinkEvent) -> None:
        match event:
            case SendOctets():
                self._line.write(event.octets)
            case ApduReceived():
                self._apdus.append(event.apdu)
            case UnconfirmedReceived():
                self._pushed(event.source, self._own, event.apdu)
            case LinkClosed():
                self._end = event.end

    def _rest(self) -> None:
        """Once it is our turn again the line is free, and the protocol hears what came."""
        if self._client_link.state not in _RESTING:
            return
        if self._holds_line:
            self._holds_line = False
            self._line.free()
        if self._end is not None:
            self._stop()
            self._tell(_reason(self._server, self._end))
            return
        if not self._opened.called:
            self._opened.callback(None)
        apdus, self._apdus = self._apdus, []
        for apdu in apdus:
            if self._transport is not None:
                self._transport.deliver(apdu)

    def _lost(self, reason: Failure) -> None:
        self._tell(reason)

    def _tell(self, reason: Failure) -> None:
        """The end, to whom it concerns."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close(reason)
        elif not self._opened.called:
            self._opened.errback(Failure(ConnectError(string=f"HDLC {self._server}: {reason.getErrorMessage()}")))


def _reason(server: HdlcAddress, end: LinkEnd) -> Failure:
    if end is LinkEnd.REQUESTED:
        return Failure(ConnectionDone())
    return Failure(ConnectionLost(f"HDLC {server}: the link ended: {end.name.lower().replace('_', ' ')}"))
