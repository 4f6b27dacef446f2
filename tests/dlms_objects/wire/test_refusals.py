"""The server's ways to say no: each names the request it answers and the reason of its own service."""

from typing import Any

import pytest

from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire.action import ActionResponseNormal
from dlms_objects.wire.action_blocks import ActionRequestNextPblock, ActionRequestWithPblock
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.exception import ExceptionResponse, ServiceError, StateError
from dlms_objects.wire.get import GetRequestNext, GetResponseBlock
from dlms_objects.wire.refusals import DECIPHERING_ERROR, NOT_POSSIBLE, NOT_SUPPORTED, refusal, wrong_number
from dlms_objects.wire.set_blocks import SetRequestWithDatablock, SetResponseLastDatablock

INVOKE = 0xC7
NEXT_GET = GetRequestNext(block_number=9, invoke_id_and_priority=INVOKE)
NEXT_ACTION = ActionRequestNextPblock(block_number=9, invoke_id_and_priority=INVOKE)
SET_BLOCK = SetRequestWithDatablock(last=False, block_number=9, raw=b"x", invoke_id_and_priority=INVOKE)
ACTION_BLOCK = ActionRequestWithPblock(last=False, block_number=9, raw=b"x", invoke_id_and_priority=INVOKE)


def get_refused(result: DataAccessResult) -> GetResponseBlock:
    return GetResponseBlock(last=True, block_number=9, result=result, invoke_id_and_priority=INVOKE)


def action_refused(result: ActionResult) -> ActionResponseNormal:
    return ActionResponseNormal(result=result, invoke_id_and_priority=INVOKE)


@pytest.mark.parametrize(
    ("block", "answer"),
    [
        (NEXT_GET, get_refused(DataAccessResult.NO_LONG_GET_IN_PROGRESS)),
        (NEXT_ACTION, action_refused(ActionResult.NO_LONG_ACTION_IN_PROGRESS)),
        (ACTION_BLOCK, action_refused(ActionResult.NO_LONG_ACTION_IN_PROGRESS)),
        (
            SET_BLOCK,
            SetResponseLastDatablock(
                result=DataAccessResult.NO_LONG_SET_IN_PROGRESS, block_number=9, invoke_id_and_priority=INVOKE
            ),
        ),
    ],
)
def test_a_block_without_a_transfer_is_refused_in_its_own_service(block: Any, answer: Any) -> None:
    assert decode_apdu(refusal(block)) == answer


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (NEXT_GET, get_refused(DataAccessResult.DATA_BLOCK_NUMBER_INVALID)),
        (NEXT_ACTION, action_refused(ActionResult.LONG_ACTION_ABORTED)),
    ],
)
def test_a_wrong_number_is_refused_in_its_own_service(request_: Any, answer: Any) -> None:
    assert decode_apdu(wrong_number(request_)) == answer


def test_what_is_not_served_is_answered_by_an_exception() -> None:
    not_allowed, unknown = StateError.SERVICE_NOT_ALLOWED, StateError.SERVICE_UNKNOWN
    for octets, state, service in (
        (NOT_POSSIBLE, not_allowed, ServiceError.OPERATION_NOT_POSSIBLE),
        (NOT_SUPPORTED, unknown, ServiceError.SERVICE_NOT_SUPPORTED),
        (DECIPHERING_ERROR, not_allowed, ServiceError.DECIPHERING_ERROR),
    ):
        assert decode_apdu(octets) == ExceptionResponse(state_error=state, service_error=service)
