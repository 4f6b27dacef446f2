"""A fee item: what is owed, and what a change of terms does to it."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Any

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.fee_item import (
    AmountSource,
    FeeItem,
    Frequency,
    Metering,
    PendingAmount,
    Schedule,
    Terms,
    takes_amount,
)
from tests.support.purses import billed, fixed, identifier, metered, monthly

NEW_YEAR = datetime(2026, 1, 1)
WEEKLY = Schedule(frequency=Frequency.WEEKLY, day=1, time=time(8), first=date(2025, 1, 1))


def in_force(since: datetime = NEW_YEAR, **changes: Any) -> FeeItem:
    return FeeItem(number=1, parameters=changes.pop("parameters", fixed(100)), since=since, **changes)


def dues(item: FeeItem, number: int = 4) -> list[str]:
    return [occurrence.due.date().isoformat() for occurrence in islice(item.open_occurrences(), number)]


def settle(item: FeeItem, times: int = 1) -> FeeItem:
    for _ in range(times):
        assert item.next_occurrence is not None
        item = item.settled(item.next_occurrence, 100, datetime(2026, 6, 1, tzinfo=UTC))
    return item


def test_what_fell_due_before_the_item_was_in_force_is_never_owed() -> None:
    assert dues(in_force(datetime(2026, 1, 20)), 2) == ["2026-02-01", "2026-03-01"]


def test_what_falls_due_at_the_very_time_is_owed() -> None:
    assert dues(in_force(datetime(2026, 2, 1, 8)), 1) == ["2026-02-01"]
    assert dues(in_force(datetime(2026, 2, 1, 8, 0, 0, 1)), 1) == ["2026-03-01"]


def test_nothing_is_owed_before_the_terms_are_in_force() -> None:
    item = FeeItem(number=1, parameters=fixed(100))
    assert (item.next_occurrence, item.count_open(datetime(2030, 1, 1))) == (None, 0)
    assert item.started(NEW_YEAR) == in_force()


@pytest.mark.parametrize("item", [FeeItem(number=1), in_force(parameters=fixed(100, enabled=False))])
def test_an_item_unconfigured_or_disabled_has_no_next_occurrence(item: FeeItem) -> None:
    assert item.next_occurrence is None


def test_an_occurrence_is_open_on_its_day_until_it_is_deducted() -> None:
    item = in_force()
    occurrence = item.open_on(date(2026, 2, 1))
    assert occurrence is not None
    assert occurrence.due == datetime(2026, 2, 1, 8)
    assert item.open_on(date(2026, 2, 2)) is None
    assert item.open_on(date(2025, 12, 1)) is None
    assert settle(item, 2).open_on(date(2026, 2, 1)) is None


def test_open_occurrences_are_counted_up_to_a_time() -> None:
    item = in_force()
    assert [item.count_open(datetime(2026, month, 1, 8)) for month in (1, 2, 12)] == [1, 2, 12]
    assert settle(item, 3).count_open(datetime(2026, 12, 1, 8)) == 9


def test_settling_moves_paid_through_forward_and_adds_up() -> None:
    item = replace(in_force(), short_due=datetime(2026, 1, 1, 8), asked_due=datetime(2026, 1, 1, 8))
    item = settle(item, 2)
    assert item.paid_through == datetime(2026, 2, 1, 8)
    assert (item.last_amount, item.total_deducted, item.short_due, item.asked_due) == (100, 200, None, None)
    assert item.last_deducted == datetime(2026, 6, 1, tzinfo=UTC)


def test_an_immediate_change_holds_for_all_that_is_not_deducted() -> None:
    item = in_force(revision=1).amended(fixed(90), datetime(2026, 3, 15))
    assert dues(item, 3) == ["2026-01-01", "2026-02-01", "2026-03-01"]
    assert item.next_occurrence is not None
    assert (item.next_occurrence.parameters.amount, item.next_occurrence.revision) == (90, 2)


def test_another_schedule_never_charges_the_past_and_never_forgives_it() -> None:
    item = settle(in_force()).amended(fixed(100, WEEKLY), datetime(2026, 2, 15))
    assert dues(item) == ["2026-02-01", "2026-02-16", "2026-02-23", "2026-03-02"]
    assert settle(item).former == ()
    assert dues(settle(item), 1) == ["2026-02-16"]


def test_another_schedule_with_nothing_owed_leaves_no_former_terms() -> None:
    item = settle(in_force(), 2).amended(fixed(100, WEEKLY), datetime(2026, 2, 15))
    assert item.former == ()
    assert dues(item, 1) == ["2026-02-16"]


def test_a_correction_holds_for_former_terms_too() -> None:
    item = in_force().amended(fixed(100, WEEKLY), datetime(2026, 1, 15)).amended(fixed(80, WEEKLY), NEW_YEAR)
    assert [(terms.parameters.amount, terms.parameters.schedule) for terms in item.former] == [(80, monthly())]
    assert dues(item, 2) == ["2026-01-01", "2026-01-19"]


def test_schedules_changed_twice_while_something_is_owed_keep_each_its_window() -> None:
    item = in_force().amended(fixed(100, WEEKLY), datetime(2026, 1, 15))
    item = item.amended(fixed(100, monthly(20)), datetime(2026, 1, 28))
    assert dues(item) == ["2026-01-01", "2026-01-19", "2026-01-26", "2026-02-20"]
    assert item.count_open(datetime(2026, 2, 20, 8)) == 4
    assert item.open_on(date(2026, 1, 19)) is not None
    assert item.open_on(date(2026, 2, 2)) is None


def test_what_falls_due_while_disabled_is_not_charged_and_what_was_owed_is_kept() -> None:
    item = in_force().amended(fixed(100, enabled=False), datetime(2026, 1, 15))
    assert item.next_occurrence is None
    item = item.amended(fixed(100), datetime(2026, 4, 15))
    assert dues(item, 2) == ["2026-01-01", "2026-05-01"]


def test_disabled_parameters_leave_nothing_behind() -> None:
    item = in_force(parameters=fixed(100, enabled=False)).amended(fixed(100), datetime(2026, 4, 15))
    assert dues(item, 1) == ["2026-05-01"]


def test_a_future_dated_change_holds_from_its_time_on_and_earlier_dues_keep_their_terms() -> None:
    item = replace(in_force(revision=1), passive=fixed(110), activation_time=datetime(2026, 2, 1, tzinfo=UTC))
    item = item.activated(datetime(2026, 2, 1))
    found = [(one.due.month, one.parameters.amount, one.revision) for one in islice(item.open_occurrences(), 3)]
    assert found == [(1, 100, 1), (2, 110, 2), (3, 110, 2)]
    assert (item.passive, item.activation_time, item.revision) == (None, None, 2)


def test_a_future_dated_first_configuration_starts_at_its_time() -> None:
    item = FeeItem(number=1, passive=fixed(110)).activated(datetime(2026, 2, 1, 8))
    assert dues(item, 1) == ["2026-02-01"]


def test_a_change_without_a_valid_clock_is_dated_when_there_is_one() -> None:
    item = in_force().amended(fixed(100, WEEKLY), None)
    assert item.former == (Terms(parameters=fixed(100), revision=1, since=NEW_YEAR),)
    item = item.started(datetime(2026, 1, 15))
    assert dues(item, 2) == ["2026-01-01", "2026-01-19"]
    later = settle(in_force(), 1).amended(fixed(100, WEEKLY), None).started(datetime(2026, 1, 15))
    assert later.former == ()


def test_former_terms_that_are_closed_stay_when_the_present_ones_start() -> None:
    item = in_force().amended(fixed(100, WEEKLY), datetime(2026, 1, 15)).amended(fixed(100, monthly(20)), None)
    item = item.started(datetime(2026, 1, 20))
    assert dues(item, 3) == ["2026-01-01", "2026-01-19", "2026-01-20"]


def test_a_deleted_item_remembers_how_far_its_number_was_paid() -> None:
    item = settle(in_force(revision=3)).deleted()
    assert (item.parameters, item.revision, item.paid_through) == (None, 4, datetime(2026, 1, 1, 8))
    again = item.amended(fixed(100), NEW_YEAR)
    assert dues(again, 1) == ["2026-02-01"]


def pending(day: date, source: AmountSource = AmountSource.CLOUD, amount: int = 50) -> PendingAmount:
    return PendingAmount(due=day, amount=amount, reference=identifier(1), source=source)


def test_a_pending_amount_takes_the_place_of_another_of_its_day() -> None:
    item = in_force(parameters=billed())
    item = item.with_pending(pending(date(2026, 2, 1))).with_pending(pending(date(2026, 1, 1)))
    item = item.with_pending(pending(date(2026, 2, 1), amount=60))
    assert [(one.due.month, one.amount) for one in item.pending] == [(1, 50), (2, 60)]
    assert item.pending_on(date(2026, 2, 1)) == pending(date(2026, 2, 1), amount=60)
    assert item.pending_on(date(2026, 3, 1)) is None
    assert item.without_pending(date(2026, 1, 1)).pending == (pending(date(2026, 2, 1), amount=60),)


def test_the_amount_of_an_occurrence_is_pending_or_fixed_or_not_known() -> None:
    for parameters, expected in ((fixed(100), 100), (billed(), None), (metered(1), None)):
        item = in_force(parameters=parameters)
        assert item.next_occurrence is not None
        assert item.amount_of(item.next_occurrence) == expected
        assert item.with_pending(pending(date(2026, 1, 1))).amount_of(item.next_occurrence) == 50


def test_settling_uses_up_the_amounts_of_its_day_and_earlier() -> None:
    item = in_force(parameters=billed())
    for month in (1, 2):
        item = item.with_pending(pending(date(2026, month, 1)))
    assert [one.due.month for one in settle(item).pending] == [2]


def test_amounts_of_occurrences_that_are_no_more_are_dropped_with_the_change() -> None:
    item = in_force(parameters=billed())
    for month in (1, 2):
        item = item.with_pending(pending(date(2026, month, 1)))
    assert [one.due.month for one in item.amended(billed(schedule=monthly(20)), NEW_YEAR.replace(day=2)).pending] == [1]
    assert item.amended(fixed(100), NEW_YEAR).pending == ()


def test_a_metering_stays_while_any_terms_ask_for_it() -> None:
    price = metered(1).unit_price
    item = in_force(parameters=metered(1), metering=Metering(unit_price=price, reading=5))
    assert item.amended(metered(2), NEW_YEAR).metering is not None
    assert item.amended(fixed(1), NEW_YEAR).metering is None
    owing = replace(item, passive=fixed(1)).activated(datetime(2026, 1, 15))
    assert owing.metering is not None


@pytest.mark.parametrize(
    ("source", "given_by", "taken"),
    [
        (AmountSource.MANUAL, AmountSource.MANUAL, True),
        (AmountSource.MANUAL, AmountSource.CLOUD, True),
        (AmountSource.CLOUD, AmountSource.CLOUD, True),
        (AmountSource.CLOUD, AmountSource.MANUAL, False),
        (AmountSource.FIXED, AmountSource.CLOUD, False),
        (AmountSource.METERED, AmountSource.MANUAL, False),
        (AmountSource.METERED, AmountSource.METERED, True),
    ],
)
def test_who_may_set_an_amount(source: AmountSource, given_by: AmountSource, taken: bool) -> None:
    assert takes_amount(source, given_by) is taken


@pytest.mark.parametrize(
    "columns",
    [{"number": 0}, {"number": 33}, {"number": 1, "revision": -1}, {"number": 1, "activation_time": NEW_YEAR}],
)
def test_an_impossible_item_is_refused(columns: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        FeeItem(**columns)


@pytest.mark.parametrize("columns", [{"amount": -1}, {"amount": 2**63}, {"reference": b"x"}, {"reference": "x" * 16}])
def test_an_impossible_pending_amount_is_refused(columns: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        PendingAmount(**{"due": date(2026, 1, 1), "amount": 1, "source": AmountSource.CLOUD, **columns})
