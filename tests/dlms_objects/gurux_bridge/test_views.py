"""Any attribute reads as a plain value: registers exactly and with their unit, profiles by column, text as text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.classes.catalogue import CATALOGUE
from dlms_objects.classes.purse_class import JOURNAL_NAME, JOURNAL_ROW, PURSE, PURSE_NAME
from dlms_objects.errors import RemoteError
from dlms_objects.gurux_bridge.class_views import CLASS_VIEWS
from dlms_objects.gurux_bridge.views import companion_of, view
from dlms_objects.values import data as cosem
from dlms_objects.values.data import Data
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.wire import axdr
from tests.bench.journal import journal_page, journal_rows
from tests.support.cosem_data import values

REGISTER = AttributeDescriptor(3, LogicalName.parse("1.0.1.8.0.255"), 2)
JOURNAL = AttributeDescriptor(7, JOURNAL_NAME, 2)
LOAD_PROFILE = AttributeDescriptor(7, LogicalName.parse("1.0.99.1.0.255"), 2)
WH = axdr.encode(cosem.structure(cosem.integer(-3), cosem.enum(30)))


def captured(*columns: tuple[int, str, int, int]) -> bytes:
    return axdr.encode(
        cosem.array(
            cosem.structure(
                cosem.long_unsigned(class_id),
                cosem.octet_string(LogicalName.parse(name).octets),
                cosem.integer(attribute),
                cosem.long_unsigned(index),
            )
            for class_id, name, attribute, index in columns
        )
    )


def one(class_id: int, name: str, attribute: int, value: Data) -> Any:
    return view(AttributeDescriptor(class_id, LogicalName.parse(name), attribute), axdr.encode(value))


def test_a_register_reads_exactly_with_its_unit() -> None:
    """gurux scales 1005 x 10^-3 in floats, to 1.0050000000000001."""
    assert view(REGISTER, axdr.encode(cosem.double_long(1005)), WH) == "1.005 Wh"
    assert companion_of(REGISTER) == AttributeDescriptor(3, REGISTER.logical_name, 3)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-30, 30))
def test_no_digit_of_a_register_is_ever_lost(number: int, scaler: int) -> None:
    unit = axdr.encode(cosem.structure(cosem.integer(scaler), cosem.enum(255)))
    shown = view(REGISTER, axdr.encode(cosem.long64(number)), unit)
    digits = shown.lstrip("-").replace(".", "").lstrip("0")
    assert digits == str(abs(number) * 10 ** max(scaler, 0)).lstrip("0")
    assert (len(shown.partition(".")[2]) == -scaler) or scaler >= 0


def test_a_register_without_its_scaler_is_unscaled() -> None:
    octets = axdr.encode(cosem.double_long(1005))
    assert view(REGISTER, octets) == 1005
    assert view(REGISTER, octets, axdr.encode(cosem.NULL)) == 1005


def test_a_register_of_floats_or_octets_is_not_scaled() -> None:
    plain_wh = axdr.encode(cosem.structure(cosem.integer(0), cosem.enum(30)))
    assert view(REGISTER, axdr.encode(cosem.float32(0.1)), plain_wh) == "0.1 Wh"
    assert view(REGISTER, axdr.encode(cosem.float32(0.1)), WH) == "0.1"
    assert view(REGISTER, axdr.encode(cosem.octet_string(b"\x00\x01")), WH) == "0001"


def test_the_averages_of_a_demand_register_want_its_scaler_too() -> None:
    name = REGISTER.logical_name
    assert companion_of(AttributeDescriptor(5, name, 3)) == AttributeDescriptor(5, name, 4)
    assert companion_of(AttributeDescriptor(5, name, 8)) is None


def test_a_profiles_rows_read_by_column() -> None:
    columns = captured(
        (8, "0.0.1.0.0.255", 2, 0), (3, "1.0.1.8.0.255", 2, 0), (3, "1.0.2.8.0.255", 2, 0), (1, "0.0.96.5.0.255", 2, 3)
    )
    clock = cosem.octet_string(bytes.fromhex("07ea0301070c000000fe2000"))
    row = cosem.structure(clock, cosem.double_long(5), cosem.double_long(6), cosem.unsigned(1))
    repeated = cosem.structure(cosem.NULL, cosem.double_long(7), cosem.double_long(8), cosem.unsigned(1))
    short = cosem.structure(cosem.unsigned(1))
    assert view(LOAD_PROFILE, axdr.encode(Data(row.type.ARRAY, (row, repeated, short))), columns) == [
        {"time": "2026-03-01 12:00:00+08:00", "value 1.0.1.8.0.255": 5, "value 1.0.2.8.0.255": 6, "value[3]": 1},
        {"time": None, "value 1.0.1.8.0.255": 7, "value 1.0.2.8.0.255": 8, "value[3]": 1},
        [1],
    ]


def test_the_purse_journal_reads_by_its_own_names() -> None:
    page = journal_page(journal_rows(3))
    columns = captured(*((PURSE.class_id, str(PURSE_NAME), 8, index) for index in range(1, 11)))
    rows = view(JOURNAL, page, columns)
    assert [row["sequence"] for row in rows] == [1, 2, 3]
    assert list(rows[0]) == [name for name, _ in JOURNAL_ROW.members]
    assert isinstance(view(JOURNAL, page), list)
    assert companion_of(JOURNAL) == AttributeDescriptor(7, JOURNAL_NAME, 3)


@pytest.mark.parametrize(
    ("class_id", "name", "octets", "text"),
    [
        (1, "0.0.42.0.0.255", b"MPR00000001", "MPR00000001"),
        (1, "0.0.96.1.0.255", b"\x00\x01", "0001"),
        (1, "0.0.1.2.0.255", bytes.fromhex("07ea0301070c000000fe2000"), "07ea0301070c000000fe2000"),
        (1, "0.0.96.7.10.255", bytes.fromhex("07ea0301070c000000fe2000"), "2026-03-01 12:00:00+08:00"),
    ],
)
def test_what_the_octets_of_a_data_object_stand_for_is_told_by_its_obis_code(
    class_id: int, name: str, octets: bytes, text: str
) -> None:
    assert one(class_id, name, 2, cosem.octet_string(octets)) == text


def test_every_attribute_1_is_a_logical_name() -> None:
    assert one(4711, "1.0.1.8.0.255", 1, cosem.octet_string(bytes((1, 0, 1, 8, 0, 255)))) == "1.0.1.8.0.255"


def test_an_unknown_class_reads_as_it_came() -> None:
    assert one(4711, "1.0.1.8.0.255", 2, cosem.array([cosem.enum(3)])) == [3]


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(RemoteError):
        view(REGISTER, b"\x06\x00")


CLASSES = sorted({*CLASS_VIEWS, *(declared.interface.class_id for declared in CATALOGUE.values())})


@given(values, st.sampled_from(CLASSES), st.integers(0, 20), st.none() | values)
def test_no_value_of_any_type_raises_anywhere(value: Data, class_id: int, attribute: int, beside: Data | None) -> None:
    octets = axdr.encode(value)
    companion = None if beside is None else axdr.encode(beside)
    view(AttributeDescriptor(class_id, REGISTER.logical_name, attribute), octets, companion)
