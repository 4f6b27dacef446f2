"""Compact arrays as values: one description, and elements that are exactly of it."""

import pytest
from hypothesis import given

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.compact_array import CompactArray, TypeDescription, compact_array, describe
from dlms_objects.values.data import Data, DataType, array, integer, long, octet_string, structure, unsigned
from tests.support.cosem_data import compact_arrays

PAIR = TypeDescription(
    DataType.STRUCTURE,
    (TypeDescription(DataType.ARRAY, (TypeDescription(DataType.INTEGER),), 2), TypeDescription(DataType.OCTET_STRING)),
)


def pair(first, second, name):
    return structure(array([integer(first), integer(second)]), octet_string(name))


def test_a_value_describes_itself():
    assert describe(pair(1, 2, b"ab")) == PAIR
    assert describe(unsigned(1)) == TypeDescription(DataType.UNSIGNED)


@given(compact_arrays)
def test_every_element_has_the_description_it_is_made_with(value):
    made = compact_array(value.value, value.value.description)
    assert made == value
    assert list(made.value) == list(value.value.elements)
    assert len(made.value) == len(value.value.elements)


def test_the_first_element_describes_all_where_nothing_else_does():
    made = compact_array([pair(1, 2, b""), pair(3, 4, b"long")])
    assert made == Data(DataType.COMPACT_ARRAY, CompactArray(PAIR, (pair(1, 2, b""), pair(3, 4, b"long"))))


def test_an_empty_one_needs_a_description():
    assert compact_array([], PAIR).value.elements == ()
    with pytest.raises(InvalidValueError):
        compact_array([])


@pytest.mark.parametrize(
    "other",
    [
        unsigned(1),
        structure(array([integer(1)]), octet_string(b"")),
        structure(Data(DataType.ARRAY, (integer(1), long(2))), octet_string(b"")),
        structure(array([integer(1), integer(2)])),
    ],
)
def test_an_element_of_another_type_is_refused(other):
    with pytest.raises(InvalidValueError):
        compact_array([pair(1, 2, b""), other])


@pytest.mark.parametrize(
    "value",
    [array([]), Data(DataType.ARRAY, (integer(1), long(1))), compact_array([integer(1)]), structure(array([]))],
)
def test_what_has_no_one_type_is_not_described(value):
    with pytest.raises(InvalidValueError):
        describe(value)


@pytest.mark.parametrize(
    ("type_", "members", "elements"),
    [
        (DataType.COMPACT_ARRAY, (), 0),
        (DataType.ARRAY, (), 1),
        (DataType.ARRAY, (PAIR, PAIR), 1),
        (DataType.ARRAY, (PAIR,), -1),
        (DataType.ARRAY, (PAIR,), 65536),
        (DataType.LONG, (PAIR,), 0),
        (DataType.LONG, (), 1),
        (DataType.STRUCTURE, (PAIR,), 1),
    ],
)
def test_what_describes_no_value_cannot_be_made(type_, members, elements):
    with pytest.raises(InvalidValueError):
        TypeDescription(type_, members, elements)
