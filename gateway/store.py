"""The gateway's one SQLite file: opening it, its tables, and transactions that are durable before they are answered.

What the tables mean is said where they are used: `intake.py` (collection), `outbox.py` (uplink) and `commands/log.py`;
the counter tables are those of `dlms_objects.transport.durable_counters`, used through `counters.py`.
No money and no protocol here. Imported by `writer.py` and `service.py`.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from dlms_objects.errors import LocalError, MeterPurseError
from dlms_objects.program_folder import sync_to_disk
from dlms_objects.transport.durable_counters import DurableCounters

T = TypeVar("T")
Connect = Callable[[str], sqlite3.Connection]
Operation = Callable[[sqlite3.Connection], T]

SCHEMA_VERSION = 2
BUSY_TIMEOUT_S = 5.0

_SCHEMA = """
create table meter(
    title blob primary key check(length(title) = 8),
    sequence integer not null, digest blob not null, balance integer not null,
    event_number integer not null default 0,
    currency_code text, currency_scale integer,
    uplink_status text not null default 'accepted', uplink_detail text not null default ''
) strict, without rowid;
create table row(
    title blob not null, sequence integer not null, row blob not null check(length(row) = 98),
    collected_at_s integer not null, primary key(title, sequence)
) strict, without rowid;
create table event(
    title blob not null, number integer not null, time blob not null, code integer not null,
    fee_item integer not null, value integer not null, due blob, primary key(title, number)
) strict, without rowid;
create table item(
    title blob not null, number integer not null, revision integer not null,
    kind integer not null, label text not null, payee text not null,
    sent_revision integer not null default -1, primary key(title, number)
) strict, without rowid;
create table acknowledgement(
    title blob primary key, sequence integer not null, digest blob not null, delivered integer not null
) strict, without rowid;
create table evidence(
    id integer primary key, title blob not null, found_at_s integer not null, cause text not null,
    expected_sequence integer not null, expected_digest blob not null,
    found_sequence integer not null, found_digest blob not null, rows blob not null,
    unique(title, cause, expected_sequence, expected_digest, found_sequence, found_digest)
) strict;
create table fill(held_rows integer not null) strict;
insert into fill values (0);
"""
_COMMANDS = """
create table command(
    number integer primary key autoincrement, id text not null unique check(length(id) = 32),
    title blob not null check(length(title) = 8), kind text not null, parameters text not null,
    priority integer not null, expires_at_s integer, received_at_s integer not null,
    state text not null default 'waiting', attempts integer not null default 0,
    reason text, answer text, finished_at_s integer, reported_at_s integer
) strict;
create index command_open on command(title) where state in ('waiting', 'begun');
create index command_unreported on command(finished_at_s) where reported_at_s is null;
"""
_STEPS = (_SCHEMA, _COMMANDS)
"""What makes the tables of version n + 1 out of those of version n."""


class StoreError(LocalError):
    """The outbox file cannot be read or written (disk full, I/O error, another version); nothing was changed."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only looks at an existing outbox file; StoreError when this program cannot read it."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            _require_known(version)
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"{path}: cannot read the outbox: {error}") from error


def connect(path: str) -> sqlite3.Connection:
    """A connection in autocommit mode that several threads may use in turn; the store takes care of the turns."""
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


class Store:
    """The open outbox file. `transact` may be called from any thread; transactions run one after the other."""

    def __init__(self, path: Path, connect: Connect = connect) -> None:
        """Open or create the file; StoreError when it cannot be opened, is locked or is of another version."""
        self._lock = threading.Lock()
        existed = path.exists()
        try:
            self._connection = connect(str(path))
            try:
                _prepare(self._connection)
                self.counters = DurableCounters(self._connection)
            except BaseException:
                self._connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{path}: cannot open the outbox: {error}") from error
        if not existed:
            sync_to_disk(path.parent)

    def run(self, operation: Operation[T]) -> T:
        """One operation in a transaction of its own, durable on return; raises what the operation raised."""
        (result,) = self.transact([operation])
        if isinstance(result, MeterPurseError):
            raise result
        return result

    def transact(self, operations: Sequence[Operation[T]]) -> list[T | MeterPurseError]:
        """Run the operations in one durable transaction and give each one's result, or the error that undid it alone.

        An operation is undone by the errors of this project and of SQLite; when the commit itself fails all are undone
        (StoreError). Any other exception is a fault of ours: everything is undone and it is raised.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                results = [self._attempt(operation) for operation in operations]
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                failure = StoreError(f"the outbox cannot be written: {error}")
                return [failure for _ in operations]
            except BaseException:
                self._roll_back()
                raise
        return results

    def close(self) -> None:
        """Close the file; what was committed stays."""
        with self._lock:
            self._connection.close()

    def _attempt(self, operation: Operation[T]) -> T | MeterPurseError:
        self._connection.execute("SAVEPOINT operation")
        try:
            result = operation(self._connection)
        except (MeterPurseError, sqlite3.Error) as error:
            self._connection.execute("ROLLBACK TO operation")
            self._connection.execute("RELEASE operation")
            if isinstance(error, MeterPurseError):
                return error
            return StoreError(f"the outbox cannot be written: {error}")
        self._connection.execute("RELEASE operation")
        return result

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def touch(connection: sqlite3.Connection) -> None:
    """Write nothing new, durably: StoreError from whoever runs it says that the file cannot be written."""
    connection.execute("update fill set held_rows = held_rows")


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    _require_known(version)
    if version == SCHEMA_VERSION:
        return
    steps = "".join(_STEPS[version:])
    connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def _require_known(version: int) -> None:
    if not 0 <= version <= SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"it is of version {version}, this program knows version {SCHEMA_VERSION}")
