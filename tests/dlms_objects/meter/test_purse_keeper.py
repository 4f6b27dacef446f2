"""The keeper: decide, commit, then show; each check at its time; a journal that does not add up stops deductions."""

from datetime import UTC, datetime, timedelta

import pytest

from dlms_objects.meter import purse_keeper
from dlms_objects.meter.purse_keeper import LARGEST_REPLAY, PurseKeeper
from dlms_objects.meter.store import MeterStore, StorageError
from dlms_objects.purse import operations
from dlms_objects.purse.check import check
from dlms_objects.purse.outcome import EventCode, OutcomeCode
from dlms_objects.purse.schedule import Frequency
from dlms_objects.purse.state import PurseState, Settings
from tests.support.purses import CNY, ENERGY, TITLE, fixed, identifier, monthly

NOW = datetime(2026, 6, 10, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAILY = monthly(frequency=Frequency.DAILY, day=0)


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "meter.sqlite"
    MeterStore.create(path, "0001", PurseState.new(TITLE, CNY, Settings(time_zone="Asia/Shanghai")))
    store = MeterStore.open(path)
    yield store
    store.close()


@pytest.fixture
def keeper(store):
    return PurseKeeper(store, lambda _now: {ENERGY: 0})


def top_up(keeper, store, number=1, amount=10_000, now=NOW):
    return keeper.carry_out(now, lambda s: operations.top_up(s, store, now, identifier(number), amount))


def configure(keeper, parameters, now=NOW):
    return keeper.carry_out(now, lambda s: operations.set_parameters(s, now, 1, parameters))


def codes(store):
    return [row.event.code for row in store.events(1, 10_000, 10_000)]


def deductions(store):
    entries = [store.entry(number) for number in range(1, store.last_sequence() + 1)]
    return [str(entry.time) for entry in entries if entry.fee_item]


def failing(_change):
    raise StorageError("disk full")


class EagerKeeper(PurseKeeper):
    """The deliberate fault: the new state is shown before it is stored."""

    def _commit(self, change):
        self._state = change.state
        return super()._commit(change)


# The law, and the deliberate fault that the same observation catches.
SHOWS = pytest.mark.parametrize(("keeper_class", "shown"), [(PurseKeeper, 0), (EagerKeeper, 10_000)])


@SHOWS
def test_a_change_is_shown_only_after_it_was_stored(store, monkeypatch, keeper_class, shown):
    keeper, seen, commit = keeper_class(store, lambda _now: {}), [], store.commit
    monkeypatch.setattr(store, "commit", lambda change: (seen.append(keeper.state.balance), commit(change)))
    assert top_up(keeper, store).outcome is OutcomeCode.DONE
    assert keeper.state.balance == 10_000
    assert seen == [shown]


@SHOWS
def test_what_could_not_be_stored_did_not_happen(store, monkeypatch, keeper_class, shown):
    keeper = keeper_class(store, lambda _now: {})
    monkeypatch.setattr(store, "commit", failing)
    assert top_up(keeper, store).outcome is OutcomeCode.STORAGE_FAILED
    assert keeper.state.balance == shown
    assert store.state().balance == 0


def test_the_answer_to_a_failed_store_is_the_journal_as_it_is(store, keeper, monkeypatch):
    top_up(keeper, store)
    monkeypatch.setattr(store, "commit", failing)
    change = top_up(keeper, store, 2)
    assert (change.outcome, change.sequence, change.balance) == (OutcomeCode.STORAGE_FAILED, 1, 10_000)


def test_a_past_that_cannot_be_read_is_answered_storage_failed(store, keeper, monkeypatch):
    monkeypatch.setattr(store, "used_id", failing)
    assert top_up(keeper, store).outcome is OutcomeCode.STORAGE_FAILED
    assert store.last_sequence() == 0


def test_a_deduction_that_cannot_be_stored_did_not_happen_and_is_made_later(store, keeper, monkeypatch):
    top_up(keeper, store)
    configure(keeper, fixed(100, DAILY))
    with monkeypatch.context() as broken:
        broken.setattr(store, "commit", failing)
        assert keeper.check(NOW + timedelta(days=1)) == 0
        assert keeper.state.balance == 10_000
    assert keeper.check(NOW + timedelta(days=1, minutes=1)) == 1
    assert keeper.state.balance == 9_900


def test_failures_of_the_store_are_told_with_their_number_once_it_stores_again(store, keeper, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(store, "commit", failing)
        broken.setattr(store, "log", failing)
        for number in range(3):
            top_up(keeper, store, number + 1)
        keeper.check(NOW)
    keeper.check(NOW)
    keeper.check(NOW)
    (row,) = store.events(1, 10, 10)
    assert (row.event.code, row.event.value) == (EventCode.STORAGE_FAILED, 3)


def test_an_event_that_cannot_be_stored_is_dropped(store, keeper, monkeypatch):
    monkeypatch.setattr(store, "log", failing)
    assert not keeper.note(NOW, EventCode.POWER_UP)


def checks_of(keeper, monkeypatch):
    times = []
    monkeypatch.setattr(keeper, "check", times.append)
    return times


def test_a_slow_clock_is_checked_once_a_period_however_often_one_looks(keeper, monkeypatch):
    times = checks_of(keeper, monkeypatch)
    for second in range(181):
        keeper.advance(NOW + timedelta(seconds=second), replay=False)
    assert times == [NOW + MINUTE * n for n in range(4)]


@pytest.mark.parametrize("replay", [False, True])
def test_a_clock_that_was_stepped_back_by_its_host_is_checked_at_once(keeper, monkeypatch, replay):
    times = checks_of(keeper, monkeypatch)
    for moment in (NOW, NOW - timedelta(hours=1), NOW - timedelta(hours=1) + MINUTE):
        keeper.advance(moment, replay=replay)
    assert times == [NOW, NOW - timedelta(hours=1), NOW - timedelta(hours=1) + MINUTE]


def test_a_fast_clock_makes_every_check_in_between_at_its_own_time(keeper, monkeypatch):
    times = checks_of(keeper, monkeypatch)
    keeper.advance(NOW, replay=True)
    keeper.advance(NOW + MINUTE * 5, replay=True)
    assert times == [NOW + MINUTE * n for n in range(6)]


@pytest.mark.parametrize("days", [1, 400, 20_000])
def test_however_far_a_fast_clock_ran_the_checks_of_one_call_are_bounded_and_spread(keeper, monkeypatch, days):
    times = checks_of(keeper, monkeypatch)
    keeper.advance(NOW, replay=True)
    end = NOW + timedelta(days=days)
    keeper.advance(end, replay=True)
    assert len(times) <= LARGEST_REPLAY + 2
    assert times == sorted(times)
    gap = timedelta(days=days) / LARGEST_REPLAY
    assert end - times[-1] <= gap
    keeper.advance(end + MINUTE, replay=True)
    assert times[-1] >= end


def test_a_fast_clock_deducts_every_occurrence_on_its_day(store, keeper):
    top_up(keeper, store, amount=1_000_000)
    configure(keeper, fixed(100, DAILY))
    keeper.advance(NOW, replay=True)
    for day in range(1, 31):
        keeper.advance(NOW + timedelta(days=day), replay=True)
    made = deductions(store)
    assert len(made) == 30
    assert [time[:10] for time in made[:3]] == ["2026-06-11", "2026-06-12", "2026-06-13"]
    assert {time[11:13] for time in made} == {"08"}


def test_a_set_clock_is_noted_and_checked_by_the_new_time(store, keeper, monkeypatch):
    times = checks_of(keeper, monkeypatch)
    keeper.advance(NOW, replay=False)
    keeper.clock_was_set(NOW - timedelta(days=1), -timedelta(days=1))
    keeper.advance(NOW - timedelta(days=1) + MINUTE, replay=False)
    assert times == [NOW, NOW - timedelta(days=1), NOW - timedelta(days=1) + MINUTE]
    (row,) = store.events(1, 10, 10)
    assert (row.event.code, row.event.value) == (EventCode.CLOCK_SET, -86_400)


def test_an_idle_check_writes_nothing(store, keeper, monkeypatch):
    top_up(keeper, store)
    configure(keeper, fixed(100))
    monkeypatch.setattr(store, "commit", failing)
    assert keeper.check(NOW + MINUTE) == 0
    assert keeper._failures == 0


def test_rules_are_worked_through_only_when_something_may_have_come(store, keeper, monkeypatch):
    top_up(keeper, store)
    configure(keeper, fixed(100, DAILY))
    keeper.check(NOW)
    worked = []
    monkeypatch.setattr(purse_keeper, "check", lambda *given: (worked.append(given[1]), check(*given))[1])
    for minute in range(24 * 60):
        keeper.check(NOW + MINUTE * minute)
    assert deductions(store) == ["2026-06-11 08:00:00+08:00"]
    assert len(worked) < 10
    top_up(keeper, store, 2, now=NOW + timedelta(days=1))
    assert worked[-1] == NOW + timedelta(days=1)


def test_what_a_check_decides_is_shown_when_it_is_told_so(store, keeper):
    top_up(keeper, store)
    configure(keeper, fixed(100, DAILY))
    assert keeper.decide(NOW) is None
    change = keeper.decide(NOW + timedelta(days=1))
    assert keeper.state.balance == 10_000
    store.commit(change)
    keeper.show(change)
    assert keeper.state.balance == 9_900


def entries(store, count):
    keeper = PurseKeeper(store, lambda _now: {})
    for number in range(1, count + 1):
        top_up(keeper, store, number, number)
    return keeper


@pytest.mark.parametrize("count", [0, 1, 5])
@pytest.mark.parametrize("page", [1, 2, 1000])
def test_a_sound_journal_is_found_sound_whatever_the_page(store, monkeypatch, count, page):
    monkeypatch.setattr(purse_keeper, "VERIFIED_ROWS", page)
    keeper = entries(store, count)
    keeper.verify_journal(NOW)
    assert not keeper.state.tamper
    assert codes(store) == []


TAMPERINGS = {
    "an entry altered": "UPDATE entry SET row = (SELECT row FROM entry WHERE sequence = 2) WHERE sequence = 3",
    "an entry that is none": "UPDATE entry SET row = zeroblob(98) WHERE sequence = 3",
    "an entry missing": "DELETE FROM entry WHERE sequence = 3",
    "the last entry missing": "DELETE FROM entry WHERE sequence = 5",
    "all entries missing": "DELETE FROM entry",
    "an entry added": "INSERT INTO entry SELECT 6, instant_s, row, history, meter FROM entry WHERE sequence = 5",
    "the balance altered": "UPDATE meter SET state = CAST(replace(state, '\"balance\":15', '\"balance\":99') AS BLOB)",
    "the head altered": "UPDATE meter SET state = CAST(replace(state, '\"sequence\":5', '\"sequence\":4') AS BLOB)",
}


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS)
def test_a_store_that_was_tampered_with_is_found_out_and_deducts_nothing(store, statement):
    keeper = entries(store, 5)
    configure(keeper, fixed(1, DAILY))
    store._connection.execute(statement)
    tampered = PurseKeeper(store, lambda _now: {})
    tampered.verify_journal(NOW)
    assert tampered.state.tamper
    assert codes(store)[-1] is EventCode.TAMPER
    before = tampered.state.balance
    assert tampered.check(NOW + timedelta(days=3)) == 0
    assert tampered.state.balance == before
    again = PurseKeeper(store, lambda _now: {})
    again.verify_journal(NOW)
    assert codes(store).count(EventCode.TAMPER) == 1


def test_tamper_that_cannot_be_stored_stops_the_start(store, monkeypatch):
    keeper = entries(store, 5)
    store._connection.execute(TAMPERINGS["an entry missing"])
    monkeypatch.setattr(store, "commit", failing)
    with pytest.raises(StorageError):
        keeper.verify_journal(NOW)
