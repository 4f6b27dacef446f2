"""Compact arrays on the wire: both ways for anything that can be described, and no flood from a few octets."""

import pytest
from hypothesis import given, settings

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.compact_array import CompactArray, TypeDescription, compact_array
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.data import (
    NULL,
    Data,
    DataType,
    array,
    boolean,
    date_time,
    double_long_unsigned,
    integer,
    octet_string,
    structure,
    unsigned,
    visible_string,
)
from dlms_objects.wire import axdr
from dlms_objects.wire.compact_array import VALUES_PER_OCTET, decode_compact_array, encode_compact_array
from dlms_objects.wire.errors import MalformedError
from tests.support.cosem_data import compact_arrays
from tests.support.vectors import load, parts

NULL_TYPE, INTEGER_TYPE = TypeDescription(DataType.NULL_DATA), TypeDescription(DataType.INTEGER)


def structure_of(*members):
    return TypeDescription(DataType.STRUCTURE, members)


def array_of(member, elements):
    return TypeDescription(DataType.ARRAY, (member,), elements)


def raw(description, elements):
    return Data(DataType.COMPACT_ARRAY, CompactArray(description, tuple(elements)))


def half_hour(minute, second_column, third_column):
    moment = CosemDateTime(bytes.fromhex(f"07e0070a0708{minute:02x}0000003c08"))
    return structure(date_time(moment), double_long_unsigned(second_column), double_long_unsigned(third_column))


HELLO = array([integer(42)] * 6)
MEANINGS = {
    "compact-int8": [integer(42)] * 6,
    "compact-struct-3": [half_hour(0, 0, 810), half_hour(30, 1, 820)],
    "compact-struct-array": [structure(HELLO, octet_string(text)) for text in (b"hello world", b"hello world", b"")],
}


@pytest.mark.parametrize("vector", load("compact-array", valid=True), ids=lambda vector: vector["id"])
def test_a_public_compact_array_means_what_it_says_and_is_written_back_exactly(vector):
    (octets,) = parts(vector)
    value = axdr.decode(octets)
    assert list(value.value) == MEANINGS[vector["id"]]
    assert axdr.encode(value) == octets


@settings(max_examples=200)
@given(compact_arrays)
def test_whatever_can_be_described_comes_back(value):
    octets = axdr.encode(value)
    assert axdr.decode(octets) == value
    assert axdr.decode(axdr.encode(structure(NULL, value, unsigned(1)))).value[1] == value


@settings(max_examples=50)
@given(compact_arrays)
def test_a_compact_array_cut_anywhere_is_refused(value):
    octets = axdr.encode(value)
    for end in range(len(octets)):
        with pytest.raises(MalformedError):
            axdr.decode(octets[:end])


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (raw(INTEGER_TYPE, []), "130f00"),
        (compact_array([boolean(True), boolean(False)]), "13030201 00"),
        (compact_array([visible_string("ab"), visible_string("")]), "130a04 026162 00"),
        (compact_array([array([unsigned(1), unsigned(2)])]), "13 01 0002 11 02 0102"),
        (compact_array([structure(structure(unsigned(1)), NULL)]), "13 02 02 02 01 11 00 01 01"),
        (raw(structure_of(NULL_TYPE), []), "13 02 01 00 00"),
    ],
)
def test_the_octets_are_those_of_the_standard(value, octets):
    assert axdr.encode(value) == bytes.fromhex(octets)
    assert axdr.decode(bytes.fromhex(octets)) == value


@pytest.mark.parametrize(
    "octets",
    [
        "13",
        "130f",
        "130f0401",
        "13100301020305",
        "13 10 03 010203",  # elements of two octets in three
        "13 07 00",
        "13 13 0f 00",
        "13 01 00",
        "13 01 0001",
        "13 02",
        "13 02 05 0f",
        "13 01 0002 0f 03 010203",  # arrays of two in three octets
        "13 02 02 0f 09 04 01 02 61",
    ],
)
def test_what_is_no_compact_array_is_malformed(octets):
    with pytest.raises(MalformedError):
        axdr.decode(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "description",
    [
        NULL_TYPE,
        TypeDescription(DataType.DONT_CARE),
        structure_of(),
        structure_of(NULL_TYPE, NULL_TYPE),
        array_of(INTEGER_TYPE, 0),
        array_of(NULL_TYPE, 65535),
        structure_of(INTEGER_TYPE, *[NULL_TYPE] * VALUES_PER_OCTET),
        structure_of(INTEGER_TYPE, array_of(array_of(NULL_TYPE, 65535), 65535)),
    ],
)
def test_a_description_that_makes_many_values_of_few_octets_is_refused_both_ways(description):
    empty = axdr.encode(raw(description, []))
    assert axdr.decode(empty) == raw(description, [])
    with pytest.raises(MalformedError, match="of each"):
        axdr.decode(empty[:-1] + b"\x01\x00")
    with pytest.raises(InvalidValueError, match="of each"):
        axdr.encode(raw(description, [NULL]))


def test_a_description_that_makes_as_many_values_as_allowed_is_taken():
    description = structure_of(INTEGER_TYPE, *[NULL_TYPE] * (VALUES_PER_OCTET - 2))
    value = raw(description, [structure(integer(1), *[NULL] * (VALUES_PER_OCTET - 2))] * 2)
    assert axdr.decode(axdr.encode(value)) == value


def test_an_array_of_many_elements_is_refused_before_the_first_is_read():
    octets = bytes.fromhex("13 01 ffff 01 ffff 09 02 0000")
    with pytest.raises(MalformedError, match="end inside an element"):
        axdr.decode(octets)


@pytest.mark.parametrize(
    "value",
    [
        raw(INTEGER_TYPE, [unsigned(1)]),
        raw(array_of(INTEGER_TYPE, 2), [array([integer(1)])]),
        raw(INTEGER_TYPE, [Data(DataType.INTEGER, 1000)]),
        raw(INTEGER_TYPE, [Data(DataType.INTEGER, None)]),
        raw(structure_of(INTEGER_TYPE), [Data(DataType.STRUCTURE, None)]),
        Data(DataType.COMPACT_ARRAY, ()),
        Data(DataType.COMPACT_ARRAY, None),
    ],
)
def test_elements_that_are_not_of_the_described_type_are_not_written(value):
    with pytest.raises(InvalidValueError):
        axdr.encode(value)


def nested(depth):
    """A compact-array whose elements are structures of structures, that many containers in all."""
    return b"\x13" + b"\x02\x01" * (depth - 1) + b"\x14\x08" + bytes(8)


def test_sixteen_containers_may_nest_and_seventeen_may_not():
    deepest = axdr.decode(nested(16))
    assert axdr.encode(deepest) == nested(16)
    for octets in (nested(17), nested(5000), b"\x02\x01" + nested(16), b"\x02\x01" * 16 + nested(1)):
        with pytest.raises(MalformedError):
            axdr.decode(octets)
    with pytest.raises(InvalidValueError):
        axdr.encode(structure(deepest))
    assert axdr.encode(axdr.decode(b"\x02\x01" * 15 + nested(1)))
    with pytest.raises(InvalidValueError):
        axdr.encode(structure(axdr.decode(b"\x02\x01" * 15 + nested(1))))


def test_the_depth_left_is_counted_from_outside():
    inner = compact_array([structure(integer(1))]).value
    assert encode_compact_array(inner, 1) == bytes.fromhex("02 01 0f 01 01")
    assert decode_compact_array(bytes.fromhex("02 01 0f 01 01"), 0, 1) == (inner, 5)
    with pytest.raises(InvalidValueError):
        encode_compact_array(inner, 0)
    with pytest.raises(MalformedError):
        decode_compact_array(bytes.fromhex("02 01 0f 01 01"), 0, 0)
