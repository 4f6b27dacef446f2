"""Caller-made identifiers: spent once; the repeat is given the first answer, other values are refused."""

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.identifiers import answer_of, require_identifier
from dlms_objects.purse.outcome import Operation, OutcomeCode, UsedId
from dlms_objects.purse.state import PurseState, Settings
from tests.support.purses import CNY, TITLE, MemoryJournal, identifier

NAME = identifier(1)
USED = UsedId(
    identifier=NAME, operation=Operation.TOP_UP, arguments="500", outcome=OutcomeCode.DONE, sequence=7, balance=900
)
STATE = PurseState.new(TITLE, CNY, Settings())


@pytest.mark.parametrize("name", [b"", bytes(16), bytes(17), "x" * 16])
def test_an_identifier_is_sixteen_octets_not_all_zero(name: bytes) -> None:
    with pytest.raises(InvalidValueError, match="16 octets"):
        require_identifier(name)


def test_a_new_identifier_has_no_answer() -> None:
    assert answer_of(STATE, MemoryJournal(), NAME, Operation.TOP_UP, "500") is None


def test_a_repeat_is_given_the_first_answer_and_changes_nothing() -> None:
    change = answer_of(STATE, MemoryJournal(used_ids={NAME: USED}), NAME, Operation.TOP_UP, "500")
    assert change is not None
    assert (change.outcome, change.sequence, change.balance) == (OutcomeCode.REPEATED, 7, 900)
    assert (change.state, change.entries, change.events, change.used_ids) == (STATE, (), (), ())


@pytest.mark.parametrize(("operation", "arguments"), [(Operation.TOP_UP, "501"), (Operation.ADJUST, "500")])
def test_other_values_or_another_use_are_refused(operation: Operation, arguments: str) -> None:
    change = answer_of(STATE, MemoryJournal(used_ids={NAME: USED}), NAME, operation, arguments)
    assert change is not None
    assert change.outcome is OutcomeCode.ID_USED_WITH_OTHER_VALUES
    assert change.state is STATE
