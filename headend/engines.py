"""Connections to the ledger's database: what makes one durable, whole and private, on SQLite and on PostgreSQL.

On both, a writing transaction takes the one writer's lock when it begins, so what it has read stays true until it is
committed; a reading one sees a single moment and waits for nobody; an answered commit is on the disk. SQLite runs in
WAL mode with `synchronous=FULL`; PostgreSQL at SERIALIZABLE. What the tables mean is none of this module's business.
Imported by `database`, `influx.operations` and tests.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from pathlib import Path

import psycopg
import sqlalchemy
from alembic.util import CommandError
from psycopg.abc import Buffer
from psycopg.types.string import StrBinaryDumper, StrDumper
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import IsolationLevel

from dlms_objects.errors import LocalError
from headend.place import Place, PostgresServer

READERS = 2
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""In the place of a character that a database cannot hold."""
BUSY_TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 10
DEAD_PEER_S = 30
"""After so long without an answer on the wire a PostgreSQL server counts as gone."""

_MIGRATION_LOCK = 0x4D505552  # any number that all head-ends of a server share
_SQLITE_ROOM = ("cache_size=-65536", "wal_autocheckpoint=16384")
"""64 MiB of pages in memory, and as much of the write-ahead log before it is worked into the file."""
_SQLITE_BEGIN = {"WRITE": "BEGIN IMMEDIATE", "MIGRATE": "BEGIN IMMEDIATE", "READ": "BEGIN"}
_POSTGRES_BEGIN = {
    # EXCLUSIVE lets readers pass; LOCK TABLE takes no snapshot, so the transaction sees all that was before it.
    "WRITE": "LOCK TABLE alembic_version IN EXCLUSIVE MODE",
    "MIGRATE": f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})",
}
_POSTGRES_ISOLATION: dict[str, IsolationLevel] = {
    "WRITE": "SERIALIZABLE",
    "READ": "REPEATABLE READ",
    "MIGRATE": "READ COMMITTED",  # whoever waited for the lock must see what the other has migrated
}
_RETRIED = ("40001", "40P01")  # serialization failure, deadlock: the server asks to run the transaction again


class DatabaseUnusableError(LocalError):
    """The database is missing, damaged, away, locked by another program, or of a newer version."""


class Purpose(Enum):
    """What the transactions of an engine are for."""

    WRITE = auto()
    READ = auto()
    MIGRATE = auto()


def connect(place: Place, purpose: Purpose = Purpose.WRITE) -> Engine:
    """An engine on the database at `place`, which may be empty; DatabaseUnusableError when there can be none."""
    if isinstance(place, PostgresServer):
        return _postgres(place, purpose)
    return _sqlite(place, purpose)


@contextmanager
def said_plainly(place: Place) -> Iterator[None]:
    """Turn whatever a database says when it cannot be used into a DatabaseUnusableError of one line."""
    try:
        yield
    except (sqlalchemy.exc.DBAPIError, CommandError) as error:
        raise DatabaseUnusableError(f"the database at {place} cannot be used: {reason(error)}") from error


def reason(error: Exception) -> str:
    """What a database said, in one line."""
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    if isinstance(cause, psycopg.errors.UndefinedTable):
        return "it has no tables yet; `headend init` or `headend run` makes them"
    return " ".join(str(cause).split())


def is_worth_another_try(error: sqlalchemy.exc.DBAPIError) -> bool:
    """Whether the server undid a transaction only because of another one beside it."""
    return getattr(error.orig, "sqlstate", None) in _RETRIED


def _sqlite(path: Path, purpose: Purpose) -> Engine:
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
        # A migration makes tables anew under the feet of others that name them; `database.migrate` looks afterwards.
        foreign_keys = f"foreign_keys={'OFF' if purpose is Purpose.MIGRATE else 'ON'}"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", foreign_keys, *_SQLITE_ROOM):
            connection.execute(f"PRAGMA {pragma}")

    _begin_with(engine, _SQLITE_BEGIN[purpose.name])
    return engine


def _postgres(server: PostgresServer, purpose: Purpose) -> Engine:
    try:
        told = server.parameters()
    except ValueError as error:
        raise DatabaseUnusableError(f"the database at {server} cannot be used: {error}") from None
    mine = {
        "connect_timeout": str(CONNECT_TIMEOUT_S),
        "keepalives_idle": str(DEAD_PEER_S),
        "tcp_user_timeout": str(DEAD_PEER_S * 1000),
        "application_name": "meterpurse-headend",
        "client_encoding": "UTF8",
    }
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        connect_args=mine | told,
        pool_size=READERS,
        max_overflow=0,
        isolation_level=_POSTGRES_ISOLATION[purpose.name],
        execution_options={"postgresql_readonly": True} if purpose is Purpose.READ else {},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: psycopg.Connection[tuple[object, ...]], _record: object) -> None:
        for dumper in (_Text, _TextBinary):
            connection.adapters.register_dumper(str, dumper)
        connection.autocommit = True
        encoding, commit = connection.execute(
            "SELECT current_setting('server_encoding'), current_setting('synchronous_commit')"
        ).fetchone() or ("", "")
        if encoding != "UTF8":
            raise DatabaseUnusableError(f"the database at {server} is encoded in {encoding}; UTF8 is wanted")
        connection.execute("SET TIME ZONE 'UTC'")
        if purpose is Purpose.WRITE:
            connection.execute(f"SET lock_timeout = '{BUSY_TIMEOUT_S}s'")
        if commit == "off":  # it would answer before a commit is on the disk
            connection.execute("SET synchronous_commit = on")
        connection.autocommit = False

    if purpose.name in _POSTGRES_BEGIN:
        _begin_with(engine, _POSTGRES_BEGIN[purpose.name])
    return engine


class _Text(StrDumper):
    """PostgreSQL holds no NUL in a text, SQLite does: a meter's label must not be what keeps its rows out."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", REPLACEMENT))


class _TextBinary(StrBinaryDumper):
    """The same in binary."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", REPLACEMENT))


def _begin_with(engine: Engine, statement: str) -> None:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)
