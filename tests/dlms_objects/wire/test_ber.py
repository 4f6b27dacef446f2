"""BER fields: one-octet tags, definite lengths, each field once and in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.wire.ber import field, fields_of, inner, only, optional, read
from dlms_objects.wire.errors import MalformedError

ORDER = (0x80, 0xA1, 0xBE)


@given(st.integers(0, 255), st.binary(max_size=300), st.binary(max_size=3))
def test_a_field_comes_back_and_ends_where_the_next_begins(tag, content, after):
    octets = field(tag, content)
    assert read(octets + after, 0) == (tag, content, len(octets))
    assert only(octets, tag) == content


def test_a_length_longer_than_needed_is_accepted():
    assert only(bytes.fromhex("04 8200 02 abcd".replace(" ", "")), 0x04) == b"\xab\xcd"


def test_fields_may_be_left_out():
    octets = field(0x60, field(0xA1, b"a") + field(0xBE, b"b"))
    assert fields_of(octets, 0x60, ORDER) == {0xA1: b"a", 0xBE: b"b"}
    assert optional(0xA1, 0x04, None) == b""
    assert inner({}, 0xA1, 0x04) is None
    assert inner({0xA1: b"\x04\x01x"}, 0xA1, 0x04) == b"x"


@pytest.mark.parametrize(
    "content",
    [
        field(0xBE, b"") + field(0xA1, b""),  # out of order
        field(0xA1, b"") + field(0xA1, b""),  # twice
        field(0xA2, b""),  # unknown
        b"\xa1",  # no length
        b"\xa1\x80\x00\x00",  # indefinite
        b"\xa1\x05ab",  # cut
    ],
)
def test_fields_that_do_not_belong_are_malformed(content):
    with pytest.raises(MalformedError):
        fields_of(field(0x60, content), 0x60, ORDER)


@pytest.mark.parametrize("octets", [b"", b"\x04", b"\x04\x01", b"\x05\x01a", b"\x04\x01ab"])
def test_octets_that_are_not_the_one_field_are_malformed(octets):
    with pytest.raises(MalformedError):
        only(octets, 0x04)
