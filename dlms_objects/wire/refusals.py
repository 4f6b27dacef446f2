"""The plain responses by which a server says no: to blocks that have no place, and to what it does not serve at all.

Imported by `responder` and `server`.
"""

from typing import Final

from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire.action import ActionResponseNormal
from dlms_objects.wire.exception import ExceptionResponse, ServiceError, StateError
from dlms_objects.wire.get import GetRequestNext, GetResponseBlock
from dlms_objects.wire.intake import FirstBlock, FurtherBlock, NextBlock
from dlms_objects.wire.set_blocks import SetBlockRequest, SetResponseLastDatablock

NOT_POSSIBLE: Final = ExceptionResponse(
    state_error=StateError.SERVICE_NOT_ALLOWED, service_error=ServiceError.OPERATION_NOT_POSSIBLE
).encode()
NOT_SUPPORTED: Final = ExceptionResponse(
    state_error=StateError.SERVICE_UNKNOWN, service_error=ServiceError.SERVICE_NOT_SUPPORTED
).encode()
DECIPHERING_ERROR: Final = ExceptionResponse(
    state_error=StateError.SERVICE_NOT_ALLOWED, service_error=ServiceError.DECIPHERING_ERROR
).encode()


def refusal(block: FirstBlock | FurtherBlock | NextBlock) -> bytes:
    """The response to a block, or to the request for one, when no transfer of its service is in progress."""
    invoke = block.invoke_id_and_priority
    if isinstance(block, GetRequestNext):
        return _get_refusal(block, DataAccessResult.NO_LONG_GET_IN_PROGRESS)
    if isinstance(block, SetBlockRequest):
        return SetResponseLastDatablock(
            result=DataAccessResult.NO_LONG_SET_IN_PROGRESS,
            block_number=block.block_number,
            invoke_id_and_priority=invoke,
        ).encode()
    return ActionResponseNormal(result=ActionResult.NO_LONG_ACTION_IN_PROGRESS, invoke_id_and_priority=invoke).encode()


def wrong_number(request: NextBlock) -> bytes:
    """The response to the request for another block than the next, which ends the transfer."""
    if isinstance(request, GetRequestNext):
        return _get_refusal(request, DataAccessResult.DATA_BLOCK_NUMBER_INVALID)
    return ActionResponseNormal(
        result=ActionResult.LONG_ACTION_ABORTED, invoke_id_and_priority=request.invoke_id_and_priority
    ).encode()


def _get_refusal(request: GetRequestNext, result: DataAccessResult) -> bytes:
    return GetResponseBlock(
        last=True,
        block_number=request.block_number,
        result=result,
        invoke_id_and_priority=request.invoke_id_and_priority,
    ).encode()
