"""Blocks: any octets in blocks of any size come together again, and nothing runs for ever."""

from collections.abc import Callable

import pytest

from dlms_objects.errors import RemoteError
from dlms_objects.wire.action_blocks import ActionRequestWithPblock, ActionResponseWithPblock
from dlms_objects.wire.blocks import (
    DATABLOCK_HEAD_OCTETS,
    GET_BLOCK_HEAD_OCTETS,
    BlockOrderError,
    IncomingBlocks,
    OutgoingBlocks,
    Piece,
)
from dlms_objects.wire.get import GetResponseBlock
from dlms_objects.wire.set_blocks import SetRequestWithDatablock


def get_block(piece: Piece) -> bytes:
    return GetResponseBlock(last=piece.last, block_number=piece.block_number, result=piece.raw).encode()


CARRIERS: dict[str, tuple[Callable[[Piece], bytes], int]] = {
    "GET": (get_block, GET_BLOCK_HEAD_OCTETS),
    "SET": (lambda piece: SetRequestWithDatablock(**piece._asdict()).encode(), DATABLOCK_HEAD_OCTETS),
    "ACTION request": (lambda piece: ActionRequestWithPblock(**piece._asdict()).encode(), DATABLOCK_HEAD_OCTETS),
    "ACTION response": (lambda piece: ActionResponseWithPblock(**piece._asdict()).encode(), DATABLOCK_HEAD_OCTETS),
}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("plain_octets", [20, 21, 64, 137, 138, 139, 140, 266, 267, 268, 269, 1024, 65535])
def test_blocks_fill_the_apdu_exactly_and_join_to_what_was_cut(plain_octets: int, carrier: str) -> None:
    encode, head_octets = CARRIERS[carrier]
    raw = bytes(number & 0xFF for number in range(3 * plain_octets + 5))
    outgoing, incoming = OutgoingBlocks(raw), IncomingBlocks(len(raw))
    joined = None
    while joined is None:
        assert not outgoing.is_done
        piece = outgoing.next(plain_octets - head_octets)
        assert len(encode(piece)) <= plain_octets
        if not piece.last:
            assert len(encode(piece._replace(raw=piece.raw + b"\x00"))) > plain_octets
        assert piece.block_number == outgoing.last_number
        joined = incoming.add(piece.block_number, piece.raw, last=piece.last)
    assert joined == raw
    assert outgoing.is_done


def test_octets_that_end_with_a_block_need_no_empty_one() -> None:
    outgoing = OutgoingBlocks(bytes(2 * 54))
    assert [outgoing.next(55).last for _ in range(2)] == [False, True]


@pytest.mark.parametrize("number", [0, 1, 3, 2**32 - 1])
def test_a_block_out_of_order_is_refused(number: int) -> None:
    incoming = IncomingBlocks(100)
    assert incoming.add(1, b"first", last=False) is None
    with pytest.raises(BlockOrderError):
        incoming.add(number, b"second", last=False)


def test_an_empty_block_is_refused_unless_it_is_the_last() -> None:
    with pytest.raises(RemoteError):
        IncomingBlocks(100).add(1, b"", last=False)
    incoming = IncomingBlocks(100)
    assert incoming.add(1, b"value", last=False) is None
    assert incoming.add(2, b"", last=True) == b"value"


def test_more_octets_than_the_limit_are_refused_as_soon_as_it_is_known() -> None:
    incoming = IncomingBlocks(10)
    assert incoming.add(1, bytes(10), last=False) is None
    with pytest.raises(RemoteError):
        incoming.add(2, b"\x00", last=False)
