"""Selective access: a profile reads what was meant, and refuses what is nearly it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.data import array, double_long_unsigned, integer, long_unsigned, octet_string, structure
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.wire import axdr
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.selection import (
    CaptureObject,
    EntryDescriptor,
    RangeDescriptor,
    SelectiveAccess,
    decode_selection,
    profile_selection,
)
from tests.support.cosem_data import values
from tests.support.mutation import first_escape

u16, u32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
columns = st.builds(
    CaptureObject,
    class_id=u16,
    logical_name=st.binary(min_size=6, max_size=6).map(LogicalName),
    attribute=st.integers(-128, 127),
    data_index=u16,
)
entries = st.builds(EntryDescriptor, from_entry=u32, to_entry=u32, from_selected_value=u16, to_selected_value=u16)
ranges = st.builds(
    RangeDescriptor,
    restricting_object=columns,
    from_value=values,
    to_value=values,
    selected_values=st.lists(columns, max_size=3).map(tuple),
)

SEQUENCE = CaptureObject(class_id=1, logical_name=LogicalName.parse("0.0.128.0.0.255"), attribute=2)
BY_SEQUENCE = RangeDescriptor(
    restricting_object=SEQUENCE, from_value=double_long_unsigned(101), to_value=double_long_unsigned(200)
)


@given(entries | ranges)
def test_a_selection_is_read_as_it_was_meant(descriptor):
    selection = descriptor.selective_access()
    assert profile_selection(selection) == descriptor
    octets = selection.encode()
    assert decode_selection(b"\xff" + octets + b"\xff", 1) == (selection, 1 + len(octets))


def test_the_octets_are_those_of_the_blue_book():
    assert EntryDescriptor(from_entry=1, to_entry=10).selective_access().encode().hex() == (
        "02" + "0204" + "0600000001" + "060000000a" + "120001" + "120000"
    )
    assert BY_SEQUENCE.selective_access().encode().hex() == (
        "01" + "0204" + "0204" + "120001" + "09060000800000ff" + "0f02" + "120000"
        "0600000065" + "06000000c8" + "0100"
    )  # fmt: skip


def test_longer_length_forms_are_read_alike():
    octets = bytes.fromhex("02" + "028104" + "0600000001" + "060000000a" + "120001" + "120000")
    selection, _end = decode_selection(octets, 0)
    assert profile_selection(selection) == EntryDescriptor(from_entry=1, to_entry=10)


COLUMN = structure(long_unsigned(1), octet_string(bytes(6)), integer(2), long_unsigned(0))


@pytest.mark.parametrize(
    ("selector", "parameters"),
    [
        (0, structure()),
        (3, structure()),
        (2, array([])),
        (2, structure(*[double_long_unsigned(1)] * 4)),
        (2, structure(double_long_unsigned(1))),
        (1, structure(COLUMN, integer(1), integer(2))),
        (1, structure(COLUMN, integer(1), integer(2), structure())),
        (1, structure(integer(1), integer(1), integer(2), array([]))),
        (1, structure(structure(integer(1)), integer(1), integer(2), array([]))),
        (1, structure(COLUMN, integer(1), integer(2), array([integer(1)]))),
        (
            1,
            structure(
                structure(long_unsigned(1), octet_string(bytes(5)), integer(2), long_unsigned(0)),
                integer(1),
                integer(2),
                array([]),
            ),
        ),
    ],
)
def test_what_a_profile_cannot_read_is_malformed(selector, parameters):
    with pytest.raises(MalformedError):
        profile_selection(SelectiveAccess(selector=selector, parameters=axdr.encode(parameters)))


@pytest.mark.parametrize("octets", ["", "02", "0202"])
def test_a_selection_cut_short_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_selection(bytes.fromhex(octets), 0)


@pytest.mark.parametrize(
    "descriptor",
    [
        EntryDescriptor(from_entry=-1),
        EntryDescriptor(from_entry=2**32),
        EntryDescriptor(from_entry=1, to_selected_value=2**16),
        RangeDescriptor(
            restricting_object=CaptureObject(class_id=2**16, logical_name=LogicalName(bytes(6)), attribute=2),
            from_value=integer(0),
            to_value=integer(0),
        ),
    ],
)
def test_what_does_not_fit_is_not_sent(descriptor):
    with pytest.raises(InvalidValueError):
        descriptor.selective_access()
    with pytest.raises(InvalidValueError):
        SelectiveAccess(selector=256, parameters=b"\x00").encode()


def read(octets):
    selection, _end = decode_selection(octets, 0)
    return profile_selection(selection)


CORPUS = [
    EntryDescriptor(from_entry=1).selective_access().encode(),
    RangeDescriptor(
        restricting_object=SEQUENCE, from_value=integer(1), to_value=integer(2), selected_values=(SEQUENCE,)
    )
    .selective_access()
    .encode(),
]


def test_no_mutation_brings_anything_but_malformed():
    assert first_escape(read, CORPUS) is None


def test_the_mutations_find_a_reader_that_does_not_check_its_types(monkeypatch):
    monkeypatch.setattr("dlms_objects.wire.selection._members", lambda value, _type: value.value)
    assert first_escape(read, CORPUS) is not None
