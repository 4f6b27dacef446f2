"""What a request is to the application, and the response APDU that carries its answer, as long as the client takes it.

Here: matching of answer and request, and what happens to an answer that does not fit: blocks of its own service, else
general blocks, else it is left out as far as it must be, never cut. What was done stays done in every case. Not here:
ciphering, states and general blocks themselves (`responder` and `server`, which import this).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from dlms_objects.errors import LocalError
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire.access import AccessRequest, AccessResponse, AccessResult, AccessService
from dlms_objects.wire.action import (
    ActionRequestNormal,
    ActionRequestWithList,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithOptionalData,
    encode_responses,
)
from dlms_objects.wire.action_blocks import ActionRequestNextPblock, ActionResponseWithPblock
from dlms_objects.wire.blocks import DATABLOCK_HEAD_OCTETS, GET_BLOCK_HEAD_OCTETS, OutgoingBlocks
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.events import (
    ActionAnswer,
    ActionRequested,
    Answer,
    GetAnswer,
    GetRequested,
    ServerEvent,
    SetAnswer,
    SetRequested,
)
from dlms_objects.wire.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseBlock,
    GetResponseNormal,
    GetResponseWithList,
    encode_get_results,
)
from dlms_objects.wire.intake import NextBlock, Request
from dlms_objects.wire.list_events import (
    AccessAnswer,
    AccessRequested,
    ActionListAnswer,
    ActionListRequested,
    GetListAnswer,
    GetListRequested,
    SetListAnswer,
    SetListRequested,
    services_of,
)
from dlms_objects.wire.set import SetRequestNormal, SetRequestWithList, SetResponseNormal, SetResponseWithList
from dlms_objects.wire.set_blocks import SetResponseLastDatablock, SetResponseLastDatablockWithList

_NULL_DATA = b"\x00"


class Room(NamedTuple):
    """How long a plain response may be, in octets: in one APDU, and in general blocks (0 where not agreed)."""

    whole_octets: int
    general_octets: int
    conformance: Conformance

    def takes(self, plain: bytes) -> bool:
        """Whether the response reaches the client in one way or the other."""
        return len(plain) <= max(self.whole_octets, self.general_octets)


class ResponseBlocks:
    """A response on its way in the blocks of GET or ACTION; `asked_by` is the request for the next one."""

    __slots__ = ("_outgoing", "asked_by")

    def __init__(self, raw: bytes, asked_by: type[NextBlock]) -> None:
        """`raw`: what the blocks are cut from."""
        self._outgoing = OutgoingBlocks(raw)
        self.asked_by = asked_by

    @property
    def last_number(self) -> int:
        """The number of the block sent last."""
        return self._outgoing.last_number

    @property
    def is_done(self) -> bool:
        """True when the last block was sent."""
        return self._outgoing.is_done

    def next(self, plain_octets: int, invoke_id_and_priority: int) -> bytes:
        """The plain response with the next block, as long as `plain_octets` allow."""
        if self.asked_by is GetRequestNext:
            last, number, raw = self._outgoing.next(plain_octets - GET_BLOCK_HEAD_OCTETS)
            return GetResponseBlock(
                last=last, block_number=number, result=raw, invoke_id_and_priority=invoke_id_and_priority
            ).encode()
        last, number, raw = self._outgoing.next(plain_octets - DATABLOCK_HEAD_OCTETS)
        return ActionResponseWithPblock(
            last=last, block_number=number, raw=raw, invoke_id_and_priority=invoke_id_and_priority
        ).encode()


Response = tuple[bytes, ResponseBlocks | None]
"""The plain response, and the rest of it when it is the first of several blocks."""


_EVENTS: Final[dict[type[Request], Callable[[Any], ServerEvent]]] = {
    GetRequestNormal: lambda get: GetRequested(get.invoke_id, get.attribute, get.selection),
    SetRequestNormal: lambda set_: SetRequested(set_.invoke_id, set_.attribute, set_.value, set_.selection),
    ActionRequestNormal: lambda action: ActionRequested(action.invoke_id, action.method, action.parameters),
    GetRequestWithList: lambda get: GetListRequested(get.invoke_id, get.attributes),
    SetRequestWithList: lambda set_: SetListRequested(set_.invoke_id, set_.attributes, set_.values),
    ActionRequestWithList: lambda action: ActionListRequested(action.invoke_id, action.methods, action.parameters),
    AccessRequest: lambda access: AccessRequested(
        access.long_invoke_id, access.specifications, access.values, access.breaks_on_error
    ),
}


def requested(request: Request) -> ServerEvent:
    """The event that gives a request to the application."""
    return _EVENTS[type(request)](request)


def respond(request: Request, answer: Answer, room: Room, last_block_number: int | None = None) -> Response:
    """The response to a request, which came in `last_block_number` blocks of its own service, or whole (None).

    LocalError when the answer is of another kind than the request, or has another number of results.
    """
    invoke = 0 if isinstance(request, AccessRequest) else request.invoke_id_and_priority
    match request, answer:
        case GetRequestNormal(), GetAnswer(result=result):
            response = _get(result, invoke, room)
        case GetRequestWithList(), GetListAnswer(results=results):
            _check_count(results, request.attributes)
            response = _get_list(results, invoke, room)
        case SetRequestNormal(), SetAnswer(result=written):
            response = _set(written, invoke, last_block_number), None
        case SetRequestWithList(), SetListAnswer(results=all_written):
            _check_count(all_written, request.attributes)
            response = _set_list(all_written, invoke, last_block_number), None
        case ActionRequestNormal(), ActionAnswer(result=done, raw=raw):
            response = _action(ActionResponseNormal(result=done, value=raw, invoke_id_and_priority=invoke), room)
        case ActionRequestWithList(), ActionListAnswer(responses=responses):
            _check_count(responses, request.methods)
            response = _action_list(responses, invoke, room)
        case AccessRequest(), AccessAnswer():
            response = _access(request, answer, room), None
        case _:
            raise LocalError(f"{type(answer).__name__} does not answer {type(request).__name__}")
    return response


def _check_count(results: Sequence[object], items: Sequence[object]) -> None:
    if len(results) != len(items):
        raise LocalError(f"{len(results)} results do not answer {len(items)} items")


def _in_blocks(raw: bytes, asked_by: type[NextBlock], invoke: int, room: Room) -> Response:
    blocks = ResponseBlocks(raw, asked_by)
    return blocks.next(room.whole_octets, invoke), blocks


def _get(result: bytes | DataAccessResult, invoke: int, room: Room) -> Response:
    plain = GetResponseNormal(result=result, invoke_id_and_priority=invoke).encode()
    if len(plain) <= room.whole_octets or isinstance(result, DataAccessResult):
        return plain, None
    if Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ in room.conformance:
        return _in_blocks(result, GetRequestNext, invoke, room)
    if room.takes(plain):
        return plain, None
    unavailable = GetResponseNormal(result=DataAccessResult.DATA_BLOCK_UNAVAILABLE, invoke_id_and_priority=invoke)
    return unavailable.encode(), None


def _get_list(results: tuple[bytes | DataAccessResult, ...], invoke: int, room: Room) -> Response:
    plain = GetResponseWithList(results=results, invoke_id_and_priority=invoke).encode()
    if len(plain) <= room.whole_octets:
        return plain, None
    if Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ in room.conformance:
        return _in_blocks(encode_get_results(results), GetRequestNext, invoke, room)
    if room.takes(plain):
        return plain, None
    unavailable = (DataAccessResult.DATA_BLOCK_UNAVAILABLE,) * len(results)
    return GetResponseWithList(results=unavailable, invoke_id_and_priority=invoke).encode(), None


def _set(result: DataAccessResult, invoke: int, last_block_number: int | None) -> bytes:
    if last_block_number is None:
        return SetResponseNormal(result=result, invoke_id_and_priority=invoke).encode()
    return SetResponseLastDatablock(
        result=result, block_number=last_block_number, invoke_id_and_priority=invoke
    ).encode()


def _set_list(results: tuple[DataAccessResult, ...], invoke: int, last_block_number: int | None) -> bytes:
    if last_block_number is None:
        return SetResponseWithList(results=results, invoke_id_and_priority=invoke).encode()
    return SetResponseLastDatablockWithList(
        results=results, block_number=last_block_number, invoke_id_and_priority=invoke
    ).encode()


def _action(response: ActionResponseNormal, room: Room) -> Response:
    plain, invoke = response.encode(), response.invoke_id_and_priority
    if len(plain) <= room.whole_octets:
        return plain, None
    if Conformance.BLOCK_TRANSFER_WITH_ACTION in room.conformance:
        single = ActionResponseWithOptionalData(result=response.result, value=response.value)
        return _in_blocks(single.encode(), ActionRequestNextPblock, invoke, room)
    if room.takes(plain):
        return plain, None
    return replace(response, value=DataAccessResult.OTHER_REASON).encode(), None


def _action_list(responses: tuple[ActionResponseWithOptionalData, ...], invoke: int, room: Room) -> Response:
    plain = ActionResponseWithList(responses=responses, invoke_id_and_priority=invoke).encode()
    if len(plain) <= room.whole_octets:
        return plain, None
    if Conformance.BLOCK_TRANSFER_WITH_ACTION in room.conformance:
        return _in_blocks(encode_responses(responses), ActionRequestNextPblock, invoke, room)
    if room.takes(plain):
        return plain, None
    without = tuple(
        response if response.value is None else replace(response, value=DataAccessResult.OTHER_REASON)
        for response in responses
    )
    return ActionResponseWithList(responses=without, invoke_id_and_priority=invoke).encode(), None


def _access(request: AccessRequest, answer: AccessAnswer, room: Room) -> bytes:
    if [result.service for result in answer.results] != services_of(request.specifications):
        raise LocalError("the results do not answer the specifications of an ACCESS")
    response = AccessResponse(
        values=answer.values,
        results=answer.results,
        specifications=request.specifications if request.is_self_descriptive else None,
        long_invoke_id_and_priority=request.long_invoke_id_and_priority,
    )
    for shorter in (response, replace(response, specifications=None)):
        plain = shorter.encode()
        if room.takes(plain):
            return plain
    results = tuple(map(_unavailable, answer.values, answer.results))
    values = (_NULL_DATA,) * len(results)
    return replace(response, values=values, results=results, specifications=None).encode()


def _unavailable(value: bytes, result: AccessResult) -> AccessResult:
    """A result whose value is left out; what was written or done stays so."""
    if result.service is AccessService.GET and value != _NULL_DATA:
        return AccessResult(service=AccessService.GET, result=DataAccessResult.DATA_BLOCK_UNAVAILABLE)
    return result
