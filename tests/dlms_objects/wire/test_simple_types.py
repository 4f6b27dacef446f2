"""The simple types: what is written is read again, and one octet fewer is not enough."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.data import DONT_CARE, NULL, Data, DataType, bit_string, boolean, float32, long, utf8_string
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.simple_types import (
    EMPTY_TYPES,
    FIXED_FORMATS,
    NUMBER_FORMATS,
    ONE_OCTET_VALUES,
    SIMPLE_TYPES,
    decode_content,
    encode_simple,
    take,
)
from tests.support.cosem_data import simple

CONTAINERS = {DataType.ARRAY, DataType.STRUCTURE, DataType.COMPACT_ARRAY}


def test_every_type_is_a_container_or_simple():
    assert set(DataType) - CONTAINERS == SIMPLE_TYPES
    assert set(NUMBER_FORMATS) < set(FIXED_FORMATS) < SIMPLE_TYPES - EMPTY_TYPES


@given(simple, st.binary(max_size=3), st.binary(max_size=3))
def test_a_content_is_read_from_where_it_stands_to_where_it_ends(value, before, after):
    octets = encode_simple(value)
    assert octets[0] == value.type
    content, end = decode_content(value.type, before + octets[1:] + after, len(before))
    assert Data(value.type, content) == value
    assert end == len(before) + len(octets) - 1


@given(simple)
def test_a_content_cut_anywhere_is_refused(value):
    octets = encode_simple(value)[1:]
    for end in range(len(octets)):
        with pytest.raises(MalformedError):
            decode_content(value.type, octets[:end], 0)


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (NULL, "00"),
        (DONT_CARE, "ff"),
        (boolean(True), "0301"),
        (bit_string("101"), "0403a0"),
        (Data(DataType.BCD, 0x12), "0d12"),
        (float32(1.5), "173fc00000"),
        (Data(DataType.FLOAT64, -2.0), "18c000000000000000"),
        (Data(DataType.DATE_TIME, bytes(12)), "19" + "00" * 12),
        (Data(DataType.DATE, bytes(5)), "1a" + "00" * 5),
        (Data(DataType.TIME, bytes(4)), "1b" + "00" * 4),
        (Data(DataType.DELTA_INTEGER, -1), "1cff"),
        (Data(DataType.DELTA_LONG, -2), "1dfffe"),
        (Data(DataType.DELTA_DOUBLE_LONG, -3), "1efffffffd"),
        (Data(DataType.DELTA_UNSIGNED, 255), "1fff"),
        (Data(DataType.DELTA_LONG_UNSIGNED, 65535), "20ffff"),
        (Data(DataType.DELTA_DOUBLE_LONG_UNSIGNED, 300), "210000012c"),
    ],
)
def test_the_octets_are_those_of_the_standard(value, octets):
    assert encode_simple(value).hex() == octets


def test_values_of_one_octet_are_found_by_octet_and_by_value():
    assert set(ONE_OCTET_VALUES) == {
        *(DataType.BOOLEAN, DataType.BCD, DataType.INTEGER, DataType.UNSIGNED, DataType.ENUM),
        *(DataType.DELTA_INTEGER, DataType.DELTA_UNSIGNED),
    }
    for type_, values in ONE_OCTET_VALUES.items():
        for octet, value in enumerate(values):
            assert value == Data(type_, decode_content(type_, bytes((octet,)), 0)[0])
            assert values[value.value] == value


@pytest.mark.parametrize(
    "value",
    [
        Data(DataType.LONG, 2**15),
        Data(DataType.LONG, "1"),
        Data(DataType.FLOAT32, 1e300),
        Data(DataType.OCTET_STRING, "text"),
        Data(DataType.OCTET_STRING, 5),
        Data(DataType.VISIBLE_STRING, b"octets"),
        Data(DataType.VISIBLE_STRING, "é"),
        Data(DataType.UTF8_STRING, "\ud800"),
        Data(DataType.BOOLEAN, 1),
        Data(DataType.BIT_STRING, "2"),
        Data(DataType.BIT_STRING, 5),
        Data(DataType.NULL_DATA, 0),
        Data(DataType.DONT_CARE, b""),
        Data(DataType.DATE, bytes(4)),
        Data(DataType.TIME, "text"),
        Data(DataType.STRUCTURE, ()),
    ],
)
def test_what_does_not_fit_its_type_is_not_written(value):
    with pytest.raises(InvalidValueError):
        encode_simple(value)


@pytest.mark.parametrize(("type_", "octets"), [(DataType.VISIBLE_STRING, "0180"), (DataType.UTF8_STRING, "02c080")])
def test_text_that_is_no_text_is_malformed(type_, octets):
    with pytest.raises(MalformedError):
        decode_content(type_, bytes.fromhex(octets), 0)


def test_exactly_the_octets_asked_for_are_taken():
    assert take(b"abcd", 2, 1) == (b"bc", 3)
    assert take(b"", 0, 0) == (b"", 0)
    with pytest.raises(MalformedError):
        take(b"abcd", 2, 3)


def test_kept_text_and_numbers_are_themselves():
    assert decode_content(DataType.UTF8_STRING, encode_simple(utf8_string("租"))[1:], 0) == ("租", 4)
    assert encode_simple(long(-2)) == b"\x10\xff\xfe"
