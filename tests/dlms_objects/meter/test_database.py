"""A file of many meters: each has its own rows, and what several change together is durable together or not at all."""

from datetime import UTC, datetime, timedelta

import pytest

from dlms_objects.meter.database import MeterDatabase
from dlms_objects.meter.store import EVENT_LOG_ROWS, MeterStore, StorageError
from dlms_objects.meter.store_file import NewMeter, create_store
from dlms_objects.purse import operations, snapshot
from dlms_objects.purse.outcome import Event, EventCode
from dlms_objects.purse.state import PurseState, Settings
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle
from tests.support.purses import CNY, identifier

NOW = datetime(2026, 6, 10, 4, tzinfo=UTC)
MANY = 1000


def title(number):
    return SystemTitle(b"MPR" + number.to_bytes(5, "big"))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "fleet.sqlite"
    states = [PurseState.new(title(number), CNY, Settings()) for number in (1, 2, 3)]
    create_store(path, [NewMeter(str(state.title), snapshot.encode(state)) for state in states])
    return path


@pytest.fixture
def database(path):
    database = MeterDatabase.open(path)
    yield database
    database.close()


@pytest.fixture
def stores(database):
    return [MeterStore(database, number) for number in database.numbers()]


def top_up(store, number, amount=100):
    return operations.top_up(store.state(), store, NOW, identifier(number), amount)


def seen(store):
    """All that a meter can see of its past."""
    return (
        store.state(),
        store.rows(1, MANY, MANY),
        store.rows_of_period(NOW - timedelta(days=1), NOW + timedelta(days=1), MANY),
        store.events(1, MANY, MANY),
        store.event_numbers(),
        store.last_sequence(),
        store.entry(1),
        store.used_id(identifier(7)),
        store.is_reversed(1),
        store.clock(),
        store.keys(),
        store.received_counters("1").highest_of_all(),
    )


def test_each_meter_has_its_number_its_serial_number_and_its_state(stores):
    assert [store.serial_number() for store in stores] == [str(title(number)) for number in (1, 2, 3)]
    assert [store.state().title for store in stores] == [title(1), title(2), title(3)]


def test_what_one_meter_does_no_other_sees(stores):
    first, second, third = stores
    before = seen(second), seen(third)
    first.commit(top_up(first, 7))
    first.commit(operations.reverse(first.state(), first, NOW, identifier(8), 1))
    first.log(Event(time=CosemDateTime.from_instant(NOW, UTC), code=EventCode.POWER_UP))
    first.received_counters("1").accept(title(9), 5)
    assert (seen(second), seen(third)) == before
    second.commit(top_up(second, 7, amount=5))
    assert (first.entry(1).amount, second.entry(1).amount) == (100, 5)
    assert (first.is_reversed(1), second.is_reversed(1)) == (True, False)


def test_each_meter_numbers_and_keeps_its_own_events(stores):
    first, second, _ = stores
    for store, count in ((first, EVENT_LOG_ROWS + 3), (second, 2)):
        moment = CosemDateTime.from_instant(NOW, UTC)
        events = [Event(time=moment, code=EventCode.POWER_UP, value=value) for value in range(count)]
        change = operations.Change(state=store.state(), events=tuple(events), sequence=0, balance=0)
        store.commit(change)
    assert first.event_numbers() == (4, EVENT_LOG_ROWS + 3)
    assert second.event_numbers() == (1, 2)


def test_sent_counters_of_two_meters_are_counted_apart(stores):
    first, second, _ = (store.counters("1", store.received_counters("1")).sent for store in stores)
    assert [first.next(), first.next(), second.next()] == [1, 2, 1]


def test_changes_of_several_meters_are_durable_together(database, stores, path):
    changes = [top_up(store, 1, amount) for store, amount in zip(stores, (1, 2, 3), strict=True)]
    statements = [store.statements_of(change) for store, change in zip(stores, changes, strict=True)]
    database.change(statement for of_one in statements for statement in of_one)
    database.close()
    reopened = MeterDatabase.open(path)
    assert [MeterStore(reopened, number).state().balance for number in reopened.numbers()] == [1, 2, 3]
    reopened.close()


def test_changes_of_several_meters_of_which_one_fails_are_none(database, stores):
    first, second, _ = stores
    before = seen(first), seen(second)
    statements = [*first.statements_of(top_up(first, 1)), *second.statements_of(top_up(second, 1)), ("nonsense", ())]
    with pytest.raises(StorageError):
        database.change(statements)
    assert (seen(first), seen(second)) == before


def test_the_store_of_one_of_many_does_not_close_the_file(database, stores):
    stores[0].close()
    assert stores[1].last_sequence() == 0
