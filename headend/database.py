"""The SQLite database of the head-end: connections, migrations, one writer thread and a few readers.

SQLite runs in WAL mode with `synchronous=FULL` (an answered request is on the disk), foreign keys are enforced, and a
writing transaction takes its lock when it begins. Blocking work never runs on the event loop. What the tables mean is
none of this module's business. Imported by `service`, `setup` and `api`.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, event

from dlms_objects.errors import LocalError

T = TypeVar("T")

READERS = 2
BUSY_TIMEOUT_S = 10

_MIGRATIONS = Path(__file__).parent / "migrations"


class DatabaseUnusableError(LocalError):
    """The database file is missing, damaged, locked by another program, or of a newer version."""


class DatabaseBusyError(LocalError):
    """As many writes wait as may wait; the caller comes back later and nothing was done."""


def connect(path: Path, *, begin: str = "BEGIN IMMEDIATE") -> Engine:
    """An engine on the file at `path` (which may be empty), whose transactions start with `begin`.

    DatabaseUnusableError when there is no such file.
    """
    if not path.is_file():
        raise DatabaseUnusableError(f"no database at {path}; `init` makes one")
    # Python's own sqlite3 must not begin transactions behind our back: hence isolation_level None.
    engine = sqlalchemy.create_engine(
        f"sqlite:///{path}",
        connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_S},
        pool_size=READERS,
        max_overflow=0,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin_at_once(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def transaction(path: Path, *, rehearsal: bool = False) -> Iterator[Connection]:
    """One writing transaction outside the service, which may be running; a `rehearsal` leaves nothing behind.

    DatabaseUnusableError when the file cannot be worked with.
    """
    engine = connect(path)
    try:
        with _said_plainly(path), engine.begin() as connection:
            yield connection
            if rehearsal:
                connection.rollback()
    finally:
        engine.dispose()


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest shape, inside the connection's transaction."""
    command.upgrade(_alembic(connection), "head")


def require_newest_shape(connection: Connection) -> None:
    """DatabaseUnusableError unless every migration has been applied, and no unknown one."""
    newest = ScriptDirectory.from_config(_alembic(connection)).get_current_head()
    current = MigrationContext.configure(connection).get_current_revision()
    if current != newest:
        raise DatabaseUnusableError(f"the database has the shape {current}, this program wants {newest}")


class Database:
    """The open database of a running service; all work runs in its own threads, the writing work in one."""

    def __init__(self, path: Path, *, write_queue: int) -> None:
        """Open the file and migrate it; DatabaseUnusableError when that cannot be done. Blocks; call at start."""
        self._writer_engine = connect(path)
        try:
            with _said_plainly(path), self._writer_engine.begin() as connection:
                migrate(connection)
        except BaseException:
            self._writer_engine.dispose()
            raise
        self._reader_engine = connect(path, begin="BEGIN")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ledger-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="ledger-reader")
        self._write_queue = write_queue
        self._waiting = 0

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one writing transaction in the calling thread; for the start, before anything is served."""
        with self._writer_engine.begin() as connection:
            return work(connection)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one writing transaction; it is durable when this returns. DatabaseBusyError: come back."""
        if self._waiting >= self._write_queue:
            raise DatabaseBusyError(f"{self._waiting} writes are waiting already")
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._writer, self.write_now, work)
        future.add_done_callback(self._left_queue)
        return await asyncio.shield(future)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one consistent snapshot."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read_now, work)

    def close(self) -> None:
        """Finish the work in hand and close the file. Blocks; call from a thread."""
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self._reader_engine.dispose()
        self._writer_engine.dispose()

    def _read_now(self, work: Callable[[Connection], T]) -> T:
        with self._reader_engine.begin() as connection:
            return work(connection)

    def _left_queue(self, _future: object) -> None:
        self._waiting -= 1


@contextmanager
def _said_plainly(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlalchemy.exc.DatabaseError, CommandError) as error:
        reason = error.orig if isinstance(error, sqlalchemy.exc.DatabaseError) else error
        raise DatabaseUnusableError(f"the database at {path} cannot be used: {reason}") from error


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
