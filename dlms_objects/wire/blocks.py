"""Block transfer of GET, SET and ACTION: octets cut into blocks that fit exactly, and put together within a limit.

Here: the arithmetic of sizes and the two ends of one transfer, whatever APDU carries the blocks. Not here: when a
transfer begins or ends (`exchanges`, `responder` and the engines, which import this).
"""

from typing import Final, NamedTuple

from dlms_objects.errors import RemoteError
from dlms_objects.wire.invoke import HEAD_OCTETS
from dlms_objects.wire.security import content_limit

DATABLOCK_HEAD_OCTETS: Final = HEAD_OCTETS + 1 + 4
"""What an APDU with nothing but a block of SET or ACTION puts before the block's length: head, last-block, number."""
GET_BLOCK_HEAD_OCTETS: Final = DATABLOCK_HEAD_OCTETS + 1
"""The same for a block of GET, which also has a choice."""


class Piece(NamedTuple):
    """One block as it is cut: whether it is the last, its number from 1, its octets."""

    last: bool
    block_number: int
    raw: bytes


class OutgoingBlocks:
    """Octets on their way to the peer: each block is asked for by the number of the one before."""

    __slots__ = ("_number", "_offset", "_raw")

    def __init__(self, raw: bytes) -> None:
        """`raw`: all of them."""
        self._raw = raw
        self._offset = 0
        self._number = 0

    @property
    def last_number(self) -> int:
        """The number of the block sent last, 0 before the first."""
        return self._number

    @property
    def is_done(self) -> bool:
        """True when the last block was sent."""
        return self._offset >= len(self._raw)

    def next(self, room_octets: int) -> Piece:
        """The next block, as long as `room_octets` allow for its length field and its octets; they allow for one."""
        end = self._offset + content_limit(room_octets)
        raw = self._raw[self._offset : end]
        self._offset = end
        self._number += 1
        return Piece(end >= len(self._raw), self._number, raw)


class IncomingBlocks:
    """Octets on their way from the peer, block by block, never more than `limit_octets`."""

    __slots__ = ("_limit_octets", "_octets", "_pieces")

    def __init__(self, limit_octets: int) -> None:
        """`limit_octets`: how many are accepted in all."""
        self._limit_octets = limit_octets
        self._octets = 0
        self._pieces: list[bytes] = []

    def add(self, block_number: int, piece: bytes, *, last: bool) -> bytes | None:
        """Take one block; all octets when it was the last.

        BlockOrderError for a block out of order; RemoteError for an empty one before the last (it would never end), or
        too much in all.
        """
        if block_number != len(self._pieces) + 1:
            raise BlockOrderError(f"block {block_number} came instead of block {len(self._pieces) + 1}")
        if not piece and not last:
            raise RemoteError(f"block {block_number} is empty and not the last")
        self._octets += len(piece)
        if self._octets > self._limit_octets:
            raise RemoteError(f"the value in blocks is longer than {self._limit_octets} octets")
        self._pieces.append(piece)
        return b"".join(self._pieces) if last else None


class BlockOrderError(RemoteError):
    """A block is not the one that follows."""
