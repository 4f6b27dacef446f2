"""System titles: eight octets, written as sixteen hexadecimal digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.system_title import SystemTitle


def test_a_title_is_read_in_either_case_and_written_in_capitals() -> None:
    title = SystemTitle.parse("4d505200000000ab")
    assert title.octets == b"MPR\0\0\0\0\xab"
    assert str(title) == "4D505200000000AB"


@pytest.mark.parametrize("text", ["", "4D50", "4D505200000000A", "4D 52000000000AB", "zz505200000000ab"])
def test_what_is_no_title_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        SystemTitle.parse(text)


@pytest.mark.parametrize("octets", [b"", bytes(7), bytes(9), "MPR00000", bytearray(8)])
def test_a_title_is_eight_octets(octets: bytes) -> None:
    with pytest.raises(InvalidValueError):
        SystemTitle(octets)


@given(st.binary(min_size=8, max_size=8))
def test_every_title_survives_its_text(octets: bytes) -> None:
    assert SystemTitle.parse(str(SystemTitle(octets))).octets == octets
