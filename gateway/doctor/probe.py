"""What answers at an endpoint when the protocol that was configured does not: a few octets said, what comes is judged.

Each probe is one connection and one short message that a meter understands or ignores; nothing is read or written.
Imported by `meter.py`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeadlineError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from dlms_objects.wire import events
from dlms_objects.wire.client import ClientAssociation
from dlms_objects.wire.hdlc_client import ClientLink
from dlms_objects.wire.hdlc_events import Connect
from dlms_objects.wire.hdlc_parameters import LinkParameters
from dlms_objects.wire.parameters import ClientParameters

PUBLIC_CLIENT = 16
LARGEST_HEARING_OCTETS = 4096
AFTER_FIRST_OCTET_S = 0.5
"""How long a probe still listens after something came."""

HTTP_QUESTION = b"GET / HTTP/1.0\r\n\r\n"
_FLAG = 0x7E
_TELNET = re.compile(rb"^\xff[\xfb-\xfe]")


class Speech(Enum):
    """What the octets that came look like."""

    WRAPPER = "DLMS in the wrapper"
    HDLC = "HDLC frames"
    HTTP = "HTTP (a web server)"
    TELNET = "Telnet"
    SSH = "SSH"
    TLS = "TLS"
    TEXT = "plain text"
    NOISE = "octets that are no frame"
    CLOSED = "nothing; the connection was closed at once"
    SILENCE = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came in answer to a probe."""

    octets: bytes
    is_closed: bool

    @property
    def speech(self) -> Speech:
        """What it looks like."""
        octets = self.octets
        if not octets:
            return Speech.CLOSED if self.is_closed else Speech.SILENCE
        for pattern, speech in _BEGINNINGS:
            if pattern.match(octets):
                return speech
        if octets[0] == _FLAG and octets.count(_FLAG) > 1:
            return Speech.HDLC
        printable = sum(32 <= octet < 127 or octet in b"\r\n\t" for octet in octets)
        return Speech.TEXT if printable >= len(octets) * 0.9 else Speech.NOISE

    def words(self) -> str:
        """The kind, and the first octets."""
        shown = f": {self.octets[:16].hex(' ')}" if self.octets else ""
        return self.speech.value + shown


_BEGINNINGS = (
    (re.compile(rb"\x00\x01.{6}", re.DOTALL), Speech.WRAPPER),
    (re.compile(rb"HTTP/|<(!DOCTYPE|html)", re.IGNORECASE), Speech.HTTP),
    (_TELNET, Speech.TELNET),
    (re.compile(rb"SSH-"), Speech.SSH),
    (re.compile(rb"[\x15\x16]\x03[\x00-\x04]"), Speech.TLS),
)


def wrapper_question(server_sap: int, now: datetime | None = None) -> bytes:
    """An association request of the public client, in the wrapper."""
    engine = ClientAssociation(ClientParameters(client_sap=PUBLIC_CLIENT, server_sap=server_sap))
    return engine.send(events.Associate(), now or datetime.now(UTC))


def hdlc_question(parameters: LinkParameters, now: datetime | None = None) -> bytes:
    """A request to open a link (SNRM)."""
    return ClientLink(parameters).send(Connect(), now or datetime.now(UTC))


async def hear(reactor: Any, endpoint: IStreamClientEndpoint, question: bytes, *, limit_s: float) -> Heard:
    """Connect, say this, and give what came; what `connect` raises passes through."""
    listener = _Listener(reactor)
    connecting = endpoint.connect(Factory.forProtocol(lambda: listener))
    await connecting.addTimeout(limit_s, reactor)
    transport: Any = listener.transport
    transport.write(question)
    try:
        await listener.done.addTimeout(limit_s, reactor)
    except DeadlineError:
        pass
    finally:
        listener.stop()
        transport.loseConnection()
    return Heard(octets=bytes(listener.octets), is_closed=listener.is_closed)


class _Listener(Protocol):
    """Collects what comes; `done` fires when the peer closes, or a little after the first octet."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._timer: Any = None
        self.octets = bytearray()
        self.is_closed = False
        self.done: Deferred[None] = Deferred()

    def dataReceived(self, octets: bytes) -> None:  # noqa: N802 - Twisted's name
        """Keep the octets, up to a limit."""
        self.octets += octets[: LARGEST_HEARING_OCTETS - len(self.octets)]
        if self._timer is None:
            self._timer = self._reactor.callLater(AFTER_FIRST_OCTET_S, self._end)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """The peer has closed, or we have."""
        self.is_closed = not self.done.called
        self.stop()
        self._end()

    def stop(self) -> None:
        """No timer any more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _end(self) -> None:
        if not self.done.called:
            self.done.callback(None)
