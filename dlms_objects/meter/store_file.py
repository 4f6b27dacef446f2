"""The file of a store: its tables, how it is made whole, known again, and kept to one process.

Here too: StorageError, the one error of the store. What is read and written inside is in `database` and `store`, which
import this.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dlms_objects.errors import LocalError
from dlms_objects.meter.alarms import alarm_case
from dlms_objects.program_folder import sync_to_disk
from dlms_objects.transport.durable_counters import open_database

APPLICATION_ID = b"MPRm"
STORE_VERSION = 2

# Where SQLite's file format keeps what tells whose file it is.
_HEADER_LENGTH = 100
_MAGIC = b"SQLite format 3\x00"
_VERSION_PLACE = slice(60, 64)
_APPLICATION_PLACE = slice(68, 72)

# Each table holds the rows of all meters of the file, apart by the meter's number.
_TABLES = f"""
PRAGMA application_id = {int.from_bytes(APPLICATION_ID, "big")};
PRAGMA user_version = {STORE_VERSION};
CREATE TABLE meter (
    number INTEGER PRIMARY KEY, serial_number TEXT NOT NULL, state BLOB NOT NULL,
    clock_epoch_s REAL, clock_start TEXT, clock_rate REAL, alarms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE entry (
    sequence INTEGER, instant_s INTEGER NOT NULL, row BLOB NOT NULL CHECK (length(row) = 98), history INTEGER NOT NULL,
    meter INTEGER, PRIMARY KEY (meter, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_instant ON entry (meter, instant_s);
CREATE INDEX entry_history ON entry (meter, history, sequence);
CREATE TABLE reversed_entry (sequence INTEGER, meter INTEGER, PRIMARY KEY (meter, sequence)) STRICT, WITHOUT ROWID;
CREATE TABLE event (
    number INTEGER, instant_s INTEGER NOT NULL, time BLOB NOT NULL, code INTEGER NOT NULL,
    fee_item INTEGER NOT NULL, value INTEGER NOT NULL, due BLOB, meter INTEGER, PRIMARY KEY (meter, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE used_id (
    identifier BLOB, operation INTEGER NOT NULL, arguments TEXT NOT NULL, outcome INTEGER NOT NULL,
    sequence INTEGER NOT NULL, balance INTEGER NOT NULL, meter INTEGER, PRIMARY KEY (meter, identifier)
) STRICT, WITHOUT ROWID;
CREATE TABLE association_keys (
    client_sap INTEGER, encryption_key BLOB NOT NULL, authentication_key BLOB NOT NULL, meter INTEGER,
    PRIMARY KEY (meter, client_sap)
) STRICT, WITHOUT ROWID;
CREATE TABLE association_secret (
    client_sap INTEGER, secret BLOB NOT NULL, meter INTEGER, PRIMARY KEY (meter, client_sap)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER event_raises_alarm AFTER INSERT ON event BEGIN
    UPDATE meter SET alarms = alarms | {alarm_case("new.code")}
    WHERE number = new.meter AND alarms | {alarm_case("new.code")} != alarms;
END;
CREATE TABLE kept_value (
    name TEXT, octets BLOB NOT NULL, meter INTEGER, PRIMARY KEY (meter, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE master_key (key BLOB NOT NULL, meter INTEGER PRIMARY KEY) STRICT;
"""


@dataclass(frozen=True, slots=True)
class NewMeter:
    """A meter to be made in a file: its serial number, and its state as `purse.snapshot` encodes it."""

    serial_number: str
    state: bytes


class StorageError(LocalError):
    """The store is not to be had, or could not read or write; nothing of the failed transaction happened."""


@contextmanager
def storage_errors(words: str = "the meter's store failed") -> Iterator[None]:
    """Turn what SQLite, the disk, or a value that was altered on it raises into StorageError."""
    try:
        yield
    except (sqlite3.Error, OSError, ValueError) as error:
        raise StorageError(f"{words}: {error}") from error


def create_store(path: Path, meters: Iterable[NewMeter]) -> None:
    """Make a store with empty journals, its meters numbered from 1; it appears only once it is whole and synced."""
    draft = _beside(path, ".new")
    for left_over in (draft, _beside(draft, "-wal"), _beside(draft, "-shm")):
        left_over.unlink(missing_ok=True)
    with storage_errors(f"{path}: cannot make the meter's store"):
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # there will be keys in it
        connection = open_database(draft)
        try:
            connection.executescript(_TABLES)
            rows = ((number, meter.serial_number, meter.state) for number, meter in enumerate(meters, start=1))
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO meter VALUES (?, ?, ?, NULL, NULL, NULL, 0)", rows)
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
        sync_to_disk(draft)
        draft.rename(path)
        sync_to_disk(path.parent)


def lock_store(path: Path) -> int:
    """Lock an existing store until the descriptor returned is closed or the process ends.

    StorageError where there is no store, or another process holds the lock.
    """
    if not path.is_file():
        raise StorageError(f"{path}: no meter store; make one with: meterpurse meter init")
    lock = _beside(path, ".lock")
    with storage_errors(f"{lock}: cannot lock the meter's store"):
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StorageError(f"{path}: another process runs this meter") from None
    return descriptor


def open_store(path: Path) -> sqlite3.Connection:
    """A connection to an existing store; StorageError when the file is something else, which then is left as it was."""
    with storage_errors(f"{path}: cannot open the meter's store"):
        with path.open("rb") as file:
            header = file.read(_HEADER_LENGTH)
        if not header.startswith(_MAGIC) or header[_APPLICATION_PLACE] != APPLICATION_ID:
            raise StorageError(f"{path}: not a meter's store; make one with: meterpurse meter init")
        version = int.from_bytes(header[_VERSION_PLACE], "big")
        if version != STORE_VERSION:
            raise StorageError(f"{path}: a meter's store of version {version}; this program knows {STORE_VERSION}")
        return open_database(path, create=False)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
