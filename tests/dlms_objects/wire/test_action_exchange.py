"""ACTION of a client: parameters and return values whole and in blocks, and no success too early."""

from typing import Any

import pytest

from dlms_objects.errors import LocalError, RemoteError
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire.action import (
    ActionRequestNormal,
    ActionRequestWithList,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithOptionalData,
    encode_responses,
)
from dlms_objects.wire.action_blocks import (
    ActionRequestNextPblock,
    ActionRequestWithFirstPblock,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseWithPblock,
)
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.events import Action, ActionDone
from dlms_objects.wire.get import GetResponseNormal
from dlms_objects.wire.list_events import ActionList, ActionListDone
from dlms_objects.wire.set import decode_values
from tests.support.associations import TOP_UP, VALUE
from tests.support.exchanges import INVOKE, begun, blocks_of, exchange_of, following, limits
from tests.support.services import METHODS, octet_string

SUCCESS, FAILURE = ActionResult.SUCCESS, ActionResult.TEMPORARY_FAILURE
LONG = octet_string(1000)
LIST = ActionList(METHODS, (VALUE, b"\x00"))
LONG_LIST = ActionList(METHODS, (LONG, VALUE))
DONE = ActionResponseWithOptionalData(result=SUCCESS, value=VALUE)
FAILED = ActionResponseWithOptionalData(result=FAILURE)
IN_LIST = ActionResponseWithList(responses=(DONE, FAILED))


def block(number: int, raw: bytes, *, last: bool = False) -> ActionResponseWithPblock:
    return ActionResponseWithPblock(last=last, block_number=number, raw=raw)


def test_a_short_request_goes_whole_and_its_result_ends_the_exchange() -> None:
    exchange, request = begun(Action(TOP_UP, VALUE))
    assert request == ActionRequestNormal(method=TOP_UP, parameters=VALUE, invoke_id_and_priority=INVOKE)
    assert exchange.take(ActionResponseNormal(result=SUCCESS, value=VALUE)) == ActionDone(SUCCESS, VALUE)
    exchange, request = begun(LIST)
    assert request == ActionRequestWithList(methods=METHODS, parameters=LIST.parameters, invoke_id_and_priority=INVOKE)
    assert exchange.take(IN_LIST) == ActionListDone((DONE, FAILED))


@pytest.mark.parametrize("plain_octets", [40, 64, 127, 128, 140, 150, 151, 152, 280, 300])
def test_long_parameters_are_cut_into_blocks_that_fit_and_fill_their_requests(plain_octets: int) -> None:
    exchange, first = begun(Action(TOP_UP, LONG), limits(plain_octets))
    assert isinstance(first, ActionRequestWithFirstPblock)
    assert first.method == TOP_UP
    blocks = blocks_of(exchange, first, ActionResponseNextPblock)
    assert {type(part) for part in blocks[1:]} == {ActionRequestWithPblock}
    assert b"".join(part.raw for part in blocks) == LONG
    assert {len(part.encode()) for part in blocks[:-1]} <= {plain_octets, plain_octets - 1}
    assert exchange.take(ActionResponseNormal(result=SUCCESS)) == ActionDone(SUCCESS, None)


def test_long_parameters_of_a_list_are_cut_too() -> None:
    exchange, first = begun(LONG_LIST)
    assert isinstance(first, ActionRequestWithListAndFirstPblock)
    blocks = blocks_of(exchange, first, ActionResponseNextPblock)
    assert decode_values(b"".join(part.raw for part in blocks)) == LONG_LIST.parameters
    assert exchange.take(IN_LIST) == ActionListDone((DONE, FAILED))


def test_what_cannot_be_cut_is_left_whole() -> None:
    without = limits(without=Conformance.BLOCK_TRANSFER_WITH_ACTION)
    assert len(exchange_of(Action(TOP_UP, LONG), without).begin()) > 1000
    assert len(exchange_of(LONG_LIST, without).begin()) > 1000


@pytest.mark.parametrize(
    ("command", "raw", "event"),
    [
        (Action(TOP_UP), DONE.encode(), ActionDone(SUCCESS, VALUE)),
        (LIST, encode_responses((DONE, FAILED)), ActionListDone((DONE, FAILED))),
        (Action(TOP_UP, LONG), FAILED.encode(), ActionDone(FAILURE, None)),
        (LONG_LIST, encode_responses((DONE, FAILED)), ActionListDone((DONE, FAILED))),
    ],
)
def test_return_values_in_blocks_are_asked_for_one_by_one_and_joined(command: Any, raw: bytes, event: Any) -> None:
    exchange, first = begun(command)
    if hasattr(first, "last"):
        blocks_of(exchange, first, ActionResponseNextPblock)
    for number in (1, 2):
        request = following(exchange, block(number, raw[number - 1 : number]))
        assert request == ActionRequestNextPblock(block_number=number, invoke_id_and_priority=INVOKE)
    assert exchange.take(block(3, raw[2:], last=True)) == event


def test_a_failure_ends_the_exchange_at_any_block() -> None:
    exchange, _ = begun(Action(TOP_UP, LONG))
    assert exchange.take(ActionResponseNormal(result=FAILURE)) == ActionDone(FAILURE, None)
    exchange, _ = begun(LONG_LIST)
    assert exchange.take(ActionResponseNormal(result=FAILURE)) == ActionListDone((FAILED, FAILED))
    exchange, _ = begun(LONG_LIST)
    assert exchange.take(ActionResponseWithList(responses=(FAILED, FAILED))) == ActionListDone((FAILED, FAILED))


@pytest.mark.parametrize(
    ("command", "response"),
    [
        (Action(TOP_UP, LONG), ActionResponseNormal(result=SUCCESS)),
        (Action(TOP_UP, LONG), block(1, b"x")),
        (LONG_LIST, IN_LIST),
        (LONG_LIST, block(1, b"x")),
        (LONG_LIST, ActionResponseNormal(result=SUCCESS)),
    ],
)
def test_a_success_before_the_last_block_is_refused(command: Any, response: Any) -> None:
    exchange, _ = begun(command)
    with pytest.raises(RemoteError):
        exchange.take(response)


@pytest.mark.parametrize("command", [Action(TOP_UP), LIST])
@pytest.mark.parametrize(
    "response",
    [
        ActionResponseNormal(result=SUCCESS),
        IN_LIST,
        block(3, b"x"),
        block(2, b""),
        ActionResponseNextPblock(block_number=1),
    ],
)
def test_what_breaks_a_transfer_of_return_values_is_refused(command: Any, response: Any) -> None:
    exchange, _ = begun(command)
    exchange.take(block(1, b"x"))
    with pytest.raises(RemoteError):
        exchange.take(response)


@pytest.mark.parametrize(
    ("command", "response"),
    [
        (Action(TOP_UP), GetResponseNormal(result=VALUE)),
        (Action(TOP_UP), IN_LIST),
        (Action(TOP_UP), ActionResponseNextPblock(block_number=1)),
        (LIST, ActionResponseNormal(result=SUCCESS)),
        (LIST, ActionResponseWithList(responses=(DONE,))),
        (LIST, block(1, encode_responses((DONE,)), last=True)),
    ],
)
def test_what_does_not_answer_is_refused(command: Any, response: Any) -> None:
    exchange, _ = begun(command)
    with pytest.raises(RemoteError):
        exchange.take(response)


def test_joined_blocks_that_are_no_response_are_malformed() -> None:
    for command in (Action(TOP_UP), LIST):
        with pytest.raises(MalformedError):
            exchange_of(command).take(block(1, b"\x00\x01", last=True))


def test_a_value_that_cannot_be_had_is_passed_on() -> None:
    unavailable = ActionResponseNormal(result=SUCCESS, value=DataAccessResult.OTHER_REASON)
    assert exchange_of(Action(TOP_UP)).take(unavailable) == ActionDone(SUCCESS, DataAccessResult.OTHER_REASON)


def test_a_list_that_was_not_agreed_is_not_begun() -> None:
    with pytest.raises(LocalError):
        exchange_of(LIST, limits(without=Conformance.MULTIPLE_REFERENCES))
