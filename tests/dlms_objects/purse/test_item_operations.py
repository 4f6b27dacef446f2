"""Operations on fee items: parameters now and later, amounts of occurrences, each refusal in its turn."""

from datetime import UTC, date, datetime, timedelta

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse import item_operations as items
from dlms_objects.purse.fee_item import AmountSource, Parameters
from dlms_objects.purse.outcome import EventCode, OutcomeCode
from dlms_objects.purse.state import Change
from tests.support.purses import START, Purse, billed, done, fixed, identifier, metered, monthly

FEBRUARY = date(2026, 2, 1)


def household(parameters: Parameters, number: int = 1) -> Purse:
    purse = Purse()
    done(purse.keep(items.set_parameters(purse.state, purse.now, number, parameters)))
    return purse


def amount(
    purse: Purse, due: date, value: int, reference: int = 0, source: AmountSource = AmountSource.CLOUD
) -> Change:
    return purse.keep(
        items.set_amount(purse.state, purse.journal, purse.now, 1, due, value, identifier(reference), source)
    )


def test_configuring_raises_the_revision_and_says_so() -> None:
    purse = household(fixed(100))
    assert (purse.item().parameters, purse.item().revision) == (fixed(100), 1)
    assert purse.item().since == datetime(2026, 1, 1)
    assert [(event.code, event.fee_item, event.value) for event in purse.events] == [(20, 1, 1)]


def test_the_same_parameters_again_change_nothing() -> None:
    purse = household(fixed(100))
    change = items.set_parameters(purse.state, purse.now, 1, fixed(100))
    assert (change.outcome, change.state, change.events) == (OutcomeCode.DONE, purse.state, ())


def test_configured_without_a_valid_clock_an_item_is_not_yet_in_force() -> None:
    purse = Purse(now=datetime(2023, 1, 1, tzinfo=UTC))
    purse.keep(items.set_parameters(purse.state, purse.now, 1, fixed(100)))
    assert purse.item().since is None


def test_a_number_that_is_none_is_refused() -> None:
    purse = Purse()
    with pytest.raises(InvalidValueError):
        items.set_parameters(purse.state, purse.now, 33, fixed(1))


def test_passive_parameters_wait_for_their_time() -> None:
    purse = household(fixed(100))
    later = START + timedelta(days=40)
    purse.keep(items.set_passive(purse.state, purse.now, 1, fixed(110)))
    purse.keep(items.set_activation_time(purse.state, purse.now, 1, later))
    assert (purse.item().parameters, purse.item().passive) == (fixed(100), fixed(110))
    purse.check(later - timedelta(seconds=1))
    assert purse.item().revision == 1
    purse.check(later)
    assert (purse.item().parameters, purse.item().passive, purse.item().revision) == (fixed(110), None, 2)
    assert EventCode.PASSIVE_ACTIVATED in purse.codes()


@pytest.mark.parametrize("time_first", [True, False])
def test_an_activation_time_that_has_passed_means_at_once_not_then(time_first: bool) -> None:
    purse = Purse(now=START + timedelta(days=90))
    steps = [
        lambda: items.set_activation_time(purse.state, purse.now, 1, START),
        lambda: items.set_passive(purse.state, purse.now, 1, fixed(110)),
    ]
    for step in steps if time_first else reversed(steps):
        purse.keep(step())
    assert purse.item().parameters == fixed(110)
    assert purse.item().since == datetime(2026, 4, 1)
    purse.check()
    assert purse.deductions() == []


def test_an_activation_time_that_has_passed_waits_for_a_valid_clock() -> None:
    purse = Purse(now=datetime(2023, 6, 1, tzinfo=UTC))
    purse.keep(items.set_activation_time(purse.state, purse.now, 1, datetime(2023, 1, 1, tzinfo=UTC)))
    purse.keep(items.set_passive(purse.state, purse.now, 1, fixed(110)))
    assert purse.item().parameters is None


def test_passive_parameters_can_be_activated_by_hand() -> None:
    purse = household(fixed(100))
    purse.keep(items.set_passive(purse.state, purse.now, 1, fixed(110)))
    change = done(purse.keep(items.activate_passive(purse.state, purse.now, 1)))
    assert purse.item().parameters == fixed(110)
    assert [(event.code, event.value) for event in change.events] == [(EventCode.PASSIVE_ACTIVATED, 2)]


def test_passive_parameters_can_be_cancelled_before_their_time() -> None:
    purse = household(fixed(100))
    purse.keep(items.set_passive(purse.state, purse.now, 1, fixed(110)))
    purse.keep(items.set_activation_time(purse.state, purse.now, 1, START + timedelta(days=1)))
    done(purse.keep(items.cancel_passive(purse.state, purse.now, 1)))
    purse.check(START + timedelta(days=2))
    assert (purse.item().parameters, purse.item().passive) == (fixed(100), None)


def test_null_passive_parameters_are_kept_as_none() -> None:
    purse = household(fixed(100))
    purse.keep(items.set_passive(purse.state, purse.now, 1, fixed(110)))
    purse.keep(items.set_passive(purse.state, purse.now, 1, None))
    assert purse.item().passive is None


def test_there_is_nothing_to_activate_cancel_or_delete() -> None:
    purse = Purse()
    for operation in (items.activate_passive, items.cancel_passive, items.delete_item):
        change = operation(purse.state, purse.now, 1)
        assert (change.outcome, change.state) == (OutcomeCode.NO_SUCH_ENTRY, purse.state)


def test_a_deleted_item_reads_as_never_configured_and_is_not_charged_twice() -> None:
    purse = Purse()
    purse.top_up(1000)
    purse.configure(1, fixed(100))
    purse.check(START + timedelta(hours=8))
    done(purse.keep(items.delete_item(purse.state, purse.now, 1)))
    assert purse.item().parameters is None
    assert purse.item().revision == 2
    purse.now = START
    purse.configure(1, fixed(100))
    purse.check(START + timedelta(hours=9))
    assert purse.deductions() == [("2026-01-01 08:00:00", 100)]


def test_an_amount_is_kept_for_its_occurrence() -> None:
    purse = household(billed())
    change = done(amount(purse, FEBRUARY, 4200, reference=1))
    (pending,) = purse.item().pending
    assert (pending.due, pending.amount, pending.reference) == (FEBRUARY, 4200, identifier(1))
    assert [(event.code, event.value, str(event.due)) for event in change.events] == [
        (EventCode.AMOUNT_SET, 4200, "2026-02-01 08:00:00")
    ]


def test_an_amount_without_reference_can_be_set_again_and_uses_up_nothing() -> None:
    purse = household(billed(AmountSource.MANUAL))
    for value in (10, 10, 20):
        done(amount(purse, FEBRUARY, value, source=AmountSource.MANUAL))
    assert purse.item().pending[0].amount == 20
    assert purse.journal.used_ids == {}


def test_the_same_reference_is_answered_as_the_first_time_and_changes_nothing_more() -> None:
    purse = household(billed())
    first = done(amount(purse, FEBRUARY, 10, reference=1))
    done(amount(purse, FEBRUARY, 20, reference=2))
    again = amount(purse, FEBRUARY, 10, reference=1)
    assert (again.outcome, again.sequence, again.balance) == (OutcomeCode.REPEATED, first.sequence, first.balance)
    assert purse.item().pending[0].amount == 20


REFUSALS = [
    (OutcomeCode.ID_USED_WITH_OTHER_VALUES, billed(), FEBRUARY, 11, 1, AmountSource.CLOUD),
    (OutcomeCode.ID_USED_WITH_OTHER_VALUES, billed(), date(2026, 2, 2), -1, 1, AmountSource.CLOUD),
    (OutcomeCode.AMOUNT_OUT_OF_RANGE, billed(), date(2026, 2, 2), -1, 2, AmountSource.CLOUD),
    (OutcomeCode.AMOUNT_OUT_OF_RANGE, billed(), FEBRUARY, 2**63, 2, AmountSource.CLOUD),
    (OutcomeCode.NO_SUCH_ENTRY, billed(), date(2026, 2, 2), 5, 2, AmountSource.CLOUD),
    (OutcomeCode.NO_SUCH_ENTRY, billed(), date(2025, 12, 1), 5, 2, AmountSource.CLOUD),
    (OutcomeCode.NO_SUCH_ENTRY, billed(), FEBRUARY, 5, 2, AmountSource.MANUAL),
]


@pytest.mark.parametrize(("outcome", "parameters", "due", "value", "reference", "source"), REFUSALS)
def test_an_amount_is_refused_by_the_first_reason_that_applies(
    outcome: OutcomeCode, parameters: Parameters, due: date, value: int, reference: int, source: AmountSource
) -> None:
    purse = household(parameters)
    done(amount(purse, FEBRUARY, 10, reference=1))
    before = purse.state
    change = amount(purse, due, value, reference, source)
    assert (change.outcome, change.state, change.used_ids) == (outcome, before, ())


@pytest.mark.parametrize("parameters", [fixed(100), metered(1)])
def test_fixed_and_metered_items_take_no_amounts(parameters: Parameters) -> None:
    assert amount(household(parameters), FEBRUARY, 5).outcome is OutcomeCode.NO_SUCH_ENTRY


def test_an_unconfigured_item_takes_no_amounts() -> None:
    assert amount(Purse(), FEBRUARY, 5).outcome is OutcomeCode.NO_SUCH_ENTRY


def test_an_amount_cannot_be_set_as_metered_nor_under_a_strange_reference() -> None:
    purse = household(billed())
    with pytest.raises(InvalidValueError, match="by hand or by the cloud"):
        amount(purse, FEBRUARY, 5, source=AmountSource.METERED)
    with pytest.raises(InvalidValueError, match="16 octets"):
        items.set_amount(purse.state, purse.journal, START, 1, FEBRUARY, 5, b"bill", AmountSource.CLOUD)


def test_so_many_amounts_are_kept_in_advance_and_no_more() -> None:
    purse = household(billed())
    months = [date(2026 + month // 12, month % 12 + 1, 1) for month in range(items.MAXIMUM_PENDING + 1)]
    for due in months[:-1]:
        done(amount(purse, due, 5))
    assert amount(purse, months[-1], 5, reference=1).outcome is OutcomeCode.JOURNAL_FULL
    assert purse.journal.used_ids == {}
    done(amount(purse, months[0], 6))


def test_a_cancelled_amount_is_forgotten_and_its_reference_stays_used() -> None:
    purse = household(billed())
    done(amount(purse, FEBRUARY, 10, reference=1))
    done(purse.keep(items.cancel_amount(purse.state, purse.now, 1, FEBRUARY)))
    assert purse.item().pending == ()
    assert items.cancel_amount(purse.state, purse.now, 1, FEBRUARY).outcome is OutcomeCode.NO_SUCH_ENTRY
    assert amount(purse, FEBRUARY, 10, reference=1).outcome is OutcomeCode.REPEATED


def test_what_a_meter_read_cannot_be_cancelled() -> None:
    purse = household(metered(100, schedule=monthly(2)))
    purse.check()
    purse.check(START + timedelta(days=2), {next(iter(purse.registers)): 7})
    assert purse.item().pending[0].amount == 700
    change = items.cancel_amount(purse.state, purse.now, 1, date(2026, 1, 2))
    assert change.outcome is OutcomeCode.NO_SUCH_ENTRY
