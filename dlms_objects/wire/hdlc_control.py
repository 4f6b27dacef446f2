"""The control field of HDLC frames: which kind of frame, sequence numbers, the poll/final bit.

Here: one octet and its meaning, both ways. Not here: what a station does about it. Imported by the `hdlc_*` modules.
"""

from enum import IntEnum, auto
from typing import Final

POLL_FINAL: Final = 0x10
SEQUENCE_MODULUS: Final = 8


class FrameKind(IntEnum):
    """The kinds of IEC 62056-46, and UNDEFINED for every other control field."""

    I = auto()  # noqa: E741 - the standard's name
    RR = auto()
    RNR = auto()
    SNRM = auto()
    DISC = auto()
    UA = auto()
    DM = auto()
    FRMR = auto()
    UI = auto()
    UNDEFINED = auto()


_UNNUMBERED: Final = {
    FrameKind.SNRM: 0x83,
    FrameKind.DISC: 0x43,
    FrameKind.UA: 0x63,
    FrameKind.DM: 0x0F,
    FrameKind.FRMR: 0x87,
    FrameKind.UI: 0x03,
}
_SUPERVISORY: Final = {FrameKind.RR: 0x01, FrameKind.RNR: 0x05}


def information(sent: int, received: int, *, poll_final: bool) -> int:
    """The control field of an I frame with N(S) = `sent` and N(R) = `received`, both 0..7."""
    return received << 5 | sent << 1 | (POLL_FINAL if poll_final else 0)


def supervisory(kind: FrameKind, received: int, *, poll_final: bool) -> int:
    """The control field of RR or RNR with N(R) = `received`, 0..7."""
    return received << 5 | _SUPERVISORY[kind] | (POLL_FINAL if poll_final else 0)


def unnumbered(kind: FrameKind, *, poll_final: bool) -> int:
    """The control field of SNRM, DISC, UA, DM, FRMR or UI."""
    return _UNNUMBERED[kind] | (POLL_FINAL if poll_final else 0)


def _kind(control: int) -> FrameKind:
    if not control & 1:
        return FrameKind.I
    for kind, bits in _SUPERVISORY.items():
        if control & 0x0F == bits:
            return kind
    for kind, bits in _UNNUMBERED.items():
        if control & ~POLL_FINAL == bits:
            return kind
    return FrameKind.UNDEFINED


KINDS: Final = tuple(_kind(control) for control in range(256))
"""The kind of each control field."""
