"""Invocation counters on disk: never given twice, never forgotten, whoever asks and whenever the power goes."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.transport.durable_counters import DurableCounters, open_database
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.counters import COUNTER_CEILING, CounterBlocks, CounterExhausted

TITLE, OTHER = SystemTitle(b"MPG\x00\x00\x00\x00\x01"), SystemTitle(b"MPG\x00\x00\x00\x00\x02")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "counters.sqlite"


def test_the_database_is_opened_durably(path):
    with closing(open_database(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
        assert connection.execute("PRAGMA synchronous").fetchall() == [(2,)]
        assert connection.isolation_level is None


def test_a_database_that_must_exist_is_not_made(path):
    with pytest.raises(sqlite3.OperationalError):
        open_database(path, create=False)
    assert not path.exists()
    open_database(path).close()
    open_database(path, create=False).close()


def test_a_file_that_is_no_database_is_sqlites_error(path):
    path.write_text("not a database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        open_database(path)


@given(counts=st.lists(st.integers(1, 64), min_size=1, max_size=20))
def test_reserved_counters_follow_one_another_and_never_repeat(counts):
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        reserve = DurableCounters(connection).reserve("key")
        given_out = [number for count in counts for number in reserve(count)]
    assert given_out == list(range(1, sum(counts) + 1))


def test_after_a_power_cut_no_counter_is_given_again(path, tmp_path):
    with closing(open_database(path)) as connection:
        blocks = CounterBlocks(DurableCounters(connection).reserve("key"))
        sent = [blocks.next() for _ in range(70)]
        for name in ("counters.sqlite", "counters.sqlite-wal"):
            shutil.copy(tmp_path / name, tmp_path / f"image-{name}")
    image = tmp_path / "image-counters.sqlite"
    with closing(open_database(image)) as connection:
        again = CounterBlocks(DurableCounters(connection).reserve("key")).next()
    assert again == 129 > max(sent)


def test_two_processes_and_two_keys_do_not_share_counters(path):
    with closing(open_database(path)) as first, closing(open_database(path)) as second:
        mine, yours = (DurableCounters(connection).reserve("key") for connection in (first, second))
        blocks = [mine(3), yours(3), mine(3)]
        assert [number for block in blocks for number in block] == list(range(1, 10))
        assert DurableCounters(first).reserve("other key")(3) == range(1, 4)


def test_an_exhausted_key_stays_exhausted(path):
    with closing(open_database(path)) as connection:
        durable = DurableCounters(connection)
        connection.execute("INSERT INTO sent_counter VALUES ('key', ?)", (COUNTER_CEILING - 3,))
        blocks = CounterBlocks(durable.reserve("key"))
        assert [blocks.next(), blocks.next()] == [COUNTER_CEILING - 2, COUNTER_CEILING - 1]
        for _ in range(3):
            with pytest.raises(CounterExhausted):
                CounterBlocks(durable.reserve("key")).next()


def test_received_counters_are_kept_by_key_and_title(path):
    with closing(open_database(path)) as connection:
        received = DurableCounters(connection).received("key")
        assert (received.highest(TITLE), received.highest_of_all()) == (None, 0)
        received.accept(TITLE, 5)
        received.accept(OTHER, 3)
        received.accept(OTHER, 4)
        assert (received.highest(TITLE), received.highest(OTHER), received.highest_of_all()) == (5, 4, 5)
    with closing(open_database(path)) as connection:
        durable = DurableCounters(connection)
        assert durable.received("key").highest(TITLE) == 5
        assert durable.received("another key").highest(TITLE) is None


def test_a_received_counter_is_on_disk_when_accept_returns(path):
    with closing(open_database(path)) as connection, closing(sqlite3.connect(path)) as other:
        DurableCounters(connection).received("key").accept(TITLE, 77)
        assert other.execute("SELECT highest FROM received_counter").fetchall() == [(77,)]


def test_a_stored_counter_never_falls(path):
    with closing(open_database(path)) as connection:
        durable = DurableCounters(connection)
        early, late = durable.received("key"), durable.received("key")
        late.accept(TITLE, 50)
        early.accept(TITLE, 40)
        assert durable.received("key").highest(TITLE) == 50


def test_a_counter_that_could_not_be_stored_is_not_remembered(path):
    with closing(open_database(path)) as connection:
        received = DurableCounters(connection).received("key")
        connection.execute("DROP TABLE received_counter")
        with pytest.raises(sqlite3.Error):
            received.accept(TITLE, 5)
        assert received.highest(TITLE) is None
