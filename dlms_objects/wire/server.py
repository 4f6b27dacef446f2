"""The server's association, sans-I/O: octets and the time go in, octets and requests come out.

One engine per connection. Here: the reactions of the server's state table, HLS, release, deadlines. Not here: who is
let in (`admission`), what a frame is (`intake`), blocks and the ciphering of answers (`responder`), what objects hold
(the application answers each ...Requested with `send`). No input of the peer raises. Imported by the meter.

Decisions: an RLRQ may be plain in a ciphered association (releasing harms nothing); a ciphered request may come
service-specific or general whatever was negotiated, and is answered the way it came; exception-response is never
ciphered and names the expected counter only to a peer whose tag verified.
"""

from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from dlms_objects.errors import LocalError
from dlms_objects.values.results import ActionResult
from dlms_objects.wire.acse import (
    Aare,
    Aarq,
    AssociationResult,
    ReleaseReason,
    Rlre,
    Rlrq,
    UserDiagnostic,
)
from dlms_objects.wire.action import ActionRequestNormal, ActionResponseNormal
from dlms_objects.wire.admission import Refusal, admit
from dlms_objects.wire.answers import requested
from dlms_objects.wire.ciphered import GLO_TAGS
from dlms_objects.wire.counters import COUNTER_CEILING, CounterExhausted
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.events import (
    Answer,
    AssociationClosed,
    AssociationOpened,
    AssociationRefusedEvent,
    CloseConnection,
    Notify,
    RefusalCause,
    SecurityCause,
    SecurityFailed,
    SendOctets,
    ServerEvent,
)
from dlms_objects.wire.exception import ExceptionResponse, ServiceError, StateError
from dlms_objects.wire.general_block import GeneralBlockTransfer
from dlms_objects.wire.initiate import InitiateResponse
from dlms_objects.wire.intake import Intake, NextBlock, Request, take_in, take_in_assembled
from dlms_objects.wire.parameters import ServerParameters, context_of
from dlms_objects.wire.refusals import DECIPHERING_ERROR, NOT_POSSIBLE, NOT_SUPPORTED, refusal
from dlms_objects.wire.responder import Responder
from dlms_objects.wire.security import DecryptionError, ReplayError
from dlms_objects.wire.states import SERVER, Reaction, ServerInput, ServerState
from dlms_objects.wire.wrapper import Frame, Wrapper, encode_frame

if TYPE_CHECKING:
    from dlms_objects.wire.apdu import Apdu
    from dlms_objects.wire.handshake import Handshake
    from dlms_objects.wire.intake import FirstBlock, FurtherBlock

MAXIMUM_WAITING_FRAMES: Final = 8
SHORTEST_FRAME_LIMIT_OCTETS: Final = 1024

_I = ServerInput
_CAUSES: Final = {
    _I.AARQ: RefusalCause.SECOND_AARQ,
    _I.UNPROTECTED: RefusalCause.UNPROTECTED,
    _I.MISDIRECTED: RefusalCause.MISDIRECTED,
}
_RESTING: Final = (ServerState.BUSY, ServerState.CLOSED)
# Members of enumerations are slow to look up where every frame passes.
_CLOSED: Final = ServerState.CLOSED
_DELIVER, _CLOSE = Reaction.DELIVER, Reaction.CLOSE


class ServerAssociation:
    """One connection of one client. `receive_data`, then `next_event` until None; answer each request with `send`."""

    def __init__(self, parameters: ServerParameters, now: datetime) -> None:
        """`now` (aware) is when the connection came in."""
        self._parameters = parameters
        self._state = ServerState.IDLE
        self._wrapper = Wrapper(maximum_apdu_length=max(parameters.max_pdu, SHORTEST_FRAME_LIMIT_OCTETS))
        self._frames: deque[Frame] = deque()
        self._events: deque[ServerEvent] = deque()
        self._is_corrupt = False
        self._unassociated_since = self._heard = now
        self._is_open = False
        self._responder: Responder | None = None

    @property
    def state(self) -> ServerState:
        """Where the association stands."""
        return self._state

    # --- the five verbs ---

    def receive_data(self, octets: bytes, now: datetime) -> None:
        """Take octets as they came; they are acted on when `next_event` is called."""
        if self._is_corrupt or self._state is _CLOSED:
            return
        try:
            for frame in self._wrapper.receive(octets):
                self._heard = now
                self._frames.append(frame)
        except MalformedError:
            self._is_corrupt = True
        if len(self._frames) > MAXIMUM_WAITING_FRAMES + self._parameters.block_window:
            self._frames.clear()
            self._is_corrupt = True

    def next_event(self) -> ServerEvent | None:
        """The next event, or None when more octets or an answer are needed first."""
        while not self._events:
            if self._state in _RESTING:
                return None
            if self._frames:
                self._take(self._frames.popleft())
            elif self._is_corrupt:
                self._move(_I.CORRUPT)
            else:
                return None
        return self._events.popleft()

    def send(self, answer: Answer | Notify) -> bytes:
        """The octets that answer the request delivered last, or that notify.

        LocalError when no request waits or the kind does not match; when there is no association to notify, the client
        takes no such notification, or one so long has no place now.
        """
        responder = self._responding
        try:
            if isinstance(answer, Notify):
                return self._notify(answer, responder)
            step = responder.respond(answer)
        except CounterExhausted:
            client_sap = responder.admission.client_sap
            self._end_exhausted(client_sap)
            return encode_frame(self._parameters.server_sap, client_sap, NOT_POSSIBLE)
        self._move(step.input)
        return b"".join(step.frames)

    def _notify(self, notify: Notify, responder: Responder) -> bytes:
        input_ = responder.notification_input(notify.notification)
        if SERVER[self._state, input_].reaction is not Reaction.SEND:
            raise LocalError(f"a notification has no place while {self._state.name.lower().replace('_', ' ')}")
        return responder.notify(notify.notification)

    def next_timeout(self) -> datetime | None:
        """When to call `handle_timeout`: never while the application owes an answer or the engine is closed."""
        if self._state in _RESTING:
            return None
        if self._is_open:
            return self._heard + timedelta(seconds=self._parameters.inactivity_s)
        return self._unassociated_since + timedelta(seconds=self._parameters.authentication_s)

    def handle_timeout(self, now: datetime) -> None:
        """Close when the deadline has passed; otherwise nothing happens."""
        deadline = self.next_timeout()
        if deadline is not None and now >= deadline:
            self._move(_I.TIMEOUT)

    # --- reactions to what came ---

    def _take(self, frame: Frame) -> None:
        try:
            admission = None if self._responder is None else self._responder.admission
            self._react(take_in(frame, admission, self._parameters.server_sap))
        except CounterExhausted:
            self._send_plain(frame, NOT_POSSIBLE)
            self._end_exhausted(frame.source)

    def _react(self, intake: Intake, *, in_general_blocks: bool = False) -> None:
        cell = SERVER[self._state, intake.input]
        self._state, reaction, apdu = cell.next, cell.reaction, intake.apdu
        if self._responder is not None:
            self._responder.envelope = intake.envelope
        if reaction is _DELIVER:
            request = cast("Request", apdu)
            self._responding.begin(request, in_general_blocks=in_general_blocks)
            self._events.append(requested(request))
        elif reaction is Reaction.REFUSE:
            self._refuse(intake)
        elif reaction is Reaction.REPORT:
            self._report(intake)
        elif reaction is Reaction.EXCEPTION:
            self._send_plain(intake.frame, NOT_SUPPORTED)
        elif isinstance(apdu, Aarq):
            self._examine_aarq(apdu, intake.frame)
        elif isinstance(apdu, Rlrq):
            self._release(apdu, intake.frame)
        elif intake.input is _I.REPLY_TO_HLS:
            self._examine_proof(cast("ActionRequestNormal", apdu), reaction)
        elif reaction is Reaction.ANSWER_NO:
            self._send_service(refusal(cast("FurtherBlock | NextBlock", apdu)))
        else:
            self._examine_block(apdu, intake.frame)

    def _examine_block(self, apdu: "Apdu | None", frame: Frame) -> None:
        """A block of a request or of an answer, or an APDU that is whole with this one."""
        responder = self._responding
        if isinstance(apdu, GeneralBlockTransfer):
            step = responder.take_general(apdu)
        elif isinstance(apdu, NextBlock):
            step = responder.take_next(apdu)
        else:
            step = responder.take_block(cast("FirstBlock | FurtherBlock", apdu))
        self._move(step.input)
        self._events.extend(map(SendOctets, step.frames))
        if responder.request is not None:
            self._events.append(requested(responder.request))
        elif step.input is _I.APDU_WHOLE:
            assembled = frame._replace(apdu=step.apdu)
            intake = take_in_assembled(assembled, responder.admission, self._parameters.server_sap)
            self._react(intake, in_general_blocks=True)

    def _examine_aarq(self, aarq: Aarq, frame: Frame) -> None:
        try:
            admission = admit(aarq, self._parameters, frame.source, frame.destination)
        except Refusal as refusal:
            if refusal.failure is not None:
                self._events.append(_security_failed(refusal.failure, frame.source))
            self._send_plain(frame, refusal.aare(aarq).encode())
            self._events.append(AssociationRefusedEvent(frame.source, refusal.cause))
            self._move(_I.REJECTED)
            return
        self._responder = Responder(self._parameters, admission)
        self._send_plain(frame, admission.aare.encode())
        if admission.handshake is not None:
            self._move(_I.CHALLENGED)
        else:
            self._open(_I.ACCEPTED)

    def _examine_proof(self, request: ActionRequestNormal, reaction: Reaction) -> None:
        """Passes 3 and 4; a proof that nobody asked for is denied."""
        admission = self._responding.admission
        answer = ActionResponseNormal(
            result=ActionResult.READ_WRITE_DENIED, invoke_id_and_priority=request.invoke_id_and_priority
        )
        if reaction is Reaction.ANSWER_NO:
            self._send_service(answer.encode())
            return
        handshake = cast("Handshake", admission.handshake)
        try:
            handshake.check_client_proof(request.parameters or b"")
        except DecryptionError:
            self._send_service(answer.encode())
            self._events.append(AssociationRefusedEvent(admission.client_sap, RefusalCause.PROOF))
            self._move(_I.UNPROVEN)
            return
        answer = replace(answer, result=ActionResult.SUCCESS, value=handshake.server_proof())
        self._send_service(answer.encode())
        self._open(_I.PROVEN)

    def _report(self, intake: Intake) -> None:
        """A ciphered APDU was refused: nothing changes but our log, and the peer is told as little as helps."""
        failure = intake.failure
        self._events.append(_security_failed(failure, intake.frame.source))
        exception = DECIPHERING_ERROR
        if isinstance(failure, ReplayError) and failure.expected <= COUNTER_CEILING:
            exception = ExceptionResponse(
                state_error=StateError.SERVICE_NOT_ALLOWED,
                service_error=ServiceError.INVOCATION_COUNTER_ERROR,
                invocation_counter=failure.expected,
            ).encode()
        self._send_plain(intake.frame, exception)

    def _release(self, rlrq: Rlrq, frame: Frame) -> None:
        admission = self._responding.admission
        user_information = None
        if rlrq.user_information is not None and admission.cipher is not None:
            response = InitiateResponse(
                conformance=admission.conformance, max_pdu_size=self._parameters.max_pdu
            ).encode()
            user_information = admission.cipher.protect(GLO_TAGS[response[0]], response)
        rlre = Rlre(reason=ReleaseReason.NORMAL, user_information=user_information)
        self._send_plain(frame, rlre.encode())
        self._forget()
        self._unassociated_since = self._heard

    def _refuse(self, intake: Intake) -> None:
        """The legal "no", and the end."""
        if intake.input is _I.AARQ:
            policy = self._responding.admission.role.policy
            answer = Aare(
                application_context=context_of(policy),
                result=AssociationResult.REJECTED_PERMANENT,
                diagnostic=UserDiagnostic.NO_REASON_GIVEN,
            ).encode()
        else:
            answer = NOT_POSSIBLE
        self._send_plain(intake.frame, answer)
        cause = _CAUSES.get(intake.input, RefusalCause.NOT_ASSOCIATED)
        self._events.append(AssociationRefusedEvent(intake.frame.source, cause))
        self._end()

    # --- answers ---

    def _send_service(self, plain: bytes) -> None:
        self._events.append(SendOctets(self._responding.frame(plain)))

    def _send_plain(self, frame: Frame, apdu: bytes) -> None:
        self._events.append(SendOctets(encode_frame(frame.destination, frame.source, apdu)))

    # --- the state ---

    @property
    def _responding(self) -> Responder:
        if self._responder is None:
            raise LocalError("there is no association")
        return self._responder

    def _move(self, input_: ServerInput) -> None:
        cell = SERVER[self._state, input_]
        self._state = cell.next
        if cell.reaction is _CLOSE:
            self._end()

    def _open(self, input_: ServerInput) -> None:
        admission = self._responding.admission
        self._move(input_)
        self._is_open = True
        self._events.append(
            AssociationOpened(
                admission.client_sap,
                admission.role.name,
                admission.client_title,
                admission.conformance,
                admission.client_pdu_octets,
            )
        )

    def _forget(self) -> None:
        """The association is over."""
        self._responder = None
        if self._is_open:
            self._is_open = False
            self._events.append(AssociationClosed())

    def _end(self) -> None:
        """The connection is over."""
        self._state = ServerState.CLOSED
        self._frames.clear()
        self._forget()
        self._events.append(CloseConnection())

    def _end_exhausted(self, client_sap: int) -> None:
        self._events.append(AssociationRefusedEvent(client_sap, RefusalCause.COUNTER_EXHAUSTED))
        self._end()


def _security_failed(failure: DecryptionError | None, client_sap: int) -> SecurityFailed:
    is_replay = isinstance(failure, ReplayError)
    return SecurityFailed(SecurityCause.REPLAY if is_replay else SecurityCause.DECRYPTION, client_sap)
