"""The client's association, sans-I/O: commands, octets and the time go in, octets and results come out.

One engine per connection, one request at a time. Here: the reactions of the client's state table, ciphering both ways,
general block transfer, HLS. Not here: how an association is agreed (`agreement`), the requests and answers of a service
and its blocks (`exchange`), what values mean. Octets that are corrupt or cannot be trusted raise RemoteError from
`receive_data` and close the engine; events from before them are still handed out. Imported by `transport`.

Decisions: RLRQ is sent plain and RLRE may be plain; releasing harms nothing, and meters differ in what they expect. A
request too long for the server goes in the blocks of its own service where those were agreed, else in general blocks:
some peers propose general blocks and cannot do them.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from dlms_objects.errors import LocalError, RemoteError, TransportLostError
from dlms_objects.values.results import ActionResult
from dlms_objects.wire.access import ACCESS_REQUEST, AccessResponse
from dlms_objects.wire.acse import (
    AARE,
    RLRE,
    Aare,
    AssociationResult,
    ReleaseReason,
    Rlre,
    Rlrq,
    UserDiagnostic,
)
from dlms_objects.wire.action import ActionRequestNormal, ActionResponse, ActionResponseNormal
from dlms_objects.wire.agreement import Agreement, Proposal, agree, draw_proposal, propose
from dlms_objects.wire.apdu import Apdu, decode_apdu
from dlms_objects.wire.challenge import REPLY_TO_HLS
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.counters import CounterExhausted
from dlms_objects.wire.envelope import Envelope
from dlms_objects.wire.events import (
    Associate,
    Associated,
    AssociationRefused,
    ClientCommand,
    ClientEvent,
    Notified,
    PeerException,
    Release,
    Released,
    SendOctets,
)
from dlms_objects.wire.exception import EXCEPTION_RESPONSE, ExceptionResponse
from dlms_objects.wire.exchange import Exchange, Limits, unexpected
from dlms_objects.wire.exchanges import EXCHANGES, RESPONSES
from dlms_objects.wire.general_block import (
    GENERAL_BLOCK_TRANSFER,
    GeneralBlockTransfer,
    decode_general_block_transfer,
)
from dlms_objects.wire.general_transfer import GeneralTransfer, general_limit
from dlms_objects.wire.get import GET_REQUEST
from dlms_objects.wire.notification import DataNotification, EventNotificationRequest
from dlms_objects.wire.parameters import ClientParameters
from dlms_objects.wire.security import CIPHERED_TAGS, BoundContext, DecryptionError
from dlms_objects.wire.states import CLIENT, ClientInput, ClientState, Reaction
from dlms_objects.wire.wrapper import Frame, Wrapper, encode_frame

_J = ClientInput
# Members of enumerations are slow to look up where every frame passes.
_SEND, _REFUSE = Reaction.SEND, Reaction.REFUSE
_CLOSED = ClientState.CLOSED
_MORE_BLOCKS, _BLOCKS_ENDED = _J.MORE_BLOCKS, _J.BLOCKS_ENDED
_PRIORITY_AND_CLASS: Final = 0xC0
_NEVER_CIPHERED: Final = frozenset((AARE, RLRE, EXCEPTION_RESPONSE))
_COMMANDS: Final[dict[type[ClientCommand], ClientInput]] = {
    Associate: _J.ASSOCIATE,
    Release: _J.RELEASE,
    **{command: input_ for command, (input_, _exchange) in EXCHANGES.items()},
}
_NOT_ASSOCIATED: Final = Limits(0, 0, 0, Conformance(0))
_LONGEST_CIPHERING_OCTETS: Final = 32
_RLRQ: Final = Rlrq(reason=ReleaseReason.NORMAL).encode()


class ClientAssociation:
    """One connection to one server. `send` a command, `receive_data`, then `next_event` until None."""

    def __init__(self, parameters: ClientParameters) -> None:
        """Nothing is sent before Associate."""
        self._parameters = parameters
        self._state = ClientState.IDLE
        self._wrapper = Wrapper()
        self._events: deque[ClientEvent] = deque()
        self._timeout = timedelta(seconds=parameters.answer_timeout_s)
        self._deadline: datetime | None = None
        self._proposal = Proposal()
        self._agreement: Agreement | None = None
        self._cipher: BoundContext | None = None
        self._envelope = Envelope.GLO
        self._limits = _NOT_ASSOCIATED
        self._invoke = 0
        self._exchange: Exchange | None = None
        self._general: GeneralTransfer | None = None

    @property
    def state(self) -> ClientState:
        """Where the association stands."""
        return self._state

    # --- the five verbs ---

    def send(self, command: ClientCommand, now: datetime) -> bytes:
        """The octets of a command, to put on the line at once.

        LocalError in a state that has no place for it, for a service that was not agreed, or when the request is longer
        than the server takes in any way that was agreed; then nothing has changed. CounterExhausted when the key must
        change first.
        """
        cell = CLIENT[self._state, _COMMANDS[type(command)]]
        if cell.reaction is not _SEND:
            raise LocalError(f"{type(command).__name__} has no place while {_words(self._state)}")
        if isinstance(command, Associate):
            self._proposal = draw_proposal(self._parameters)
            octets = self._frame(propose(self._parameters, self._proposal))
        elif isinstance(command, Release):
            octets = self._frame(_RLRQ)
        else:
            exchange = EXCHANGES[type(command)][1](command, self._next_invoke(), self._limits)
            octets = self._request(exchange.begin())
            self._exchange = exchange
        self._state = cell.next
        self._deadline = now + self._timeout
        return octets

    def receive_data(self, octets: bytes, now: datetime) -> None:
        """Take octets as they came. RemoteError, and the engine is closed, when they are corrupt or insecure."""
        if self._state is _CLOSED:
            raise RemoteError("octets came after the association was closed")
        try:
            for frame in self._wrapper.receive(octets):
                self._take(frame, now)
        except (RemoteError, CounterExhausted):
            self._close(_J.UNTRUSTED)
            raise

    def next_event(self) -> ClientEvent | None:
        """The next event, or None when more octets are needed first."""
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> datetime | None:
        """When to call `handle_timeout`; None while no answer is awaited."""
        return self._deadline

    def handle_timeout(self, now: datetime) -> None:
        """TransportLostError, and the engine is closed, when an answer is overdue; otherwise nothing happens."""
        if self._deadline is not None and now >= self._deadline:
            waiting = _words(self._state)
            self._close(_J.TIMEOUT)
            raise TransportLostError(f"no answer within {self._parameters.answer_timeout_s} s while {waiting}")

    # --- what came ---

    def _take(self, frame: Frame, now: datetime) -> None:
        parameters, octets = self._parameters, frame.apdu
        if frame.source != parameters.server_sap or frame.destination != parameters.client_sap:
            self._expect(_J.MISDIRECTED)
        tag = octets[0] if octets else 0
        if tag == GENERAL_BLOCK_TRANSFER and self._agreed(Conformance.GENERAL_BLOCK_TRANSFER):
            self._expect(_J.GENERAL_BLOCK)
            self._take_general(decode_general_block_transfer(octets), now)
        else:
            self._take_apdu(octets, tag, now)

    def _take_apdu(self, octets: bytes, tag: int, now: datetime) -> None:
        if self._cipher is not None and tag not in _NEVER_CIPHERED:
            if tag not in CIPHERED_TAGS and not self._cipher.accepts_plain:
                self._expect(_J.UNPROTECTED)
            octets = self._cipher.unprotect(octets)
        apdu = decode_apdu(octets)
        input_, handler = _HANDLERS.get(type(apdu), _UNKNOWN)
        self._expect(input_)
        handler(self, apdu, now)

    def _expect(self, input_: ClientInput) -> None:
        """RemoteError when the state has no place for what came."""
        if CLIENT[self._state, input_].reaction is _REFUSE:
            raise RemoteError(f"{_words(input_)} came while {_words(self._state)}")

    def _take_aare(self, aare: Aare, now: datetime) -> None:
        if aare.result is not AssociationResult.ACCEPTED:
            self._finish(_J.REJECTED, AssociationRefused(aare.result, aare.diagnostic))
            return
        agreement = agree(aare, self._parameters, self._proposal)
        self._agreement, self._cipher = agreement, agreement.cipher
        is_general = Conformance.GENERAL_PROTECTION in agreement.conformance
        self._envelope = Envelope.GENERAL_GLO if is_general else Envelope.GLO
        self._limits = Limits(
            self._plain_limit(GET_REQUEST, agreement.server_pdu_octets),
            agreement.server_pdu_octets,
            self._parameters.maximum_transfer_octets,
            agreement.conformance,
        )
        if agreement.handshake is None:
            self._open(_J.ACCEPTED, agreement)
            return
        proof = ActionRequestNormal(
            method=REPLY_TO_HLS,
            parameters=agreement.handshake.client_proof(),
            invoke_id_and_priority=self._next_invoke(),
        )
        self._continue(_J.CHALLENGED, proof.encode(), now)

    def _take_proof(self, response: ActionResponse) -> None:
        """Pass 4 of HLS."""
        agreement = self._agreement
        if not isinstance(response, ActionResponseNormal):
            raise unexpected(response)
        if response.result is not ActionResult.SUCCESS:
            refused = AssociationRefused(AssociationResult.REJECTED_PERMANENT, UserDiagnostic.AUTHENTICATION_FAILURE)
            self._finish(_J.REJECTED, refused)
            return
        value = response.value
        if agreement is None or agreement.handshake is None or not isinstance(value, bytes):
            raise DecryptionError
        agreement.handshake.check_server_proof(value)
        self._open(_J.PROVEN, agreement)

    def _open(self, input_: ClientInput, agreement: Agreement) -> None:
        """The association is open; from here on its dedicated key is used, where there is one."""
        if agreement.context is not None and agreement.context.has_dedicated_key:
            self._envelope = self._envelope.dedicated
        self._finish(input_, _associated(agreement))

    def _take_response(self, response: Any, now: datetime) -> None:
        """The answer to what was asked, or a part of it; in HLS, where no exchange is under way, the server's proof."""
        exchange = self._exchange
        invoke_id = response.long_invoke_id if type(response) is AccessResponse else response.invoke_id
        if invoke_id != self._invoke & 0x0F:
            raise RemoteError(f"the answer to request {invoke_id} came instead of {self._invoke & 0x0F}")
        if exchange is None:
            self._take_proof(response)
            return
        outcome = exchange.take(response)
        if isinstance(outcome, bytes):
            self._continue(_MORE_BLOCKS, outcome, now)
        else:
            self._finish(_BLOCKS_ENDED, outcome)

    def _take_general(self, block: GeneralBlockTransfer, now: datetime) -> None:
        """A block of the answer, an acknowledgement of ours, or a block of a notification (nobody acknowledges it)."""
        asked = self._exchange is not None
        if self._general is None or (not asked and block.block_number == 1):
            self._general = self._general_transfer()
        apdu = self._general.receive(block)
        if asked:
            self._deadline = now + self._timeout
            self._events.extend(SendOctets(self._frame(octets)) for octets in self._general.outgoing())
        if apdu is not None:
            self._take_apdu(apdu, apdu[0] if apdu else 0, now)
            if self._general is not None:
                self._general.await_apdu()

    def _take_notification(self, notification: DataNotification | EventNotificationRequest, _now: datetime) -> None:
        """Hand it out where it was agreed; whatever else is under way goes on."""
        is_data = type(notification) is DataNotification
        if not self._agreed(Conformance.DATA_NOTIFICATION if is_data else Conformance.EVENT_NOTIFICATION):
            raise RemoteError(f"{type(notification).__name__} was not agreed")
        self._events.append(Notified(notification))

    def _take_exception(self, response: ExceptionResponse, _now: datetime) -> None:
        self._finish(
            _J.EXCEPTION_RESPONSE,
            PeerException(response.state_error, response.service_error, response.invocation_counter),
        )

    def _take_rlre(self, rlre: Rlre, _now: datetime) -> None:
        if rlre.user_information is not None and self._cipher is not None:
            self._cipher.unprotect(rlre.user_information)
        self._agreement = self._cipher = None
        self._limits = _NOT_ASSOCIATED
        self._finish(_J.RLRE, Released())

    # --- what goes ---

    def _request(self, plain: bytes) -> bytes:
        """The frame of a request; of its first general block when it is too long to be sent whole."""
        limits = self._limits
        longest_octets = limits.plain_octets
        if plain[0] == ACCESS_REQUEST:
            longest_octets = self._plain_limit(ACCESS_REQUEST, limits.pdu_octets)
        if len(plain) <= longest_octets:
            return self._frame(self._protect(plain))
        if self._agreed(Conformance.GENERAL_BLOCK_TRANSFER):
            longest_octets = general_limit(limits.pdu_octets) - _LONGEST_CIPHERING_OCTETS
        if len(plain) > longest_octets:
            raise LocalError(f"the request is {len(plain)} octets; the server takes {longest_octets}")
        transfer = self._general_transfer()
        transfer.load(self._protect(plain))
        self._general = transfer
        return b"".join(map(self._frame, transfer.outgoing()))

    def _general_transfer(self) -> GeneralTransfer:
        parameters = self._parameters
        return GeneralTransfer(
            pdu_octets=self._limits.pdu_octets,
            window=parameters.block_window,
            limit_octets=parameters.maximum_transfer_octets,
            expects_response=True,
        )

    def _plain_limit(self, service: int, pdu_octets: int) -> int:
        """The longest plain request of a service (its tag) that goes on the line in at most `pdu_octets`."""
        if self._cipher is None:
            return pdu_octets
        return self._cipher.plain_limit(self._envelope.tag(service), pdu_octets)

    def _agreed(self, service: Conformance) -> bool:
        return service in self._limits.conformance

    def _next_invoke(self) -> int:
        """The invoke-id-and-priority octet of a new request: confirmed, high priority, the next id."""
        self._invoke = _PRIORITY_AND_CLASS | (self._invoke + 1) & 0x0F
        return self._invoke

    def _protect(self, plain: bytes) -> bytes:
        if self._cipher is None:
            return plain
        return self._cipher.protect(self._envelope.tag(plain[0]), plain)

    def _frame(self, apdu: bytes) -> bytes:
        return encode_frame(self._parameters.client_sap, self._parameters.server_sap, apdu)

    # --- the state ---

    def _continue(self, input_: ClientInput, plain: bytes, now: datetime) -> None:
        """Send what the exchange needs next."""
        octets = self._frame(self._protect(plain))
        self._state = CLIENT[self._state, input_].next
        self._deadline = now + self._timeout
        self._general = None
        self._events.append(SendOctets(octets))

    def _finish(self, input_: ClientInput, event: ClientEvent) -> None:
        """Give the result to the application."""
        self._state = CLIENT[self._state, input_].next
        self._deadline = None
        self._exchange = self._general = None
        self._events.append(event)

    def _close(self, input_: ClientInput) -> None:
        self._state = CLIENT[self._state, input_].next
        self._deadline = None


def _associated(agreement: Agreement) -> Associated:
    return Associated(agreement.conformance, agreement.server_pdu_octets, agreement.server_title)


def _words(name: ClientState | ClientInput) -> str:
    return name.name.lower().replace("_", " ")


_Handler = Callable[[ClientAssociation, Any, datetime], None]
_HANDLERS: Final[dict[type[Apdu], tuple[ClientInput, _Handler]]] = {
    Aare: (_J.AARE, ClientAssociation._take_aare),
    ExceptionResponse: (_J.EXCEPTION_RESPONSE, ClientAssociation._take_exception),
    Rlre: (_J.RLRE, ClientAssociation._take_rlre),
    **{response: (input_, ClientAssociation._take_response) for response, input_ in RESPONSES.items()},
    DataNotification: (_J.NOTIFICATION, ClientAssociation._take_notification),
    EventNotificationRequest: (_J.NOTIFICATION, ClientAssociation._take_notification),
}
_UNKNOWN: Final = (_J.UNKNOWN_SERVICE, ClientAssociation._take_response)
