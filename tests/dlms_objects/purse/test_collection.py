"""Metered items: what is collected, when the reading is taken and at which price."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dlms_objects.purse import operations
from dlms_objects.purse.outcome import EventCode
from tests.support.purses import ENERGY, START, at, daily, fixed, household, metered


def test_consumption_since_the_last_collection_is_charged_at_the_unit_price() -> None:
    purse = household(100_000)
    purse.registers = {ENERGY: 500_000}
    purse.configure(1, metered(56, -3))
    purse.check(at(1, 1), {ENERGY: 510_009})
    purse.check(at(2, 1), {ENERGY: 520_018})
    assert [amount for _, amount in purse.deductions()] == [560, 561]  # 560.504 and 561.008 less 560
    assert purse.item().metering.carried == 8_000_000  # type: ignore[union-attr]


def test_the_amount_of_a_metered_occurrence_stands_while_it_waits() -> None:
    purse = household()
    purse.configure(1, metered(1))
    purse.check(at(1, 1), {ENERGY: 70})
    purse.check(at(1, 9), {ENERGY: 90})
    purse.top_up(70)
    assert purse.deductions() == [("2026-01-01 08:00:00", 70)]
    purse.top_up(100)
    purse.check(at(2, 1), {ENERGY: 91})
    assert purse.deductions()[1:] == [("2026-02-01 08:00:00", 21)]


def test_a_register_roll_back_is_told_and_charges_nothing() -> None:
    purse = household(1000)
    purse.registers = {ENERGY: 500}
    purse.configure(1, metered(1))
    purse.check(at(1, 1), {ENERGY: 3})
    assert purse.deductions() == [("2026-01-01 08:00:00", 0)]
    assert [(event.code, event.value) for event in purse.events[1:]] == [(EventCode.REGISTER_ROLL_BACK, 3)]
    purse.check(at(2, 1), {ENERGY: 10})
    assert purse.deductions()[1:] == [("2026-02-01 08:00:00", 7)]


def test_another_price_holds_for_consumption_from_the_change_on() -> None:
    purse = household(10_000)
    purse.configure(1, metered(1))
    purse.check(at(1, 1, 7), {ENERGY: 100})
    purse.configure(1, metered(10))
    purse.check(at(1, 1), {ENERGY: 105})
    assert purse.deductions() == [("2026-01-01 08:00:00", 150)]


def test_consumption_while_the_item_is_disabled_is_not_charged() -> None:
    purse = household(10_000)
    purse.configure(1, metered(1))
    purse.check(at(1, 1, 6), {ENERGY: 100})
    purse.configure(1, metered(1, enabled=False))
    purse.check(at(1, 1, 6), {ENERGY: 300})
    purse.configure(1, metered(1))
    purse.check(at(2, 1), {ENERGY: 305})
    assert sum(amount for _, amount in purse.deductions()) == 105


def test_a_missing_register_is_an_amount_not_known() -> None:
    purse = household(1000)
    purse.registers = {}
    purse.configure(1, metered(1))
    purse.check(at(1, 1))
    purse.check(at(1, 1), {ENERGY: 50})  # the base reading is taken here
    assert purse.codes() == [EventCode.WAITING_AMOUNT]
    assert purse.deductions() == [("2026-01-01 08:00:00", 0)]
    purse.check(at(2, 1), {})
    assert purse.codes() == [EventCode.WAITING_AMOUNT] * 2
    purse.check(at(2, 1), {ENERGY: 60})
    assert purse.deductions()[1:] == [("2026-02-01 08:00:00", 10)]


def test_what_is_owed_as_metered_is_collected_though_the_item_became_fixed() -> None:
    purse = household(1000)
    purse.configure(1, metered(1))
    purse.registers = {ENERGY: 70}
    purse.keep(operations.set_passive(purse.state, purse.now, 1, fixed(5)))
    purse.keep(operations.set_activation_time(purse.state, purse.now, 1, at(1, 15)))
    purse.check(at(2, 1))
    assert [amount for _, amount in purse.deductions()] == [70, 5]


@settings(max_examples=40)
@given(
    st.integers(0, 2**20),
    st.integers(-4, 0),
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 5000)), min_size=1, max_size=8),
)
def test_slicing_consumption_into_collections_never_changes_the_total(
    price: int, scaler: int, slices: list[tuple[int, int]]
) -> None:
    purse = household(2**50, max_catch_up=255)
    purse.configure(1, metered(price, scaler, daily()))
    reading, now = 0, START
    for days, units in slices:
        reading, now = reading + units, now + timedelta(days=days)
        purse.check(now, {ENERGY: reading})
        purse.restart()
    purse.check(now + timedelta(days=1))
    assert sum(amount for _, amount in purse.deductions()) == reading * price // 10**-scaler
