"""One client's connection to the meter: octets in, requests to the logical device, answers out after the commit.

What a peer does wrong is an event of the meter, as far as `peer_limit` lets it; who fails too often is kept out
(`failure_guard`). Imported by `service`.
"""

from datetime import UTC, datetime

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IDelayedCall,
    IPushProducer,
    IReactorTime,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from dlms_objects.classes.catalogue import ASSOCIATIONS
from dlms_objects.errors import LocalError
from dlms_objects.meter.cosem_object import Requester
from dlms_objects.meter.failure_guard import FailureGuard
from dlms_objects.meter.meter import Meter
from dlms_objects.meter.open_connections import OpenConnections
from dlms_objects.meter.peer_limit import PeerLimit
from dlms_objects.meter.request_answers import Request, RequestAnswers
from dlms_objects.meter.store import StorageError
from dlms_objects.purse.outcome import EventCode
from dlms_objects.wire import events
from dlms_objects.wire.acse import Mechanism
from dlms_objects.wire.parameters import ServerParameters
from dlms_objects.wire.server import ServerAssociation

EVENTS_OF_PEER, EVENT_REFILL_S = 20, 60.0
REFUSALS_LOGGED, REFUSAL_LOG_REFILL_S = 1, 60.0
CLOSING_S = 5.0  # how long a peer may take to read what was sent before its connection is cut

log = Logger()

_ASSOCIATIONS = {association.client_sap: association for association in ASSOCIATIONS}
_SECURITY_EVENTS = {
    events.SecurityCause.DECRYPTION: EventCode.DECRYPTION_FAILED,
    events.SecurityCause.REPLAY: EventCode.REPLAY_REFUSED,
}


class IMeterTransport(ITCPTransport, IConsumer, IPushProducer):
    """What a connection needs of its transport; Twisted's TCP transports are all three."""


class MeterFactory(Factory):
    """Makes the connections of one meter, up to a limit, and knows which are open."""

    noisy = False

    def __init__(self, reactor: IReactorTime, meter: Meter, parameters: ServerParameters, limit: int) -> None:
        """At most `limit` connections are open at a time; a further one is closed at once."""
        self.reactor = reactor
        self.meter = meter
        self.parameters = parameters
        self.event_limit = PeerLimit(EVENTS_OF_PEER, EVENT_REFILL_S)
        self.guard = FailureGuard()
        # On such a line even who proved itself with keys is kept out after failures: it may be guessing the secret.
        self.is_guessable = any(role.mechanism is Mechanism.LLS for role in parameters.roles.values())
        self._refusals = PeerLimit(REFUSALS_LOGGED, REFUSAL_LOG_REFILL_S)
        self._limit = limit
        self._is_full = False
        self._key_changes = meter.key_keeper.changes
        self.open = OpenConnections[MeterConnection]()

    def buildProtocol(self, addr: IAddress | None) -> "MeterConnection | None":  # noqa: N802 - Twisted's name
        """A connection, or None for a peer that failed too often, or when there are too many; the log tells of it."""
        if addr is not None and self._keeps_out(host_of(addr)):
            return None
        if len(self.open) >= self._limit:
            if not self._is_full:
                log.warn("a connection from {peer} was closed: {limit} are open", peer=str(addr), limit=self._limit)
            self._is_full = True
            return None
        self._is_full = False
        return MeterConnection(self)

    def _keeps_out(self, host: str) -> bool:
        now_s = self.reactor.seconds()
        if not self.guard.refuses(host, now_s):
            return False
        left_out = self._refusals.admit(host, now_s)
        if left_out is not None:
            log.warn("connections from {host} are refused for a while: too many failures", host=host)
        return True

    def drop_outdated(self, asking: "MeterConnection") -> None:
        """After a change of keys: close what the old keys opened, or are opening, but for who changed them."""
        changes = self.meter.key_keeper.changes
        if changes != self._key_changes:
            self._key_changes = changes
            for connection in self.open:
                if connection is not asking and connection.is_outdated():
                    connection.drop()

    def drop_all(self) -> Deferred[None]:
        """Close every connection after what was written; fires when all are gone, after CLOSING_S at most."""
        return self.open.drop_all()


def host_of(peer: IAddress) -> str:
    """By what a peer is told from others: its host, or its address on an HDLC line."""
    return str(getattr(peer, "host", peer))


@implementer(IPushProducer)
class MeterConnection(Protocol):
    """One client of one meter. While it does not read our answers, we do not read its requests."""

    transport: IMeterTransport

    def __init__(self, factory: MeterFactory) -> None:
        """`factory` holds what the connections of a meter share."""
        self._shared = factory
        self._meter = factory.meter
        self._reactor = factory.reactor
        self._answers = RequestAnswers(self._meter.device, self._requester)
        self._engine = ServerAssociation(factory.parameters, self._now())
        self._opened: events.AssociationOpened | None = None
        self._key = ""  # the name of the one the association was opened with
        self._timer: IDelayedCall | None = None
        self._cut: IDelayedCall | None = None

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Begin to wait for an association request."""
        self._shared.open.opened(self)
        self.transport.registerProducer(self, True)
        self._watch()

    def dataReceived(self, octets: bytes) -> None:  # noqa: N802 - Twisted's name
        """Feed the engine and act on what it makes of the octets."""
        self._engine.receive_data(octets, self._now())
        self._act()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Forget the connection."""
        for call in (self._timer, self._cut):
            if call is not None and call.active():
                call.cancel()
        self._shared.open.closed(self)

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The peer lets our answers pile up: read no further request."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The peer has read our answers."""
        self.transport.resumeProducing()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The connection is lost; `connectionLost` follows."""

    def is_outdated(self) -> bool:
        """Whether no association is open yet, or one with a key that is no longer in force."""
        opened = self._opened
        return opened is None or self._key != self._meter.key_keeper.name_of(opened.client_sap)

    def drop(self) -> None:
        """Close the connection after what was written, or after CLOSING_S whatever is still unread."""
        if self._cut is None:
            self._cut = self._reactor.callLater(CLOSING_S, self.transport.abortConnection)
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def _act(self) -> None:
        """Do what the engine's events ask for; a store that fails to keep its counters ends the connection."""
        try:
            while (event := self._engine.next_event()) is not None:
                self._act_on(event)
        except StorageError as error:
            log.error("a connection was cut, its invocation counters cannot be stored: {error}", error=error)
            self.transport.abortConnection()
            return
        self._watch()

    def _act_on(self, event: events.ServerEvent) -> None:
        match event:
            case events.SendOctets():
                self.transport.write(event.octets)
            case events.AssociationOpened():
                self._opened = event
                self._key = self._meter.key_keeper.name_of(event.client_sap)
                if event.client_title is not None and not self._shared.is_guessable:
                    self._shared.guard.proved(self._host())
            case events.AssociationRefusedEvent():
                self._note(EventCode.ASSOCIATION_REFUSED, event.client_sap)
            case events.SecurityFailed():
                self._note(_SECURITY_EVENTS[event.cause], event.client_sap)
            case events.AssociationClosed():
                self._opened = None
            case events.CloseConnection():
                self.drop()
            case _:
                self.transport.write(self._engine.send(self._answer(event)))
                self._shared.drop_outdated(self)

    def _answer(self, request: Request) -> events.Answer:
        return self._answers.answer(request)

    def _requester(self) -> Requester:
        opened = self._opened
        if opened is None:
            raise LocalError("a request came without an association")
        return Requester(
            association=_ASSOCIATIONS[opened.client_sap],
            client_title=opened.client_title,
            conformance=opened.conformance,
            max_pdu=opened.max_pdu,
            now=self._meter.advance(self._reactor.seconds()),
        )

    def _note(self, code: EventCode, client_sap: int) -> None:
        """Log an event that the peer caused, unless it causes too many."""
        now_s, host = self._reactor.seconds(), self._host()
        self._shared.guard.failed(host, now_s)
        left_out = self._shared.event_limit.admit(host, now_s)
        if left_out is None:
            return
        if left_out:
            log.warn("{count} events caused by {peer} were not logged", count=left_out, peer=host)
        log.warn("{code} from {peer}, client SAP {sap}", code=code.name, peer=host, sap=client_sap)
        self._meter.keeper.note(self._meter.advance(now_s), code, value=client_sap)

    def _host(self) -> str:
        return host_of(self.transport.getPeer())

    def _watch(self) -> None:
        """Keep one timer that fires no later than the engine's deadline, which moves with every request."""
        due = self._engine.next_timeout()
        if due is None:
            return
        due_s = due.timestamp()
        if self._timer is not None and self._timer.active():
            if self._timer.getTime() <= due_s:
                return
            self._timer.cancel()
        self._timer = self._reactor.callLater(max(0.0, due_s - self._reactor.seconds()), self._time_passed)

    def _time_passed(self) -> None:
        self._engine.handle_timeout(self._now())
        self._act()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._reactor.seconds(), UTC)
