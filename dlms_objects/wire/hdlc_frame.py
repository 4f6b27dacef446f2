"""HDLC frames (IEC 62056-46, frame type 3): one frame and its octets, both ways.

Here: format field, addresses, control field, HCS, FCS. Not here: finding frames in a stream (`hdlc_reader`), sequences
and time (the links). Imported by the `hdlc_*` modules.

The length field counts what stands between the flags and delimits the frame: 7E inside is payload, nothing is stuffed.
A frame without payload has no HCS; its FCS covers the header.
"""

import struct
from functools import lru_cache
from typing import Final, NamedTuple

from fastcrc import crc16

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.hdlc_address import HdlcAddress, address_of
from dlms_objects.wire.hdlc_control import KINDS, POLL_FINAL, FrameKind

FLAG: Final = 0x7E
FLAG_OCTET: Final = b"\x7e"
SHORTEST_FRAME_OCTETS: Final = 7
"""Between the flags: format, two addresses of one octet, control, FCS."""
LONGEST_FRAME_OCTETS: Final = 0x7FF
CHECK_OCTETS: Final = 2

_FORMAT_TYPE: Final = 0xA000
_FORMAT_TYPE_MASK: Final = 0xF000
_SEGMENTED: Final = 0x0800
_LENGTH_MASK: Final = 0x07FF
_TYPE_AND_LENGTH: Final = 0xF7FF
_PAIRS_KEPT: Final = 1024  # addresses cost a look-up, not a decoding, in each frame
_UNSIGNED: Final = struct.Struct(">H")
_CHECK: Final = struct.Struct("<H")
_GOOD_RESIDUE: Final = 0x0F47  # the checksum over octets that end with their own checksum

_checksum = crc16.ibm_sdlc
_make = tuple.__new__


class HdlcFrame(NamedTuple):
    """One frame. `segmented`: more of the same APDU follows in the next frame."""

    destination: HdlcAddress
    source: HdlcAddress
    control: int
    payload: bytes = b""
    segmented: bool = False

    @property
    def kind(self) -> FrameKind:
        """Which kind the control field names."""
        return KINDS[self.control]

    @property
    def is_last(self) -> bool:
        """The poll bit of a command, the final bit of a response: the other station's turn."""
        return bool(self.control & POLL_FINAL)

    @property
    def sent(self) -> int:
        """N(S) of an I frame."""
        return self.control >> 1 & 7

    @property
    def received(self) -> int:
        """N(R) of an I, RR or RNR frame."""
        return self.control >> 5

    def encode(self) -> bytes:
        """The octets with both flags; InvalidValueError when there are more than 2047 between them."""
        destination, source, control, payload, segmented = self
        header = b"%b%b%c" % (destination.octets, source.octets, control)
        length = len(header) + 4
        if payload:
            length += len(payload) + 2
        if length > LONGEST_FRAME_OCTETS:
            raise InvalidValueError(f"{length} octets do not fit an HDLC frame")
        form = _FORMAT_TYPE | _SEGMENTED | length if segmented else _FORMAT_TYPE | length
        header = _UNSIGNED.pack(form) + header
        if payload:
            header += _CHECK.pack(_checksum(header)) + payload
        return b"\x7e%b%b\x7e" % (header, _CHECK.pack(_checksum(header)))


def frame_length(octets: bytes, offset: int) -> int:
    """How many octets the frame whose format field is at `offset` has between its flags; MalformedError if none."""
    form: int = _UNSIGNED.unpack_from(octets, offset)[0]
    length = form & _LENGTH_MASK
    if form & _FORMAT_TYPE_MASK != _FORMAT_TYPE or length < SHORTEST_FRAME_OCTETS:
        raise MalformedError(f"not the format field of an HDLC frame: {form:04X}")
    return length


def header_length(octets: bytes, offset: int) -> int | None:
    """How many octets the header at `offset` has, format field to control field; None while they are not all there.

    MalformedError when an address is not one.
    """
    position = offset + 2
    for _address in ("destination", "source"):
        count = address_length(octets, position)
        if position + count >= len(octets):
            return None
        address_of(octets[position : position + count])
        position += count
    return position + 1 - offset


def address_length(octets: bytes, offset: int) -> int:
    """How many octets the address at `offset` has by its end marks: 1, 2, else 4, whether or not they are all there."""
    marks = [octet & 1 for octet in octets[offset : offset + 2]]
    return 1 if marks[:1] == [1] else 2 if marks[1:] == [1] else 4


def has_good_checksum(octets: bytes) -> bool:
    """True when the octets end with their own checksum, an HCS or an FCS."""
    return _checksum(octets) == _GOOD_RESIDUE


def decode_frame(body: bytes) -> HdlcFrame:
    """The frame of exactly the octets between two flags; MalformedError when anything is wrong with them."""
    length = len(body)
    if length < SHORTEST_FRAME_OCTETS or (body[0] << 8 | body[1]) & _TYPE_AND_LENGTH != _FORMAT_TYPE | length:
        raise MalformedError("the format field is not that of an HDLC frame of this length")
    if _checksum(body) != _GOOD_RESIDUE:
        raise MalformedError("the FCS of the HDLC frame is wrong")
    source = 3 if body[2] & 1 else 4 if body[3] & 1 else 6
    control = source + (1 if body[source] & 1 else address_length(body, source))
    payload = control + 1 + CHECK_OCTETS
    if length > payload:
        if length <= payload + CHECK_OCTETS or _checksum(body[:payload]) != _GOOD_RESIDUE:
            raise MalformedError("the HCS of the HDLC frame is wrong")
    elif length < payload:
        raise MalformedError("the HDLC frame ends inside its header")
    # one frame, one call: the constructor of a named tuple would cost as much as both checksums
    destination, sender = _addresses(body[2:control], source - 2)
    return _make(HdlcFrame, (destination, sender, body[control], body[payload:-CHECK_OCTETS], body[0] & 8 != 0))


@lru_cache(maxsize=_PAIRS_KEPT)
def _addresses(octets: bytes, destination_octets: int) -> tuple[HdlcAddress, HdlcAddress]:
    return address_of(octets[:destination_octets]), address_of(octets[destination_octets:])
