"""The check: when fees come due, what the clock does to them, what is announced; and the laws in any order."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from dlms_objects.purse import operations
from dlms_objects.purse.check import check
from dlms_objects.purse.fee_item import Schedule
from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.state import Change
from dlms_objects.values.civil import civil_of, time_zone
from dlms_objects.values.cosem_time import STATUS_INVALID
from tests.support.purse_machine import PurseMachine
from tests.support.purses import START, Purse, at, billed, daily, fixed, household, monthly
from tests.support.slow_schedule import slow_occurrences


def test_a_fee_is_deducted_at_its_time_and_not_before() -> None:
    purse = household(1000)
    purse.configure(1, fixed(100))
    assert purse.check(at(1, 1, 7, 59)).entries == ()
    (entry,) = purse.check(at(1, 1)).entries
    assert (entry.kind, entry.fee_item, entry.amount, entry.balance, entry.revision) == (1, 1, -100, 900, 1)
    assert (str(entry.time), str(entry.due)) == ("2026-01-01 08:00:00+00:00", "2026-01-01 08:00:00")


def test_a_fee_is_deducted_once_however_often_the_purse_is_checked() -> None:
    purse = household(1000)
    purse.configure(1, fixed(100))
    for _ in range(3):
        purse.check(at(1, 1))
        purse.restart()
    assert purse.deductions() == [("2026-01-01 08:00:00", 100)]


def test_an_idle_check_returns_the_very_state() -> None:
    purse = household(1000)
    purse.configure(1, fixed(100))
    assert check(purse.state, at(1, 1, 7), {}).state is purse.state


def test_a_due_time_is_civil_time_of_the_meters_zone() -> None:
    purse = household(1000, time_zone="Asia/Shanghai")
    purse.now = at(1, 5, 0)
    purse.configure(1, fixed(100, monthly(6)))
    assert purse.check(at(1, 5, 23, 59)).entries == ()
    (entry,) = purse.check(at(1, 6, 0)).entries
    assert str(entry.time) == "2026-01-06 08:00:00+08:00"


def test_a_due_time_in_a_gap_is_moved_to_the_first_instant_after_it() -> None:
    purse = household(1000, time_zone="Europe/Berlin")
    purse.configure(1, fixed(100, daily(time(2, 30), date(2026, 3, 29), count=1)))
    assert purse.check(at(3, 29, 0, 59)).entries == ()
    (entry,) = purse.check(at(3, 29, 1)).entries
    assert (str(entry.time), str(entry.due)) == ("2026-03-29 03:00:00+02:00", "2026-03-29 02:30:00")


def test_a_due_time_in_a_repeated_hour_fires_once_at_its_first_pass() -> None:
    purse = household(1000, time_zone="Europe/Berlin")
    purse.configure(1, fixed(100, daily(time(2, 30), date(2026, 10, 25), count=1)))
    assert purse.check(at(10, 25, 0, 29)).entries == ()
    assert len(purse.check(at(10, 25, 0, 30)).entries) == 1
    assert purse.check(at(10, 25, 1, 30)).entries == ()


def test_a_first_pass_that_was_slept_through_is_due_in_the_second() -> None:
    purse = household(1000, time_zone="Europe/Berlin")
    purse.configure(1, fixed(100, daily(time(2, 30), date(2026, 10, 25), count=1)))
    (entry,) = purse.check(at(10, 25, 1, 10)).entries  # 02:10 for the second time
    assert str(entry.time) == "2026-10-25 02:10:00+01:00"


def test_occurrences_before_the_item_was_configured_are_not_charged() -> None:
    purse = household(1000)
    purse.now = at(3, 15)
    purse.configure(1, fixed(100))
    assert purse.deductions() == []


# The clock


def test_before_2024_nothing_is_deducted_and_the_event_comes_once() -> None:
    purse = household(1000)
    purse.configure(1, fixed(100))
    for _ in range(2):
        purse.check(datetime(2023, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert purse.deductions() == []
    assert purse.codes() == [EventCode.CLOCK_INVALID]
    assert purse.events[-1].time.status & STATUS_INVALID


def test_a_lost_clock_stops_deductions_until_it_is_set_and_each_loss_is_told() -> None:
    purse = household(1000)
    purse.configure(1, fixed(100))
    for _ in range(2):
        purse.clock_valid = False
        purse.check(at(2, 2))
        assert purse.deductions() == []
        purse.clock_valid = True
    purse.check(at(2, 2))
    assert purse.codes() == [EventCode.CLOCK_INVALID]
    assert len(purse.deductions()) == 2
    purse.clock_valid = False
    purse.check(at(2, 3))
    assert purse.codes() == [EventCode.CLOCK_INVALID] * 2


def test_an_item_configured_without_a_clock_owes_from_the_moment_the_clock_is_set() -> None:
    purse = household(1000)
    purse.now = datetime(2020, 1, 1, tzinfo=UTC)
    purse.configure(1, fixed(100))
    purse.check(at(3, 15))
    assert purse.deductions() == []
    purse.check(at(4, 1))
    assert purse.deductions() == [("2026-04-01 08:00:00", 100)]


def test_a_clock_step_back_never_takes_anything_twice() -> None:
    purse = household(1000)
    purse.configure(1, fixed(100))
    for now in (at(3, 1), at(1, 1), at(2, 1), at(3, 1)):
        purse.check(now)
    assert len(purse.deductions()) == 3


def test_a_clock_step_back_takes_back_the_announcement_of_what_is_no_longer_due() -> None:
    purse = household()
    purse.configure(1, fixed(100))
    purse.configure(2, billed())
    purse.check(at(1, 1))
    assert (purse.item(1).short_due, purse.item(2).asked_due) == (datetime(2026, 1, 1, 8), datetime(2026, 1, 1, 8))
    purse.check(at(1, 1, 7))
    assert (purse.item(1).short_due, purse.item(2).asked_due) == (None, None)
    purse.check(at(1, 1))
    assert purse.codes() == [EventCode.INSUFFICIENT, EventCode.WAITING_AMOUNT] * 2


# Announcements


def test_low_balance_is_told_once_per_crossing() -> None:
    purse = household(1000, low_balance_threshold=950)
    purse.configure(1, fixed(100, daily()))
    purse.check(at(1, 1))
    purse.check(at(1, 2))
    assert [(event.code, event.value) for event in purse.events[1:]] == [(EventCode.LOW_BALANCE, 900)]
    purse.top_up(500)
    purse.check(at(1, 6))
    assert purse.codes() == [EventCode.LOW_BALANCE] * 2


def test_a_shortfall_ahead_is_told_once_per_crossing_with_what_is_missing() -> None:
    purse = Purse()
    purse.configure(1, fixed(100, monthly(9)))
    purse.check(at(1, 2, 7))
    assert purse.codes() == []
    purse.check(at(1, 2))
    purse.check(at(1, 3))
    (event,) = purse.events[1:]
    assert (event.code, event.fee_item, event.value, str(event.due)) == (11, 1, 100, "2026-01-09 08:00:00")
    purse.top_up(100)
    purse.check(at(1, 9))
    purse.check(at(2, 3))
    assert purse.codes() == [EventCode.SHORTFALL_AHEAD] * 2


def test_a_shortfall_is_ahead_insufficient_and_then_the_next_one_is_ahead() -> None:
    purse = Purse()
    purse.configure(1, fixed(100, monthly(9)))
    purse.configure(2, fixed(50, monthly(12)))
    purse.check(at(1, 8))
    purse.check(at(1, 9))
    purse.check(at(1, 10))
    purse.top_up(120)
    assert [(event.code, event.fee_item, event.value) for event in purse.events[2:]] == [
        (EventCode.SHORTFALL_AHEAD, 1, 150),
        (EventCode.INSUFFICIENT, 1, 100),
        (EventCode.SETTLED, 1, 100),
        (EventCode.SHORTFALL_AHEAD, 2, 30),
    ]


def test_announcements_survive_a_restart() -> None:
    purse = household(low_balance_threshold=10)
    purse.configure(1, fixed(100))
    purse.configure(2, billed())
    purse.check(at(1, 1))
    purse.forget_events()
    purse.restart()
    purse.check(at(1, 1, 9))
    assert purse.codes() == []


# Changes of terms


def test_a_future_dated_price_leaves_what_fell_due_before_it_as_it_was() -> None:
    purse = household(10_000)
    purse.configure(1, fixed(100))
    purse.keep(operations.set_passive(purse.state, purse.now, 1, fixed(110)))
    purse.keep(operations.set_activation_time(purse.state, purse.now, 1, at(2, 1)))
    purse.check(at(3, 15))  # the meter was without power
    assert [amount for _, amount in purse.deductions()] == [100, 110, 110]
    assert [entry.revision for entry in purse.journal.entries[1:]] == [1, 2, 2]


def test_a_corrected_amount_holds_for_what_waits() -> None:
    purse = household(500)
    purse.configure(1, fixed(3500))
    purse.check(at(1, 1))
    purse.configure(1, fixed(350))
    assert purse.deductions() == [("2026-01-01 08:00:00", 350)]
    assert purse.codes()[-1] is EventCode.SETTLED


def test_a_disabled_item_no_longer_waits() -> None:
    purse = household()
    purse.configure(1, fixed(100))
    purse.check(at(1, 1))
    purse.configure(1, fixed(100, enabled=False))
    assert purse.item().short_due is None
    assert EventCode.SETTLED not in purse.codes()


# Laws

MACHINE = settings(max_examples=40, stateful_step_count=30, deadline=None)
FAULT_HUNT = settings(
    max_examples=200,
    stateful_step_count=30,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def test_the_laws_hold_in_any_order_of_ticks_restarts_clock_steps_and_changes() -> None:
    run_state_machine_as_test(PurseMachine, settings=MACHINE)


def forgets_what_was_paid(state: Any, *arguments: Any, **named: Any) -> Change:
    """A check whose paid_through moves back by one occurrence."""
    change = check(state, *arguments, **named)
    items = tuple(
        item if item.paid_through is None else replace(item, paid_through=item.paid_through - timedelta(days=31))
        for item in change.state.items
    )
    return replace(change, state=replace(change.state, items=items))


def loses_an_entry(state: Any, *arguments: Any, **named: Any) -> Change:
    """A check that leaves its last entry out of the journal."""
    change = check(state, *arguments, **named)
    return replace(change, entries=change.entries[:-1])


def clamps_the_balance(state: Any, *arguments: Any, **named: Any) -> Change:
    """A check that forgives what is below zero."""
    change = check(state, *arguments, **named)
    return replace(change, state=replace(change.state, balance=max(0, change.state.balance)))


@pytest.mark.parametrize("fault", [forgets_what_was_paid, loses_an_entry, clamps_the_balance])
def test_the_laws_catch_a_deliberate_fault(fault: Any) -> None:
    class Faulty(PurseMachine):
        checks = staticmethod(fault)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Faulty, settings=FAULT_HUNT)


@settings(max_examples=30)
@given(
    st.lists(st.timedeltas(timedelta(days=-40), timedelta(days=60)), min_size=1, max_size=12),
    st.integers(1, 12),
    st.sampled_from([monthly(31), monthly(-1), daily(), daily(interval=7)]),
)
def test_none_is_missed_and_none_taken_twice_however_the_clock_runs(
    steps: list[timedelta], catch_up: int, schedule: Schedule
) -> None:
    purse = household(2**40, max_catch_up=catch_up, time_zone="Europe/Berlin")
    purse.configure(1, fixed(1, schedule))
    latest = START
    for step in steps:
        purse.restart()
        purse.check(max(START, purse.now + step))
        latest = max(latest, purse.now)
    while purse.check(latest).entries:
        pass
    berlin = time_zone("Europe/Berlin")
    expected = [
        str(due)
        for due in slow_occurrences(schedule, latest.date())
        if civil_of(START, berlin) <= due <= civil_of(latest, berlin)
    ]
    assert [due for due, _ in purse.deductions()] == expected
