"""Typed values: each constructor takes exactly what its type holds, and refuses everything else."""

from collections.abc import Callable
from enum import IntEnum

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.values import data
from dlms_objects.values.cosem_time import CosemDate, CosemDateTime, CosemTime
from dlms_objects.values.data import WHOLE_NUMBER_RANGES, Data, DataType

WHOLE_NUMBERS: list[tuple[Callable[[int], Data], DataType]] = [
    (data.integer, DataType.INTEGER),
    (data.long, DataType.LONG),
    (data.double_long, DataType.DOUBLE_LONG),
    (data.long64, DataType.LONG64),
    (data.unsigned, DataType.UNSIGNED),
    (data.long_unsigned, DataType.LONG_UNSIGNED),
    (data.double_long_unsigned, DataType.DOUBLE_LONG_UNSIGNED),
    (data.long64_unsigned, DataType.LONG64_UNSIGNED),
    (data.bcd, DataType.BCD),
    (data.enum, DataType.ENUM),
]


class Colour(IntEnum):
    RED = 1


@pytest.mark.parametrize(("make", "type_"), WHOLE_NUMBERS)
def test_a_whole_number_fits_its_type_exactly_or_is_refused(make: Callable[[int], Data], type_: DataType) -> None:
    low, high = WHOLE_NUMBER_RANGES[type_]
    for value in (low, high, 0):
        assert make(value) == Data(type_, value)
    for wrong in (low - 1, high + 1):
        with pytest.raises(InvalidValueError, match=f"holds {low}..{high}"):
            make(wrong)


@pytest.mark.parametrize("value", [True, 1.0, "1", None, b"1"])
def test_what_is_no_whole_number_is_refused(value: int) -> None:
    with pytest.raises(InvalidValueError):
        data.unsigned(value)


def test_a_number_of_an_enumeration_is_kept_as_the_number() -> None:
    found = data.enum(Colour.RED)
    assert found == Data(DataType.ENUM, 1)
    assert type(found.value) is int


def test_every_whole_number_type_has_its_range() -> None:
    assert data.whole_number(DataType.LONG64_UNSIGNED, 2**64 - 1).value == 2**64 - 1
    assert {low for low, _ in WHOLE_NUMBER_RANGES.values()} == {0, -(2**7), -(2**15), -(2**31), -(2**63)}


def test_a_boolean_is_true_or_false() -> None:
    assert data.boolean(True) == Data(DataType.BOOLEAN, True)
    with pytest.raises(InvalidValueError):
        data.boolean(1)  # type: ignore[arg-type]


def test_a_bit_string_is_written_with_its_bits() -> None:
    assert data.bit_string("0110") == Data(DataType.BIT_STRING, "0110")
    assert data.bit_string("").value == ""
    with pytest.raises(InvalidValueError):
        data.bit_string("012")


def test_an_octet_string_is_bytes() -> None:
    assert data.octet_string(bytearray(b"ab")).value == b"ab"
    assert type(data.octet_string(memoryview(b"ab")).value) is bytes


def test_a_visible_string_is_printable_ascii() -> None:
    assert data.visible_string("CNY") == Data(DataType.VISIBLE_STRING, "CNY")
    assert data.visible_string("").value == ""
    for wrong in ("é", "a\n"):
        with pytest.raises(InvalidValueError):
            data.visible_string(wrong)


def test_a_utf8_string_is_any_text_that_has_an_encoding() -> None:
    assert data.utf8_string("房租").value == "房租"
    with pytest.raises(InvalidValueError):
        data.utf8_string("\ud800")


def test_a_structure_mixes_types_and_an_array_does_not() -> None:
    one, two = data.unsigned(1), data.enum(2)
    assert data.structure(one, two) == Data(DataType.STRUCTURE, (one, two))
    assert data.array([one, one]) == Data(DataType.ARRAY, (one, one))
    assert data.array([]).value == ()
    with pytest.raises(InvalidValueError, match="one type"):
        data.array([one, two])


def test_null_is_null() -> None:
    assert Data(DataType.NULL_DATA, None) == data.NULL


def test_a_float32_is_the_nearest_there_is() -> None:
    assert data.float32(0.5) == Data(DataType.FLOAT32, 0.5)
    assert abs(data.float32(0.1).value - 0.1) < 1e-8
    assert data.float32(2).value == 2


@pytest.mark.parametrize("make", [data.float32, data.float64])
@pytest.mark.parametrize("value", ["1", None, 10**400])
def test_what_is_no_float_or_beyond_the_largest_is_refused(make: Callable[[float], Data], value: float) -> None:
    with pytest.raises(InvalidValueError, match="not a float"):
        make(value)


def test_floats_keep_their_widths() -> None:
    with pytest.raises(InvalidValueError):
        data.float32(1e39)
    assert data.float64(1e39) == Data(DataType.FLOAT64, 1e39)
    assert type(data.float64(1).value) is float
    with pytest.raises(InvalidValueError):
        data.float64(True)


def test_times_are_their_octets() -> None:
    moment, day, clock = CosemDateTime.NOT_SPECIFIED, CosemDate.NOT_SPECIFIED, CosemTime(bytes(4))
    assert data.date_time(moment) == Data(DataType.DATE_TIME, moment.octets)
    assert data.date(day) == Data(DataType.DATE, day.octets)
    assert data.time(clock) == Data(DataType.TIME, bytes(4))


def test_the_wider_and_rarer_numbers_have_their_types() -> None:
    assert data.long64_unsigned(2**64 - 1) == Data(DataType.LONG64_UNSIGNED, 2**64 - 1)
    assert data.bcd(-123) == Data(DataType.BCD, -123)
    assert data.whole_number(DataType.DELTA_LONG, -5) == Data(DataType.DELTA_LONG, -5)
    with pytest.raises(InvalidValueError):
        data.whole_number(DataType.DELTA_UNSIGNED, 256)
    assert Data(DataType.DONT_CARE, None) == data.DONT_CARE
