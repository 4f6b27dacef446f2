"""The panel of a real meter: an amount is set once, exactly, by who knows the PIN; every refusal changes nothing."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from dlms_objects.classes.courier_frames import FrameCollection
from dlms_objects.meter import panel_texts as texts
from dlms_objects.meter.panel import Panel, TypedAmount
from dlms_objects.meter.panel_pin import FREE_FAILURES, PinHash, PinKeeper
from dlms_objects.meter.store import MeterStore, StorageError
from dlms_objects.purse.outcome import OutcomeCode
from dlms_objects.values.results import DataAccessResult
from tests.support.courier_headend import CourierHeadEnd
from tests.support.meters import plain_parameters
from tests.support.panels import PIN, RENT, WATER, household

DAY = "2026-06-20"
TYPED = TypedAmount(pin=PIN, number=WATER, due_day=DAY, amount="86.40", form="form 1")


@pytest.fixture(scope="module")
def pin():
    return PinHash.of(PIN)


@pytest.fixture
def panel(world, client, pin):
    client.top_up(1, 500_000)
    for number, parameters in household().items():
        client.set_item("parameters", parameters, number)
    return Panel(world.meter, pin, world.reactor.seconds)


def pending(client, number=WATER):
    return [(one["due"], one["amount"], one["source"]) for one in client.item("pending_amounts", number)]


def test_the_view_is_of_the_meter_as_it_is_now(world, panel):
    assert panel.view().balance == "5000.00"
    world.pass_time(11 * 86_400, tick_s=3600)
    assert panel.view().time == "2026-06-21 12:00"
    assert panel.view().items[0].state == texts.Text("等待金额", "waiting for its amount")


def test_an_amount_is_set_exactly_and_deducted_when_due(world, client, panel):
    answer = panel.enter(TYPED)
    assert answer.is_done
    assert answer.words.en == "Taken: 水费 3-502 86.40 CNY"
    assert pending(client) == [(DAY, 8640, "manual")]
    assert panel.view().items[0].amount == "86.40"
    world.pass_time(11 * 86_400, tick_s=3600)
    assert panel.view().balance == "4913.60"


def test_the_same_form_again_changes_nothing_even_after_the_deduction_and_a_restart(world, client, panel, pin):
    panel.enter(TYPED)
    again = panel.enter(TYPED)
    assert again.is_done
    assert again.words.en == "Taken already: 水费 3-502 86.40 CNY"
    client.release()
    world.pass_time(11 * 86_400, tick_s=3600)
    world.restart()
    panel = Panel(world.meter, pin, world.reactor.seconds)
    assert panel.enter(TYPED).is_done
    assert panel.view().balance == "4913.60"
    assert world.sql("SELECT count(*) FROM entry") == [(2,)]


def test_the_same_form_with_another_amount_is_refused(client, panel):
    panel.enter(TYPED)
    answer = panel.enter(replace(TYPED, amount="86.41"))
    assert (answer.is_done, answer.words) == (False, texts.REFUSALS[OutcomeCode.ID_USED_WITH_OTHER_VALUES])
    assert pending(client) == [(DAY, 8640, "manual")]


def test_another_form_corrects_the_amount_until_it_is_deducted(client, panel):
    panel.enter(TYPED)
    assert panel.enter(replace(TYPED, amount="80", form="form 2")).is_done
    assert pending(client) == [(DAY, 8000, "manual")]


NO_SUCH = texts.REFUSALS[OutcomeCode.NO_SUCH_ENTRY]
NO_AMOUNT = texts.NOT_AN_AMOUNT.filled(digits=2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pin": "270615"}, texts.WRONG_PIN),
        ({"pin": ""}, texts.WRONG_PIN),
        ({"amount": "86.401"}, NO_AMOUNT),
        ({"amount": ""}, NO_AMOUNT),
        ({"amount": "8e3"}, NO_AMOUNT),
        ({"amount": "NaN"}, NO_AMOUNT),
        ({"amount": "99999999999999999999"}, NO_AMOUNT),
        ({"amount": "-1"}, texts.REFUSALS[OutcomeCode.AMOUNT_OUT_OF_RANGE]),
        ({"number": RENT, "due_day": "2026-07-01"}, NO_SUCH),
        ({"number": 9}, NO_SUCH),
        ({"due_day": "2026-06-21"}, NO_SUCH),
        ({"number": 0}, texts.NOT_UNDERSTOOD),
        ({"number": 33}, texts.NOT_UNDERSTOOD),
        ({"due_day": "tomorrow"}, texts.NOT_UNDERSTOOD),
        ({"form": ""}, texts.NOT_UNDERSTOOD),
        ({"form": "x" * 65}, texts.NOT_UNDERSTOOD),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(world, panel, change, words):
    before = world.meter.keeper.state
    answer = panel.enter(replace(TYPED, **change))
    assert (answer.is_done, answer.words) == (False, words)
    assert world.meter.keeper.state is before


def test_a_cloud_item_takes_no_amount_by_hand(client, panel):
    client.set_item("parameters", plain_parameters(amount_source="cloud", amount=0, schedule={"day": 20}), WATER)
    assert panel.enter(TYPED).words == NO_SUCH


def test_too_many_wrong_pins_close_the_entry_for_a_while(world, panel):
    for _ in range(FREE_FAILURES):
        assert panel.enter(replace(TYPED, pin="111111")).words == texts.WRONG_PIN
    locked = texts.ENTRY_LOCKED.filled(seconds=30)
    assert panel.enter(replace(TYPED, pin="111111")).words == locked
    assert panel.enter(TYPED).words == locked
    assert panel.view().entry == locked
    world.pass_time(30)
    assert panel.enter(TYPED).is_done


def test_without_a_pin_nothing_is_set(world, panel):
    panel = Panel(world.meter, None, world.reactor.seconds)
    assert panel.enter(TYPED).words == texts.ENTRY_NO_PIN
    assert panel.view().entry == texts.ENTRY_NO_PIN


def test_a_pin_that_cannot_be_counted_is_not_tried(panel, monkeypatch):
    def broken(*_):
        raise StorageError("disk full")

    monkeypatch.setattr(PinKeeper, "is_right", broken)
    assert panel.enter(TYPED).words == texts.REFUSALS[OutcomeCode.STORAGE_FAILED]


def test_an_amount_that_cannot_be_stored_is_not_set(client, panel, monkeypatch):
    def broken(*_):
        raise StorageError("disk full")

    with monkeypatch.context() as faulty:
        faulty.setattr(MeterStore, "commit", broken)
        assert panel.enter(TYPED).words == texts.REFUSALS[OutcomeCode.STORAGE_FAILED]
    assert pending(client) == []


def test_the_frames_are_the_couriers_batch(world, panel):
    collected = FrameCollection()
    for frame in panel.frames():
        collected.add(frame)
    assert CourierHeadEnd(world.made.courier_keys).take(collected.batch()) == 1


def test_without_a_batch_there_is_no_frame(world, panel, monkeypatch):
    refusing = SimpleNamespace(get=lambda *_: DataAccessResult.OTHER_REASON)
    monkeypatch.setattr(world.meter, "device", refusing)
    assert panel.frames() == []
