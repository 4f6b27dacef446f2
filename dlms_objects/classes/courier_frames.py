"""A sealed batch as texts that fit QR codes, and back: frames in any order, doubled, or of several batches.

A frame is `MPC1:` and the base45 (RFC 9285) of its octets: id of the whole (8, the first of its SHA-256), number
(1, from 1), total (1), then up to FRAME_OCTETS of the whole; every frame but the last is full. All of it is in the
alphanumeric mode of QR codes. The same frames carry whatever a courier carries: batches, instructions and answers.
Nothing is secret or proven here: what the frames carry is sealed. docs/courier.md has the format with an example.
"""

import hashlib
from typing import Final

from dlms_objects.errors import InvalidValueError, RemoteError

FRAME_PREFIX: Final = "MPC1:"
FRAME_OCTETS: Final = 300  # 470 characters: QR version 13 at error correction M
MOST_FRAMES: Final = 255

_ID_OCTETS = 8
_HEAD_OCTETS = _ID_OCTETS + 2
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_DIGITS = {character: digit for digit, character in enumerate(_ALPHABET)}


class FrameError(RemoteError):
    """A text is no frame of a courier, or its frames do not belong together; the text says which."""


def courier_frames(batch: bytes) -> list[str]:
    """The frames of a batch, in order; InvalidValueError for an empty batch, or one of more than MOST_FRAMES."""
    pieces = [batch[start : start + FRAME_OCTETS] for start in range(0, len(batch), FRAME_OCTETS)]
    if not 1 <= len(pieces) <= MOST_FRAMES:
        raise InvalidValueError(f"1..{MOST_FRAMES * FRAME_OCTETS} octets fit the frames of a courier, not {len(batch)}")
    identity = _identity(batch)
    return [
        FRAME_PREFIX + encode_base45(identity + bytes((number, len(pieces))) + piece)
        for number, piece in enumerate(pieces, start=1)
    ]


class FrameCollection:
    """The frames of one batch as they are scanned."""

    def __init__(self) -> None:
        """No frame yet; the first one says which batch it is."""
        self._identity = b""
        self._total = 0
        self._pieces: dict[int, bytes] = {}

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of the frames still to be scanned; nothing before the first frame."""
        return tuple(number for number in range(1, self._total + 1) if number not in self._pieces)

    @property
    def is_complete(self) -> bool:
        """Whether every frame is there."""
        return bool(self._total) and not self.missing

    def add(self, text: str) -> bool:
        """Take one frame; False for one that is here already.

        FrameError for what is no frame, a frame of another batch, or one that says otherwise than the same frame
        before; what was collected stays.
        """
        identity, number, total, piece = _parse(text.strip("\r\n"))
        if self._total and (identity, total) != (self._identity, self._total):
            raise FrameError(f"a frame of another batch ({identity.hex()}; here is {self._identity.hex()})")
        known = self._pieces.get(number)
        if known not in (None, piece):
            raise FrameError(f"frame {number} of {total} was scanned before with other contents")
        self._identity, self._total = identity, total
        self._pieces[number] = piece
        return known is None

    def batch(self) -> bytes:
        """The whole; FrameError while frames are missing, or when it is not what its id names."""
        if not self.is_complete:
            raise FrameError(f"frames {', '.join(map(str, self.missing)) or 'of a batch'} are missing")
        batch = b"".join(piece for _number, piece in sorted(self._pieces.items()))
        if _identity(batch) != self._identity:
            raise FrameError(f"the frames do not make the batch {self._identity.hex()}: one was altered; scan again")
        return batch


def encode_base45(octets: bytes) -> str:
    """RFC 9285: two octets make three characters, a last single one makes two."""
    characters = []
    for start in range(0, len(octets), 2):
        pair = octets[start : start + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            characters.append(_ALPHABET[digit])
    return "".join(characters)


def decode_base45(text: str) -> bytes:
    """The octets of a base45 text; FrameError for a text that `encode_base45` does not write."""
    octets = bytearray()
    for start in range(0, len(text), 3):
        digits = [_DIGITS.get(character, -1) for character in text[start : start + 3]]
        number = sum(digit * 45**place for place, digit in enumerate(digits))
        width = len(digits) - 1
        if -1 in digits or not width or number >> 8 * width:
            raise FrameError("not a base45 text")
        octets += number.to_bytes(width, "big")
    return bytes(octets)


def _identity(batch: bytes) -> bytes:
    return hashlib.sha256(batch).digest()[:_ID_OCTETS]


def _parse(text: str) -> tuple[bytes, int, int, bytes]:
    if not text.startswith(FRAME_PREFIX):
        raise FrameError(f"not a frame of a courier: one begins with {FRAME_PREFIX}")
    octets = decode_base45(text.removeprefix(FRAME_PREFIX))
    identity, head, piece = octets[:_ID_OCTETS], octets[_ID_OCTETS:_HEAD_OCTETS], octets[_HEAD_OCTETS:]
    if not piece or len(piece) > FRAME_OCTETS:
        raise FrameError(f"a frame carries 1..{FRAME_OCTETS} octets, not {len(piece)}")
    number, total = head
    if not 1 <= number <= total or (number < total and len(piece) < FRAME_OCTETS):
        raise FrameError(f"no courier makes frame {number} of {total} with {len(piece)} octets")
    return identity, number, total, piece
