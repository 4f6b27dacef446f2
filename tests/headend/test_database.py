"""Laws of the database: durable, one writer, never on the loop's thread, and plain words when it cannot be used."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from headend.database import (
    Database,
    DatabaseBusyError,
    DatabaseUnusableError,
    migrate,
    require_newest_shape,
    transaction,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "100% headend.sqlite"
    path.touch()
    return path


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path, write_queue=2)
    yield database
    database.close()


def pragma(connection: Connection, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def count_tokens(connection: Connection) -> int:
    return connection.execute(text("SELECT COUNT(*) FROM bearer_token")).scalar_one()


def lock_at_once(path: Path) -> None:
    connection = sqlite3.connect(path, timeout=0)
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        connection.close()


def add_token(connection: Connection) -> None:
    connection.execute(text("INSERT INTO bearer_token VALUES (1, 'x', 'reader', zeroblob(32))"))


def test_every_connection_is_durable_and_keeps_foreign_keys(database: Database) -> None:
    def look(connection: Connection) -> tuple[object, ...]:
        return tuple(pragma(connection, name) for name in ("journal_mode", "synchronous", "foreign_keys"))

    async def both() -> list[tuple[object, ...]]:
        return [await database.write(look), await database.read(look)]

    assert asyncio.run(both()) == [("wal", 2, 1), ("wal", 2, 1)]


def test_a_write_is_whole_or_not_at_all(database: Database) -> None:
    def fail(connection: Connection) -> None:
        add_token(connection)
        raise LookupError

    async def run() -> list[int]:
        with pytest.raises(LookupError):
            await database.write(fail)
        before = await database.read(count_tokens)
        await database.write(add_token)
        return [before, await database.read(count_tokens)]

    assert asyncio.run(run()) == [0, 1]


def test_writing_begins_with_the_lock_and_reading_does_not_wait_for_it(database: Database, path: Path) -> None:
    async def run() -> int:
        locked, let_go = threading.Event(), threading.Event()

        def hold(_connection: Connection) -> None:
            locked.set()
            let_go.wait(5)

        writing = asyncio.ensure_future(database.write(hold))
        await asyncio.to_thread(locked.wait, 5)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            lock_at_once(path)
        try:
            return await database.read(count_tokens)
        finally:
            let_go.set()
            await writing

    assert asyncio.run(run()) == 0


def test_work_runs_in_one_writer_thread_off_the_loop(database: Database) -> None:
    async def run() -> set[str]:
        names = [await database.write(lambda _: threading.current_thread().name) for _ in range(3)]
        return set(names)

    names = asyncio.run(run())
    assert len(names) == 1
    assert threading.current_thread().name not in names


def test_more_writes_than_may_wait_are_asked_to_come_back(database: Database) -> None:
    async def run() -> list[object]:
        let_go = threading.Event()
        writes = [asyncio.ensure_future(database.write(lambda _: let_go.wait(5))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(DatabaseBusyError):
            await database.write(count_tokens)
        let_go.set()
        await asyncio.gather(*writes)
        return [await database.write(count_tokens)]

    assert asyncio.run(run()) == [0]


def test_a_write_that_has_begun_is_finished_though_its_caller_has_gone(database: Database) -> None:
    async def run() -> int:
        begun, let_go = threading.Event(), threading.Event()

        def slow(connection: Connection) -> None:
            begun.set()
            let_go.wait(5)
            add_token(connection)

        writing = asyncio.ensure_future(database.write(slow))
        await asyncio.to_thread(begun.wait, 5)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        let_go.set()
        await database.write(count_tokens)
        return await database.read(count_tokens)

    assert asyncio.run(run()) == 1


def test_a_rehearsal_leaves_nothing(path: Path) -> None:
    with transaction(path, rehearsal=True) as connection:
        migrate(connection)
    with transaction(path) as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM sqlite_master")).scalar_one() == 0


def test_a_missing_file_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusableError, match="no database at .*; `init` makes one"):
        Database(tmp_path / "none.sqlite", write_queue=1)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_said_plainly(path: Path) -> None:
    path.write_text("a letter to a friend " * 100)
    with pytest.raises(DatabaseUnusableError, match="cannot be used: file is not a database"):
        Database(path, write_queue=1)
    with pytest.raises(DatabaseUnusableError, match="file is not a database"), transaction(path):
        pass


def test_a_database_of_a_newer_program_is_left_alone(path: Path) -> None:
    with transaction(path) as connection:
        migrate(connection)
        require_newest_shape(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(DatabaseUnusableError, match="has the shape 9999, this program wants 0"):
            require_newest_shape(connection)
    with pytest.raises(DatabaseUnusableError, match="9999"):
        Database(path, write_queue=1)
