"""What goes into an HDLC link and what comes out of it, besides octets and time: commands and events.

Imported by the links and by whoever drives them. `SendOctets`, the event for octets to put on the line, is that of the
associations.
"""

from dataclasses import dataclass
from enum import IntEnum, auto

from dlms_objects.wire.events import SendOctets
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_parameters import LinkLimits


class LinkEnd(IntEnum):
    """Why a link is closed."""

    REQUESTED = auto()
    """One side asked for it and the other agreed, or we are the server and asked."""
    REFUSED = auto()
    """The server does not connect, or its UA is broken."""
    PEER_DISCONNECTED = auto()
    """The server says that there is no link (any more)."""
    REJECTED = auto()
    """The server answered FRMR."""
    VIOLATION = auto()
    """The peer broke the protocol."""
    NO_ANSWER = auto()
    """Nothing useful came, however often it was asked for."""
    INACTIVITY = auto()
    """The client was silent for too long."""
    RESET = auto()
    """A client connects anew; an open link follows."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Client: open the link."""


@dataclass(frozen=True, slots=True)
class SendApdu:
    """Client: a request, to which an APDU is awaited. Server: the answer, or what the client gets when it asks next."""

    apdu: bytes


@dataclass(frozen=True, slots=True)
class SendUnconfirmed:
    """An APDU in UI frames, with or without an open link; `destination` None: the link's peer."""

    apdu: bytes
    destination: HdlcAddress | None = None


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Client: close the link. Server: answer no more in it."""


LinkCommand = Connect | SendApdu | SendUnconfirmed | Disconnect


@dataclass(frozen=True, slots=True)
class LinkOpened:
    """The link is open, with these limits."""

    peer: HdlcAddress
    limits: LinkLimits


@dataclass(frozen=True, slots=True)
class ApduReceived:
    """A whole APDU over the open link."""

    apdu: bytes


@dataclass(frozen=True, slots=True)
class UnconfirmedReceived:
    """A whole APDU in UI frames."""

    apdu: bytes
    source: HdlcAddress


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """There is no link any more."""

    end: LinkEnd


LinkEvent = SendOctets | LinkOpened | ApduReceived | UnconfirmedReceived | LinkClosed
