"""Optical ports as endpoints: the mode E opening on a serial port, then the same port for HDLC.

Here: when the opening's octets are out and the port is set anew, for both roles. Not here: the opening itself
(`wire.mode_e`), the port (`serial`), a meter's side of a port (`line_host`). Imported by whoever connects to a meter
through an optical head: `HdlcLine(reactor, OpticalEndpoint(...))`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IDelayedCall, IProtocol, IProtocolFactory, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from dlms_objects.transport.serial import SerialAddress, set_mode
from dlms_objects.wire.events import SendOctets
from dlms_objects.wire.mode_e import (
    OPENING_MODE,
    Opened,
    OpeningClient,
    OpeningFailed,
    OpeningParameters,
    OpeningServer,
    OpeningState,
    SetLine,
)

_BITS_OF_OCTET: Final = 10
MAXIMUM_EARLY_OCTETS: Final = 4096
_SETTLING_S: Final = 0.05  # for what the operating system and the head still hold back

_EVEN_PARITY: Final = bytes(octet | (octet.bit_count() & 1) << 7 for octet in range(128)) + bytes(range(128, 256))

PortSetter = Callable[[Any, Any], bool]
"""Sets an open port, its transport, to a line mode; False when the port cannot make the parity."""


@implementer(IStreamClientEndpoint)
class OpticalEndpoint:
    """A serial port with an optical head on it."""

    def __init__(
        self,
        reactor: IReactorTime,
        port: IStreamClientEndpoint,
        parameters: OpeningParameters,
        *,
        set_port: PortSetter = set_mode,
    ) -> None:
        """`port` opens the serial port; its own mode does not matter."""
        self._reactor = reactor
        self._port = port
        self._parameters = parameters
        self._set_port = set_port

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":  # noqa: N803 - Twisted's name
        """The protocol on the port once HDLC can begin; ConnectError when the port or the opening fails."""
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, protocol_factory: IProtocolFactory) -> IProtocol:
        engine = OpeningClient(self._parameters)
        opening = OpeningDriver(self._reactor, engine, self._set_port)
        await self._port.connect(Factory.forProtocol(lambda: opening))
        port: Any = opening.transport
        try:
            engine.start(opening.now())
            await opening.run()
            protocol = protocol_factory.buildProtocol(SerialAddress("optical port"))
            if protocol is None:
                raise ConnectError(string="optical port: no protocol for it")
        except ConnectError:
            port.loseConnection()
            raise
        port.protocol = protocol
        protocol.makeConnection(port)
        return protocol


class OpeningDriver(Protocol):
    """Drives an opening on an open port, whose protocol it is meanwhile."""

    def __init__(self, reactor: IReactorTime, engine: OpeningClient | OpeningServer, set_port: PortSetter) -> None:
        """Nothing is said before `run`."""
        self._reactor = reactor
        self._engine = engine
        self._set_port = set_port
        self._more: Deferred[None] | None = None
        self._lost: Failure | None = None
        self.early = b""

    def dataReceived(self, octets: bytes) -> None:  # noqa: N802 - Twisted's name
        """Feed the engine; what comes once it is open, before the port is handed over, is kept in `early`."""
        if self._engine.state is OpeningState.OPEN:
            self.early = (self.early + octets)[-MAXIMUM_EARLY_OCTETS:]
            return
        self._engine.receive_data(octets, self.now())
        self._wake()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """The port is gone before the opening was over."""
        self._lost = reason
        self._wake()

    async def run(self) -> None:
        """Until HDLC can begin; ConnectError when it cannot."""
        port: Any = self.transport
        baud, unsent_octets, makes_parity = OPENING_MODE.baud, 0, True
        while self._lost is None:
            match self._engine.next_event():
                case Opened():
                    return
                case None:
                    await self._wait()
                case SendOctets(octets=octets):
                    port.write(octets if makes_parity else octets.translate(_EVEN_PARITY))
                    unsent_octets += len(octets)
                case SetLine(mode=mode):
                    if unsent_octets:
                        await deferLater(self._reactor, unsent_octets * _BITS_OF_OCTET / baud + _SETTLING_S)
                    makes_parity = self._set_port(port, mode) or mode.parity == "N"
                    baud, unsent_octets = mode.baud, 0
                case OpeningFailed(failure=failure):
                    raise ConnectError(string=f"optical port: {failure.name.lower().replace('_', ' ')}")
        raise ConnectError(string=f"optical port: {self._lost.getErrorMessage()}")

    async def _wait(self) -> None:
        """For octets, the end of the port, or the engine's deadline."""
        more: Deferred[None] = Deferred()
        self._more = more
        due = self._engine.next_timeout()
        timer: IDelayedCall | None = None
        if due is not None:
            timer = self._reactor.callLater(max(0.0, due.timestamp() - self._reactor.seconds()), self._time_passed)
        await more
        if timer is not None and timer.active():
            timer.cancel()

    def _time_passed(self) -> None:
        self._engine.handle_timeout(self.now())
        self._wake()

    def _wake(self) -> None:
        more, self._more = self._more, None
        if more is not None:
            more.callback(None)

    def now(self) -> datetime:
        """The time, for the engine."""
        return datetime.fromtimestamp(self._reactor.seconds(), UTC)
