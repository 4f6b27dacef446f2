"""gateway/store.py: durable before it is answered, all or nothing, and one operation never undoes another."""

import sqlite3
import threading
from pathlib import Path

import pytest

from dlms_objects.errors import InvalidValueError
from gateway.store import SCHEMA_VERSION, Store, StoreError, connect, reading


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.sqlite3"


def put(number: int) -> object:
    return lambda connection: connection.execute("update fill set held_rows = held_rows + ?", (number,)).rowcount


def filled(path: Path) -> int:
    with connect(str(path)) as connection:
        return int(connection.execute("select held_rows from fill").fetchone()[0])


def look(path: Path) -> int:
    with reading(path) as connection:
        return int(connection.execute("select held_rows from fill").fetchone()[0])


def test_commits_wait_for_the_disk(path: Path) -> None:
    store = Store(path)
    assert store.run(lambda connection: connection.execute("PRAGMA synchronous").fetchone()) == (2,)
    assert store.run(lambda connection: connection.execute("PRAGMA journal_mode").fetchone()) == ("wal",)


def test_what_was_answered_is_there_after_a_restart(path: Path) -> None:
    store = Store(path)
    assert store.run(put(3)) == 1  # type: ignore[arg-type]
    assert filled(path) == 3, "before the store is closed"
    store.close()
    assert Store(path).run(lambda connection: connection.execute("select held_rows from fill").fetchone()) == (3,)


def test_an_operation_that_fails_is_undone_alone(path: Path) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("update fill set held_rows = 1000")
        raise InvalidValueError("no")

    def break_a_rule(connection: sqlite3.Connection) -> None:
        connection.execute("insert into row values (x'00', 1, x'00', 1)")

    results = Store(path).transact([put(1), fail, put(2), break_a_rule])  # type: ignore[list-item]
    assert results[0] == results[2] == 1
    assert isinstance(results[1], InvalidValueError)
    assert isinstance(results[3], StoreError)
    assert filled(path) == 3


def test_a_fault_of_ours_undoes_everything_and_is_raised(path: Path) -> None:
    store = Store(path)
    with pytest.raises(ZeroDivisionError):
        store.transact([put(1), lambda _connection: 1 // 0])  # type: ignore[list-item]
    assert filled(path) == 0
    assert store.run(put(1)) == 1  # type: ignore[arg-type]


def test_a_commit_that_fails_answers_every_operation_with_the_error(path: Path) -> None:
    class Broken(sqlite3.Connection):
        def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
            if sql == "COMMIT" and self.in_transaction and self.total_changes:
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(sql, *parameters)  # type: ignore[arg-type]

    store = Store(path, lambda name: sqlite3.connect(name, isolation_level=None, factory=Broken))
    results = store.transact([put(1), put(2)])  # type: ignore[list-item]
    assert all(isinstance(result, StoreError) for result in results)
    with pytest.raises(StoreError, match="full"):
        store.run(put(1))  # type: ignore[arg-type]
    assert filled(path) == 0


def test_threads_take_turns(path: Path) -> None:
    store = Store(path)
    threads = [threading.Thread(target=lambda: [store.run(put(1)) for _ in range(10)]) for _ in range(4)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert filled(path) == 40


def test_a_file_of_another_version_is_left_alone(path: Path) -> None:
    Store(path).close()
    look(path)
    with connect(str(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    for attempt in (Store, look):
        with pytest.raises(StoreError, match="version"):
            attempt(path)


def test_a_file_that_is_no_database_is_named(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    for attempt in (Store, look):
        with pytest.raises(StoreError, match=r"outbox\.sqlite3"):
            attempt(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot open"):
        Store(tmp_path / "gone" / "outbox.sqlite3")


def test_looking_makes_and_changes_nothing(path: Path) -> None:
    with pytest.raises(StoreError, match=r"outbox\.sqlite3"):
        look(path)
    assert not path.exists()
    store = Store(path)
    store.run(put(3))  # type: ignore[arg-type]
    assert look(path) == 3, "while a gateway is at work"
    with pytest.raises(StoreError, match="readonly"), reading(path) as connection:
        connection.execute("update fill set held_rows = 0")
    assert look(path) == 3
