"""A request of SET or ACTION whose values come in blocks, on its way to a server.

Here: the blocks of one request, the request they become, and what is answered when they do not. Not here: when a
transfer begins or ends (`responder`, which imports this).
"""

from dlms_objects.errors import InvalidValueError, RemoteError
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire.action import (
    ActionRequestNormal,
    ActionRequestWithList,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithOptionalData,
)
from dlms_objects.wire.action_blocks import (
    ActionRequestWithFirstPblock,
    ActionResponseNextPblock,
)
from dlms_objects.wire.blocks import BlockOrderError, IncomingBlocks
from dlms_objects.wire.intake import FirstBlock, FurtherBlock, Request
from dlms_objects.wire.set import SetRequestNormal, SetRequestWithList, decode_values
from dlms_objects.wire.set_blocks import (
    SetRequestWithFirstDatablock,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
)


class AssemblyError(RemoteError):
    """The transfer ends here; `answer` is the plain response that says so."""

    def __init__(self, answer: bytes) -> None:
        """`answer`: of the service of the blocks."""
        super().__init__("a request in blocks cannot be put together")
        self.answer = answer


class Assembly:
    """The blocks of one request, in order, never more than the limit in all."""

    __slots__ = ("_blocks", "_first")

    def __init__(self, first: FirstBlock, limit_octets: int) -> None:
        """`first` is still to be taken, like those that follow; `limit_octets`: of the values together."""
        self._first = first
        self._blocks = IncomingBlocks(limit_octets)

    @property
    def is_set(self) -> bool:
        """True for SET, False for ACTION."""
        return isinstance(self._first, SetRequestWithFirstDatablock | SetRequestWithListAndFirstDatablock)

    def take(self, block: FirstBlock | FurtherBlock) -> Request | bytes:
        """The whole request when this was its last block, else the plain response that asks for the next.

        AssemblyError for a block of another request, out of order, too much in all, or values that are none.
        """
        set_result, action_result = DataAccessResult.LONG_SET_ABORTED, ActionResult.LONG_ACTION_ABORTED
        try:
            if block.invoke_id == self._first.invoke_id:
                raw = self._blocks.add(block.block_number, block.raw, last=block.last)
                if raw is None:
                    return self._next(block)
                if raw:
                    return self._whole(raw)
        except BlockOrderError:
            set_result = DataAccessResult.DATA_BLOCK_NUMBER_INVALID
        except (RemoteError, InvalidValueError):
            pass
        raise AssemblyError(self._failure(block, set_result, action_result))

    def _next(self, block: FirstBlock | FurtherBlock) -> bytes:
        invoke, number = block.invoke_id_and_priority, block.block_number
        if self.is_set:
            return SetResponseDatablock(block_number=number, invoke_id_and_priority=invoke).encode()
        return ActionResponseNextPblock(block_number=number, invoke_id_and_priority=invoke).encode()

    def _whole(self, raw: bytes) -> Request:
        """The request as if it had come whole; MalformedError or InvalidValueError when it cannot be one."""
        first, invoke = self._first, self._first.invoke_id_and_priority
        match first:
            case SetRequestWithFirstDatablock():
                return SetRequestNormal(
                    attribute=first.attribute, selection=first.selection, value=raw, invoke_id_and_priority=invoke
                )
            case SetRequestWithListAndFirstDatablock():
                return SetRequestWithList(
                    attributes=first.attributes, values=decode_values(raw), invoke_id_and_priority=invoke
                )
            case ActionRequestWithFirstPblock():
                return ActionRequestNormal(method=first.method, parameters=raw, invoke_id_and_priority=invoke)
            case _:
                return ActionRequestWithList(
                    methods=first.methods, parameters=decode_values(raw), invoke_id_and_priority=invoke
                )

    def _failure(
        self, block: FirstBlock | FurtherBlock, set_result: DataAccessResult, action_result: ActionResult
    ) -> bytes:
        first, invoke, number = self._first, block.invoke_id_and_priority, block.block_number
        match first:
            case SetRequestWithFirstDatablock():
                return SetResponseLastDatablock(
                    result=set_result, block_number=number, invoke_id_and_priority=invoke
                ).encode()
            case SetRequestWithListAndFirstDatablock():
                results = (set_result,) * len(first.attributes)
                return SetResponseLastDatablockWithList(
                    results=results, block_number=number, invoke_id_and_priority=invoke
                ).encode()
            case ActionRequestWithFirstPblock():
                return ActionResponseNormal(result=action_result, invoke_id_and_priority=invoke).encode()
            case _:
                failure = ActionResponseWithOptionalData(result=action_result)
                responses = (failure,) * len(first.methods)
                return ActionResponseWithList(responses=responses, invoke_id_and_priority=invoke).encode()
