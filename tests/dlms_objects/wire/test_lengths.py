"""Length fields: the shortest form out, every legal form in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lengths import MAXIMUM_LENGTH, decode_length, encode_length
from tests.support.vectors import load, parts


@pytest.mark.parametrize("vector", load("a-xdr", valid=True), ids=lambda vector: vector["id"])
def test_public_length_forms_are_read_and_written_back_exactly(vector):
    for octets, value in zip(parts(vector), vector["expect"]["values"], strict=True):
        assert decode_length(octets, 0) == (value, len(octets))
        assert encode_length(value) == octets


@pytest.mark.parametrize("vector", load("a-xdr", valid=False), ids=lambda vector: vector["id"])
def test_public_length_forms_that_are_wrong_are_refused(vector):
    with pytest.raises(MalformedError):
        decode_length(*parts(vector), 0)


@given(st.integers(0, MAXIMUM_LENGTH), st.binary(max_size=3), st.binary(max_size=3))
def test_every_length_comes_back_from_wherever_it_lies(length, before, after):
    field = encode_length(length)
    assert decode_length(before + field + after, len(before)) == (length, len(before) + len(field))


@given(st.integers(0, 0x7F))
def test_forms_longer_than_needed_are_accepted_and_the_shortest_is_written(length):
    for size in (1, 2, 3, 4):
        octets = bytes((0x80 | size,)) + length.to_bytes(size, "big")
        assert decode_length(octets, 0) == (length, 1 + size)
    assert len(encode_length(length)) == 1


@pytest.mark.parametrize("octets", ["", "80", "81", "820100"[:-2], "850000000001", "ff"])
def test_a_length_that_is_missing_indefinite_cut_or_too_long_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_length(bytes.fromhex(octets), 0)


@pytest.mark.parametrize("length", [-1, MAXIMUM_LENGTH + 1])
def test_a_length_outside_four_octets_is_not_written(length):
    with pytest.raises(InvalidValueError):
        encode_length(length)
