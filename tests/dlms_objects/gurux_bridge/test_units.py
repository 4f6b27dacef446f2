"""Scaling is exact, whatever the scaler; units have the standard's symbols."""

from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.gurux_bridge.units import scaled, unit_symbol, with_unit

EXACT = Context(prec=400, Emax=999, Emin=-999)


@pytest.mark.parametrize(
    ("number", "scaler", "text"),
    [
        (1005, -3, "1.005"),
        (1005, 0, "1005"),
        (1005, 3, "1005000"),
        (5, -3, "0.005"),
        (-5, -3, "-0.005"),
        (0, -2, "0.00"),
        (-1250, -2, "-12.50"),
        (2**64 - 1, -9, "18446744073.709551615"),
        (1, 127, "1" + "0" * 127),
    ],
)
def test_a_scaled_number_keeps_every_digit(number: int, scaler: int, text: str) -> None:
    assert scaled(number, scaler) == text


@given(st.integers(-(2**64), 2**64), st.integers(-128, 127))
def test_a_scaled_number_is_exactly_number_times_ten_to_the_scaler(number: int, scaler: int) -> None:
    assert EXACT.create_decimal(scaled(number, scaler)) == EXACT.scaleb(Decimal(number), scaler)


def test_floats_would_not_do() -> None:
    assert str(1005 * 10**-3) != scaled(1005, -3)


@pytest.mark.parametrize(
    ("unit", "symbol"),
    [(30, "Wh"), (27, "W"), (33, "A"), (35, "V"), (44, "Hz"), (13, "m³"), (56, "%"), (57, "Ah"), (72, "dB"), (9, "°C")],
)
def test_units_have_the_standards_symbols(unit: int, symbol: str) -> None:
    assert unit_symbol(unit) == symbol


def test_a_count_has_no_symbol_and_an_unknown_unit_keeps_its_number() -> None:
    assert [unit_symbol(unit) for unit in (0, 255, 99)] == ["", "", "unit 99"]
    assert unit_symbol(140) == "gallon us"


def test_every_unit_number_is_written() -> None:
    assert all(isinstance(unit_symbol(unit), str) for unit in range(256))
    assert with_unit(12, -1, 30) == "1.2 Wh"
    assert with_unit(12, -1, 255) == "1.2"
