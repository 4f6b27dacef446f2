"""The two kinds of database that the head-end's tests run on: makers of databases, each as quick as it can be."""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, text

from headend.place import Place
from tests.support.headend_books import make_database
from tests.support.postgres import PostgresWorld, postgres_world

KINDS = ("sqlite", "postgres")


class Ledgers(Protocol):
    """Databases of one kind. `migrated` has two meters and is to be left as it is."""

    migrated: Place

    def empty(self) -> Place:
        """A new database without tables."""
        ...

    def copy(self) -> Place:
        """A new database like `migrated`."""
        ...


class SqliteLedgers:
    """SQLite files in a folder."""

    def __init__(self, folder: Path) -> None:
        """Make the first one."""
        self._folder = folder
        self._numbers = itertools.count(1)
        self.migrated: Place = make_database(folder / "headend.sqlite")

    def empty(self) -> Place:
        """An empty file."""
        path = self._path()
        path.touch()
        return path

    def copy(self) -> Place:
        """A copy of the file."""
        return Path(shutil.copy(self._folder / "headend.sqlite", self._path()))

    def _path(self) -> Path:
        folder = self._folder / f"100% {next(self._numbers)}"
        folder.mkdir()
        return folder / "headend.sqlite"


class PostgresLedgers:
    """Databases of one server."""

    def __init__(self, world: PostgresWorld) -> None:
        """Make the first one."""
        self._world = world
        self._migrated = make_database(world.make())
        self.migrated: Place = self._migrated

    def empty(self) -> Place:
        """An empty database."""
        return self._world.make()

    def copy(self) -> Place:
        """A copy of the first."""
        return self._world.make(like=self._migrated)


def octets_type(connection: Connection) -> str:
    """The type of octets in the SQL of a connection's database."""
    return "BLOB" if connection.dialect.name == "sqlite" else "BYTEA"


def drop_trigger(connection: Connection, table: str, trigger: str) -> None:
    """Take a guard away, to plant a fault behind it."""
    of_table = "" if connection.dialect.name == "sqlite" else f" ON {table}"
    connection.execute(text(f"DROP TRIGGER {trigger}{of_table}"))


@contextmanager
def ledgers(kind: str, folder: Path) -> Iterator[Ledgers]:
    """Databases of one of KINDS; the server, where there is one, is gone at the end."""
    if kind == "sqlite":
        yield SqliteLedgers(folder)
        return
    with postgres_world() as world:
        yield PostgresLedgers(world)
