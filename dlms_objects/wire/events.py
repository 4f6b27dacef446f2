"""What goes in and out of the association engines: commands and events of the client, events and answers of the server.

Only plain values live here. Raw octets (`raw`, `value`, `parameters`) are one A-XDR value each, never decoded by an
engine. The services on several attributes or methods at once have theirs in `list_events`. Imported by the engines and
by the transports.
"""

from dataclasses import dataclass
from enum import Enum, auto

from dlms_objects.values.logical_name import AttributeDescriptor, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.acse import AssociationResult, ProviderDiagnostic, UserDiagnostic
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.exception import ServiceError, StateError
from dlms_objects.wire.list_events import ListAnswer, ListCommand, ListDone, ListRequested
from dlms_objects.wire.notification import DataNotification, EventNotificationRequest
from dlms_objects.wire.selection import SelectiveAccess


@dataclass(frozen=True, slots=True)
class SendOctets:
    """Both roles: put these octets on the line, in order."""

    octets: bytes


# --- commands to the client engine ---


@dataclass(frozen=True, slots=True)
class Associate:
    """Open the association; ends in Associated, AssociationRefused or PeerException."""


@dataclass(frozen=True, slots=True)
class Get:
    """Read an attribute; ends in GetDone, GetFailed or PeerException."""

    attribute: AttributeDescriptor
    selection: SelectiveAccess | None = None


@dataclass(frozen=True, slots=True)
class Set:
    """Write an attribute; ends in SetDone or PeerException."""

    attribute: AttributeDescriptor
    value: bytes
    selection: SelectiveAccess | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """Invoke a method; ends in ActionDone or PeerException."""

    method: MethodDescriptor
    parameters: bytes | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """Release the association; ends in Released or PeerException."""


ClientCommand = Associate | Get | Set | Action | ListCommand | Release

# --- events of the client engine ---


@dataclass(frozen=True, slots=True)
class Associated:
    """The association is open: what both can do, and the longest APDU the server takes, 1..65535 octets."""

    conformance: Conformance
    max_pdu: int
    server_title: SystemTitle | None


@dataclass(frozen=True, slots=True)
class AssociationRefused:
    """The server said no; the engine is closed."""

    result: AssociationResult
    diagnostic: UserDiagnostic | ProviderDiagnostic


@dataclass(frozen=True, slots=True)
class GetDone:
    """The attribute's value, whole."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class GetFailed:
    """Why there is no value."""

    result: DataAccessResult


@dataclass(frozen=True, slots=True)
class SetDone:
    """Whether the attribute was written."""

    result: DataAccessResult


@dataclass(frozen=True, slots=True)
class ActionDone:
    """Whether the method was carried out, and its return value: octets, or why it cannot be had, or None."""

    result: ActionResult
    raw: bytes | DataAccessResult | None


@dataclass(frozen=True, slots=True)
class PeerException:
    """The server would not serve the request at all. It is never ciphered: believe it only as far as a lost line."""

    state_error: StateError
    service_error: ServiceError
    counter: int | None


@dataclass(frozen=True, slots=True)
class Released:
    """The association is over; Associate opens a new one on the same connection."""


@dataclass(frozen=True, slots=True)
class Notified:
    """The server sent something unasked; it ends no request."""

    notification: DataNotification | EventNotificationRequest


ClientEvent = (
    SendOctets
    | Associated
    | AssociationRefused
    | GetDone
    | GetFailed
    | SetDone
    | ActionDone
    | ListDone
    | Notified
    | PeerException
    | Released
)

# --- events of the server engine ---


class RefusalCause(Enum):
    """Why a server refused a client; each is one security or protocol rule."""

    UNKNOWN_SERVER_SAP = auto()
    UNKNOWN_CLIENT_SAP = auto()
    APPLICATION_CONTEXT = auto()
    MECHANISM = auto()
    SYSTEM_TITLE = auto()
    INITIATE = auto()
    PASSWORD = auto()
    CHALLENGE = auto()
    SECURITY = auto()
    PROOF = auto()
    SECOND_AARQ = auto()
    NOT_ASSOCIATED = auto()
    UNPROTECTED = auto()
    MISDIRECTED = auto()
    COUNTER_EXHAUSTED = auto()


class SecurityCause(Enum):
    """What was wrong with a ciphered APDU, for our own log; the peer is told less."""

    DECRYPTION = auto()
    REPLAY = auto()


@dataclass(frozen=True, slots=True)
class AssociationOpened:
    """A client is in: its SAP, its role's name, its title where it has one, what was negotiated, its longest APDU."""

    client_sap: int
    role: str
    client_title: SystemTitle | None
    conformance: Conformance
    max_pdu: int


@dataclass(frozen=True, slots=True)
class AssociationRefusedEvent:
    """A client was refused; the connection is closed next."""

    client_sap: int
    cause: RefusalCause


@dataclass(frozen=True, slots=True)
class SecurityFailed:
    """A ciphered APDU was refused and changed nothing."""

    cause: SecurityCause
    client_sap: int


@dataclass(frozen=True, slots=True)
class GetRequested:
    """Answer with GetAnswer."""

    invoke_id: int
    attribute: AttributeDescriptor
    selection: SelectiveAccess | None


@dataclass(frozen=True, slots=True)
class SetRequested:
    """Answer with SetAnswer."""

    invoke_id: int
    attribute: AttributeDescriptor
    value: bytes
    selection: SelectiveAccess | None


@dataclass(frozen=True, slots=True)
class ActionRequested:
    """Answer with ActionAnswer."""

    invoke_id: int
    method: MethodDescriptor
    parameters: bytes | None


@dataclass(frozen=True, slots=True)
class AssociationClosed:
    """The association that AssociationOpened announced is over."""


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """Close the line once everything is sent; the engine ignores whatever still arrives."""


ServerEvent = (
    SendOctets
    | AssociationOpened
    | AssociationRefusedEvent
    | SecurityFailed
    | GetRequested
    | SetRequested
    | ActionRequested
    | ListRequested
    | AssociationClosed
    | CloseConnection
)

# --- the application's answers to the server engine ---


@dataclass(frozen=True, slots=True)
class GetAnswer:
    """The value, or why there is none."""

    result: bytes | DataAccessResult


@dataclass(frozen=True, slots=True)
class SetAnswer:
    """Whether the attribute was written."""

    result: DataAccessResult


@dataclass(frozen=True, slots=True)
class ActionAnswer:
    """Whether the method was carried out, and what it returned, if anything."""

    result: ActionResult
    raw: bytes | None = None


Answer = GetAnswer | SetAnswer | ActionAnswer | ListAnswer


@dataclass(frozen=True, slots=True)
class Notify:
    """Not an answer: send this unasked, at any time while the association is open."""

    notification: DataNotification | EventNotificationRequest
