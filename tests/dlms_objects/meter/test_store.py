"""The store: what belongs together is stored together, durably before the call returns, and read back as it was."""

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from dlms_objects.meter import store as store_module
from dlms_objects.meter.clock import MeterClock
from dlms_objects.meter.store import MeterStore, StorageError
from dlms_objects.purse import operations
from dlms_objects.purse.outcome import Event, EventCode, Operation, OutcomeCode
from dlms_objects.purse.state import PurseState, Settings
from dlms_objects.values.civil import time_zone
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle
from tests.support.purses import CNY, TITLE, fixed, identifier

NOW = datetime(2026, 6, 10, 4, tzinfo=UTC)
MANY = 1000


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "meter.sqlite"
    MeterStore.create(path, "0001", PurseState.new(TITLE, CNY, Settings(time_zone="Asia/Shanghai")))
    return path


@pytest.fixture
def store(path):
    store = MeterStore.open(path)
    yield store
    store.close()


def topped_up(store, number, amount=100, now=NOW):
    """Commit a top-up; the change."""
    change = operations.top_up(store.state(), store, now, identifier(number), amount)
    assert change.outcome is OutcomeCode.DONE
    store.commit(change)
    return change


def event(code=EventCode.POWER_UP, now=NOW, **changes):
    return Event(time=CosemDateTime.from_instant(now, time_zone("Asia/Shanghai")), code=code, **changes)


def everything(path):
    """All that a second connection sees."""
    connection = sqlite3.connect(path)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    contents = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    connection.close()
    return contents


def test_a_change_is_read_back_as_it_was_after_reopening(path):
    store = MeterStore.open(path)
    change = topped_up(store, 1)
    configured = operations.set_parameters(change.state, NOW, 3, fixed(5))
    store.commit(configured)
    store.close()
    reopened = MeterStore.open(path)
    assert reopened.state() == configured.state
    assert reopened.entry(1) == change.entries[0]
    assert reopened.used_id(identifier(1)) == change.used_ids[0]
    assert [numbered.event for numbered in reopened.events(1, MANY, MANY)] == list(configured.events)
    assert reopened.serial_number() == "0001"
    reopened.close()


def test_when_commit_returns_a_second_connection_sees_all_of_it(store, path):
    change = topped_up(store, 1)
    seen = everything(path)
    assert seen["entry"][0][2] == change.entries[0].row()
    assert [used[0] for used in seen["used_id"]] == [identifier(1)]


@pytest.mark.parametrize("table", ["entry", "used_id", "event", "meter"])
def test_a_change_that_fails_anywhere_leaves_nothing(store, path, table):
    topped_up(store, 1)
    before = everything(path)
    happening = "UPDATE" if table == "meter" else "INSERT"
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TRIGGER full BEFORE {happening} ON {table} BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    connection.close()
    change = operations.top_up(store.state(), store, NOW, identifier(2), 5)
    with_event = operations.set_settings(change.state, NOW, Settings(low_balance_threshold=1))
    both = operations.Change(
        state=with_event.state,
        entries=change.entries,
        events=with_event.events,
        used_ids=change.used_ids,
        sequence=2,
        balance=105,
    )
    with pytest.raises(StorageError, match="disk full"):
        store.commit(both)
    assert everything(path) == before
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER full")
    connection.close()
    store.commit(both)
    assert store.state() == with_event.state


def test_no_entry_is_ever_replaced(store):
    change = topped_up(store, 1)
    with pytest.raises(StorageError):
        store.commit(change)


def test_the_journal_answers_what_the_rules_ask(store):
    topped_up(store, 1)
    assert store.used_id(identifier(9)) is None
    assert store.entry(2) is None
    assert not store.is_reversed(1)
    change = operations.reverse(store.state(), store, NOW, identifier(2), 1)
    store.commit(change)
    assert store.is_reversed(1)
    used = store.used_id(identifier(2))
    assert used is not None
    assert (used.operation, used.arguments, used.outcome) == (Operation.REVERSE, "1", OutcomeCode.DONE)


def test_rows_are_found_by_number_and_by_period_in_order_up_to_a_limit(store):
    hours = [NOW + timedelta(hours=number) for number in range(5)]
    changes = [topped_up(store, number, now=hour) for number, hour in enumerate(hours, start=1)]
    rows = [change.entries[0].row() for change in changes]
    assert store.last_sequence() == 5
    assert store.rows(2, 4, MANY) == rows[1:4]
    assert store.rows(2, 4, 2) == rows[1:3]
    assert store.rows(6, 9, MANY) == store.rows(4, 2, MANY) == []
    assert store.rows_of_period(hours[1], hours[3], MANY) == rows[1:4]
    assert store.rows_of_period(hours[1] + timedelta(seconds=1), hours[4], 2) == rows[2:4]
    assert store.rows_of_period(hours[4], hours[0], MANY) == []


def test_an_empty_store_has_no_rows_and_no_events(store):
    assert (store.last_sequence(), store.event_numbers()) == (0, (1, 0))
    assert store.rows(1, MANY, MANY) == store.events(1, MANY, MANY) == []


def test_the_event_log_keeps_the_last_rows_and_numbers_never_repeat(store, monkeypatch):
    monkeypatch.setattr(store_module, "EVENT_LOG_ROWS", 5)
    for hour in range(8):
        store.log(event(now=NOW + timedelta(hours=hour), value=hour))
    assert store.event_numbers() == (4, 8)
    assert [(row.number, row.event.value) for row in store.events(1, 100, MANY)] == [(n, n - 1) for n in range(4, 9)]
    period = store.events_of_period(NOW + timedelta(hours=5), NOW + timedelta(hours=6), MANY)
    assert [row.number for row in period] == [6, 7]
    assert len(store.events(1, 100, 2)) == 2


def test_an_event_keeps_its_item_value_and_due_time(store):
    due = CosemDateTime.from_civil(datetime(2026, 7, 1, 8))  # noqa: DTZ001 - civil
    noted = event(EventCode.INSUFFICIENT, fee_item=7, value=-5, due=due)
    store.log(noted)
    assert store.events(1, 1, 1)[0].event == noted


def test_the_clock_is_kept(store):
    assert store.clock() is None
    clock = MeterClock(epoch_s=1_800_000_000.25, start=NOW, rate=3600.5)
    store.save_clock(clock)
    assert store.clock() == clock


def test_counters_are_kept_per_key_and_a_sent_one_is_never_given_again(path):
    title = SystemTitle(b"MPG\x00\x00\x00\x00\x09")
    store = MeterStore.open(path)
    received = store.received_counters("1")
    counters = store.counters("1", received)
    first = [counters.sent.next() for _ in range(3)]
    counters.received.accept(title, 41)
    assert (received.highest(title), received.highest_of_all()) == (41, 41)
    store.close()
    store = MeterStore.open(path)
    assert store.received_counters("1").highest(title) == 41
    assert store.received_counters("2").highest(title) is None
    again = store.counters("1", store.received_counters("1")).sent.next()
    assert again > max(first)
    store.close()


def damaged(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("UPDATE meter SET state = x'00'", MeterStore.state),
        ("UPDATE meter SET clock_epoch_s = 0, clock_start = 'noon', clock_rate = 1", MeterStore.clock),
        ("UPDATE meter SET clock_epoch_s = 0, clock_start = '9999-01-01', clock_rate = 1", MeterStore.clock),
        ("UPDATE entry SET row = zeroblob(98)", lambda store: store.entry(1)),
        ("DROP TABLE used_id", lambda store: store.used_id(bytes(16))),
    ],
)
def test_what_was_altered_on_the_disk_is_a_storage_error_not_a_value(store, path, statement, read):
    topped_up(store, 1)
    damaged(path, statement)
    with pytest.raises(StorageError):
        read(store)


def test_counters_that_cannot_be_stored_are_a_storage_error(store, path):
    received = store.received_counters("1")
    counters = store.counters("1", received)
    damaged(path, "DROP TABLE received_counter")
    damaged(path, "DROP TABLE sent_counter")
    title = SystemTitle(b"MPG\x00\x00\x00\x00\x09")
    with pytest.raises(StorageError):
        counters.received.accept(title, 1)
    assert received.highest(title) is None
    with pytest.raises(StorageError):
        counters.sent.next()
    with pytest.raises(StorageError):
        store.received_counters("1")


def test_a_store_may_be_closed_twice(store):
    store.close()
    store.close()
