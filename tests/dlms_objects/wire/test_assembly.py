"""Requests in blocks at a server: they become what they would have been whole, or the transfer ends with an answer."""

from typing import Any

import pytest

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
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
)
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.assembly import Assembly, AssemblyError
from dlms_objects.wire.lists import encode_list
from dlms_objects.wire.set import SetRequestNormal, SetRequestWithList
from dlms_objects.wire.set_blocks import (
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
)
from tests.support.associations import REGISTER, TOP_UP, VALUE
from tests.support.services import ITEMS, METHODS

INVOKE = 0xC5
VALUES = (VALUE, b"\x11\x07")


def first(kind: str, raw: bytes, *, last: bool = False, number: int = 1) -> Any:
    values: dict[str, Any] = {"last": last, "block_number": number, "raw": raw, "invoke_id_and_priority": INVOKE}
    if kind == "SET":
        return SetRequestWithFirstDatablock(attribute=REGISTER, **values)
    if kind == "SET list":
        return SetRequestWithListAndFirstDatablock(attributes=ITEMS[:2], **values)
    if kind == "ACTION":
        return ActionRequestWithFirstPblock(method=TOP_UP, **values)
    return ActionRequestWithListAndFirstPblock(methods=METHODS, **values)


def further(kind: str, number: int, raw: bytes, *, last: bool = False, invoke: int = INVOKE) -> Any:
    block = SetRequestWithDatablock if kind.startswith("SET") else ActionRequestWithPblock
    return block(last=last, block_number=number, raw=raw, invoke_id_and_priority=invoke)


KINDS: dict[str, tuple[bytes, Any]] = {
    "SET": (VALUE, SetRequestNormal(attribute=REGISTER, value=VALUE, invoke_id_and_priority=INVOKE)),
    "SET list": (
        encode_list(VALUES),
        SetRequestWithList(attributes=ITEMS[:2], values=VALUES, invoke_id_and_priority=INVOKE),
    ),
    "ACTION": (VALUE, ActionRequestNormal(method=TOP_UP, parameters=VALUE, invoke_id_and_priority=INVOKE)),
    "ACTION list": (
        encode_list(VALUES),
        ActionRequestWithList(methods=METHODS, parameters=VALUES, invoke_id_and_priority=INVOKE),
    ),
}


def failure(kind: str, result: DataAccessResult, number: int) -> Any:
    """What ends a transfer of that kind."""
    aborted = ActionResult.LONG_ACTION_ABORTED
    in_list = (ActionResponseWithOptionalData(result=aborted),) * 2
    return {
        "SET": SetResponseLastDatablock(result=result, block_number=number, invoke_id_and_priority=INVOKE),
        "SET list": SetResponseLastDatablockWithList(
            results=(result, result), block_number=number, invoke_id_and_priority=INVOKE
        ),
        "ACTION": ActionResponseNormal(result=aborted, invoke_id_and_priority=INVOKE),
        "ACTION list": ActionResponseWithList(responses=in_list, invoke_id_and_priority=INVOKE),
    }[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_become_the_request_they_would_have_been_whole(kind: str) -> None:
    raw, request = KINDS[kind]
    begin = first(kind, raw[:1])
    assembly = Assembly(begin, 100)
    acknowledged = SetResponseDatablock if assembly.is_set else ActionResponseNextPblock
    for number, block in enumerate((begin, further(kind, 2, raw[1:2])), 1):
        answer = assembly.take(block)
        assert isinstance(answer, bytes)
        assert decode_apdu(answer) == acknowledged(block_number=number, invoke_id_and_priority=INVOKE)
    assert assembly.take(further(kind, 3, raw[2:], last=True)) == request
    assert assembly.is_set is kind.startswith("SET")


@pytest.mark.parametrize("kind", KINDS)
def test_one_block_may_be_all(kind: str) -> None:
    raw, request = KINDS[kind]
    only = first(kind, raw, last=True)
    assert Assembly(only, 100).take(only) == request


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [0, 1, 3, 2**32 - 1])
def test_a_block_out_of_order_ends_the_transfer(kind: str, number: int) -> None:
    begin = first(kind, b"x")
    assembly = Assembly(begin, 100)
    assembly.take(begin)
    with pytest.raises(AssemblyError) as ended:
        assembly.take(further(kind, number, b"y"))
    assert decode_apdu(ended.value.answer) == failure(kind, DataAccessResult.DATA_BLOCK_NUMBER_INVALID, number)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "changes",
    [{"raw": b""}, {"raw": bytes(9)}, {"raw": b"\xff", "last": True}, {"raw": b"y", "invoke": 0xC6}],
    ids=["empty", "over the limit", "no values", "of another request"],
)
def test_what_cannot_be_put_together_ends_the_transfer(kind: str, changes: dict[str, Any]) -> None:
    if changes.get("last") and "list" not in kind:
        return
    begin = first(kind, b"x")
    assembly = Assembly(begin, 9)
    assembly.take(begin)
    with pytest.raises(AssemblyError) as ended:
        assembly.take(further(kind, 2, **changes))
    answer = decode_apdu(ended.value.answer)
    assert getattr(answer, "invoke_id", None) == changes.get("invoke", INVOKE) & 0x0F
    if "invoke" not in changes:
        assert answer == failure(kind, DataAccessResult.LONG_SET_ABORTED, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_without_any_octet_is_none(kind: str) -> None:
    empty = first(kind, b"", last=True)
    with pytest.raises(AssemblyError) as ended:
        Assembly(empty, 100).take(empty)
    assert decode_apdu(ended.value.answer) == failure(kind, DataAccessResult.LONG_SET_ABORTED, 1)


@pytest.mark.parametrize("kind", ["SET list", "ACTION list"])
@pytest.mark.parametrize("count", [1, 3])
def test_another_number_of_values_than_of_items_ends_the_transfer(kind: str, count: int) -> None:
    only = first(kind, encode_list((VALUE,) * count), last=True)
    with pytest.raises(AssemblyError) as ended:
        Assembly(only, 100).take(only)
    assert decode_apdu(ended.value.answer) == failure(kind, DataAccessResult.LONG_SET_ABORTED, 1)
