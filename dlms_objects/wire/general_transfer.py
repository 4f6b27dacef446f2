"""General block transfer: any APDU, plain or ciphered, in numbered blocks; several at a time as the peer's window says.

Here: one exchange (a request and its response) as one side sees it, and the stream of a notification, which nobody
acknowledges. Not here: when an exchange begins or ends (the engines, which import this), what the APDU is.

Every block a side sends in an exchange has the next number, an empty one that only acknowledges too. A block without
the streaming bit gives the peer its turn; it answers with blocks or an acknowledgement. A number missing from a window
is sent again from there on, MAXIMUM_STALLS times at most. As in gurux-dlms 1.0.203, with the repeats of the standard.
"""

from itertools import pairwise
from typing import Final

from dlms_objects.errors import LocalError, RemoteError
from dlms_objects.wire.general_block import GeneralBlockTransfer
from dlms_objects.wire.security import content_limit

LAST_NUMBER: Final = 65535
MAXIMUM_STALLS: Final = 3
_HEAD_OCTETS: Final = 6
_NUMBERS_KEPT_BACK: Final = 255


def general_limit(pdu_octets: int) -> int:
    """The longest APDU that can be sent in general blocks of `pdu_octets`; some numbers are kept for what is empty."""
    return content_limit(pdu_octets - _HEAD_OCTETS) * (LAST_NUMBER - _NUMBERS_KEPT_BACK)


def stream(apdu: bytes, pdu_octets: int) -> list[bytes]:
    """The blocks of a notification, all to be sent at once; LocalError when it is longer than `general_limit`."""
    pieces = _cut(apdu, pdu_octets)
    return [
        GeneralBlockTransfer(
            last=number == len(pieces), streaming=number != len(pieces), block_number=number, block=piece
        ).encode()
        for number, piece in enumerate(pieces, 1)
    ]


class GeneralTransfer:
    """One exchange: `receive` what the peer sends, `load` our APDU, put on the line what `outgoing` gives."""

    __slots__ = (
        "_acknowledged",
        "_cursor",
        "_expects_response",
        "_first",
        "_has_turn",
        "_incoming",
        "_is_whole",
        "_limit_octets",
        "_number",
        "_octets",
        "_pdu_octets",
        "_peer_window",
        "_pieces",
        "_received",
        "_stalls",
        "_window",
    )

    def __init__(self, *, pdu_octets: int, window: int, limit_octets: int, expects_response: bool) -> None:
        """`pdu_octets`: the longest APDU the peer takes; `window` (1..63): how many blocks we take at a time;
        `limit_octets`: the longest APDU we accept; `expects_response`: the client's side, the peer's APDU is last.
        """
        self._pdu_octets = pdu_octets
        self._window = window
        self._limit_octets = limit_octets
        self._expects_response = expects_response
        self._peer_window = 1
        self._number = 0  # of the block we sent last
        self._pieces: list[bytes] = []  # ours, to be sent
        self._first = 1  # the number of the first of them
        self._cursor = self._acknowledged = 0  # how many of them were sent, and came
        self._received = 0  # the number of the peer's block before the one that is missing
        self._incoming: list[bytes] = []
        self._octets = 0
        self._is_whole = False
        self._has_turn = False
        self._stalls = 0

    @property
    def received(self) -> int:
        """The number of the peer's last block in unbroken order, 0 before the first."""
        return self._received

    @property
    def is_loaded(self) -> bool:
        """True once we had an APDU to send."""
        return bool(self._pieces)

    def await_apdu(self) -> None:
        """What was whole was not what we wait for (a notification): another APDU follows, from number 1."""
        self._received = self._octets = 0
        self._incoming.clear()
        self._is_whole = False

    def load(self, apdu: bytes) -> None:
        """Our APDU is to be sent now; LocalError when it is longer than `general_limit`."""
        self._pieces = _cut(apdu, self._pdu_octets)
        self._first = self._number + 1
        self._cursor = self._acknowledged = 0
        self._has_turn = True
        self._is_whole = not self._expects_response

    def receive(self, block: GeneralBlockTransfer) -> bytes | None:
        """Take a block; the peer's APDU when it is whole now. RemoteError when it is too long or nothing moves on."""
        progress = self._acknowledge(block.block_number_ack)
        self._peer_window = max(1, block.window)
        self._has_turn = not block.streaming and (block.block_number_ack > 0 or not self._pieces)
        apdu = None
        if block.block_number == self._received + 1:
            self._received = block.block_number
            progress = True
            if not self._is_whole:
                apdu = self._collect(block)
        self._stalls = 0 if progress else self._stalls + self._has_turn
        if self._stalls > MAXIMUM_STALLS:
            raise RemoteError(f"a general block transfer stands still at block {self._received}")
        return apdu

    def outgoing(self) -> list[bytes]:
        """The APDUs to send now: as many blocks as the peer takes, or an acknowledgement, or nothing."""
        if not self._has_turn:
            return []
        self._has_turn = False
        begin, end = self._cursor, min(self._cursor + self._peer_window, len(self._pieces))
        if begin < end:
            self._cursor = end
            self._number = max(self._number, self._first + end - 1)
            return [self._block(index, streaming=index + 1 < end) for index in range(begin, end)]
        if self._is_whole:
            return []
        if self._number == LAST_NUMBER:
            raise RemoteError("a general block transfer has used all its block numbers")
        self._number += 1
        return [
            GeneralBlockTransfer(
                last=self._expects_response,
                block_number=self._number,
                block=b"",
                window=self._window,
                block_number_ack=self._received,
            ).encode()
        ]

    def _block(self, index: int, *, streaming: bool) -> bytes:
        return GeneralBlockTransfer(
            last=index + 1 == len(self._pieces),
            streaming=streaming,
            block_number=self._first + index,
            block=self._pieces[index],
            window=self._window,
            block_number_ack=self._received,
        ).encode()

    def _acknowledge(self, number: int) -> bool:
        """Whether the peer has more of our blocks than before; what it lacks is sent again.

        While we have nothing to send the number means nothing: gurux-dlms pushes with 65535.
        """
        if not self._pieces:
            return False
        if number > self._number:
            raise RemoteError(f"block {number} was acknowledged and never sent")
        count = min(number - self._first + 1, len(self._pieces))
        if number == 0 or count < self._acknowledged:
            return False
        progress = count > self._acknowledged
        self._acknowledged = self._cursor = count
        return progress

    def _collect(self, block: GeneralBlockTransfer) -> bytes | None:
        self._octets += len(block.block)
        if self._octets > self._limit_octets:
            raise RemoteError(f"the APDU in general blocks is longer than {self._limit_octets} octets")
        self._incoming.append(block.block)
        if not block.last:
            return None
        self._is_whole = True
        apdu = b"".join(self._incoming)
        self._incoming.clear()
        return apdu


def _cut(apdu: bytes, pdu_octets: int) -> list[bytes]:
    if len(apdu) > general_limit(pdu_octets):
        raise LocalError(f"{len(apdu)} octets are too many for general blocks of {pdu_octets}")
    piece_octets = content_limit(pdu_octets - _HEAD_OCTETS)
    cuts = [*range(0, len(apdu), piece_octets), len(apdu)]
    return [apdu[begin:end] for begin, end in pairwise(cuts)]
