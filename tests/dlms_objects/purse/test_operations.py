"""Money in, back and corrected, the acknowledgement and settings: each refusal in its turn, each repeat answered."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse import operations
from dlms_objects.purse.chain import verify
from dlms_objects.purse.entry import EntryKind, JournalHead
from dlms_objects.purse.outcome import EventCode, OutcomeCode
from dlms_objects.purse.state import JOURNAL_CAPACITY, Change, Settings
from dlms_objects.values.money import MAXIMUM_MINOR
from tests.support.purses import START, TITLE, Purse, done, fixed, identifier

EMPTY = JournalHead.empty(TITLE)


def rich(**settings: Any) -> Purse:
    """Balance 1000 from one top-up (entry 1), of which a deduction (entry 2) then took 100."""
    purse = Purse(Settings(**settings))
    done(purse.top_up(1000, 1))
    purse.configure(1, fixed(100))
    purse.check(START + timedelta(hours=8))
    assert purse.state.balance == 900
    return purse


def top_up(purse: Purse, amount: int, name: int) -> Change:
    return purse.keep(operations.top_up(purse.state, purse.journal, purse.now, identifier(name), amount))


def reverse(purse: Purse, sequence: int, name: int) -> Change:
    return purse.keep(operations.reverse(purse.state, purse.journal, purse.now, identifier(name), sequence))


def adjust(purse: Purse, amount: int, name: int) -> Change:
    return purse.keep(operations.adjust(purse.state, purse.journal, purse.now, identifier(name), amount))


def fill_journal(purse: Purse) -> None:
    head = purse.state.head
    purse.state = replace(
        purse.state,
        head=JournalHead(sequence=JOURNAL_CAPACITY, digest=head.digest),
        acknowledged=JournalHead(sequence=0, digest=EMPTY.digest),
    )


def test_every_operation_of_the_contract_is_offered() -> None:
    assert all(callable(getattr(operations, name)) for name in operations.__all__)


def test_a_top_up_is_one_entry_with_the_callers_identifier() -> None:
    purse = Purse()
    change = done(top_up(purse, 500, 1))
    (entry,) = change.entries
    assert (entry.kind, entry.amount, entry.balance, entry.reference) == (EntryKind.TOP_UP, 500, 500, identifier(1))
    assert (change.sequence, change.balance) == (1, 500)


def test_a_repeated_top_up_is_answered_as_the_first_time() -> None:
    purse = rich()
    change = top_up(purse, 1000, 1)
    assert (change.outcome, change.sequence, change.balance, change.entries) == (OutcomeCode.REPEATED, 1, 1000, ())
    assert purse.state.balance == 900


def test_a_refused_identifier_is_not_used_up() -> None:
    purse = Purse(Settings(maximum_top_up=100))
    assert top_up(purse, 101, 1).outcome is OutcomeCode.AMOUNT_OUT_OF_RANGE
    done(top_up(purse, 100, 1))


# Every row is also a case of every reason below it that could apply: the lowest code is answered.
TOP_UPS = [
    (OutcomeCode.REPEATED, {"maximum_top_up": 1, "maximum_balance": 1}, 1000, 1, True),
    (OutcomeCode.ID_USED_WITH_OTHER_VALUES, {"maximum_top_up": 1, "maximum_balance": 1}, 999, 1, True),
    (OutcomeCode.AMOUNT_OUT_OF_RANGE, {"maximum_top_up": 1, "maximum_balance": 1}, 2, 2, True),
    (OutcomeCode.AMOUNT_OUT_OF_RANGE, {}, 0, 2, True),
    (OutcomeCode.AMOUNT_OUT_OF_RANGE, {}, -5, 2, False),
    (OutcomeCode.AMOUNT_OUT_OF_RANGE, {}, MAXIMUM_MINOR + 1, 2, True),
    (OutcomeCode.WOULD_EXCEED_MAXIMUM_BALANCE, {"maximum_balance": 999}, 100, 2, True),
    (OutcomeCode.WOULD_EXCEED_MAXIMUM_BALANCE, {}, MAXIMUM_MINOR, 2, True),
    (OutcomeCode.JOURNAL_FULL, {}, 100, 2, True),
    (OutcomeCode.DONE, {"maximum_balance": 1000, "maximum_top_up": 100}, 100, 2, False),
    (OutcomeCode.DONE, {}, MAXIMUM_MINOR - 900, 2, False),
]


@pytest.mark.parametrize(("outcome", "settings", "amount", "name", "full"), TOP_UPS)
def test_a_top_up_is_refused_by_the_lowest_reason_that_applies(
    outcome: OutcomeCode, settings: dict[str, int], amount: int, name: int, full: bool
) -> None:
    purse = rich()
    purse.state = replace(purse.state, settings=Settings(**settings))  # type: ignore[arg-type]
    if full:
        fill_journal(purse)
    before = purse.state
    change = top_up(purse, amount, name)
    assert change.outcome is outcome
    assert (change.state is before) is (outcome is not OutcomeCode.DONE)


@pytest.mark.parametrize("name", [bytes(16), b"short"])
def test_an_identifier_that_is_none_is_refused(name: bytes) -> None:
    purse = rich()
    for operation in (operations.top_up, operations.reverse, operations.adjust):
        with pytest.raises(InvalidValueError):
            operation(purse.state, purse.journal, START, name, 1)


def test_reversing_a_deduction_puts_the_money_back_and_names_its_item() -> None:
    purse = rich()
    change = done(reverse(purse, 2, 2))
    (entry,) = change.entries
    assert (entry.kind, entry.amount, entry.balance) == (EntryKind.REVERSAL, 100, 1000)
    assert (entry.fee_item, entry.revision, entry.reference) == (1, 1, identifier(2))
    assert not entry.due.is_specified


def test_a_reversed_deduction_is_not_taken_again() -> None:
    purse = rich()
    done(reverse(purse, 2, 2))
    purse.check()
    assert purse.state.balance == 1000
    assert len(purse.deductions()) == 1


def test_reversing_a_top_up_takes_the_money() -> None:
    purse = rich()
    done(top_up(purse, 50, 2))
    change = done(reverse(purse, 3, 3))
    assert (change.entries[0].amount, change.balance) == (-50, 900)


def test_money_that_comes_back_may_exceed_the_maximum_balance() -> None:
    purse = rich(maximum_balance=1000)
    done(top_up(purse, 100, 2))
    assert done(reverse(purse, 2, 3)).balance == 1100


def test_a_top_up_whose_money_is_spent_is_reversed_down_to_the_overdraft_limit() -> None:
    assert reverse(rich(), 1, 2).outcome is OutcomeCode.AMOUNT_OUT_OF_RANGE
    assert reverse(rich(overdraft_limit=99), 1, 2).outcome is OutcomeCode.AMOUNT_OUT_OF_RANGE
    assert done(reverse(rich(overdraft_limit=100), 1, 2)).balance == -100


@pytest.mark.parametrize("sequence", [0, -1, 3, 2**40])
def test_there_is_no_such_entry_to_reverse(sequence: int) -> None:
    assert reverse(rich(), sequence, 2).outcome is OutcomeCode.NO_SUCH_ENTRY


def test_an_entry_is_reversed_once() -> None:
    purse = rich()
    first = done(reverse(purse, 2, 2))
    assert reverse(purse, 2, 3).outcome is OutcomeCode.ALREADY_REVERSED
    again = reverse(purse, 2, 2)
    assert (again.outcome, again.sequence, again.balance) == (OutcomeCode.REPEATED, first.sequence, first.balance)
    assert reverse(purse, 1, 2).outcome is OutcomeCode.ID_USED_WITH_OTHER_VALUES


def test_reversals_and_adjustments_are_not_reversible() -> None:
    purse = rich()
    done(reverse(purse, 2, 2))
    done(adjust(purse, 5, 3))
    assert [reverse(purse, sequence, 4).outcome for sequence in (3, 4)] == [OutcomeCode.NOT_REVERSIBLE] * 2


def test_a_reversal_is_refused_by_the_lowest_reason_that_applies() -> None:
    purse = rich()
    done(reverse(purse, 2, 2))  # balance 1000
    done(top_up(purse, 50, 3))  # entry 4
    done(reverse(purse, 4, 4))  # entry 5
    done(adjust(purse, -1000, 5))  # entry 6: nothing is left
    fill_journal(purse)
    assert reverse(purse, 1, 9).outcome is OutcomeCode.AMOUNT_OUT_OF_RANGE
    assert reverse(purse, 4, 9).outcome is OutcomeCode.AMOUNT_OUT_OF_RANGE
    assert reverse(purse, 2, 9).outcome is OutcomeCode.ALREADY_REVERSED
    assert reverse(purse, 6, 9).outcome is OutcomeCode.NOT_REVERSIBLE
    purse = rich()
    purse.state = replace(purse.state, balance=MAXIMUM_MINOR)
    assert reverse(purse, 2, 9).outcome is OutcomeCode.WOULD_EXCEED_MAXIMUM_BALANCE
    purse = rich()
    fill_journal(purse)
    assert reverse(purse, 2, 9).outcome is OutcomeCode.JOURNAL_FULL


ADJUSTMENTS = [
    (OutcomeCode.DONE, {}, 5),
    (OutcomeCode.DONE, {}, -900),
    (OutcomeCode.DONE, {"overdraft_limit": 100}, -1000),
    (OutcomeCode.DONE, {"maximum_balance": 1000}, 100),
    (OutcomeCode.DONE, {"maximum_balance": 10}, -1),
    (OutcomeCode.AMOUNT_OUT_OF_RANGE, {}, 0),
    (OutcomeCode.AMOUNT_OUT_OF_RANGE, {}, -901),
    (OutcomeCode.AMOUNT_OUT_OF_RANGE, {"overdraft_limit": 100}, -1001),
    (OutcomeCode.AMOUNT_OUT_OF_RANGE, {"maximum_balance": 1}, 2**63),
    (OutcomeCode.AMOUNT_OUT_OF_RANGE, {"overdraft_limit": 2**63 - 1}, -(2**63) - 1),
    (OutcomeCode.WOULD_EXCEED_MAXIMUM_BALANCE, {"maximum_balance": 1000}, 101),
    (OutcomeCode.WOULD_EXCEED_MAXIMUM_BALANCE, {}, MAXIMUM_MINOR),
]


@pytest.mark.parametrize(("outcome", "settings", "amount"), ADJUSTMENTS)
def test_an_adjustment_is_signed_and_bounded(outcome: OutcomeCode, settings: dict[str, int], amount: int) -> None:
    purse = rich()
    purse.state = replace(purse.state, settings=Settings(**settings))  # type: ignore[arg-type]
    change = adjust(purse, amount, 2)
    assert change.outcome is outcome
    assert purse.state.balance == 900 + (amount if outcome is OutcomeCode.DONE else 0)
    assert verify(purse.journal.entries, EMPTY, 0) == purse.state.head


def test_an_adjustment_is_made_once_and_not_into_a_full_journal() -> None:
    purse = rich()
    done(adjust(purse, 5, 2))
    assert adjust(purse, 5, 2).outcome is OutcomeCode.REPEATED
    assert adjust(purse, 6, 2).outcome is OutcomeCode.ID_USED_WITH_OTHER_VALUES
    assert top_up(purse, 5, 2).outcome is OutcomeCode.ID_USED_WITH_OTHER_VALUES
    fill_journal(purse)
    assert adjust(purse, 5, 3).outcome is OutcomeCode.JOURNAL_FULL


def test_a_balance_that_a_lower_limit_left_too_low_may_only_rise() -> None:
    purse = rich(overdraft_limit=100)
    done(adjust(purse, -1000, 2))
    purse.keep(operations.set_settings(purse.state, purse.now, Settings()))
    assert adjust(purse, -1, 3).outcome is OutcomeCode.AMOUNT_OUT_OF_RANGE
    assert done(adjust(purse, 1, 4)).balance == -99
    assert done(top_up(purse, 1, 5)).balance == -98


def acknowledge(purse: Purse, sequence: int, digest: bytes) -> Change:
    return purse.keep(operations.acknowledge(purse.state, purse.journal, sequence, digest))


def test_an_acknowledgement_names_sequence_and_digest_and_moves_forward_only() -> None:
    purse = rich()
    done(top_up(purse, 5, 2))
    first, second, third = (entry.digest for entry in purse.journal.entries)
    assert acknowledge(purse, 0, EMPTY.digest).outcome is OutcomeCode.REPEATED
    change = done(acknowledge(purse, 2, second))
    assert (change.sequence, purse.state.acknowledged.sequence, purse.state.unacknowledged) == (2, 2, 1)
    for sequence, digest in ((0, EMPTY.digest), (1, first), (2, second)):
        change = acknowledge(purse, sequence, digest)
        assert (change.outcome, change.sequence) == (OutcomeCode.REPEATED, 2)
    for sequence, digest in ((0, first), (1, second), (2, first), (3, second), (4, third), (-1, third)):
        change = acknowledge(purse, sequence, digest)
        assert (change.outcome, change.sequence) == (OutcomeCode.NO_SUCH_ENTRY, 2)
    done(acknowledge(purse, 3, third))
    assert purse.state.unacknowledged == 0


def test_an_acknowledgement_does_not_need_entries_the_journal_no_longer_holds() -> None:
    purse = rich()
    head = purse.state.head
    entries, purse.journal.entries = purse.journal.entries, []
    assert acknowledge(purse, 1, entries[0].digest).outcome is OutcomeCode.NO_SUCH_ENTRY
    done(acknowledge(purse, 2, head.digest))


def test_settings_are_replaced_at_once_and_say_so() -> None:
    purse = rich()
    change = done(purse.keep(operations.set_settings(purse.state, purse.now, Settings(max_catch_up=3))))
    assert purse.state.settings.max_catch_up == 3
    assert [(event.code, event.fee_item) for event in change.events] == [(EventCode.PARAMETERS_CHANGED, 0)]
    again = operations.set_settings(purse.state, purse.now, Settings(max_catch_up=3))
    assert (again.state, again.events) == (purse.state, ())


def test_tamper_is_marked_once_and_stops_deductions() -> None:
    purse = rich()
    done(purse.keep(operations.mark_tamper(purse.state, purse.now)))
    done(purse.keep(operations.mark_tamper(purse.state, purse.now)))
    purse.check(START + timedelta(days=60))
    assert purse.state.balance == 900
    assert purse.codes().count(EventCode.TAMPER) == 1
