"""Laws of the open database: one writer, never on the loop's thread, transactions run again, plain words."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import Connection, func, inspect, select, text

from headend import database as database_module
from headend.authentication import store_token
from headend.database import (
    TRIES,
    Database,
    DatabaseBusyError,
    bring_up_to_date,
    migrate,
    require_newest_shape,
    transaction,
)
from headend.engines import DatabaseUnusableError, Purpose
from headend.permissions import Role
from headend.place import Place
from headend.schema import bearer_token


@pytest.fixture
def database(fresh: Place) -> Iterator[Database]:
    database = Database(fresh, write_queue=2)
    yield database
    database.close()


def count_tokens(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(bearer_token)).scalar_one()


def add_token(connection: Connection) -> None:
    store_token(connection, name="x", role=Role.AUDITOR, token="x")


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


def test_a_second_writer_waits_for_the_first_and_a_reader_does_not(database: Database, fresh: Place) -> None:
    async def run() -> list[int]:
        locked, let_go = threading.Event(), threading.Event()

        def hold(connection: Connection) -> None:
            locked.set()
            let_go.wait(20)
            add_token(connection)

        def second() -> int:
            with transaction(fresh) as connection:
                assert let_go.is_set(), "it did not wait"
                return count_tokens(connection)

        writing = asyncio.ensure_future(database.write(hold))
        await asyncio.to_thread(locked.wait, 20)
        other = asyncio.ensure_future(asyncio.to_thread(second))
        try:
            before = await database.read(count_tokens)
        finally:
            let_go.set()
        await writing
        return [before, await other]

    assert asyncio.run(run()) == [0, 1]


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


def test_a_rehearsal_leaves_nothing(empty: Place) -> None:
    with transaction(empty, Purpose.MIGRATE, rehearsal=True) as connection:
        migrate(connection)
    with transaction(empty, Purpose.MIGRATE) as connection:
        assert inspect(connection).get_table_names() == []


def test_of_many_starts_at_once_one_migrates_and_all_go_on(empty: Place) -> None:
    """Without the lock of MIGRATE some of them would find the tables of another half made."""
    with ThreadPoolExecutor(4) as starts:
        opened = list(starts.map(lambda _: Database(empty, write_queue=1), range(4)))
    for each in opened:
        assert each.write_now(count_tokens) == 0
        each.close()


class Undone(Exception):
    """What a server says when it undid a transaction because of another one."""

    sqlstate = "40001"


@pytest.mark.parametrize("failures", [0, 1, TRIES - 1, TRIES])
def test_what_the_server_undid_is_run_again_as_a_whole_but_not_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    monkeypatch.setattr(database_module, "FIRST_PAUSE_S", 0)
    runs = 0

    def work(connection: Connection) -> int:
        nonlocal runs
        runs += 1
        add_token(connection)
        if runs <= failures:
            raise sqlalchemy.exc.OperationalError("COMMIT", {}, Undone())
        return count_tokens(connection)

    if failures < TRIES:
        assert database.write_now(work) == 1
    else:
        with pytest.raises(sqlalchemy.exc.OperationalError):
            database.write_now(work)
    assert runs == min(failures + 1, TRIES)


def test_any_other_error_is_not_tried_again(database: Database) -> None:
    runs = 0

    def work(connection: Connection) -> None:
        nonlocal runs
        runs += 1
        connection.execute(text("SELECT nothing"))

    with pytest.raises(sqlalchemy.exc.DBAPIError):
        database.write_now(work)
    assert runs == 1


def test_a_database_of_a_newer_program_is_left_alone(fresh: Place) -> None:
    with transaction(fresh) as connection:
        require_newest_shape(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(DatabaseUnusableError, match="has the shape 9999, this program wants 0"):
            require_newest_shape(connection)
    with pytest.raises(DatabaseUnusableError, match="9999"):
        Database(fresh, write_queue=1)


def test_a_missing_file_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnusableError, match="no database at .*; `init` makes one"):
        Database(tmp_path / "none.sqlite", write_queue=1)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_said_plainly(tmp_path: Path) -> None:
    path = tmp_path / "headend.sqlite"
    path.write_text("a letter to a friend " * 100)
    with pytest.raises(DatabaseUnusableError, match="cannot be used: file is not a database"):
        Database(path, write_queue=1)
    with pytest.raises(DatabaseUnusableError, match="file is not a database"), transaction(path):
        pass


def test_bringing_up_to_date_says_from_which_shape_to_which(empty: Place) -> None:
    before, after = bring_up_to_date(empty)
    assert before is None
    assert bring_up_to_date(empty) == (after, after)


def test_a_database_of_a_newer_program_is_not_migrated(fresh: Place) -> None:
    with transaction(fresh) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseUnusableError, match="9999, made by a newer program"):
        bring_up_to_date(fresh)
