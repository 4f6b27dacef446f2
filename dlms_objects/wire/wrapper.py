"""The wrapper of TCP (and UDP): eight octets of version, source, destination and length before each APDU.

Sans-I/O: octets go in as they arrive, in any cut; whole frames come out. Both associations import it.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.invoke import pack

WRAPPER_VERSION = 1
MAXIMUM_APDU_LENGTH = 0xFFFF

_HEADER = struct.Struct(">HHHH")


class Frame(NamedTuple):
    """One APDU between two SAPs (wrapper ports, 0..65535)."""

    source: int
    destination: int
    apdu: bytes


def encode_frame(source: int, destination: int, apdu: bytes) -> bytes:
    """The header and the APDU; InvalidValueError when a port or the length does not fit 16 bits."""
    return pack(_HEADER, WRAPPER_VERSION, source, destination, len(apdu)) + apdu


def first_destination(octets: bytes) -> int | None:
    """Whom the frame at the start of a stream is for; None while its header is not all there.

    MalformedError for a header of another version.
    """
    if len(octets) < _HEADER.size:
        return None
    version, _source, destination, _length = _HEADER.unpack_from(octets)
    if version != WRAPPER_VERSION:
        raise MalformedError(f"not a wrapper header of version {WRAPPER_VERSION}: {octets[: _HEADER.size].hex()}")
    return int(destination)


class Wrapper:
    """Cuts a stream into frames; holds at most one frame of `maximum_apdu_length` octets and what came with it."""

    def __init__(self, *, maximum_apdu_length: int = MAXIMUM_APDU_LENGTH) -> None:
        """`maximum_apdu_length` is in octets: a header that announces more is corrupt, and nothing is kept for it."""
        self._maximum_apdu_length = maximum_apdu_length
        self._buffer = b""
        self._offset = 0  # where the next frame begins in the buffer

    @property
    def has_partial_frame(self) -> bool:
        """True while a frame has begun and is not whole: the line waits for its rest."""
        return self._offset < len(self._buffer)

    def receive(self, octets: bytes) -> Iterator[Frame]:
        """Take octets and hand out the frames that are whole now; what is not consumed stays for the next call.

        The iterator raises MalformedError at a header of another version or over the limit, after the frames before
        it: a stream cannot be read past such a header, so close it.
        """
        self._buffer = self._buffer[self._offset :] + octets
        self._offset = 0
        return self._frames()

    def _frames(self) -> Iterator[Frame]:
        while len(self._buffer) - self._offset >= _HEADER.size:
            version, source, destination, length = _HEADER.unpack_from(self._buffer, self._offset)
            if version != WRAPPER_VERSION or length > self._maximum_apdu_length:
                self._buffer, self._offset = self._buffer[self._offset :][: _HEADER.size], 0
                raise MalformedError(f"not a wrapper header of version 1 within the limit: {self._buffer.hex()}")
            start = self._offset + _HEADER.size
            end = start + length
            if end > len(self._buffer):
                return
            self._offset = end
            yield Frame(source, destination, self._buffer[start:end])
