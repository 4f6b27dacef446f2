"""Lists in APDUs: items are found where they end, counts are judged before anything is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lists import (
    ATTRIBUTE_WITH_SELECTION_OCTETS,
    AttributeWithSelection,
    decode_block_number,
    decode_datablock,
    decode_list,
    decode_whole_list,
    encode_block_number,
    encode_datablock,
    encode_list,
    encode_result,
    read_access_result,
    read_attribute_with_selection,
    read_result,
    read_value,
)
from tests.support.apdus import U32, attributes_with_selection, data_access_results, tuples, whole_values

CLOCK = AttributeWithSelection(attribute=AttributeDescriptor(8, LogicalName.parse("0.0.1.0.0.255"), 2))


@given(tuples(attributes_with_selection, max_size=3), st.binary(max_size=3))
def test_attributes_come_back_and_end_where_the_next_part_begins(attributes, after):
    octets = encode_list(attribute.encode() for attribute in attributes)
    found, end = decode_list(
        b"\x00" + octets + after, 1, read_attribute_with_selection, fewest=ATTRIBUTE_WITH_SELECTION_OCTETS
    )
    assert found == attributes
    assert end == 1 + len(octets)


@given(tuples(whole_values | data_access_results))
def test_results_come_back(results):
    assert decode_whole_list(encode_list(map(encode_result, results)), 0, read_result, fewest=2) == results


@given(st.booleans(), U32, st.binary(max_size=300))
def test_a_block_comes_back(last, block_number, raw):
    octets = encode_datablock(block_number, raw, last=last)
    assert decode_datablock(b"\x00" + octets, 1) == (last, block_number, raw)
    assert decode_block_number(octets[1:5], 0) == block_number
    assert encode_block_number(block_number) == octets[1:5]


def test_a_list_of_many_has_a_long_count():
    octets = encode_list([b"\x00"] * 200)
    assert octets[:2] == b"\x81\xc8"
    assert decode_whole_list(octets, 0, read_value) == (b"\x00",) * 200


def test_a_count_beyond_the_octets_is_refused_before_the_first_item_is_read():
    def never(_octets, _offset):
        raise AssertionError("an item was read")

    for octets, fewest in ((b"\x03\x00\x00", 1), (b"\x02\x00\x00\x00", 2), (b"\x84\xff\xff\xff\xff\x00", 1)):
        with pytest.raises(MalformedError, match="items are announced"):
            decode_list(octets, 0, never, fewest=fewest)


@pytest.mark.parametrize(
    ("read", "octets"),
    [
        (read_value, ""),
        (read_value, "0f"),
        (read_result, ""),
        (read_result, "02"),
        (read_result, "00"),
        (read_result, "0105"),
        (read_result, "01"),
        (read_access_result, ""),
        (read_access_result, "07"),
        (read_attribute_with_selection, CLOCK.encode()[:8].hex()),
        (read_attribute_with_selection, CLOCK.encode()[:9].hex()),
        (read_attribute_with_selection, CLOCK.encode()[:9].hex() + "02"),
        (read_attribute_with_selection, CLOCK.encode()[:9].hex() + "01"),
    ],
)
def test_an_item_that_is_none_is_malformed(read, octets):
    with pytest.raises(MalformedError):
        read(bytes.fromhex(octets), 0)


def test_octets_after_a_whole_list_are_refused():
    with pytest.raises(MalformedError):
        decode_whole_list(b"\x01\x00\x00", 0, read_value)


@pytest.mark.parametrize("octets", ["", "0100000001", "010000000102ab", "010000000101abcd"])
def test_what_is_no_block_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_datablock(bytes.fromhex(octets), 0)


@pytest.mark.parametrize("octets", ["", "000001", "0000000100"])
def test_what_is_no_block_number_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_block_number(bytes.fromhex(octets), 0)


def test_what_does_not_fit_is_not_written():
    for block_number in (-1, 2**32):
        with pytest.raises(InvalidValueError):
            encode_block_number(block_number)
        with pytest.raises(InvalidValueError):
            encode_datablock(block_number, b"", last=True)
    assert encode_result(DataAccessResult.OTHER_REASON) == b"\x01\xfa"
