"""The file of a store: whole or not there, known by its mark, and open in one process at a time."""

import signal
import sqlite3
import subprocess
import sys

import pytest

from dlms_objects.meter.store import MeterStore
from dlms_objects.meter.store_file import NewMeter, StorageError, create_store, lock_store, open_store, storage_errors
from dlms_objects.purse.state import PurseState, Settings
from tests.support.purses import CNY, TITLE


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "meter.sqlite"
    MeterStore.create(path, "0001", PurseState.new(TITLE, CNY, Settings()))
    return path


def test_a_store_appears_whole_and_leaves_nothing_beside_it(path):
    assert [found.name for found in path.parent.iterdir()] == ["meter.sqlite"]
    MeterStore.open(path).close()


def test_what_a_crash_left_of_an_earlier_making_is_not_used(tmp_path):
    for ending in ("", "-wal", "-shm"):
        (tmp_path / f"meter.sqlite.new{ending}").write_bytes(b"left over")
    create_store(tmp_path / "meter.sqlite", [NewMeter("1", b"state")])
    assert [found.name for found in tmp_path.iterdir()] == ["meter.sqlite"]


def test_a_store_that_cannot_be_made_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="cannot make"):
        create_store(tmp_path / "nowhere" / "meter.sqlite", [NewMeter("1", b"state")])


def test_a_store_that_is_not_there_is_told_with_what_to_do(tmp_path):
    with pytest.raises(StorageError, match="no meter store; make one with: meterpurse meter init"):
        MeterStore.open(tmp_path / "meter.sqlite")
    assert list(tmp_path.iterdir()) == []


def foreign_database(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE meter (state BLOB)")
    connection.close()


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("not a database\n" * 100),
        foreign_database,
    ],
    ids=["empty", "text", "another database"],
)
def test_a_file_that_is_not_a_meters_store_is_refused_and_left_as_it_was(tmp_path, make):
    path = tmp_path / "meter.sqlite"
    make(path)
    octets = path.read_bytes()
    with pytest.raises(StorageError, match="not a meter's store"):
        MeterStore.open(path)
    assert path.read_bytes() == octets


def test_a_store_of_a_later_version_is_refused(path):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 3")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with pytest.raises(StorageError, match="of version 3; this program knows 2"):
        MeterStore.open(path)


def test_a_truncated_store_is_refused(path):
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(StorageError):
        MeterStore.open(path)


def test_a_second_opening_is_refused_until_the_first_is_closed(path):
    first = MeterStore.open(path)
    with pytest.raises(StorageError, match="another process runs this meter"):
        MeterStore.open(path)
    first.close()
    MeterStore.open(path).close()


def test_a_refused_opening_leaves_no_lock_behind(path):
    octets = path.read_bytes()
    path.write_bytes(b"x" * len(octets))
    with pytest.raises(StorageError):
        MeterStore.open(path)
    path.write_bytes(octets)
    MeterStore.open(path).close()


def test_a_process_that_is_killed_lets_go_of_the_lock(path):
    program = (
        "import pathlib, sys, time\n"
        "from dlms_objects.meter.store import MeterStore\n"
        f"store = MeterStore.open(pathlib.Path({str(path)!r}))\n"
        "sys.stdout.write('open\\n'); sys.stdout.flush(); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StorageError, match="another process runs this meter"):
            MeterStore.open(path)
        other.send_signal(signal.SIGKILL)
    MeterStore.open(path).close()


def test_a_lock_that_cannot_be_made_is_a_storage_error(path):
    (path.parent / "meter.sqlite.lock").mkdir()
    with pytest.raises(StorageError, match="cannot lock"):
        lock_store(path)


def test_a_store_is_opened_durably(path):
    connection = open_store(path)
    assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    assert connection.execute("PRAGMA synchronous").fetchall() == [(2,)]
    connection.close()


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk full"), OSError(5, "I/O error"), ValueError("bad")])
def test_whatever_the_disk_does_is_a_storage_error(error):
    with pytest.raises(StorageError, match="the meter's store failed"), storage_errors():
        raise error
