"""The typed client: one association with one meter over one connection, as `async` calls.

Every call ends in a value, a RefusedError (a legal no), a RemoteError (the peer cannot be trusted or broke the
protocol), a TransportLostError (line or deadline) or a LocalError (our misuse; nothing was sent). After a RemoteError
or a TransportLostError the connection is gone. Imported by the gateway and the command line.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from twisted.internet import defer
from twisted.internet import error as internet_error
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from dlms_objects.errors import LocalError, MeterPurseError, RefusedError, RemoteError, TransportLostError
from dlms_objects.transport.credentials import MeterCredentials, SecretCredentials
from dlms_objects.transport.endpoints import UDP, Endpoints
from dlms_objects.transport.trace import Trace
from dlms_objects.transport.udp import for_udp
from dlms_objects.values.logical_name import AttributeDescriptor, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import events, list_events
from dlms_objects.wire.access import AccessSpecification
from dlms_objects.wire.acse import Mechanism, ProviderDiagnostic, UserDiagnostic
from dlms_objects.wire.action import ActionResponseWithOptionalData
from dlms_objects.wire.challenge import RecentChallenges
from dlms_objects.wire.client import ClientAssociation
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.counters import Counters
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.notification import DataNotification, EventNotificationRequest
from dlms_objects.wire.parameters import ClientParameters
from dlms_objects.wire.security import SecurityContext
from dlms_objects.wire.selection import SelectiveAccess

CHALLENGE_OCTETS = 16
CLOSING_S = 5.0
_RECENT_CHALLENGES = RecentChallenges()

Notified = Callable[[DataNotification | EventNotificationRequest], None]
"""Takes what a meter sends unasked."""


class AccessRefusedByMeterError(RefusedError):
    """The meter answered with a data-access-result or an action-result other than success."""

    def __init__(self, what: str, result: DataAccessResult | ActionResult) -> None:
        """Keep the result and say what was refused."""
        super().__init__(f"{what}: the meter answers {result.name.lower().replace('_', '-')}")
        self.result = result


class AssociationRefusedByMeterError(RefusedError):
    """The meter did not open the association; `diagnostic` is the reason that it gave."""

    def __init__(self, diagnostic: UserDiagnostic | ProviderDiagnostic) -> None:
        """Keep the reason and say it."""
        super().__init__(f"the meter refused the association: {diagnostic.name.lower().replace('_', '-')}")
        self.diagnostic = diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientIdentity:
    """Who we are to a meter: our own system title, and the counters of the key we share with it."""

    system_title: SystemTitle
    counters: Counters = field(repr=False)


def client_parameters(
    credentials: MeterCredentials, identity: ClientIdentity, *, timeout_s: float = 10.0
) -> ClientParameters:
    """The engine's parameters for HLS 5 GMAC with authenticated encryption, pinned to the meter's system title."""
    return ClientParameters(
        client_sap=credentials.client_sap,
        server_sap=credentials.server_sap,
        mechanism=Mechanism.HLS_GMAC,
        security=SecurityContext(
            keys=credentials.cipher_keys(),
            own_title=identity.system_title,
            counters=identity.counters,
            peer_title=credentials.system_title,
        ),
        challenge_source=_challenge,
        recent_challenges=_RECENT_CHALLENGES,
        answer_timeout_s=timeout_s,
    )


def secret_parameters(credentials: SecretCredentials, *, timeout_s: float = 10.0) -> ClientParameters:
    """The engine's parameters for low-level security: the secret goes over the line as it is, nothing is ciphered."""
    return ClientParameters(
        client_sap=credentials.client_sap,
        server_sap=credentials.server_sap,
        mechanism=Mechanism.LLS,
        password=credentials.secret,
        answer_timeout_s=timeout_s,
    )


async def open_session(
    reactor: IReactorTime,
    endpoint: str,
    parameters: ClientParameters,
    trace: Trace | None = None,
    notified: Notified = lambda _notification: None,
    endpoints: Endpoints | None = None,
) -> "MeterSession":
    """Connect to an endpoint and open the association; a trace is shown every frame.

    An endpoint is text such as `tcp:127.0.0.1:4059` (`transport.endpoints`); who opens sessions with several meters on
    one line passes the `endpoints` that share it.

    `notified` is given what the meter sends unasked, also while an answer is awaited; it must not raise.
    AssociationRefusedByMeterError, RemoteError or TransportLostError; nothing stays open then. InvalidValueError for an
    endpoint that is none.
    """
    if endpoint.startswith(f"{UDP}:"):
        parameters = for_udp(parameters)
    meter = (endpoints or Endpoints(reactor)).to(
        endpoint,
        client_sap=parameters.client_sap,
        server_sap=parameters.server_sap,
        answer_s=parameters.answer_timeout_s,
    )
    factory = Factory.forProtocol(lambda: _Pump(reactor, ClientAssociation(parameters), trace, notified))
    factory.noisy = False
    connecting = meter.connect(factory)
    connecting.addTimeout(parameters.answer_timeout_s, reactor)
    try:
        pump = cast("_Pump", await connecting)
    except (defer.TimeoutError, internet_error.ConnectingCancelledError):  # Twisted's endpoints raise the latter
        raise TransportLostError(f"{endpoint}: no connection within {parameters.answer_timeout_s:g} s") from None
    except (internet_error.ConnectError, internet_error.DNSLookupError) as error:
        raise TransportLostError(f"{endpoint}: cannot connect: {error}") from error
    session = MeterSession(pump)
    try:
        await session.associate()
    except BaseException:
        pump.abort()
        raise
    return session


class MeterSession:
    """An open association; one call at a time. `open_session` makes it."""

    def __init__(self, pump: "_Pump") -> None:
        """Speak through this connection."""
        self._pump = pump
        self._has_lists = False

    async def associate(self) -> None:
        """Open the association, both sides proven to each other; AssociationRefusedByMeterError for a no."""
        event = await self._pump.ask(events.Associate())
        match event:
            case events.Associated():
                self._has_lists = Conformance.MULTIPLE_REFERENCES in event.conformance
                return
            case events.AssociationRefused():
                raise AssociationRefusedByMeterError(event.diagnostic)
        raise self._unexpected(event)

    async def get(self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None) -> bytes:
        """The attribute's value as A-XDR octets; AccessRefusedByMeterError for a legal no."""
        event = await self._pump.ask(events.Get(attribute, selection))
        match event:
            case events.GetDone():
                return event.raw
            case events.GetFailed():
                raise AccessRefusedByMeterError(str(attribute), event.result)
        raise self._unexpected(event)

    async def set(self, attribute: AttributeDescriptor, value: bytes) -> None:
        """Write an attribute with A-XDR octets; AccessRefusedByMeterError for a legal no."""
        event = await self._pump.ask(events.Set(attribute, value))
        if not isinstance(event, events.SetDone):
            raise self._unexpected(event)
        if event.result is not DataAccessResult.SUCCESS:
            raise AccessRefusedByMeterError(str(attribute), event.result)

    async def action(self, method: MethodDescriptor, parameters: bytes | None = None) -> bytes | None:
        """Carry out a method; its return value as A-XDR octets, None where it has none."""
        event = await self._pump.ask(events.Action(method, parameters))
        if not isinstance(event, events.ActionDone):
            raise self._unexpected(event)
        if event.result is not ActionResult.SUCCESS:
            raise AccessRefusedByMeterError(str(method), event.result)
        if isinstance(event.raw, DataAccessResult):
            raise AccessRefusedByMeterError(str(method), event.raw)
        return event.raw

    async def get_list(self, attributes: Sequence[AttributeWithSelection]) -> tuple[bytes | DataAccessResult, ...]:
        """The value of each attribute as A-XDR octets, or why there is none; at most 128 for our own meter.

        One question, or one for each attribute where the meter answers no lists.
        """
        if not self._has_lists:
            return tuple([await self._get_or_result(each) for each in attributes])
        event = await self._pump.ask(list_events.GetList(tuple(attributes)))
        match event:
            case list_events.GetListDone():
                return event.results
            case events.GetFailed():
                raise AccessRefusedByMeterError("a list of attributes", event.result)
        raise self._unexpected(event)

    async def _get_or_result(self, wanted: AttributeWithSelection) -> bytes | DataAccessResult:
        event = await self._pump.ask(events.Get(wanted.attribute, wanted.selection))
        match event:
            case events.GetDone():
                return event.raw
            case events.GetFailed():
                return event.result
        raise self._unexpected(event)

    async def set_list(
        self, attributes: Sequence[AttributeWithSelection], values: Sequence[bytes]
    ) -> tuple[DataAccessResult, ...]:
        """Write each attribute with the A-XDR octets of its place; whether each was written."""
        event = await self._pump.ask(list_events.SetList(tuple(attributes), tuple(values)))
        if not isinstance(event, list_events.SetListDone):
            raise self._unexpected(event)
        return event.results

    async def action_list(
        self, methods: Sequence[MethodDescriptor], parameters: Sequence[bytes]
    ) -> tuple[ActionResponseWithOptionalData, ...]:
        """Carry out the methods in turn, each with the A-XDR octets of its place; what became of each."""
        event = await self._pump.ask(list_events.ActionList(tuple(methods), tuple(parameters)))
        if not isinstance(event, list_events.ActionListDone):
            raise self._unexpected(event)
        return event.responses

    async def access(
        self, specifications: Sequence[AccessSpecification], values: Sequence[bytes], *, breaks_on_error: bool = False
    ) -> list_events.AccessDone:
        """Read, write and carry out in turn, each with the A-XDR octets of its place (00 for a read)."""
        command = list_events.Access(tuple(specifications), tuple(values), breaks_on_error)
        event = await self._pump.ask(command)
        if not isinstance(event, list_events.AccessDone):
            raise self._unexpected(event)
        return event

    async def release(self) -> None:
        """Release the association and close the connection; a peer that is gone already is no error.

        It returns once the connection is closed (over HDLC: the link), or cut after CLOSING_S.
        """
        try:
            await self._pump.ask(events.Release())
        except TransportLostError:
            return
        finally:
            await self._pump.close()

    def abort(self) -> None:
        """Drop the connection at once."""
        self._pump.abort()

    def _unexpected(self, event: events.ClientEvent) -> RemoteError:
        """What to raise for an event that is no answer to what was asked; the connection is dropped with it."""
        self._pump.abort()
        if isinstance(event, events.PeerException):
            service = event.service_error.name.lower().replace("_", "-")
            return RemoteError(f"the meter answered with an exception: {service}")
        return RemoteError(f"the meter answered with {type(event).__name__}")


class _Pump(Protocol):
    """Carries octets between one connection and one client engine; holds at most one question."""

    def __init__(
        self, reactor: IReactorTime, engine: ClientAssociation, trace: Trace | None, notified: Notified
    ) -> None:
        self._reactor = reactor
        self._notified = notified
        self._engine = engine
        self._trace = trace
        self._waiting: Deferred[events.ClientEvent] | None = None
        self._deadline: IDelayedCall | None = None
        self._broken: TransportLostError | None = None
        self._is_over = False
        self._lost: Deferred[None] = Deferred()

    def ask(self, command: events.ClientCommand) -> Deferred[events.ClientEvent]:
        """Send a command; fires with the event that ends it. LocalError while another is unanswered."""
        if self._broken is not None:
            return defer.fail(self._broken)
        if self._waiting is not None:
            raise LocalError("a session answers one request at a time")
        octets = self._engine.send(command, self._now())
        waiting: Deferred[events.ClientEvent] = Deferred(lambda _cancelled: self.abort())
        self._waiting = waiting
        self._put(octets)
        self._watch()
        return waiting

    def dataReceived(self, octets: bytes) -> None:  # noqa: N802 - Twisted's name
        """Feed the engine and act on what it makes of the octets, also of those before one it cannot accept."""
        if self._trace is not None:
            self._trace.received(octets, self._now())
        try:
            self._engine.receive_data(octets, self._now())
        except (RemoteError, LocalError) as error:
            self._broken = TransportLostError("the session is over")
            self._drain()
            self._end(error)
        else:
            self._drain()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """The line is gone: whoever waits is told."""
        if self._trace is not None:
            self._trace.closed(self._now())
        self._end(TransportLostError(f"the connection was lost: {reason.getErrorMessage()}"))
        self._lost.callback(None)

    async def close(self) -> None:
        """Close the connection after what was written; cut it when that takes longer than CLOSING_S."""
        if self._lost.called:
            return
        cut = self._reactor.callLater(CLOSING_S, self.abort)
        self._transport().loseConnection()
        await self._lost
        if cut.active():
            cut.cancel()

    def abort(self) -> None:
        """Close the connection at once."""
        self._end(TransportLostError("the session was given up"))

    def _put(self, octets: bytes) -> None:
        if self._trace is not None:
            self._trace.sent(octets, self._now())
        self._transport().write(octets)

    def _drain(self) -> None:
        while (event := self._engine.next_event()) is not None:
            if isinstance(event, events.SendOctets):
                self._put(event.octets)
            elif isinstance(event, events.Notified):
                self._notified(event.notification)
            elif self._waiting is not None:
                waiting, self._waiting = self._waiting, None
                waiting.callback(event)

    def _watch(self) -> None:
        """Keep one timer for the engine's deadline, which moves with every request."""
        due = self._engine.next_timeout()
        if self._deadline is None and due is not None:
            self._deadline = self._reactor.callLater(
                max(0.0, due.timestamp() - self._reactor.seconds()), self._time_passed
            )

    def _time_passed(self) -> None:
        self._deadline = None
        try:
            self._engine.handle_timeout(self._now())
        except TransportLostError as error:
            self._end(error)
        else:
            self._watch()

    def _end(self, error: MeterPurseError) -> None:
        """Cut the connection; whoever waits is given the error, whoever asks later is told that the session is over."""
        if self._is_over:
            return
        self._is_over = True
        self._broken = TransportLostError("the session is over")
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._transport().abortConnection()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(error)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._reactor.seconds(), UTC)

    def _transport(self) -> ITCPTransport:
        if self.transport is None:
            raise LocalError("the session has no connection")
        return cast("ITCPTransport", self.transport)


def _challenge() -> bytes:
    return secrets.token_bytes(CHALLENGE_OCTETS)
