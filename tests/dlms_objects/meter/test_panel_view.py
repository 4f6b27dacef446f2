"""The panel's view: exact amounts, what is due next, each item's state, lamps that say in words what they show."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from dlms_objects.meter import panel_texts as texts
from dlms_objects.meter.panel_view import EntryLock, Level, PanelView, panel_view
from dlms_objects.purse.fee_item import AmountSource
from dlms_objects.purse.state import Settings
from tests.support.purses import Purse, billed, fixed, monthly

NOW = datetime(2026, 1, 20, tzinfo=UTC)
OPEN = EntryLock(has_pin=True)


def view_of(purse, lock=OPEN, *, now=NOW, supply_on=True):
    return panel_view(purse.state, now, purse.registers, lock, supply_on=supply_on)


def lamps(view):
    return {lamp.name.en: (lamp.words.en, lamp.level) for lamp in view.lamps}


@pytest.fixture
def purse():
    purse = Purse(Settings(low_balance_threshold=100_00, time_zone="Asia/Shanghai"), now=NOW)
    purse.top_up(4_210_50)
    purse.configure(1, billed(AmountSource.MANUAL, monthly(5), label="水费"))
    purse.configure(2, fixed(3500_00, monthly(1), label="房租"))
    return purse


def test_a_purse_at_rest(purse):
    view = view_of(purse)
    assert (view.time, view.balance, view.currency, view.decimals) == ("2026-01-20 08:00", "4210.50", "CNY", 2)
    assert (view.next_due, view.next_amount) == ("2026-02-01 08:00", "3500.00")
    assert view.prompt == texts.NOTHING
    assert [(item.label, item.due, item.amount, item.takes_amount, item.due_day) for item in view.items] == [
        ("水费", "2026-02-05 08:00", "", True, "2026-02-05"),
        ("房租", "2026-02-01 08:00", "3500.00", False, ""),
    ]
    assert {words for words, _ in lamps(view).values()} == {"on", "OK"}
    assert {level for _, level in lamps(view).values()} == {Level.GOOD}


def test_an_empty_purse_shows_no_item_and_nothing_due():
    view = view_of(Purse(Settings(), now=NOW))
    assert (view.items, view.next_due, view.next_amount) == ((), "", "")


def test_an_item_that_was_deleted_is_not_shown(purse):
    gone = replace(purse.state.item(1), parameters=None)
    purse.state = purse.state.with_item(gone)
    assert [item.number for item in view_of(purse).items] == [2]


def test_a_shortfall_prompts_in_both_languages_and_lights_the_lamp(purse):
    purse.configure(2, fixed(9000_00, monthly(25)))
    view = view_of(purse)
    assert view.prompt.zh == "余额不足，请在2026-01-25前充值4789.50 CNY。"
    assert view.prompt.en == "Please top up 4789.50 CNY by 2026-01-25."
    assert lamps(view)["Balance"] == ("short soon", Level.CARE)


def test_what_is_unpaid_is_said_before_what_will_be_short(purse):
    purse.configure(2, fixed(9000_00, monthly(25)))
    later = datetime(2026, 1, 25, 1, tzinfo=UTC)
    purse.now = later
    purse.check()
    view = view_of(purse, now=later)
    assert lamps(view)["Balance"] == ("unpaid", Level.BAD)
    assert view.items[1].state == texts.Text("等待充值", "waiting for a top-up")


def test_each_condition_has_its_lamp(purse):
    asked = datetime(2026, 2, 5, 1, tzinfo=UTC)
    purse.now = asked
    purse.check()
    assert lamps(view_of(purse, now=asked))["Amount"] == ("missing", Level.CARE)
    purse.state = replace(purse.state, tamper=True, crossings=replace(purse.state.crossings, clock_invalid=True))
    found = lamps(view_of(purse, supply_on=False))
    assert found["Journal"] == ("broken", Level.BAD)
    assert found["Clock"] == ("not set", Level.BAD)
    assert found["Supply"] == ("off", Level.BAD)


@pytest.mark.parametrize(
    ("lock", "entry"),
    [
        (OPEN, texts.ENTRY_OPEN),
        (EntryLock(), texts.ENTRY_NO_PIN),
        (EntryLock(has_pin=True, locked_s=30), texts.ENTRY_LOCKED.filled(seconds=30)),
    ],
)
def test_the_view_says_whether_an_amount_may_be_typed_in(purse, lock, entry):
    view = view_of(purse, lock)
    assert (view.entry, view.can_enter) == (entry, entry == texts.ENTRY_OPEN)


def test_without_a_manual_item_there_is_nothing_to_type_in(purse):
    purse.configure(1, billed(AmountSource.CLOUD, monthly(5)))
    assert view_of(purse).entry == texts.ENTRY_NO_ITEM


def test_the_terminal_gets_back_from_json_what_the_meter_shows(purse):
    view = view_of(purse)
    assert msgspec.json.decode(msgspec.json.encode(view), type=PanelView) == view
