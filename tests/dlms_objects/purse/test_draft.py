"""The working copy: entries numbered and chained, events stamped, identifiers spent with the result they got."""

from datetime import UTC, datetime

from dlms_objects.purse.chain import verify
from dlms_objects.purse.draft import Draft, refused
from dlms_objects.purse.entry import EntryKind
from dlms_objects.purse.fee_item import FeeItem
from dlms_objects.purse.outcome import EventCode, Operation, OutcomeCode
from dlms_objects.purse.state import PurseState, Settings
from dlms_objects.values.cosem_time import STATUS_INVALID
from tests.support.purses import CNY, START, TITLE, identifier

STATE = PurseState.new(TITLE, CNY, Settings(time_zone="Asia/Shanghai"))


def test_entries_continue_the_journal_and_move_the_balance() -> None:
    draft = Draft(STATE, START)
    draft.enter(EntryKind.TOP_UP, 500, reference=identifier(1))
    draft.enter(EntryKind.DEDUCTION, -200, fee_item=1, due=datetime(2026, 1, 1, 8), revision=4)
    change = draft.change()
    assert verify(change.entries, STATE.head, 0) == change.state.head
    assert (change.sequence, change.balance, change.state.balance) == (2, 300, 300)
    assert [str(entry.time) for entry in change.entries] == ["2026-01-01 08:00:00+08:00"] * 2
    assert str(change.entries[1].due) == "2026-01-01 08:00:00"


def test_events_are_stamped_and_carry_a_civil_due_time() -> None:
    draft = Draft(STATE, START)
    draft.note(EventCode.INSUFFICIENT, fee_item=1, value=5, due=datetime(2026, 1, 1, 8))
    draft.note(EventCode.LOW_BALANCE)
    first, second = draft.change().events
    assert (first.code, first.fee_item, first.value, str(first.due)) == (12, 1, 5, "2026-01-01 08:00:00")
    assert second.due is None
    assert first.time.status & STATUS_INVALID == 0


def test_what_happens_without_a_valid_clock_says_so() -> None:
    draft = Draft(STATE, datetime(2023, 1, 1, tzinfo=UTC))
    draft.enter(EntryKind.TOP_UP, 1)
    draft.note(EventCode.CLOCK_INVALID)
    change = draft.change()
    assert change.entries[0].time.status == change.events[0].time.status == STATUS_INVALID
    assert draft.civil_if_valid() is None
    assert draft.civil() == datetime(2023, 1, 1, 8)


def test_an_identifier_is_spent_with_the_result() -> None:
    draft = Draft(STATE, START)
    draft.enter(EntryKind.TOP_UP, 500)
    draft.spend(identifier(1), Operation.TOP_UP, "500")
    (used,) = draft.change().used_ids
    assert (used.identifier, used.outcome, used.sequence, used.balance) == (identifier(1), OutcomeCode.DONE, 1, 500)


def test_nothing_changed_is_the_very_state() -> None:
    state = STATE.with_item(FeeItem(number=1))
    draft = Draft(state, START)
    draft.put(FeeItem(number=1))
    draft.put(FeeItem(number=2))  # as good as never configured
    assert draft.change().state is state


def test_a_refusal_is_nothing_but_an_answer() -> None:
    change = refused(STATE, OutcomeCode.NO_SUCH_ENTRY)
    assert change.state is STATE
    assert (change.outcome, change.sequence, change.balance, change.entries) == (OutcomeCode.NO_SUCH_ENTRY, 0, 0, ())
