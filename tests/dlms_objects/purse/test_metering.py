"""Consumption into money: exact, whatever the slices."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.metering import CARRIED_PER_MINOR, Metering, div_floor
from dlms_objects.purse.parameters import UnitPrice
from dlms_objects.values.money import MAXIMUM_MINOR
from tests.support.purses import ENERGY


def metering(price: int, scaler: int, reading: int | None = 0, carried: int = 0) -> Metering:
    return Metering(unit_price=UnitPrice(price=price, scaler=scaler, register=ENERGY), reading=reading, carried=carried)


@pytest.mark.parametrize(
    ("price", "scaler", "units", "amount", "carried"),
    [
        (56, -3, 1000, 56, 0),  # 0.56 yuan a kWh, one kWh
        (56, -3, 999, 55, 944_000_000),
        (1, 9, 2, 2_000_000_000, 0),
        (1, -9, 999_999_999, 0, 999_999_999),
        (0, 0, 5, 0, 0),
        (7, 0, 0, 0, 0),
    ],
)
def test_consumption_times_price_is_collected_and_the_rest_carried(
    price: int, scaler: int, units: int, amount: int, carried: int
) -> None:
    collected, rest = metering(price, scaler, 500).advanced(500 + units).collected()
    assert (collected, rest.carried, rest.reading) == (amount, carried, 500 + units)


def test_a_register_that_rolled_back_charges_nothing_and_starts_again() -> None:
    before = metering(7, 0, 100, 5)
    assert before.rolled_back(99)
    assert not before.rolled_back(100)
    after = before.advanced(40)
    assert (after.reading, after.carried) == (40, 5)
    assert after.advanced(41).carried == 5 + 7 * CARRIED_PER_MINOR


def test_a_metering_without_reading_counts_from_the_first_one() -> None:
    paused = metering(7, 0, None, 5)
    assert not paused.rolled_back(0)
    assert paused.advanced(1000).carried == 5


def test_what_one_entry_cannot_hold_stays_carried() -> None:
    amount, rest = metering(2**32 - 1, 9).advanced(2**32).collected()
    assert amount == MAXIMUM_MINOR
    assert amount * CARRIED_PER_MINOR + rest.carried == (2**32 - 1) * 2**32 * 10**18


def test_a_negative_carried_amount_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="carried"):
        metering(1, 0, 0, -1)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(-9, 9),
    st.lists(st.integers(0, 2**32), max_size=20),
)
def test_slicing_consumption_never_changes_the_total(price: int, scaler: int, slices: list[int]) -> None:
    whole, whole_rest = metering(price, scaler).advanced(sum(slices)).collected()
    total, subject, reading = 0, metering(price, scaler), 0
    for units in slices:
        reading += units
        amount, subject = subject.advanced(reading).collected()
        total += amount
    if whole < MAXIMUM_MINOR:
        assert (total, subject.carried) == (whole, whole_rest.carried)
    assert total * CARRIED_PER_MINOR + subject.carried == sum(slices) * price * 10 ** (9 + scaler)


@given(st.integers(0, 2**70), st.integers(1, 2**40))
def test_a_named_division_keeps_both_halves(numerator: int, denominator: int) -> None:
    quotient, remainder = div_floor(numerator, denominator)
    assert quotient * denominator + remainder == numerator
    assert 0 <= remainder < denominator


def test_the_law_of_slices_catches_a_remainder_that_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    collected = Metering.collected

    def forgetful(self: Metering) -> tuple[int, Metering]:
        amount, rest = collected(self)
        return amount, replace(rest, carried=0)

    monkeypatch.setattr(Metering, "collected", forgetful)
    with pytest.raises((AssertionError, ExceptionGroup)):  # a group, when both assertions of the law are broken
        test_slicing_consumption_never_changes_the_total()


@given(
    price=st.integers(0, 500),
    scaler=st.integers(-9, 3),
    reading=st.integers(0, 1000),
    carried=st.integers(0, 10**12),
    more=st.integers(0, 100),
)
def test_the_highest_reading_for_an_amount_is_the_last_that_collects_no_more(
    price: int, scaler: int, reading: int, carried: int, more: int
) -> None:
    before = metering(price, scaler, reading, carried)
    amount = before.collected()[0] + more
    highest = before.highest_reading_for(amount)
    if highest is None:
        assert price == 0
        return
    assert before.advanced(highest).collected()[0] <= amount
    assert before.advanced(highest + 1).collected()[0] > amount


def test_an_item_that_counts_nothing_has_no_highest_reading() -> None:
    assert metering(7, 0, None).highest_reading_for(5) is None
