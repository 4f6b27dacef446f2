"""SET of a client: values cut to what the server takes, results for each attribute, and no success too early."""

from typing import Any

import pytest

from dlms_objects.errors import LocalError, RemoteError
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.events import Set, SetDone
from dlms_objects.wire.get import GetResponseNormal
from dlms_objects.wire.list_events import SetList, SetListDone
from dlms_objects.wire.selection import EntryDescriptor
from dlms_objects.wire.set import (
    SetRequestNormal,
    SetRequestWithList,
    SetResponseNormal,
    SetResponseWithList,
    decode_values,
)
from dlms_objects.wire.set_blocks import (
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
)
from tests.support.associations import REGISTER, VALUE
from tests.support.exchanges import INVOKE, begun, blocks_of, exchange_of, following, limits
from tests.support.services import ITEMS, octet_string

SUCCESS, DENIED = DataAccessResult.SUCCESS, DataAccessResult.READ_WRITE_DENIED
LONG = octet_string(1000)
LIST = SetList(ITEMS[:2], (VALUE, VALUE))
LONG_LIST = SetList(ITEMS[:2], (LONG, VALUE))


def last(result: DataAccessResult, number: int = 1) -> SetResponseLastDatablock:
    return SetResponseLastDatablock(result=result, block_number=number)


def last_of_list(*results: DataAccessResult) -> SetResponseLastDatablockWithList:
    return SetResponseLastDatablockWithList(results=results, block_number=1)


def test_a_short_value_goes_whole_and_its_result_ends_the_exchange() -> None:
    exchange, request = begun(Set(REGISTER, VALUE))
    assert request == SetRequestNormal(attribute=REGISTER, value=VALUE, invoke_id_and_priority=INVOKE)
    assert exchange.take(SetResponseNormal(result=SUCCESS)) == SetDone(SUCCESS)
    exchange, request = begun(LIST)
    assert request == SetRequestWithList(attributes=ITEMS[:2], values=LIST.values, invoke_id_and_priority=INVOKE)
    assert exchange.take(SetResponseWithList(results=(SUCCESS, DENIED))) == SetListDone((SUCCESS, DENIED))


@pytest.mark.parametrize("plain_octets", [40, 64, 127, 128, 140, 151, 152, 153, 260, 280, 300])
@pytest.mark.parametrize("selection", [None, EntryDescriptor(from_entry=1, to_entry=2).selective_access()])
def test_a_long_value_is_cut_into_blocks_that_fit_and_fill_their_requests(plain_octets: int, selection: Any) -> None:
    command = Set(REGISTER, LONG, selection)
    exchange, first = begun(command, limits(plain_octets))
    assert isinstance(first, SetRequestWithFirstDatablock)
    assert (first.attribute, first.selection) == (REGISTER, selection)
    blocks = blocks_of(exchange, first, SetResponseDatablock)
    assert {type(block) for block in blocks[1:]} == {SetRequestWithDatablock}
    assert b"".join(block.raw for block in blocks) == LONG
    assert {len(block.encode()) for block in blocks[:-1]} <= {plain_octets, plain_octets - 1}
    assert exchange.take(last(SUCCESS, len(blocks))) == SetDone(SUCCESS)


def test_a_long_list_is_cut_where_its_attributes_leave_room() -> None:
    exchange, first = begun(LONG_LIST)
    assert isinstance(first, SetRequestWithListAndFirstDatablock)
    blocks = blocks_of(exchange, first, SetResponseDatablock)
    assert decode_values(b"".join(block.raw for block in blocks)) == LONG_LIST.values
    assert max(len(block.encode()) for block in blocks) == 64
    assert exchange.take(last_of_list(SUCCESS, DENIED)) == SetListDone((SUCCESS, DENIED))


def test_what_cannot_be_cut_is_left_whole_for_general_blocks_or_for_a_refusal() -> None:
    without = limits(without=Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE)
    assert len(exchange_of(Set(REGISTER, LONG), without).begin()) > 1000
    many = SetList(ITEMS[:20], (VALUE,) * 20)
    assert isinstance(begun(many)[1], SetRequestWithList)
    for octets in range(20, 40):
        first = begun(Set(REGISTER, LONG), limits(octets))[1]
        assert isinstance(first, SetRequestNormal if octets < 20 else SetRequestWithFirstDatablock)


@pytest.mark.parametrize("response", [SetResponseNormal(result=DENIED), last(DENIED)])
def test_a_refusal_ends_the_exchange_at_any_block(response: Any) -> None:
    exchange, _ = begun(Set(REGISTER, LONG))
    assert exchange.take(response) == SetDone(DENIED)


@pytest.mark.parametrize(
    "response", [last(DENIED), last_of_list(DENIED, DENIED), SetResponseWithList(results=(DENIED, DENIED))]
)
def test_one_refusal_of_a_list_in_blocks_counts_for_each_attribute(response: Any) -> None:
    exchange, _ = begun(LONG_LIST)
    assert exchange.take(response) == SetListDone((DENIED, DENIED))


@pytest.mark.parametrize(
    ("command", "response"),
    [
        (Set(REGISTER, LONG), SetResponseNormal(result=SUCCESS)),
        (Set(REGISTER, LONG), last(SUCCESS)),
        (LONG_LIST, last_of_list(SUCCESS, DENIED)),
        (LONG_LIST, SetResponseWithList(results=(SUCCESS, DENIED))),
        (LONG_LIST, last(SUCCESS)),
    ],
)
def test_a_success_before_the_last_block_is_refused(command: Any, response: Any) -> None:
    exchange, _ = begun(command)
    with pytest.raises(RemoteError):
        exchange.take(response)


@pytest.mark.parametrize("number", [0, 2, 2**32 - 1])
@pytest.mark.parametrize("command", [Set(REGISTER, LONG), LONG_LIST, Set(REGISTER, VALUE), LIST])
def test_an_acknowledgement_out_of_turn_is_refused(number: int, command: Any) -> None:
    exchange, _ = begun(command)
    with pytest.raises(RemoteError):
        exchange.take(SetResponseDatablock(block_number=number))


def test_an_acknowledgement_of_the_last_block_is_no_result() -> None:
    exchange, first = begun(Set(REGISTER, octet_string(70)))
    assert not getattr(first, "last", True)
    assert getattr(following(exchange, SetResponseDatablock(block_number=1)), "last", False)
    with pytest.raises(RemoteError):
        exchange.take(SetResponseDatablock(block_number=2))


@pytest.mark.parametrize(
    ("command", "response"),
    [
        (Set(REGISTER, VALUE), GetResponseNormal(result=VALUE)),
        (Set(REGISTER, VALUE), SetResponseWithList(results=(SUCCESS,))),
        (LIST, SetResponseNormal(result=DENIED)),
        (LIST, SetResponseWithList(results=(SUCCESS,))),
        (LIST, last_of_list(SUCCESS, SUCCESS, SUCCESS)),
    ],
)
def test_what_does_not_answer_is_refused(command: Any, response: Any) -> None:
    with pytest.raises(RemoteError):
        exchange_of(command).take(response)


def test_a_list_that_was_not_agreed_is_not_begun() -> None:
    with pytest.raises(LocalError):
        exchange_of(LIST, limits(without=Conformance.MULTIPLE_REFERENCES))
