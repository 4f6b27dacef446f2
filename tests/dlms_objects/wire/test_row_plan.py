"""Row plans: as fast as one struct where rows are regular, and never another answer than the general codec."""

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.entry import Entry, EntryKind, JournalHead
from dlms_objects.values.compact_array import compact_array
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.data import NULL, Data, DataType, array, long64, octet_string, structure, unsigned
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import axdr
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.row_plan import Column, RowPlan
from tests.support.cosem_data import tables
from tests.support.mutation import first_escape, mutations


def plain(value):
    if value.type in (DataType.ARRAY, DataType.STRUCTURE, DataType.COMPACT_ARRAY):
        return tuple(plain(member) for member in value.value)
    return value.value


def general(octets):
    return [plain(row) for row in axdr.decode(octets).value]


def journal_rows(count):
    head, rows = JournalHead.empty(SystemTitle(b"MPR00001")), []
    for number in range(1, count + 1):
        entry = Entry.chained(
            head,
            time=CosemDateTime.from_civil(datetime(2026, 11, 22, 14)),  # noqa: DTZ001 - civil
            kind=EntryKind.TOP_UP,
            amount=number * 100,
            balance=number * 5000,
        )
        rows.append(entry.row())
        head = entry.head
    return rows


def page(rows):
    return b"\x01" + bytes((len(rows),)) + b"".join(rows)


ROWS = journal_rows(100)
PLAN = RowPlan.from_row(ROWS[0])


@settings(max_examples=150)
@given(tables(departing=False))
def test_a_regular_page_gives_the_values_of_the_general_codec(table):
    octets = axdr.encode(table)
    plan = RowPlan.from_row(axdr.encode(table.value[0]))
    assert plan.decode(octets) == general(octets)
    assert plan.split(octets) == [axdr.encode(row) for row in table.value]


@settings(max_examples=150)
@given(tables(departing=True))
def test_a_page_with_departing_rows_gives_the_values_of_the_general_codec(table):
    octets = axdr.encode(table)
    plan = RowPlan.from_row(axdr.encode(table.value[0]))
    assert plan.decode(octets) == general(octets)
    assert plan.split(octets) == [axdr.encode(row) for row in table.value]


def test_journal_rows_are_split_to_the_octet_and_decoded_without_the_general_codec(monkeypatch):
    expected = general(page(ROWS))

    def forbidden(*_arguments, **_options):
        raise AssertionError("the general codec was called")

    monkeypatch.setattr(axdr, "decode", forbidden)
    monkeypatch.setattr(axdr, "decode_prefix", forbidden)
    assert PLAN.row_length == 98
    assert PLAN.split(page(ROWS)) == ROWS
    assert PLAN.split(memoryview(page(ROWS))) == ROWS
    assert PLAN.decode(page(ROWS)) == expected
    assert PLAN.decode(bytearray(page(ROWS))) == expected


def test_a_page_that_comes_as_a_compact_array_gives_the_same_rows():
    rows = axdr.decode(page(ROWS)).value
    compact = axdr.encode(compact_array(rows))
    assert PLAN.decode(compact) == PLAN.decode(page(ROWS))
    assert PLAN.split(compact) == ROWS
    for other in (compact_array([structure(unsigned(1))]), compact_array([unsigned(1)])):
        for read in (PLAN.decode, PLAN.split):
            with pytest.raises(MalformedError):
                read(axdr.encode(other))


def test_a_compact_array_in_a_cell_is_a_tuple():
    row = structure(compact_array([structure(unsigned(1), unsigned(2))]), unsigned(3))
    assert RowPlan.from_row(axdr.encode(row)).decode(axdr.encode(array([row]))) == [(((1, 2),), 3)]


def test_an_empty_page_has_no_rows():
    assert PLAN.decode(b"\x01\x00") == []
    assert PLAN.split(b"\x01\x00") == []


def test_a_page_with_a_long_count_is_regular_all_the_same():
    octets = b"\x01\x82" + len(ROWS * 3).to_bytes(2, "big") + b"".join(ROWS * 3)
    assert PLAN.split(octets) == ROWS * 3


def test_rows_in_longer_length_forms_are_kept_as_they_came():
    odd = b"\x02\x81\x0a" + ROWS[1][2:]
    assert PLAN.split(page([ROWS[0], odd])) == [ROWS[0], odd]
    assert PLAN.decode(page([ROWS[0], odd])) == general(page(ROWS[:2]))


def test_columns_without_a_fixed_place_make_a_plan_without_a_row_length():
    plan = RowPlan([Column(type=DataType.UTF8_STRING), Column(type=DataType.UNSIGNED)])
    assert plan.row_length is None
    rows = array([structure(Data(DataType.UTF8_STRING, text), unsigned(1)) for text in ("rent", "水费")])
    assert plan.decode(axdr.encode(rows)) == [("rent", 1), ("水费", 1)]


@pytest.mark.parametrize(
    "column", [Column(type=DataType.OCTET_STRING), Column(type=DataType.LONG, length=2)], ids=["missing", "surplus"]
)
def test_a_column_whose_length_contradicts_its_type_is_refused(column):
    with pytest.raises(InvalidValueError):
        RowPlan([column])


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x01",
        ROWS[0],
        page(ROWS[:3])[:-1],
        page(ROWS[:3]) + b"\x00",
        b"\x01\x04" + b"".join(ROWS[:3]),
        b"\x01\x02" + b"".join(ROWS[:3]),
        page([ROWS[0], axdr.encode(unsigned(1))]),
        page([ROWS[0], axdr.encode(structure(unsigned(1)))]),
        axdr.encode(structure()),
    ],
)
def test_what_is_not_a_page_of_such_rows_is_malformed_both_ways(octets):
    with pytest.raises(MalformedError):
        PLAN.decode(octets)
    with pytest.raises(MalformedError):
        PLAN.split(octets)


@pytest.mark.parametrize("row", [b"", ROWS[0][:-1], axdr.encode(unsigned(1))])
def test_a_sample_that_is_no_row_makes_no_plan(row):
    with pytest.raises(MalformedError):
        RowPlan.from_row(row)


def disagreement(plan, samples):
    """The first mutated page on which the plan and the general codec do not agree, or None."""
    for octets in mutations(samples, count=1500):
        try:
            expected = repr(general(octets)) if axdr.decode(octets).type is DataType.ARRAY else None
        except (MalformedError, TypeError):  # TypeError: an array of plain cells has no tuples of them
            expected = None
        try:
            found = repr(plan.decode(octets))
        except MalformedError:
            continue  # the plan may refuse rows that the general codec knows nothing about
        if found != expected:
            return octets
    return None


SAMPLES = [page(ROWS[:2]), axdr.encode(array([structure(long64(1), octet_string(b"ab"), NULL)] * 3))]


def test_no_mutation_brings_anything_but_malformed_or_another_answer():
    assert first_escape(PLAN.decode, SAMPLES, count=2000) is None
    assert first_escape(PLAN.split, SAMPLES, count=2000) is None
    assert disagreement(PLAN, SAMPLES) is None


def test_the_mutations_find_a_plan_that_does_not_check_its_skeleton():
    careless = RowPlan.from_row(ROWS[0])
    careless._layout = replace(careless._layout, skeleton=())
    assert disagreement(careless, SAMPLES) is not None
