"""GET of a client: values whole and in blocks, one result for each attribute, and nothing that does not answer."""

from typing import Any

import pytest

from dlms_objects.errors import LocalError, RemoteError
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.events import Get, GetDone, GetFailed
from dlms_objects.wire.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseBlock,
    GetResponseNormal,
    GetResponseWithList,
    encode_get_results,
)
from dlms_objects.wire.list_events import GetList, GetListDone
from dlms_objects.wire.set import SetResponseNormal
from tests.support.associations import REGISTER, VALUE
from tests.support.exchanges import INVOKE, begun, exchange_of, following, limits
from tests.support.services import ITEMS

DENIED = DataAccessResult.READ_WRITE_DENIED
RESULTS: tuple[bytes | DataAccessResult, ...] = (VALUE, DENIED)
LIST = GetList(ITEMS[:2])


def block(number: int, result: bytes | DataAccessResult, *, last: bool = False) -> GetResponseBlock:
    return GetResponseBlock(last=last, block_number=number, result=result)


def test_a_value_and_a_refusal_end_the_exchange() -> None:
    exchange, request = begun(Get(REGISTER))
    assert request == GetRequestNormal(attribute=REGISTER, invoke_id_and_priority=INVOKE)
    assert exchange.take(GetResponseNormal(result=VALUE)) == GetDone(VALUE)
    assert exchange_of(Get(REGISTER)).take(GetResponseNormal(result=DENIED)) == GetFailed(DENIED)


def test_results_of_a_list_end_the_exchange() -> None:
    exchange, request = begun(LIST)
    assert request == GetRequestWithList(attributes=ITEMS[:2], invoke_id_and_priority=INVOKE)
    assert exchange.take(GetResponseWithList(results=RESULTS)) == GetListDone(RESULTS)


@pytest.mark.parametrize(
    ("command", "raw", "event"),
    [(Get(REGISTER), VALUE, GetDone(VALUE)), (LIST, encode_get_results(RESULTS), GetListDone(RESULTS))],
)
def test_blocks_are_asked_for_one_by_one_and_joined(command: Any, raw: bytes, event: Any) -> None:
    exchange = exchange_of(command)
    for number in (1, 2):
        request = following(exchange, block(number, raw[number - 1 : number]))
        assert request == GetRequestNext(block_number=number, invoke_id_and_priority=INVOKE)
    assert exchange.take(block(3, raw[2:], last=True)) == event


@pytest.mark.parametrize("command", [Get(REGISTER), LIST])
def test_a_transfer_that_the_server_gives_up_fails(command: Any) -> None:
    exchange = exchange_of(command)
    exchange.take(block(1, b"x"))
    assert exchange.take(block(2, DataAccessResult.LONG_GET_ABORTED)) == GetFailed(DataAccessResult.LONG_GET_ABORTED)


@pytest.mark.parametrize("command", [Get(REGISTER), LIST])
@pytest.mark.parametrize(
    "response", [GetResponseNormal(result=VALUE), GetResponseWithList(results=RESULTS), block(3, b"x"), block(2, b"")]
)
def test_what_breaks_a_transfer_is_refused(command: Any, response: Any) -> None:
    exchange = exchange_of(command)
    exchange.take(block(1, b"x"))
    with pytest.raises(RemoteError):
        exchange.take(response)


@pytest.mark.parametrize(
    ("command", "response"),
    [
        (Get(REGISTER), GetResponseWithList(results=(VALUE,))),
        (Get(REGISTER), SetResponseNormal(result=DataAccessResult.SUCCESS)),
        (LIST, GetResponseNormal(result=VALUE)),
        (LIST, GetResponseWithList(results=(VALUE,))),
        (LIST, GetResponseWithList(results=(VALUE,) * 3)),
        (LIST, block(1, encode_get_results((VALUE,)), last=True)),
    ],
)
def test_what_does_not_answer_is_refused(command: Any, response: Any) -> None:
    with pytest.raises(RemoteError):
        exchange_of(command).take(response)


def test_joined_blocks_that_are_no_list_are_malformed() -> None:
    with pytest.raises(MalformedError):
        exchange_of(LIST).take(block(1, b"\x02\x00\x11", last=True))


def test_a_value_in_blocks_over_the_limit_is_refused() -> None:
    exchange = exchange_of(Get(REGISTER), limits(transfer_octets=3))
    exchange.take(block(1, b"abc"))
    with pytest.raises(RemoteError):
        exchange.take(block(2, b"d"))


def test_a_list_that_was_not_agreed_is_not_begun() -> None:
    with pytest.raises(LocalError, match="multiple_references"):
        exchange_of(LIST, limits(without=Conformance.MULTIPLE_REFERENCES))
