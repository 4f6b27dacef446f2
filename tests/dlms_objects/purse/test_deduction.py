"""The deduction: order, shortage, catching up, amounts that others set, and a journal without room."""

from dataclasses import replace
from datetime import date

import pytest

from dlms_objects.purse import operations
from dlms_objects.purse.entry import JournalHead
from dlms_objects.purse.fee_item import AmountSource, Parameters
from dlms_objects.purse.outcome import EventCode, OutcomeCode
from dlms_objects.purse.state import JOURNAL_CAPACITY, InsufficientPolicy, Settings
from tests.support.purses import ENERGY, Purse, at, billed, daily, fixed, household, metered, monthly

HOLD = InsufficientPolicy.HOLD_LOWER


def test_items_are_tried_by_priority_then_number() -> None:
    purse = household(1000)
    for number, priority in ((1, 5), (2, 0), (3, 5), (4, 0)):
        purse.configure(number, fixed(10, priority=priority))
    purse.check(at(1, 1))
    assert [entry.fee_item for entry in purse.journal.entries[1:]] == [2, 4, 1, 3]


def test_what_the_balance_does_not_cover_waits_whole_and_is_taken_at_once_after_a_top_up() -> None:
    purse = household(60)
    purse.configure(1, fixed(100))
    purse.check(at(1, 1))
    purse.check(at(1, 2))
    assert purse.state.balance == 60
    assert [(event.code, event.value, str(event.due)) for event in purse.events[1:]] == [
        (EventCode.INSUFFICIENT, 40, "2026-01-01 08:00:00")
    ]
    purse.forget_events()
    purse.top_up(39)
    assert purse.codes() == []
    purse.top_up(1)
    assert purse.state.balance == 0
    assert [(event.code, event.fee_item, event.value) for event in purse.events] == [(EventCode.SETTLED, 1, 100)]


def test_each_occurrence_that_comes_to_wait_is_announced_once() -> None:
    purse = household()
    purse.configure(1, fixed(100, daily()))
    purse.check(at(1, 3))
    purse.top_up(100)
    purse.check(at(1, 3, 9))
    assert [(event.code, str(event.due)[:10]) for event in purse.events[1:]] == [
        (EventCode.INSUFFICIENT, "2026-01-01"),
        (EventCode.SETTLED, "2026-01-01"),
        (EventCode.INSUFFICIENT, "2026-01-02"),
    ]


@pytest.mark.parametrize(("limit", "balance"), [(99, 0), (100, -100)])
def test_a_deduction_goes_down_to_the_overdraft_limit(limit: int, balance: int) -> None:
    purse = household(overdraft_limit=limit)
    purse.configure(1, fixed(100))
    purse.check(at(1, 1))
    assert purse.state.balance == balance


@pytest.mark.parametrize(
    ("policy", "priority", "paid"),
    [
        (InsufficientPolicy.PAY_WHAT_FITS, 1, [2]),
        (HOLD, 1, []),  # lower priority is held
        (HOLD, 0, [2]),  # the same priority is not lower
    ],
)
def test_the_policy_decides_what_is_paid_while_something_waits(
    policy: InsufficientPolicy, priority: int, paid: list[int]
) -> None:
    purse = household(60, insufficient_policy=policy)
    purse.configure(1, fixed(100))
    purse.configure(2, fixed(50, priority=priority))
    purse.check(at(1, 1))
    assert [entry.fee_item for entry in purse.journal.entries[1:]] == paid


def test_what_is_held_is_told_with_all_that_is_missing_before_it_can_be_paid() -> None:
    purse = household(60, insufficient_policy=HOLD)
    purse.configure(1, fixed(100))
    purse.configure(2, fixed(50, priority=1))
    purse.configure(3, fixed(0, priority=2))
    purse.check(at(1, 1))
    values = [(event.fee_item, event.value) for event in purse.events if event.code is EventCode.INSUFFICIENT]
    assert values == [(1, 40), (2, 90), (3, 90)]
    purse.top_up(90)
    assert [entry.fee_item for entry in purse.journal.entries[2:]] == [1, 2, 3]


def test_an_item_waiting_for_its_amount_holds_nobody() -> None:
    purse = household(100, insufficient_policy=HOLD)
    purse.configure(1, billed())
    purse.configure(2, fixed(50, priority=1))
    purse.check(at(1, 1))
    assert purse.state.balance == 50


def test_a_fee_of_nothing_is_recorded_even_below_the_limit() -> None:
    purse = household(overdraft_limit=100)
    purse.configure(1, fixed(100))
    purse.configure(2, fixed(0, monthly(2)))
    purse.check(at(1, 1))
    purse.keep(operations.set_settings(purse.state, purse.now, Settings()))
    purse.check(at(1, 2))
    assert purse.deductions(2) == [("2026-01-02 08:00:00", 0)]


def test_missed_occurrences_are_caught_up_oldest_first_one_entry_each() -> None:
    purse = household(1000)
    purse.configure(1, fixed(100))
    purse.check(at(3, 15))
    assert [due[:10] for due, _ in purse.deductions()] == ["2026-01-01", "2026-02-01", "2026-03-01"]


def test_so_many_are_caught_up_per_check_and_the_rest_in_following_checks() -> None:
    purse = household(10_000, max_catch_up=4)
    purse.configure(1, fixed(100))
    purse.configure(2, fixed(10))
    numbers = [len(purse.check(at(6, 1)).entries) for _ in range(5)]
    assert numbers == [4, 4, 4, 0, 0]
    assert [entry.fee_item for entry in purse.journal.entries[1:]] == [1] * 6 + [2] * 6


def test_an_amount_nobody_set_is_asked_for_once_and_taken_when_it_comes() -> None:
    purse = household(1000)
    purse.configure(1, billed(AmountSource.MANUAL))
    purse.check(at(1, 1))
    purse.check(at(1, 2))
    assert purse.codes() == [EventCode.WAITING_AMOUNT]
    purse.set_amount(1, date(2026, 1, 1), 70, reference=5)
    assert purse.deductions() == [("2026-01-01 08:00:00", 70)]
    assert purse.journal.entries[-1].reference == (5).to_bytes(16, "big")
    purse.check(at(2, 1))
    assert purse.codes() == [EventCode.WAITING_AMOUNT] * 2


def test_an_amount_set_in_advance_is_taken_on_its_day() -> None:
    purse = household(1000)
    purse.configure(1, billed())
    purse.set_amount(1, date(2026, 2, 1), 70, reference=5)
    purse.set_amount(1, date(2026, 1, 1), 60, reference=6)
    purse.check(at(2, 1))
    assert [amount for _, amount in purse.deductions()] == [60, 70]
    assert purse.item().pending == ()


def test_a_deducted_occurrence_takes_no_further_amount() -> None:
    purse = household(1000)
    purse.configure(1, billed())
    purse.set_amount(1, date(2026, 1, 1), 60)
    purse.check(at(1, 1))
    assert purse.set_amount(1, date(2026, 1, 1), 70).outcome is OutcomeCode.NO_SUCH_ENTRY


def test_an_item_that_waits_for_balance_then_for_its_amount_is_told_of_both() -> None:
    purse = household()
    purse.configure(1, billed())
    purse.set_amount(1, date(2026, 1, 1), 60)
    purse.check(at(1, 1))
    purse.keep(operations.cancel_amount(purse.state, purse.now, 1, date(2026, 1, 1)))
    purse.check()
    assert purse.codes() == [EventCode.INSUFFICIENT, EventCode.WAITING_AMOUNT]
    assert purse.item().short_due is None


def test_parameters_of_every_source_are_charged_as_they_say() -> None:
    purse = household(10_000)
    sources: list[Parameters] = [fixed(1), billed(), billed(AmountSource.MANUAL), metered(4)]
    for number, parameters in enumerate(sources, start=1):
        purse.configure(number, parameters)
    purse.set_amount(2, date(2026, 1, 1), 2)
    purse.set_amount(3, date(2026, 1, 1), 3, source=AmountSource.MANUAL)
    purse.check(at(1, 1), {ENERGY: 1})
    assert [amount for _, amount in purse.deductions()] == [1, 2, 3, 4]


def nearly_full(free: int) -> Purse:
    purse = household(1000)
    purse.configure(1, fixed(100, daily()))
    purse.state = replace(
        purse.state,
        head=JournalHead(sequence=JOURNAL_CAPACITY - free, digest=bytes(16)),
        acknowledged=JournalHead(sequence=0, digest=bytes(16)),
    )
    return purse


def test_a_full_journal_stops_deductions_and_says_so_once() -> None:
    purse = nearly_full(2)
    assert len(purse.check(at(1, 5)).entries) == 2
    assert purse.check(at(1, 6)).entries == ()
    assert [(event.code, event.value) for event in purse.events[1:]] == [(EventCode.JOURNAL_FULL, JOURNAL_CAPACITY)]


def test_an_acknowledgement_makes_room_again() -> None:
    purse = nearly_full(0)
    purse.check(at(1, 2))
    head = purse.state.head
    purse.keep(operations.acknowledge(purse.state, purse.journal, head.sequence, head.digest))
    assert len(purse.check(at(1, 2)).entries) == 2
    assert not purse.state.crossings.journal_full
