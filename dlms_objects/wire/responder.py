"""The services of one open association of a server: the request that waits for an answer, and the blocks either way.

Here: what is under way, and the octets that go on the line for it, ciphered the way the request came. Not here: states
and events (`server`, which imports this), opening of ciphered APDUs (`intake`). Each step gives the input that it is to
the state table.

Decision: a long answer goes in the blocks of its own service where those were agreed, else in general blocks, because
some peers propose general blocks and cannot do them; but what was asked in general blocks is answered in them.
"""

from typing import NamedTuple

from dlms_objects.errors import LocalError, RemoteError
from dlms_objects.wire.admission import Admission
from dlms_objects.wire.answers import ResponseBlocks, Room, respond
from dlms_objects.wire.assembly import Assembly, AssemblyError
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.envelope import Envelope
from dlms_objects.wire.events import Answer
from dlms_objects.wire.general_block import GeneralBlockTransfer
from dlms_objects.wire.general_transfer import GeneralTransfer, general_limit, stream
from dlms_objects.wire.get import GET_RESPONSE
from dlms_objects.wire.intake import FirstBlock, FurtherBlock, NextBlock, Request, plain_limit
from dlms_objects.wire.notification import DataNotification, EventNotificationRequest
from dlms_objects.wire.parameters import ServerParameters
from dlms_objects.wire.refusals import NOT_POSSIBLE, refusal, wrong_number
from dlms_objects.wire.set_blocks import SetBlockRequest
from dlms_objects.wire.states import ServerInput
from dlms_objects.wire.wrapper import encode_frame

_LONGEST_CIPHERING_OCTETS = 32
_WHOLE_ANSWER, _LONG_ANSWER = ServerInput.WHOLE_ANSWER, ServerInput.LONG_ANSWER
_NOTIFYING = {
    DataNotification: Conformance.DATA_NOTIFICATION,
    EventNotificationRequest: Conformance.EVENT_NOTIFICATION,
}


class Step(NamedTuple):
    """What a block came to: the input of the state table, the frames to send, the APDU that is whole now."""

    input: ServerInput
    frames: tuple[bytes, ...] = ()
    apdu: bytes = b""


class Responder:
    """One association's requests, one at a time; `envelope` is how the last one came, `request` what owes an answer."""

    __slots__ = (
        *("_assembly", "_blocks", "_cipher", "_general", "_general_octets", "_last_block_number"),
        *("_limit_octets", "_limited", "_parameters", "admission", "envelope", "request"),
    )

    def __init__(self, parameters: ServerParameters, admission: Admission) -> None:
        """Nothing is under way."""
        self._parameters = parameters
        self.admission = admission
        self._cipher = admission.cipher
        self._general_octets = 0  # the longest plain APDU that can be sent in general blocks
        if Conformance.GENERAL_BLOCK_TRANSFER in admission.conformance:
            self._general_octets = general_limit(admission.client_pdu_octets) - _LONGEST_CIPHERING_OCTETS
        self._limited: tuple[Envelope, int] | None = None
        self._limit_octets = 0
        self.envelope = Envelope.GLO
        self.request: Request | None = None
        self._last_block_number: int | None = None
        self._assembly: Assembly | None = None
        self._blocks: ResponseBlocks | None = None
        self._general: GeneralTransfer | None = None

    # --- what came ---

    def begin(self, request: Request, *, in_general_blocks: bool = False) -> None:
        """A whole request owes its answer; what else was under way is given up."""
        general = self._general if in_general_blocks else None
        self._give_up()
        self.request, self._general = request, general

    def take_block(self, block: FirstBlock | FurtherBlock) -> Step:
        """A block of a SET or ACTION; a first one begins, whatever was under way."""
        if isinstance(block, FirstBlock):
            self._give_up()
            self._assembly = Assembly(block, self._parameters.maximum_transfer_octets)
        assembly = self._assembly
        if assembly is None or assembly.is_set is not isinstance(block, SetBlockRequest):
            return Step(ServerInput.BLOCK_TAKEN, (self.frame(refusal(block)),))
        try:
            taken = assembly.take(block)
        except AssemblyError as error:
            self._give_up()
            return Step(ServerInput.TRANSFER_FAILED, (self.frame(error.answer),))
        if isinstance(taken, bytes):
            return Step(ServerInput.BLOCK_TAKEN, (self.frame(taken),))
        self.begin(taken)
        self._last_block_number = block.block_number
        return Step(ServerInput.REQUEST_WHOLE)

    def take_next(self, request: NextBlock) -> Step:
        """The next block of the answer under way is wanted; another number than that ends it."""
        blocks, number, invoke = self._blocks, request.block_number, request.invoke_id_and_priority
        if blocks is None or type(request) is not blocks.asked_by:
            return Step(ServerInput.MORE_BLOCKS, (self.frame(refusal(request)),))
        if number == blocks.last_number:
            plain = blocks.next(self._plain_limit(GET_RESPONSE), invoke)
        else:
            plain, self._blocks = wrong_number(request), None
        ended = self._blocks is None or blocks.is_done
        return Step(ServerInput.BLOCKS_ENDED if ended else ServerInput.MORE_BLOCKS, (self.frame(plain),))

    def take_general(self, block: GeneralBlockTransfer) -> Step:
        """A general block of a request, or the acknowledgement of ours; number 1 begins, whatever was under way."""
        begins = block.block_number == 1 and bool(block.block)
        if begins:
            self._give_up()
            self._general = self._general_transfer()
        general = self._general
        if general is None:
            return Step(ServerInput.TRANSFER_FAILED)
        try:
            apdu = general.receive(block)
            frames = tuple(map(self._enframe, general.outgoing()))
        except RemoteError:
            self._give_up()
            return Step(ServerInput.TRANSFER_FAILED, (self._enframe(NOT_POSSIBLE),))
        if apdu is not None:
            return Step(ServerInput.APDU_WHOLE, apdu=apdu)
        if not general.is_loaded:
            return Step(ServerInput.GENERAL_TAKEN, frames)
        return Step(ServerInput.MORE_BLOCKS if frames else ServerInput.BLOCKS_ENDED, frames)

    # --- what goes ---

    def respond(self, answer: Answer) -> Step:
        """The frames of the answer to `request`; LocalError when none waits or the kind does not match.

        CounterExhausted when the key must change first.
        """
        request = self.request
        if request is None:
            raise LocalError("no request waits for an answer")
        limit_octets, general_octets = self._plain_limit(request.TAG), self._general_octets
        whole_octets = limit_octets if self._general is None else general_octets
        room = Room(whole_octets, general_octets, self.admission.conformance)
        plain, self._blocks = respond(request, answer, room, self._last_block_number)
        apdu = self._protect(plain)
        self.request = None
        if self._general is None and len(plain) <= limit_octets:
            return Step(_WHOLE_ANSWER if self._blocks is None else _LONG_ANSWER, (self._enframe(apdu),))
        general = self._general = self._general or self._general_transfer()
        general.load(apdu)
        return Step(ServerInput.GENERAL_ANSWER, tuple(map(self._enframe, general.outgoing())))

    def notification_input(self, notification: DataNotification | EventNotificationRequest) -> ServerInput:
        """What sending it is to the state table; LocalError when it was not agreed or is too long for the client."""
        if _NOTIFYING[type(notification)] not in self.admission.conformance:
            raise LocalError(f"the client takes no {type(notification).__name__}")
        octets = len(notification.encode())
        if octets <= plain_limit(self.admission, self._own_envelope, notification.TAG):
            return ServerInput.NOTIFICATION
        if octets <= self._general_octets:
            return ServerInput.LONG_NOTIFICATION
        raise LocalError(f"a notification of {octets} octets is too long for the client")

    def notify(self, notification: DataNotification | EventNotificationRequest) -> bytes:
        """Its frames; CounterExhausted when the key must change first."""
        apdu, pdu_octets = notification.encode(), self.admission.client_pdu_octets
        if self._cipher is not None:
            apdu = self._cipher.protect(self._own_envelope.tag(notification.TAG), apdu)
        pieces = [apdu] if len(apdu) <= pdu_octets else stream(apdu, pdu_octets)
        return b"".join(map(self._enframe, pieces))

    def frame(self, plain: bytes) -> bytes:
        """A response as it goes on the line, ciphered the way the request came."""
        return self._enframe(self._protect(plain))

    def _protect(self, plain: bytes) -> bytes:
        cipher = self._cipher
        return plain if cipher is None else cipher.protect(self.envelope.tag(plain[0]), plain)

    def _enframe(self, apdu: bytes) -> bytes:
        return encode_frame(self._parameters.server_sap, self.admission.client_sap, apdu)

    @property
    def _own_envelope(self) -> Envelope:
        """How we cipher what nobody asked for."""
        admission = self.admission
        is_general = Conformance.GENERAL_PROTECTION in admission.conformance
        envelope = Envelope.GENERAL_GLO if is_general else Envelope.GLO
        has_dedicated_key = admission.context is not None and admission.context.has_dedicated_key
        return envelope.dedicated if has_dedicated_key else envelope

    def _plain_limit(self, service: int) -> int:
        """The longest plain response of a service, worked out again when it or the envelope is another."""
        limited = self.envelope, service
        if limited != self._limited:
            self._limited, self._limit_octets = limited, plain_limit(self.admission, self.envelope, service)
        return self._limit_octets

    def _general_transfer(self) -> GeneralTransfer:
        return GeneralTransfer(
            pdu_octets=self.admission.client_pdu_octets,
            window=self._parameters.block_window,
            limit_octets=self._parameters.maximum_transfer_octets,
            expects_response=False,
        )

    def _give_up(self) -> None:
        self.request = self._last_block_number = None
        self._assembly = self._blocks = self._general = None
