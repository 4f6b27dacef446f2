"""General block transfer: one block of any APDU. Joining, windows and repeats are the associations' work."""

import struct
from dataclasses import dataclass
from typing import ClassVar

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.invoke import check_tag, pack
from dlms_objects.wire.lengths import decode_length, encode_length

GENERAL_BLOCK_TRANSFER = 0xE0
MAXIMUM_WINDOW = 63

_LAST, _STREAMING = 0x80, 0x40
_HEAD = struct.Struct(">BBHH")  # tag, block-control, block-number, block-number-ack


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralBlockTransfer:
    """One block: a part of an APDU, plain or ciphered, cut anywhere.

    `window` (0..63) is how many blocks the sender can take in one go, `streaming` that it goes on without waiting;
    `block_number` (from 1) counts the sender's blocks, `block_number_ack` is the last of the peer's that it has; both
    are 0..65535.
    """

    TAG: ClassVar[int] = GENERAL_BLOCK_TRANSFER
    last: bool
    block_number: int
    block: bytes
    streaming: bool = False
    window: int = 1
    block_number_ack: int = 0

    def __post_init__(self) -> None:
        """Refuse a window that does not fit six bits (InvalidValueError)."""
        if not 0 <= self.window <= MAXIMUM_WINDOW:
            raise InvalidValueError(f"a window is 0..{MAXIMUM_WINDOW} blocks, not {self.window}")

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a block number does not fit 16 bits."""
        control = self.last * _LAST | self.streaming * _STREAMING | self.window
        head = pack(_HEAD, GENERAL_BLOCK_TRANSFER, control, self.block_number, self.block_number_ack)
        return head + encode_length(len(self.block)) + self.block


def decode_general_block_transfer(octets: bytes) -> GeneralBlockTransfer:
    """A general-block-transfer; MalformedError for anything else."""
    check_tag(octets, GENERAL_BLOCK_TRANSFER)
    if len(octets) <= _HEAD.size:
        raise MalformedError(f"{len(octets)} octets are no general-block-transfer")
    _tag, control, block_number, block_number_ack = _HEAD.unpack_from(octets)
    length, start = decode_length(octets, _HEAD.size)
    if length != len(octets) - start:
        raise MalformedError(f"a block of {length} octets is announced, {len(octets) - start} follow")
    return GeneralBlockTransfer(
        last=bool(control & _LAST),
        block_number=block_number,
        block=octets[start:],
        streaming=bool(control & _STREAMING),
        window=control & MAXIMUM_WINDOW,
        block_number_ack=block_number_ack,
    )
