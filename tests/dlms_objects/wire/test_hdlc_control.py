"""The control field: each of the 256 octets has one meaning."""

import pytest

from dlms_objects.wire.hdlc_control import KINDS, FrameKind, information, supervisory, unnumbered


@pytest.mark.parametrize(
    ("kind", "control"),
    [
        (FrameKind.SNRM, 0x93),
        (FrameKind.DISC, 0x53),
        (FrameKind.UA, 0x73),
        (FrameKind.DM, 0x1F),
        (FrameKind.FRMR, 0x97),
        (FrameKind.UI, 0x13),
    ],
)
def test_unnumbered_frames_have_the_octets_of_the_standard(kind: FrameKind, control: int) -> None:
    assert unnumbered(kind, poll_final=True) == control
    assert unnumbered(kind, poll_final=False) == control - 0x10
    assert KINDS[control] is KINDS[control - 0x10] is kind


def test_numbered_frames_have_the_octets_of_the_standard() -> None:
    assert [information(0, 0, poll_final=True), information(1, 2, poll_final=False)] == [0x10, 0x42]
    assert supervisory(FrameKind.RR, 1, poll_final=True) == 0x31
    assert supervisory(FrameKind.RNR, 7, poll_final=False) == 0xE5


def test_every_control_field_has_one_kind() -> None:
    numbered = {information(s, r, poll_final=p): FrameKind.I for s in range(8) for r in range(8) for p in (False, True)}
    for kind in (FrameKind.RR, FrameKind.RNR):
        numbered |= {supervisory(kind, r, poll_final=p): kind for r in range(8) for p in (False, True)}
    named = [FrameKind.SNRM, FrameKind.DISC, FrameKind.UA, FrameKind.DM, FrameKind.FRMR, FrameKind.UI]
    numbered |= {unnumbered(kind, poll_final=p): kind for kind in named for p in (False, True)}
    assert len(numbered) == 128 + 32 + 12
    assert list(KINDS) == [numbered.get(control, FrameKind.UNDEFINED) for control in range(256)]
