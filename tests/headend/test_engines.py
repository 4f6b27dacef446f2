"""Laws of connections: durable, whole, apart from each other; a server that goes is said plainly and comes back."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from headend.database import Database, transaction
from headend.engines import DatabaseUnusableError, Purpose, connect, is_worth_another_try
from headend.place import Place, PostgresServer
from headend.schema import bearer_token, meter
from tests.support.headend_books import make_database
from tests.support.postgres import PostgresWorld, postgres_world


@pytest.fixture(scope="module")
def world() -> Iterator[PostgresWorld]:
    with postgres_world() as world:
        yield world


def shown(connection: Connection, *names: str) -> list[str]:
    return [connection.execute(text(f"SHOW {name}")).scalar_one() for name in names]


@pytest.mark.parametrize("purpose", Purpose)
def test_every_sqlite_connection_is_durable_and_keeps_foreign_keys_but_to_migrate(
    tmp_path: Path, purpose: Purpose
) -> None:
    path = make_database(tmp_path / "100% headend.sqlite")
    with transaction(path, purpose) as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint")
        ]
    assert pragmas == ["wal", 2, int(purpose is not Purpose.MIGRATE), 16384]


def test_an_sqlite_writer_takes_the_lock_when_it_begins(tmp_path: Path) -> None:
    path = make_database(tmp_path / "headend.sqlite")
    with transaction(path), sqlite3.connect(path, timeout=0) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("SELECT 1 FROM meter")
    other.close()


def test_each_purpose_has_its_isolation_on_postgres(world: PostgresWorld) -> None:
    place = make_database(world.make())
    found = {}
    for purpose in Purpose:
        with transaction(place, purpose) as connection:
            found[purpose] = shown(connection, "transaction_isolation", "transaction_read_only", "timezone")
    assert found == {
        Purpose.WRITE: ["serializable", "off", "UTC"],
        Purpose.READ: ["repeatable read", "on", "UTC"],
        Purpose.MIGRATE: ["read committed", "off", "UTC"],
    }


def test_an_answered_commit_is_durable_whatever_the_server_is_set_to(world: PostgresWorld) -> None:
    place = world.make()
    with psycopg.connect(place.url, autocommit=True) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("off",)  # as the test's server is
    with transaction(place, Purpose.MIGRATE) as ours:
        assert shown(ours, "synchronous_commit") == ["on"]


def test_a_writer_sees_all_that_was_before_it_however_long_it_waited(world: PostgresWorld) -> None:
    """The lock must not take the snapshot: what was committed while it was waited for would not be seen."""
    place = make_database(world.make())
    engine = connect(place)
    with transaction(place) as first:
        first.execute(text("SELECT 1"))
        waiting = psycopg.connect(place.url)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            waiting.execute("LOCK TABLE alembic_version IN EXCLUSIVE MODE NOWAIT")
        waiting.close()
        first.execute(meter.update().values(household="changed"))
    with engine.begin() as second:
        assert set(second.execute(select(meter.c.household)).scalars()) == {"changed"}
    engine.dispose()


def test_two_transactions_that_cannot_both_be_true_are_told_so(world: PostgresWorld) -> None:
    """SERIALIZABLE: the head-end's own writers take turns, somebody else's program is found out."""
    place = make_database(world.make())
    engine = connect(place)

    def contradict(other: psycopg.Connection[tuple[object, ...]]) -> None:
        with engine.begin() as ours:
            ours.execute(select(meter.c.household)).all()
            other.execute("SELECT name FROM bearer_token").fetchall()
            other.execute("UPDATE meter SET household = 'theirs'")
            ours.execute(bearer_token.insert().values(name="x", role="auditor", organisation_id=1, digest=bytes(32)))
            other.commit()

    with psycopg.connect(place.url) as other:
        other.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        with pytest.raises(DBAPIError) as caught:
            contradict(other)
    assert is_worth_another_try(caught.value)
    engine.dispose()


def test_a_database_that_is_not_utf8_is_refused(world: PostgresWorld) -> None:
    with psycopg.connect(world.server("postgres").url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(DatabaseUnusableError, match="is encoded in LATIN1; UTF8 is wanted"):
        Database(world.server("latin"), write_queue=1)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://meterpurse@127.0.0.1:1/books", "Connection refused"),
        ("postgresql://meterpurse@127.0.0.1:{port}/nowhere", 'database "nowhere" does not exist'),
        ("postgresql://nobody@127.0.0.1:{port}/postgres", 'role "nobody" does not exist'),
        ("postgresql://meterpurse@127.0.0.1:{port}/postgres?passfile=/nowhere/pgpass", "passfile .* cannot be read"),
    ],
)
def test_a_server_that_cannot_be_used_is_said_in_one_line(world: PostgresWorld, url: str, words: str) -> None:
    place = PostgresServer.parse(url.format(port=world.port))
    with pytest.raises(DatabaseUnusableError, match=words) as caught:
        Database(place, write_queue=1)
    assert "\n" not in str(caught.value)


def test_a_database_without_tables_is_said_plainly(world: PostgresWorld) -> None:
    with pytest.raises(DatabaseUnusableError, match="it has no tables yet"), transaction(world.make()):
        pass


def test_the_same_open_database_works_again_when_its_server_is_back() -> None:
    with postgres_world() as world:
        database = Database(make_database(world.make()), write_queue=1)
        assert database.write_now(households) == 2
        world.kill()
        with pytest.raises(DBAPIError):
            database.write_now(households)
        world.start()
        assert [settled(database) for _ in range(3)] == [2, 2, 2]
        database.close()


def households(connection: Connection) -> int:
    return len(connection.execute(select(meter.c.id)).all())


def settled(database: Database) -> int:
    """The first one may meet the dead connection, none after it."""
    try:
        return database.write_now(households)
    except sqlalchemy.exc.OperationalError:
        return database.write_now(households)


def test_a_place_of_either_kind_is_opened(fresh: Place) -> None:
    with transaction(fresh, Purpose.READ) as connection:
        assert households(connection) == 2
