"""Households: fixed by their seed, made by the rules of the purse, each with something to pay."""

from datetime import UTC, date, datetime

import pytest

from dlms_objects.meter.fleet.households import Household
from dlms_objects.meter.fleet.identity import FleetIdentity
from dlms_objects.purse.chain import verify
from dlms_objects.purse.entry import EntryKind, JournalHead
from dlms_objects.purse.fee_item import AmountSource
from dlms_objects.purse.state import PurseState, Settings
from tests.support.purses import CNY, MemoryJournal

NOW = datetime(2026, 3, 1, 4, tzinfo=UTC)
TITLE = FleetIdentity(1).title(1)


def lived(number, top_ups, seed=1):
    state = PurseState.new(TITLE, CNY, Settings(time_zone="Asia/Shanghai"))
    return Household(seed, number).live_until(state, MemoryJournal(), NOW, top_ups)


def test_a_seed_fixes_a_household_and_the_next_is_another():
    assert lived(1, 5) == lived(1, 5)
    assert len({lived(number, 3).state for number in range(1, 60)}) == 59
    assert lived(1, 3, seed=2) != lived(1, 3)
    consumptions = {Household(1, number).consumption() for number in range(1, 60)}
    assert len(consumptions) == 59


@pytest.mark.parametrize("top_ups", [0, 1, 100])
def test_what_was_paid_in_is_a_whole_journal_up_to_now(top_ups):
    change = lived(3, top_ups)
    assert [entry.kind for entry in change.entries] == [EntryKind.TOP_UP] * top_ups
    assert verify(change.entries, JournalHead.empty(TITLE), 0) == change.state.head
    assert sum(entry.amount for entry in change.entries) == change.state.balance
    assert len({used.identifier for used in change.used_ids}) == top_ups
    if top_ups:
        assert change.entries[-1].time.instant() == NOW


def test_among_many_households_there_are_fees_of_every_kind_and_source():
    fees = [parameters for number in range(1, 60) for _, parameters in Household(1, number).fees(date(2026, 3, 1))]
    assert {parameters.amount_source for parameters in fees} == set(AmountSource)
    assert len({parameters.kind for parameters in fees}) >= 6
    assert {len(dict(Household(1, number).fees(date(2026, 3, 1)))) for number in range(1, 200)} == {3, 4, 5, 6, 7}
