"""The panel on a terminal: the same view as the page's, worked by keys; a meter that goes away is told, not a crash."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from deploy.panel_client import PanelUnreachableError
from deploy.panel_terminal import PanelTerminal
from dlms_objects.meter import panel_texts as texts
from dlms_objects.meter.panel import AmountAnswer
from dlms_objects.meter.panel_site import PanelPage
from dlms_objects.meter.panel_view import ItemView, Level
from tests.support.panels import empty_view

WATER = ItemView(
    number=1,
    label="水费",
    kind=texts.KINDS[3],
    state=texts.STATES[2],
    due="2026-06-20 08:00",
    due_day="2026-06-20",
    amount="",
    takes_amount=True,
)
RENT = replace(WATER, number=2, label="", amount="3500.00", takes_amount=False, due_day="")
GAS = replace(WATER, number=5, label="燃气")


class Meter:
    """A panel that answers from memory."""

    def __init__(self, *items, can_enter=True):
        view = replace(empty_view(), items=items, can_enter=can_enter, balance="12.30", next_due="2026-06-20 08:00")
        self.view, self.entered, self.codes, self.gone = view, [], ("MPC1:ONE", "MPC1:TWO"), False

    def page(self):
        if self.gone:
            raise PanelUnreachableError("no front panel answers")
        return PanelPage(view=self.view, token="", form="form 1")

    def frames(self):
        return self.codes

    def enter(self, typed):
        self.entered.append(typed)
        return AmountAnswer(is_done=True, words=texts.AMOUNT_TAKEN.filled(label="水费", amount="86.40 CNY"))


class Keys:
    """Keys pressed one after the other, then X; lines typed when asked for. `asked` remembers the questions."""

    def __init__(self, *keys, lines=()):
        self.keys, self.lines, self.asked = list(keys), list(lines), []

    def read(self, timeout_s):
        key = self.keys.pop(0) if self.keys else "x"
        return key() or "" if callable(key) else key

    def line(self, prompt, *, hidden=False):
        self.asked.append((prompt, hidden))
        return self.lines.pop(0)


def shown(meter, keys=None, *, width=100, height=60):
    """All that was drawn while these keys were pressed; None: shown once."""
    drawn = io.StringIO()
    console = Console(file=drawn, width=width, height=height, force_terminal=keys is not None, color_system=None)
    terminal = PanelTerminal(meter, console)
    if keys is None:
        terminal.show_once()
    else:
        terminal.run(keys)
    return drawn.getvalue()


def test_all_of_the_view_is_shown_once_without_a_terminal():
    told = shown(Meter(WATER, RENT))
    for words in (
        "12.30 CNY",
        "2026-06-10 12:00",
        "一切正常",
        "All is well",
        "水费",
        "等待金额",
        "3500.00",
        "Supply: 供电 on",
    ):
        assert words in told
    assert "\x1b" not in told


def test_lamps_differ_in_shape_and_words_not_in_colour_alone():
    meter = Meter()
    (lamp,) = meter.view.lamps
    off = replace(lamp, words=texts.Text("断电", "off"), level=Level.BAD)
    meter.view = replace(meter.view, lamps=(lamp, off))
    told = shown(meter)
    assert "● 供电 Supply: 供电 on" in told
    assert "◆ 供电 Supply: 断电 off" in told


def test_an_amount_is_typed_in_with_the_pin_hidden():
    meter, keys = Meter(WATER, RENT), Keys("e", "", lines=["86.40", "270614"])
    told = shown(meter, keys)
    (typed,) = meter.entered
    assert (typed.number, typed.due_day, typed.amount, typed.pin, typed.form) == (
        1,
        "2026-06-20",
        "86.40",
        "270614",
        "form 1",
    )
    assert [hidden for _, hidden in keys.asked] == [False, True]
    assert "Taken: 水费 86.40 CNY" in told
    assert "270614" not in told


def test_of_several_fees_one_is_chosen():
    meter = Meter(WATER, GAS)
    shown(meter, Keys("e", lines=["5", "1", "270614"]))
    assert [typed.number for typed in meter.entered] == [5]


@pytest.mark.parametrize("number", ["2", "x", "", "-1"])
def test_a_fee_that_is_none_asks_for_nothing_more(number):
    meter = Meter(WATER, GAS, RENT)
    assert texts.NOT_UNDERSTOOD.en in shown(meter, Keys("e", lines=[number]))
    assert meter.entered == []


def test_where_nothing_may_be_typed_in_the_terminal_says_why():
    meter, keys = Meter(WATER, can_enter=False), Keys("e")
    assert meter.view.entry.en in shown(meter, keys)
    assert keys.asked == []


def test_the_codes_are_turned_by_the_arrows():
    told = shown(Meter(), Keys("q", "right", "right", "left", "q", "left"))
    turns = [line.split("  ")[0] for line in told.splitlines() if " / 2  " in line]
    assert [turn.split("\x1b")[0] for turn in turns] == ["1 / 2", "2 / 2", "1 / 2", "2 / 2"]


@pytest.mark.parametrize(("width", "height"), [(28, 60), (100, 15)])
def test_a_window_too_small_for_a_code_says_how_large_it_must_be(width, height):
    told = shown(Meter(), Keys("q"), width=width, height=height)
    assert "29 by 16 are needed" in " ".join(told.split())


def test_a_meter_without_a_batch_goes_on_showing_the_view():
    meter = Meter()
    meter.codes = ()
    assert texts.NO_BATCH.en in shown(meter, Keys("q"))


def test_a_meter_that_goes_away_is_told_and_comes_back():
    meter = Meter()
    told = shown(meter, Keys(lambda: setattr(meter, "gone", True), lambda: setattr(meter, "gone", False)))
    before, after = told.split("no front panel answers")
    assert "12.30 CNY" in before
    assert "12.30 CNY" in after
