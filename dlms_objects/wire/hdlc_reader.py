"""Finds HDLC frames in a stream: octets go in as they arrive, in any cut, with noise anywhere; whole frames come out.

Three answers to octets: a frame, need-data (nothing yet), corrupt (None; dropped to the next flag, and counted).
Sans-I/O, no loop over single octets, and never more than one frame is held. Imported by the links.

Decisions: a frame ends where its length field says and what stands there must be a flag, so the abort sequence 7D 7E of
stuffing links makes a frame corrupt. The flag that ends a frame may begin the next one. The header is checked as soon
as it is there: a corrupt length field does not swallow the frames after it.
"""

import re
from typing import Final

from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.hdlc_frame import (
    CHECK_OCTETS,
    FLAG,
    FLAG_OCTET,
    LONGEST_FRAME_OCTETS,
    HdlcFrame,
    decode_frame,
    frame_length,
    has_good_checksum,
    header_length,
)

MAXIMUM_HELD_OCTETS: Final = LONGEST_FRAME_OCTETS + 1
"""The opening flag and a frame whose closing flag is missing."""

_FORMAT_OCTETS: Final = 2
_NO_FLAG: Final = re.compile(rb"[^\x7e]")


class HdlcReader:
    """One direction of one line; the counters only go up."""

    def __init__(self) -> None:
        """Wait for a flag."""
        self._held = b""  # empty, or a frame that has begun, from its opening flag on
        self._has_good_header = False  # of the frame held, so that it is checked once
        self.corrupt_frames = 0
        self.dropped_octets = 0

    @property
    def has_partial_frame(self) -> bool:
        """True while a frame has begun and is not whole: the line owes its rest within the inter-octet time-out."""
        return len(self._held) > 1

    @property
    def held_octets(self) -> int:
        """How many octets wait for the rest of their frame, at most MAXIMUM_HELD_OCTETS."""
        return len(self._held)

    def receive(self, octets: bytes) -> list[HdlcFrame | None]:
        """Take octets and hand out the frames that are whole now; None stands where a broken one was dropped.

        Never raises on what a peer sent.
        """
        held = self._held
        if held and (held != FLAG_OCTET or not octets or octets[0] != FLAG):  # of two flags one is enough
            return self._frames(held + octets)
        body = octets[1:-1]
        length = len(body)
        if length > _FORMAT_OCTETS and body[1] == length & 0xFF and octets[0] == FLAG == octets[-1]:
            try:
                frame = decode_frame(body)  # the usual case, and the shortest way: just one frame came
            except MalformedError:
                return self._frames(octets)
            self._held = FLAG_OCTET
            return [frame]
        return self._frames(octets)

    def drop_partial(self) -> list[HdlcFrame | None]:
        """Give up the frame that has begun, its rest being overdue: None, and the frames found in what was held."""
        if not self.has_partial_frame:
            return []
        held, self._has_good_header = self._held, False
        next_flag = self._next_flag_after_corrupt(held, 1)
        return [None, *self._frames(held[next_flag:] if next_flag >= 0 else b"")]

    def _frames(self, octets: bytes) -> list[HdlcFrame | None]:
        frames: list[HdlcFrame | None] = []
        last = len(octets) - 1
        flag = octets.find(FLAG_OCTET)
        if flag:
            self.dropped_octets += flag if flag > 0 else len(octets)
        self._held = b""
        while flag >= 0:
            start = flag + 1
            if flag == last or (octets[start] == FLAG and not (start := _after_flags(octets, start))):
                self._held = FLAG_OCTET
                break
            try:
                end = start + LONGEST_FRAME_OCTETS
                if start < last:
                    end = start + ((octets[start] & 0x07) << 8 | octets[start + 1])
                if end > last:
                    self._check_partial(octets, start)
                    self._held = octets[start - 1 :]
                    break
                if octets[end] != FLAG:
                    raise MalformedError("no flag where the HDLC frame ends")
                frames.append(decode_frame(octets[start:end]))
                flag = end
            except MalformedError:
                frames.append(None)
                flag = self._next_flag_after_corrupt(octets, start)
            self._has_good_header = False
        return frames

    def _check_partial(self, octets: bytes, start: int) -> None:
        """Look at what has come of a frame that is not whole; MalformedError when no rest can make it good."""
        available = len(octets) - start
        if self._has_good_header or available < _FORMAT_OCTETS:
            return
        length, header = frame_length(octets, start), header_length(octets, start)
        if header is None:
            return
        with_hcs = header + CHECK_OCTETS
        if length < with_hcs or with_hcs < length <= with_hcs + CHECK_OCTETS:
            raise MalformedError("the length field does not go with the header")
        if available >= with_hcs:
            if not has_good_checksum(octets[start : start + with_hcs]):
                raise MalformedError("the HCS of the HDLC frame is wrong")
            self._has_good_header = True

    def _next_flag_after_corrupt(self, octets: bytes, start: int) -> int:
        """Count a corrupt frame; where the next flag stands, -1 when there is none."""
        flag = octets.find(FLAG_OCTET, start)
        self.corrupt_frames += 1
        self.dropped_octets += (flag if flag >= 0 else len(octets)) - start
        return flag


def _after_flags(octets: bytes, start: int) -> int:
    """Where the first octet that is no flag stands; 0 when there is none."""
    found = _NO_FLAG.search(octets, start)
    return 0 if found is None else found.start()
