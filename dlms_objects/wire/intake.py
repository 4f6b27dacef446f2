"""What a received frame is to a server's association: the input of the state table, and what the frame holds.

Here: addressing, opening of ciphered APDUs, decoding, the negotiated conformance, the limits of lists. Not here: what
is done about it (`server`, which imports this).
"""

from typing import Any, Final, NamedTuple

from dlms_objects.wire.access import AccessRequest
from dlms_objects.wire.acse import AARQ, RLRQ, decode_aarq, decode_rlrq
from dlms_objects.wire.action import ActionRequestNormal, ActionRequestWithList
from dlms_objects.wire.action_blocks import (
    ActionRequestNextPblock,
    ActionRequestWithFirstPblock,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
)
from dlms_objects.wire.admission import Admission
from dlms_objects.wire.apdu import Apdu, decode_apdu
from dlms_objects.wire.challenge import REPLY_TO_HLS
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.envelope import Envelope, envelope_of
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.general_block import (
    GENERAL_BLOCK_TRANSFER,
    decode_general_block_transfer,
)
from dlms_objects.wire.get import GetRequestNext, GetRequestNormal, GetRequestWithList
from dlms_objects.wire.security import CIPHERED_TAGS, DecryptionError
from dlms_objects.wire.set import SetRequestNormal, SetRequestWithList
from dlms_objects.wire.set_blocks import (
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithListAndFirstDatablock,
)
from dlms_objects.wire.states import ServerInput
from dlms_objects.wire.wrapper import Frame

MAXIMUM_LIST_ITEMS: Final = 128
"""The most attributes, methods or specifications of one request."""
ListRequest = GetRequestWithList | SetRequestWithList | ActionRequestWithList
Request = GetRequestNormal | SetRequestNormal | ActionRequestNormal | ListRequest | AccessRequest
FirstBlock = (
    SetRequestWithFirstDatablock
    | SetRequestWithListAndFirstDatablock
    | ActionRequestWithFirstPblock
    | ActionRequestWithListAndFirstPblock
)
FurtherBlock = SetRequestWithDatablock | ActionRequestWithPblock
NextBlock = GetRequestNext | ActionRequestNextPblock

_LIST_HEAD_OCTETS: Final = 16
"""What a response puts before and between the results of a list, at most."""


class _Service(NamedTuple):
    """A service as the state table and the conformance block see it.

    `items` is the field with the list, where there is one, `item_octets` the least that one of its results takes.
    """

    input: ServerInput
    needs: Conformance
    items: str = ""
    item_octets: int = 0


_I, _C = ServerInput, Conformance
_GET, _SET, _ACTION = _C.GET, _C.SET, _C.ACTION
_GET_LIST, _SET_LIST, _ACTION_LIST = (service | _C.MULTIPLE_REFERENCES for service in (_GET, _SET, _ACTION))
_SET_BLOCKS, _ACTION_BLOCKS = _C.BLOCK_TRANSFER_WITH_SET_OR_WRITE, _C.BLOCK_TRANSFER_WITH_ACTION

_SERVICES: Final[dict[type[Apdu], _Service]] = {
    GetRequestNormal: _Service(_I.REQUEST, _GET),
    SetRequestNormal: _Service(_I.REQUEST, _SET),
    ActionRequestNormal: _Service(_I.REQUEST, _ACTION),
    GetRequestWithList: _Service(_I.REQUEST, _GET_LIST, "attributes", 2),
    SetRequestWithList: _Service(_I.REQUEST, _SET_LIST, "attributes", 1),
    ActionRequestWithList: _Service(_I.REQUEST, _ACTION_LIST, "methods", 4),
    AccessRequest: _Service(_I.REQUEST, _C.ACCESS, "specifications", 3),
    SetRequestWithFirstDatablock: _Service(_I.FIRST_BLOCK, _SET | _SET_BLOCKS),
    SetRequestWithListAndFirstDatablock: _Service(_I.FIRST_BLOCK, _SET_LIST | _SET_BLOCKS, "attributes", 1),
    ActionRequestWithFirstPblock: _Service(_I.FIRST_BLOCK, _ACTION | _ACTION_BLOCKS),
    ActionRequestWithListAndFirstPblock: _Service(_I.FIRST_BLOCK, _ACTION_LIST | _ACTION_BLOCKS, "methods", 4),
    SetRequestWithDatablock: _Service(_I.FURTHER_BLOCK, _SET | _SET_BLOCKS),
    ActionRequestWithPblock: _Service(_I.FURTHER_BLOCK, _ACTION | _ACTION_BLOCKS),
    GetRequestNext: _Service(_I.NEXT_BLOCK, _GET),
    ActionRequestNextPblock: _Service(_I.NEXT_BLOCK, _ACTION),
}
_SELECTIVE_ACCESS: Final = _C.SELECTIVE_ACCESS
_ALLOWED_INSIDE_GENERAL_BLOCKS: Final = frozenset((_I.REQUEST, _I.UNKNOWN_SERVICE, _I.UNPROTECTED, _I.UNTRUSTED))


class Intake(NamedTuple):
    """One frame, understood: `apdu` where there is one, `failure` where security refused it."""

    input: ServerInput
    frame: Frame
    apdu: Apdu | None = None
    envelope: Envelope = Envelope.GLO
    failure: DecryptionError | None = None


def take_in(frame: Frame, admission: Admission | None, server_sap: int) -> Intake:
    """What the frame is. Never raises on what a peer sent; a genuine ciphered APDU's counter is stored."""
    try:
        if admission is None:
            return _opening(frame)
        if (frame.source, frame.destination) != (admission.client_sap, server_sap):
            return Intake(ServerInput.MISDIRECTED, frame)
        return _associated(frame, admission)
    except DecryptionError as error:
        return Intake(ServerInput.UNTRUSTED, frame, failure=error)
    except MalformedError:
        return Intake(ServerInput.UNKNOWN_SERVICE, frame)


def take_in_assembled(frame: Frame, admission: Admission, server_sap: int) -> Intake:
    """The same for an APDU that came in general blocks: only a whole request is served."""
    intake = take_in(frame, admission, server_sap)
    if intake.input in _ALLOWED_INSIDE_GENERAL_BLOCKS:
        return intake
    return Intake(ServerInput.UNKNOWN_SERVICE, frame)


def plain_limit(admission: Admission, envelope: Envelope, service: int) -> int:
    """The longest plain response of a service (its tag) that goes on the line within the client's PDU size."""
    if admission.cipher is None:
        return admission.client_pdu_octets
    return admission.cipher.plain_limit(envelope.tag(service), admission.client_pdu_octets)


def _opening(frame: Frame) -> Intake:
    if frame.apdu[:1] != bytes((AARQ,)):
        return Intake(ServerInput.REQUEST, frame)
    return Intake(ServerInput.AARQ, frame, decode_aarq(frame.apdu))


def _associated(frame: Frame, admission: Admission) -> Intake:
    tag = frame.apdu[0] if frame.apdu else 0
    if tag == AARQ:
        return Intake(ServerInput.AARQ, frame)
    if tag == RLRQ:
        return _release(frame, admission)
    if tag == GENERAL_BLOCK_TRANSFER and Conformance.GENERAL_BLOCK_TRANSFER in admission.conformance:
        return Intake(ServerInput.GENERAL_BLOCK, frame, decode_general_block_transfer(frame.apdu))
    return _service(frame, admission, tag)


def _release(frame: Frame, admission: Admission) -> Intake:
    rlrq = decode_rlrq(frame.apdu)
    if rlrq.user_information is not None and admission.cipher is not None:
        admission.cipher.unprotect(rlrq.user_information)
    return Intake(ServerInput.RLRQ, frame, rlrq)


def _service(frame: Frame, admission: Admission, tag: int) -> Intake:
    octets, cipher = frame.apdu, admission.cipher
    if cipher is not None:
        if tag not in CIPHERED_TAGS and not cipher.accepts_plain:
            return Intake(ServerInput.UNPROTECTED, frame)
        octets = cipher.unprotect(octets)
    envelope = envelope_of(tag)
    apdu = decode_apdu(octets)
    service = _SERVICES.get(type(apdu))
    if isinstance(apdu, ActionRequestNormal) and apdu.method == REPLY_TO_HLS:
        return Intake(ServerInput.REPLY_TO_HLS, frame, apdu, envelope)
    if service is None or not _is_served(apdu, service, admission, envelope):
        return Intake(ServerInput.UNKNOWN_SERVICE, frame, envelope=envelope)
    return Intake(service.input, frame, apdu, envelope)


def _is_served(apdu: Any, service: _Service, admission: Admission, envelope: Envelope) -> bool:
    """Whether the request is confirmed, uses only what was negotiated, and can be answered."""
    conformance = admission.conformance
    if not apdu.is_confirmed or service.needs not in conformance:
        return False
    if not service.items:
        return getattr(apdu, "selection", None) is None or _SELECTIVE_ACCESS in conformance
    items = getattr(apdu, service.items)
    selects = any(getattr(item, "selection", None) is not None for item in items)
    if selects and _SELECTIVE_ACCESS not in conformance:
        return False
    return _can_answer(len(items), service.item_octets, apdu.TAG, admission, envelope)


def _can_answer(count: int, item_octets: int, service: int, admission: Admission, envelope: Envelope) -> bool:
    """Whether there are 1..MAXIMUM_LIST_ITEMS items, and a response without any value would reach the client."""
    if not 1 <= count <= MAXIMUM_LIST_ITEMS:
        return False
    if Conformance.GENERAL_BLOCK_TRANSFER in admission.conformance:
        return True
    return _LIST_HEAD_OCTETS + count * item_octets <= plain_limit(admission, envelope, service)
