"""Logical names and descriptors: read, written, refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor

CLOCK = LogicalName(bytes((0, 0, 1, 0, 0, 255)))


@pytest.mark.parametrize(
    "text",
    [
        "0.0.1.0.0.255",
        " 0.0.1.0.0.255 ",
        "0-0:1.0.0.255",
        "0-0:1.0.0*255",
        "000.0.1.0.0.255",
    ],
)
def test_a_logical_name_is_read_in_its_usual_forms(text: str) -> None:
    assert LogicalName.parse(text) == CLOCK


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0.0.1.0.0",
        "0.0.1.0.0.256",
        "0.0.1.0.0.-1",
        "0.0.1.0.0.٣",
        "a.b.c.d.e.f",
        pytest.param("1" * 5000 + ".0.0.0.0.0", id="long"),
    ],
)
def test_what_is_no_logical_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        LogicalName.parse(text)


@pytest.mark.parametrize("octets", [b"", bytes(5), bytes(7), "0.0.1.0.0.255", bytearray(6)])
def test_a_logical_name_is_six_octets(octets: bytes) -> None:
    with pytest.raises(InvalidValueError):
        LogicalName(octets)


@given(st.binary(min_size=6, max_size=6))
def test_every_logical_name_survives_its_text(octets: bytes) -> None:
    assert LogicalName.parse(str(LogicalName(octets))).octets == octets


def test_names_and_descriptors_are_written_short() -> None:
    assert repr(CLOCK) == "LogicalName('0.0.1.0.0.255')"
    assert str(AttributeDescriptor(8, CLOCK, 2)) == "8/0.0.1.0.0.255:2"
    assert str(MethodDescriptor(8, CLOCK, 6)) == "8/0.0.1.0.0.255.6"


def test_names_sort_by_their_groups() -> None:
    assert LogicalName(bytes(6)) < CLOCK
