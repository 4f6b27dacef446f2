"""The state of a purse: settings within their ranges, items in order, what the journal has room for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.entry import JournalHead
from dlms_objects.purse.fee_item import FeeItem
from dlms_objects.purse.state import CLOCK_VALID_FROM, JOURNAL_CAPACITY, Crossings, PurseState, Settings
from tests.support.purses import CNY, TITLE, fixed


def new() -> PurseState:
    return PurseState.new(TITLE, CNY, Settings())


def test_a_new_purse_is_empty() -> None:
    state = new()
    assert (state.balance, state.items, state.head) == (0, (), JournalHead.empty(TITLE))
    assert state.acknowledged == state.head
    assert not state.tamper


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("low_balance_threshold", {"low_balance_threshold": -1}),
    ("overdraft_limit", {"overdraft_limit": 2**63}),
    ("maximum_balance", {"maximum_balance": -1}),
    ("maximum_top_up", {"maximum_top_up": 1.5}),
    ("check_period_s", {"check_period_s": 0}),
    ("look_ahead_s", {"look_ahead_s": 366 * 86_400 + 1}),
    ("insufficient_policy", {"insufficient_policy": 0}),
    ("max_catch_up", {"max_catch_up": 0}),
    ("max_catch_up", {"max_catch_up": 256}),
    ("no such time zone", {"time_zone": "Mars/Olympus"}),
]


@pytest.mark.parametrize(("field", "changes"), REFUSED)
def test_settings_out_of_range_are_refused_by_the_name_of_the_field(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match=f"^{field}"):
        Settings(**changes)


def test_an_item_never_configured_is_there_and_disabled() -> None:
    item = new().item(32)
    assert (item.number, item.parameters, item.is_enabled) == (32, None, False)


@pytest.mark.parametrize("number", [0, 33])
def test_there_is_no_item_of_another_number(number: int) -> None:
    with pytest.raises(InvalidValueError, match="the number of a fee item"):
        new().item(number)


def test_items_are_held_by_number_each_once() -> None:
    state = new()
    for number in (3, 1, 2, 3):
        state = state.with_item(FeeItem(number=number, parameters=fixed(number)))
    assert [item.number for item in state.items] == [1, 2, 3]
    assert state.item(2).parameters == fixed(2)
    for items in ((FeeItem(number=2), FeeItem(number=1)), (FeeItem(number=1), FeeItem(number=1))):
        with pytest.raises(InvalidValueError, match="by number"):
            replace(state, items=items)


def test_the_overdraft_is_available() -> None:
    assert replace(new(), balance=-20, settings=Settings(overdraft_limit=50)).available == 30


@pytest.mark.parametrize(
    ("sequence", "acknowledged", "full"),
    [
        (0, 0, False),
        (JOURNAL_CAPACITY - 1, 0, False),
        (JOURNAL_CAPACITY, 0, True),
        (JOURNAL_CAPACITY, 1, False),
        (2**32 - 2, 2**32 - 2, False),
        (2**32 - 1, 2**32 - 1, True),
    ],
)
def test_a_journal_is_full_of_unacknowledged_entries_or_at_the_end_of_its_numbers(
    sequence: int, acknowledged: int, full: bool
) -> None:
    digest = bytes(16)
    state = replace(
        new(),
        head=JournalHead(sequence=sequence, digest=digest),
        acknowledged=JournalHead(sequence=acknowledged, digest=digest),
    )
    assert state.unacknowledged == sequence - acknowledged
    assert state.is_journal_full is full


def test_a_clock_is_valid_from_2024_on_unless_it_was_lost() -> None:
    assert datetime(2024, 1, 1, tzinfo=UTC) == CLOCK_VALID_FROM
    assert new().is_clock_valid(CLOCK_VALID_FROM)
    assert not new().is_clock_valid(CLOCK_VALID_FROM - timedelta(seconds=1))
    assert not replace(new(), crossings=Crossings(clock_invalid=True)).is_clock_valid(CLOCK_VALID_FROM)
