"""Readers read what they are for, and give everything else as its plain value: nothing raises, nothing is lost."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.classes.fee_item_class import PARAMETERS
from dlms_objects.classes.shape import to_plain
from dlms_objects.gurux_bridge import readers
from dlms_objects.gurux_bridge.readers import each, float_text, members, named, plain, reader_of
from dlms_objects.values import data as cosem
from dlms_objects.values.compact_array import compact_array
from dlms_objects.values.data import Data
from tests.support.cosem_data import values
from tests.support.fake_session import FakeItem, parameters_of

POINT = members(x=plain, y=named(("north", "south")))
ALL = [
    plain,
    POINT,
    each(POINT),
    readers.moment,
    readers.date,
    readers.time,
    readers.logical_name,
    readers.text,
    readers.ip_address,
    readers.ip_number,
    readers.unit,
    reader_of(PARAMETERS),
]


def test_a_structure_reads_by_its_members_names() -> None:
    assert POINT(cosem.structure(cosem.unsigned(1), cosem.enum(1))) == {"x": 1, "y": "south"}
    assert POINT(cosem.structure(cosem.unsigned(1), cosem.enum(9))) == {"x": 1, "y": 9}


def test_a_structure_of_another_length_stays_a_list() -> None:
    assert POINT(cosem.structure(cosem.unsigned(1))) == [1]
    assert POINT(cosem.octet_string(b"\x01")) == "01"


def test_arrays_of_both_kinds_read_by_element() -> None:
    element = cosem.structure(cosem.unsigned(1), cosem.enum(0))
    expected = [{"x": 1, "y": "north"}] * 2
    assert each(POINT)(cosem.array([element, element])) == expected
    assert each(POINT)(compact_array([element, element])) == expected


@pytest.mark.parametrize(
    ("reader", "octets", "text"),
    [
        (readers.logical_name, "0100010800ff", "1.0.1.8.0.255"),
        (readers.time, "08000000", "08:00:00"),
        (readers.date, "07ea030107", "2026-03-01"),
        (readers.text, "e688bfe7a79f", "房租"),
        (readers.text, "00ff", "00ff"),
        (readers.text, "410a42", "410a42"),
        (readers.ip_address, "c0000201", "192.0.2.1"),
        (readers.ip_address, "20010db8000000000000000000000001", "2001:db8::1"),
        (readers.ip_address, "c00002", "c00002"),
    ],
)
def test_octets_read_as_what_they_stand_for(reader: readers.Reader, octets: str, text: str) -> None:
    assert reader(cosem.octet_string(bytes.fromhex(octets))) == text


def test_numbers_read_as_addresses_and_units() -> None:
    assert readers.ip_number(cosem.double_long_unsigned(0xC0000201)) == "192.0.2.1"
    assert readers.unit(cosem.enum(30)) == "Wh"


def test_a_declared_shape_reads_as_it_is_declared() -> None:
    value = parameters_of(FakeItem(label="房租", payee="landlord"))
    shown = reader_of(PARAMETERS)(value)
    declared = to_plain(PARAMETERS, value)
    assert shown["schedule"].pop("last") == "not specified"
    assert declared["schedule"].pop("last") is None
    assert shown == declared


@given(st.floats(width=32, allow_nan=False))
def test_a_float32_reads_as_the_shortest_decimal_that_means_it(number: float) -> None:
    text = float_text(cosem.float32(number))
    assert struct.pack(">f", float(text)) == struct.pack(">f", number)
    assert len(text) <= len(repr(number))


def test_a_tenth_in_32_bits_is_a_tenth() -> None:
    assert float_text(cosem.float32(0.1)) == "0.1"
    assert float_text(cosem.float32(float("inf"))) == "inf"
    assert float_text(cosem.float64(0.1)) == "0.1"


def leaves(shown: Any) -> list[Any]:
    if isinstance(shown, dict):
        shown = list(shown.values())
    return [leaf for item in shown for leaf in leaves(item)] if isinstance(shown, list) else [shown]


def simple(value: Data) -> int:
    """How many simple values there are in a value."""
    inner = value.value if isinstance(value.value, tuple) else list(value.value) if _holds(value) else None
    return 1 if inner is None else sum(map(simple, inner))


def _holds(value: Data) -> bool:
    return value.type.name in ("ARRAY", "STRUCTURE", "COMPACT_ARRAY")


@given(values)
def test_no_reader_raises_and_none_drops_a_value(value: Data) -> None:
    for reader in ALL:
        assert len(leaves(reader(value))) == simple(value)
