"""What the household is told: flags, the prompt to top up, the state of each item."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from dlms_objects.purse import operations
from dlms_objects.purse.entry import JournalHead
from dlms_objects.purse.fee_item import Parameters
from dlms_objects.purse.prompt import ItemState, StatusFlag, find_shortfall, item_status, status
from dlms_objects.purse.state import JOURNAL_CAPACITY, Settings
from dlms_objects.values.money import MAXIMUM_MINOR
from tests.support.purses import ENERGY, START, Purse, billed, fixed, metered, monthly

JANUARY_FOURTH = START + timedelta(days=3)
WEEK = Settings(look_ahead_s=7 * 86_400)


def household(balance: int = 0, settings: Settings = WEEK, **parameters: Parameters) -> Purse:
    """Items a, b, c as number 1, 2, 3."""
    purse = Purse(settings, now=JANUARY_FOURTH)
    if balance:
        purse.top_up(balance)
    for number, one in enumerate(parameters.values(), start=1):
        purse.configure(number, one)
    return purse


def test_the_bit_string_has_flag_0_left_most() -> None:
    assert StatusFlag.LOW_BALANCE.bits() == "1000000000000000"
    assert (StatusFlag.SHORTFALL_AHEAD | StatusFlag.TAMPER).bits() == "0100001000000000"
    assert StatusFlag(0).bits() == "0" * 16


def test_flags_have_the_positions_of_the_object_model() -> None:
    order = (
        StatusFlag.LOW_BALANCE,
        StatusFlag.SHORTFALL_AHEAD,
        StatusFlag.WAITING_BALANCE,
        StatusFlag.WAITING_AMOUNT,
        StatusFlag.CLOCK_INVALID,
        StatusFlag.JOURNAL_FULL,
        StatusFlag.TAMPER,
    )
    assert [flag.bits().index("1") for flag in order] == list(range(7))


def test_an_empty_purse_has_nothing_to_tell() -> None:
    found = status(Purse().state, START)
    assert (found.flags, found.shortfall, found.first_short_due, found.next_due, found.next_amount) == (
        StatusFlag(0), 0, None, None, 0,
    )  # fmt: skip


def test_what_falls_due_within_the_look_ahead_and_is_not_covered_raises_the_prompt() -> None:
    purse = household(500, rent=fixed(400, monthly(5)), water=fixed(150, monthly(10)), gas=fixed(900, monthly(12)))
    found = status(purse.state, purse.now)
    assert found.shortfall == 50
    assert found.first_short_due == datetime(2026, 1, 10, 8)
    assert StatusFlag.SHORTFALL_AHEAD in found.flags
    shortfall = find_shortfall(purse.state, purse.now, {})
    assert shortfall is not None
    assert shortfall.number == 2


def test_the_look_ahead_ends_with_its_last_second() -> None:
    water = fixed(150, monthly(11))
    at = datetime(2026, 1, 4, 8, tzinfo=UTC)
    purse = household(100, water=water)
    assert status(purse.state, at).shortfall == 50
    assert status(purse.state, at - timedelta(seconds=1)).shortfall == 0


def test_the_first_uncovered_is_told_in_the_order_of_due_times() -> None:
    purse = household(100, late=fixed(80, monthly(7), priority=0), early=fixed(80, monthly(5), priority=9))
    found = find_shortfall(purse.state, purse.now, {})
    assert found is not None
    assert (found.missing, found.number, found.first_due) == (60, 1, datetime(2026, 1, 7, 8))


def test_the_overdraft_counts_as_cover() -> None:
    purse = household(100, Settings(overdraft_limit=50), rent=fixed(150, monthly(5)))
    assert status(purse.state, purse.now).shortfall == 0


def test_an_amount_nobody_knows_counts_nothing() -> None:
    purse = household(0, water=billed(schedule=monthly(5)))
    assert status(purse.state, purse.now).shortfall == 0
    purse.set_amount(1, date(2026, 1, 5), 70)
    found = status(purse.state, purse.now)
    assert (found.shortfall, found.next_amount) == (70, 70)


def test_a_metered_item_is_expected_to_take_what_was_consumed_so_far_once() -> None:
    purse = household(0, energy=metered(2, schedule=monthly(5)))
    purse.registers = {ENERGY: 30}
    ahead = replace(purse.state, settings=Settings(look_ahead_s=60 * 86_400))
    assert status(ahead, purse.now, purse.registers).shortfall == 60
    assert status(ahead, purse.now, purse.registers).next_amount == 60
    assert status(ahead, purse.now).shortfall == 0


def test_a_metered_item_whose_register_was_never_read_is_not_known() -> None:
    purse = Purse(now=JANUARY_FOURTH)
    purse.registers = {}
    purse.configure(1, metered(2, schedule=monthly(5)))
    assert status(purse.state, purse.now).next_amount == 0


def test_a_shortfall_beyond_64_bits_is_told_as_the_most_they_hold() -> None:
    purse = household(0, one=fixed(MAXIMUM_MINOR, monthly(5)), two=fixed(MAXIMUM_MINOR, monthly(5)))
    assert status(purse.state, purse.now).shortfall == MAXIMUM_MINOR


def test_a_balance_below_the_limit_alone_is_no_shortfall() -> None:
    purse = household(0, rent=fixed(0, monthly(5)))
    assert status(replace(purse.state, balance=-5), purse.now).shortfall == 0


def test_a_fee_of_nothing_is_not_what_falls_short() -> None:
    purse = household(0, nothing=fixed(0, monthly(5)), rent=fixed(10, monthly(6)))
    found = find_shortfall(purse.state, purse.now, {})
    assert found is not None
    assert found.number == 2


def test_the_next_occurrence_is_the_first_by_due_time_priority_and_number() -> None:
    purse = household(
        1000, late=fixed(1, monthly(9)), low=fixed(2, monthly(5), priority=9), high=fixed(3, monthly(5), priority=1)
    )
    found = status(purse.state, purse.now)
    assert (found.next_due, found.next_amount) == (datetime(2026, 1, 5, 8), 3)


def test_each_condition_raises_its_flag() -> None:
    purse = household(10, rent=fixed(100, monthly(5)), water=billed(schedule=monthly(5)))
    purse.check(datetime(2026, 1, 5, 8, tzinfo=UTC))
    state = replace(
        purse.state,
        settings=Settings(low_balance_threshold=11),
        head=JournalHead(sequence=JOURNAL_CAPACITY, digest=bytes(16)),
        tamper=True,
    )
    every = StatusFlag.LOW_BALANCE | StatusFlag.SHORTFALL_AHEAD | StatusFlag.WAITING_BALANCE
    every |= StatusFlag.WAITING_AMOUNT | StatusFlag.JOURNAL_FULL | StatusFlag.TAMPER
    assert status(state, purse.now).flags == every
    assert StatusFlag.CLOCK_INVALID in status(state, datetime(2020, 1, 1, tzinfo=UTC)).flags


def test_a_lost_clock_raises_its_flag_until_a_check_finds_it_set() -> None:
    purse = household()
    purse.clock_valid = False
    purse.check()
    assert status(purse.state, purse.now).flags == StatusFlag.CLOCK_INVALID
    purse.clock_valid = True
    purse.check()
    assert status(purse.state, purse.now).flags == StatusFlag(0)


def item_state(purse: Purse, number: int = 1) -> ItemState:
    return item_status(purse.item(number), purse.state, purse.now).state


def test_an_item_never_configured_or_disabled_is_disabled() -> None:
    purse = household(0, rent=fixed(100, enabled=False))
    found = item_status(purse.item(1), purse.state, purse.now)
    assert (found.state, found.next_due, found.next_amount, found.missed) == (ItemState.DISABLED, None, 0, 0)
    assert item_state(purse, 2) is ItemState.DISABLED


def test_an_item_is_scheduled_waits_and_is_scheduled_again() -> None:
    purse = household(0, rent=fixed(100, monthly(5)), water=billed(schedule=monthly(5)))
    assert [item_state(purse, number) for number in (1, 2)] == [ItemState.SCHEDULED] * 2
    purse.check(datetime(2026, 1, 5, 8, tzinfo=UTC))
    assert [item_state(purse, number) for number in (1, 2)] == [ItemState.WAITING_BALANCE, ItemState.WAITING_AMOUNT]
    purse.top_up(100)
    purse.set_amount(2, date(2026, 1, 5), 0)
    assert [item_state(purse, number) for number in (1, 2)] == [ItemState.SCHEDULED] * 2


def test_an_item_without_further_occurrence_is_finished() -> None:
    purse = household(100, rent=fixed(100, monthly(5, last=date(2026, 1, 31))))
    purse.check(datetime(2026, 1, 5, 8, tzinfo=UTC))
    assert item_state(purse) is ItemState.FINISHED


def test_an_item_not_yet_in_force_for_want_of_a_clock_is_scheduled() -> None:
    purse = Purse(now=datetime(2020, 1, 1, tzinfo=UTC))
    purse.configure(1, fixed(100))
    assert item_state(purse) is ItemState.SCHEDULED


def test_an_items_status_tells_what_was_taken_and_what_is_missed() -> None:
    purse = household(150, rent=fixed(100, monthly(5)))
    taken = datetime(2026, 1, 5, 8, 0, 7, tzinfo=UTC)
    purse.check(taken)
    purse.now = datetime(2026, 4, 5, 8, tzinfo=UTC)
    found = item_status(purse.item(), purse.state, purse.now)
    assert (found.last_deducted, found.last_amount, found.total_deducted) == (taken, 100, 100)
    assert (found.next_due, found.next_amount, found.missed) == (datetime(2026, 2, 5, 8), 100, 3)


@pytest.mark.parametrize(("register", "expected"), [({ENERGY: 7}, 14), ({}, 0)])
def test_an_items_status_expects_metered_consumption(register: dict, expected: int) -> None:  # type: ignore[type-arg]
    purse = household(0, energy=metered(2, schedule=monthly(5)))
    assert item_status(purse.item(), purse.state, purse.now, register).next_amount == expected


def test_settings_change_what_is_told_at_once() -> None:
    purse = household(10, rent=fixed(100, monthly(25)))
    assert status(purse.state, purse.now).shortfall == 0
    purse.keep(operations.set_settings(purse.state, purse.now, Settings(look_ahead_s=30 * 86_400)))
    assert status(purse.state, purse.now).shortfall == 90
