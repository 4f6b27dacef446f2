"""Answers: of the request's kind, never longer than the client takes, and what was done stays done."""

from typing import Any

import pytest

from dlms_objects.errors import LocalError
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire.access import (
    AccessAction,
    AccessGet,
    AccessRequest,
    AccessResponse,
    AccessResult,
    AccessService,
    AccessSet,
    decode_access_response,
)
from dlms_objects.wire.action import (
    ActionRequestNormal,
    ActionRequestWithList,
    ActionResponseNormal,
    ActionResponseWithOptionalData,
    decode_action_response,
    decode_responses,
    decode_single_response,
)
from dlms_objects.wire.action_blocks import ActionRequestNextPblock, ActionResponseWithPblock
from dlms_objects.wire.answers import Room, requested, respond
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.events import ActionAnswer, ActionRequested, Answer, GetAnswer, GetRequested, SetAnswer
from dlms_objects.wire.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseBlock,
    decode_get_response,
    decode_get_results,
)
from dlms_objects.wire.intake import Request
from dlms_objects.wire.list_events import (
    AccessAnswer,
    AccessRequested,
    ActionListAnswer,
    ActionListRequested,
    GetListAnswer,
    GetListRequested,
    SetListAnswer,
    SetListRequested,
)
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.parameters import USUAL_CONFORMANCE
from dlms_objects.wire.set import SetRequestNormal, SetRequestWithList
from tests.support.associations import JOURNAL, REGISTER, TOP_UP
from tests.support.services import octet_string

NO_BLOCKS = Conformance.GET | Conformance.ACTION
SMALL = Room(64, 0, USUAL_CONFORMANCE)
WITHOUT = Room(64, 0, NO_BLOCKS)
GENERAL_ONLY = Room(64, 1000, NO_BLOCKS)
PAIR = (AttributeWithSelection(attribute=REGISTER), AttributeWithSelection(attribute=JOURNAL))

GET = GetRequestNormal(attribute=REGISTER, invoke_id_and_priority=0xC5)
SET = SetRequestNormal(attribute=REGISTER, value=b"\x11\x01", invoke_id_and_priority=0xC6)
ACTION = ActionRequestNormal(method=TOP_UP, invoke_id_and_priority=0xC7)
GET_LIST = GetRequestWithList(attributes=PAIR, invoke_id_and_priority=0xC8)
SET_LIST = SetRequestWithList(attributes=PAIR, values=(b"\x11\x01", b"\x11\x02"), invoke_id_and_priority=0xC9)
ACTION_LIST = ActionRequestWithList(methods=(TOP_UP,), parameters=(b"\x00",), invoke_id_and_priority=0xCA)
ACCESS = AccessRequest(
    specifications=(AccessGet(attribute=REGISTER), AccessSet(attribute=JOURNAL), AccessAction(method=TOP_UP)),
    values=(b"\x00", b"\x11\x01", b"\x00"),
    long_invoke_id_and_priority=0xE000_00CB,
)
DONE = ActionAnswer(ActionResult.SUCCESS, b"\x11\x09")
SUCCESS, DENIED = DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED
CARRIED_OUT = ActionResponseWithOptionalData(result=ActionResult.SUCCESS, value=b"\x11\x09")
READ = AccessResult(service=AccessService.GET, result=SUCCESS)
WRITTEN = AccessResult(service=AccessService.SET, result=DENIED)
INVOKED = AccessResult(service=AccessService.ACTION, result=ActionResult.SUCCESS)
ACCESS_ANSWER = AccessAnswer((b"\x11\x07", b"\x00", b"\x11\x09"), (READ, WRITTEN, INVOKED))
ANSWERS: list[tuple[Request, Answer]] = [
    (GET, GetAnswer(b"\x11\x07")),
    (SET, SetAnswer(SUCCESS)),
    (ACTION, DONE),
    (GET_LIST, GetListAnswer((b"\x11\x07", DENIED))),
    (SET_LIST, SetListAnswer((SUCCESS, DENIED))),
    (ACTION_LIST, ActionListAnswer((CARRIED_OUT,))),
    (ACCESS, ACCESS_ANSWER),
]


def long_return(octets: int) -> ActionResponseWithOptionalData:
    return ActionResponseWithOptionalData(result=ActionResult.SUCCESS, value=octet_string(octets))


@pytest.mark.parametrize(
    ("request_", "event"),
    [
        (GET, GetRequested(5, REGISTER, None)),
        (ACTION, ActionRequested(7, TOP_UP, None)),
        (GET_LIST, GetListRequested(8, PAIR)),
        (SET_LIST, SetListRequested(9, PAIR, SET_LIST.values)),
        (ACTION_LIST, ActionListRequested(10, (TOP_UP,), (b"\x00",))),
        (ACCESS, AccessRequested(0xCB, ACCESS.specifications, ACCESS.values, True)),
    ],
)
def test_a_request_is_handed_out_with_everything_it_says(request_: Request, event: Any) -> None:
    assert requested(request_) == event


@pytest.mark.parametrize(
    ("request_", "answer", "octets"),
    [
        (GET, GetAnswer(b"\x11\x07"), "c401c5001107"),
        (GET, GetAnswer(DataAccessResult.OBJECT_UNDEFINED), "c401c50104"),
        (SET, SetAnswer(SUCCESS), "c501c600"),
        (SET, SetAnswer(DENIED), "c501c603"),
        (ACTION, DONE, "c701c70001001109"),
        (ACTION, ActionAnswer(ActionResult.OTHER_REASON), "c701c7fa00"),
        (GET_LIST, GetListAnswer((b"\x11\x07", DENIED)), "c403c8 02 001107 0103"),
        (SET_LIST, SetListAnswer((SUCCESS, DENIED)), "c505c9 02 00 03"),
        (ACTION_LIST, ActionListAnswer((CARRIED_OUT,)), "c703ca 01 00 01001109"),
        (ACCESS, ACCESS_ANSWER, "da e00000cb 00 00 03 1107 00 1109 03 0100 0203 0300"),
    ],
)
def test_an_answer_carries_the_invoke_id_of_its_request(request_: Request, answer: Answer, octets: str) -> None:
    assert respond(request_, answer, SMALL) == (bytes.fromhex(octets), None)


@pytest.mark.parametrize("request_", [request for request, _ in ANSWERS], ids=lambda request: type(request).__name__)
@pytest.mark.parametrize("answer", [answer for _, answer in ANSWERS], ids=lambda answer: type(answer).__name__)
def test_an_answer_of_another_kind_is_our_own_mistake(request_: Request, answer: Answer) -> None:
    if (request_, answer) in ANSWERS:
        assert respond(request_, answer, SMALL)
        return
    with pytest.raises(LocalError):
        respond(request_, answer, SMALL)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (GET_LIST, GetListAnswer((DENIED,))),
        (SET_LIST, SetListAnswer((SUCCESS,) * 3)),
        (ACTION_LIST, ActionListAnswer(())),
        (ACCESS, AccessAnswer((b"\x00",), (READ,))),
        (ACCESS, AccessAnswer((b"\x00",) * 3, (WRITTEN, READ, INVOKED))),
        (ACCESS, AccessAnswer((b"\x00",) * 3, (READ, INVOKED, WRITTEN))),
    ],
)
def test_another_number_or_order_of_results_is_our_own_mistake(request_: Request, answer: Answer) -> None:
    with pytest.raises(LocalError):
        respond(request_, answer, SMALL)


def test_a_value_that_just_fits_is_sent_whole_and_one_octet_more_in_blocks() -> None:
    whole, rest = respond(GET, GetAnswer(bytes(60)), SMALL)
    assert (len(whole), rest) == (64, None)
    first, rest = respond(GET, GetAnswer(bytes(61)), SMALL)
    block = decode_get_response(first)
    assert isinstance(block, GetResponseBlock)
    assert (len(first), block.last, block.block_number) == (64, False, 1)
    assert rest is not None


def joined(first: bytes, rest: Any, asked_by: type) -> bytes:
    """What the blocks of a response come together to."""
    assert rest.asked_by is asked_by
    raw, plain, number = b"", first, 1
    while True:
        assert len(plain) <= 64
        block: Any = decode_get_response(plain) if asked_by is GetRequestNext else decode_action_response(plain)
        raw += block.result if isinstance(block, GetResponseBlock) else block.raw
        assert (block.block_number, rest.last_number, block.last) == (number, number, rest.is_done)
        if block.last:
            return raw
        plain, number = rest.next(64, block.invoke_id_and_priority), number + 1


def test_a_long_list_of_values_goes_in_the_blocks_of_get() -> None:
    results = (octet_string(100), DENIED)
    first, rest = respond(GET_LIST, GetListAnswer(results), SMALL)
    assert decode_get_results(joined(first, rest, GetRequestNext)) == results


def test_long_return_values_go_in_the_blocks_of_action() -> None:
    response = long_return(100)
    first, rest = respond(ACTION, ActionAnswer(ActionResult.SUCCESS, octet_string(100)), SMALL)
    assert isinstance(decode_action_response(first), ActionResponseWithPblock)
    assert decode_single_response(joined(first, rest, ActionRequestNextPblock)) == response
    first, rest = respond(ACTION_LIST, ActionListAnswer((response,)), SMALL)
    assert decode_responses(joined(first, rest, ActionRequestNextPblock)) == (response,)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (GET, GetAnswer(bytes(600))),
        (GET_LIST, GetListAnswer((bytes(300), bytes(300)))),
        (ACTION, ActionAnswer(ActionResult.SUCCESS, bytes(600))),
        (ACTION_LIST, ActionListAnswer((long_return(600),))),
        (ACCESS, AccessAnswer((bytes(600), b"\x00", b"\x00"), (READ, WRITTEN, INVOKED))),
    ],
)
def test_a_long_answer_without_blocks_of_its_own_stays_whole_where_general_blocks_take_it(
    request_: Request, answer: Answer
) -> None:
    plain, rest = respond(request_, answer, GENERAL_ONLY)
    assert (600 < len(plain) <= 1000, rest) == (True, None)


def test_a_long_value_without_block_transfer_is_unavailable_never_cut() -> None:
    assert respond(GET, GetAnswer(bytes(61)), WITHOUT) == (bytes.fromhex("c401c5010e"), None)
    both = GetListAnswer((bytes(61), b"\x00"))
    assert respond(GET_LIST, both, WITHOUT) == (bytes.fromhex("c403c8 02 010e 010e"), None)


def test_a_return_value_too_long_for_the_client_is_left_out_but_the_action_stays_done() -> None:
    octets, rest = respond(ACTION, ActionAnswer(ActionResult.SUCCESS, bytes(59)), WITHOUT)
    assert rest is None
    assert decode_action_response(octets) == ActionResponseNormal(
        result=ActionResult.SUCCESS, value=DataAccessResult.OTHER_REASON, invoke_id_and_priority=0xC7
    )
    assert len(respond(ACTION, ActionAnswer(ActionResult.SUCCESS, bytes(58)), WITHOUT)[0]) == 64
    both = ActionRequestWithList(methods=(TOP_UP, TOP_UP), parameters=(b"\x00", b"\x00"), invoke_id_and_priority=0xCA)
    failed = ActionResponseWithOptionalData(result=ActionResult.TEMPORARY_FAILURE)
    answer = ActionListAnswer((failed, long_return(80)))
    assert respond(both, answer, WITHOUT) == (bytes.fromhex("c703ca 02 0200 00 0101fa"), None)


def test_an_access_too_long_for_the_client_loses_its_values_but_no_effect() -> None:
    plain, _ = respond(ACCESS, AccessAnswer((bytes(70), b"\x00", bytes(70)), (READ, WRITTEN, INVOKED)), WITHOUT)
    unavailable = AccessResult(service=AccessService.GET, result=DataAccessResult.DATA_BLOCK_UNAVAILABLE)
    assert decode_access_response(plain) == AccessResponse(
        values=(b"\x00",) * 3, results=(unavailable, WRITTEN, INVOKED), long_invoke_id_and_priority=0xE000_00CB
    )


def test_an_access_that_asks_for_it_is_answered_with_its_own_specifications_where_they_fit() -> None:
    describing = AccessRequest(
        specifications=ACCESS.specifications, values=ACCESS.values, long_invoke_id_and_priority=0xD000_0001
    )
    for octets, specifications in ((200, ACCESS.specifications), (40, None)):
        plain, _ = respond(describing, ACCESS_ANSWER, Room(octets, 0, NO_BLOCKS))
        response = decode_access_response(plain)
        assert (response.specifications, response.values) == (specifications, ACCESS_ANSWER.values)


@pytest.mark.parametrize(
    ("request_", "answer", "octets"),
    [
        (SET, SetAnswer(SUCCESS), "c503c6 00 00000007"),
        (SET_LIST, SetListAnswer((SUCCESS, DENIED)), "c504c9 02 00 03 00000007"),
        (ACTION, DONE, "c701c70001001109"),
    ],
)
def test_what_came_in_blocks_is_answered_as_such(request_: Request, answer: Answer, octets: str) -> None:
    assert respond(request_, answer, SMALL, 7) == (bytes.fromhex(octets), None)
