"""The open database of the head-end: migrations, one writer thread and a few readers, transactions run again.

Blocking work never runs on the event loop. How a transaction is durable and whole is `engines`' business, what the
tables mean that of others. Imported by `service`, `setup`, `api` and the workers.
"""

import asyncio
import random
import time
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
from sqlalchemy import Connection, Engine

from dlms_objects.errors import LocalError
from headend.engines import (
    READERS,
    DatabaseUnusableError,
    Purpose,
    connect,
    is_worth_another_try,
    said_plainly,
)
from headend.place import Place

T = TypeVar("T")

TRIES = 8
"""How often a transaction is run that the server undoes because of another one beside it."""
FIRST_PAUSE_S = 0.005

_MIGRATIONS = Path(__file__).parent / "migrations"


class DatabaseBusyError(LocalError):
    """As many writes wait as may wait; the caller comes back later and nothing was done."""


@contextmanager
def transaction(place: Place, purpose: Purpose = Purpose.WRITE, *, rehearsal: bool = False) -> Iterator[Connection]:
    """One transaction outside the service, which may be running; a `rehearsal` leaves nothing behind.

    DatabaseUnusableError when the database cannot be worked with.
    """
    with said_plainly(place):
        engine = connect(place, purpose)
        try:
            with engine.begin() as connection:
                yield connection
                if rehearsal:
                    connection.rollback()
        finally:
            engine.dispose()


def migrate(connection: Connection) -> tuple[str | None, str | None]:
    """Bring the tables to the newest shape, in the connection's transaction, which is one to MIGRATE: before and after.

    DatabaseUnusableError when tables were made anew and rows now name others that are not there.
    """
    before = _shape(connection)
    command.upgrade(_alembic(connection), "head")
    after = _shape(connection)
    if before != after and connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if lost is not None:
            raise DatabaseUnusableError(f"rows of the table {lost[0]} name rows of {lost[2]} that are not there")
    return before, after


def bring_up_to_date(place: Place) -> tuple[str | None, str | None]:
    """Migrate the database at `place` outside the service; the shapes before and after.

    DatabaseUnusableError when it cannot be worked with, or a newer program made it.
    """
    with transaction(place, Purpose.MIGRATE) as connection:
        before = _shape(connection)
        known = {step.revision for step in ScriptDirectory.from_config(_alembic(connection)).walk_revisions()}
        if before is not None and before not in known:
            raise DatabaseUnusableError(
                f"the database at {place} has the shape {before}, made by a newer program; this one cannot use it"
            )
        return migrate(connection)


def require_newest_shape(connection: Connection) -> None:
    """DatabaseUnusableError unless every migration has been applied, and no unknown one."""
    newest = ScriptDirectory.from_config(_alembic(connection)).get_current_head()
    current = _shape(connection)
    if current != newest:
        raise DatabaseUnusableError(f"the database has the shape {current}, this program wants {newest}")


class Database:
    """The open database of a running service; all work runs in its own threads, the writing work in one."""

    def __init__(self, place: Place, *, write_queue: int) -> None:
        """Open it and migrate it; DatabaseUnusableError when that cannot be done. Blocks; call at start."""
        with transaction(place, Purpose.MIGRATE) as connection:
            migrate(connection)
        self._writer_engine = connect(place)
        self._reader_engine = connect(place, Purpose.READ)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="ledger-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="ledger-reader")
        self._write_queue = write_queue
        self._waiting = 0

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one writing transaction in the calling thread; for the start, before anything is served.

        The whole of `work` is run again, at most TRIES times, when the server undid it because of another transaction.
        """
        for attempt in range(1, TRIES):
            try:
                return _in_transaction(self._writer_engine, work)
            except sqlalchemy.exc.DBAPIError as error:
                if not is_worth_another_try(error):
                    raise
            time.sleep(FIRST_PAUSE_S * 2**attempt * random.uniform(0.5, 1))
        return _in_transaction(self._writer_engine, work)

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
        return await asyncio.get_running_loop().run_in_executor(
            self._readers, _in_transaction, self._reader_engine, work
        )

    def close(self) -> None:
        """Finish the work in hand and close all connections. Blocks; call from a thread."""
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self._reader_engine.dispose()
        self._writer_engine.dispose()

    def _left_queue(self, _future: object) -> None:
        self._waiting -= 1


def _in_transaction(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as connection:
        return work(connection)


def _shape(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
