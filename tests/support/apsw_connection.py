"""A connection of apsw that looks like one of sqlite3, so that a store runs on a file system of the test's own.

Only what the stores use. Rows are fetched at once, errors are sqlite3's, and a long WAL is written back after a commit
as SQLite does by itself: its failure is nobody's business but the next commit's.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import apsw

WRITE_BACK_PAGES = 40  # SQLite's own is 1000: a short scripted life shall see it happen


class ApswRows:
    """The rows of one statement."""

    def __init__(self, rows: list[Any]) -> None:
        """All of them."""
        self._rows = rows

    def fetchall(self) -> list[Any]:
        """Every row."""
        return self._rows

    def fetchone(self) -> Any:
        """The first row; None where there is none."""
        return self._rows[0] if self._rows else None

    def __iter__(self) -> Iterator[Any]:
        """Every row, in order."""
        return iter(self._rows)


class ApswConnection:
    """As sqlite3.Connection in autocommit mode, on the file system `vfs`; `synchronous` overrules what is asked for."""

    def __init__(self, uri: str, vfs: str, synchronous: str | None = None) -> None:
        """Open the file; sqlite3.OperationalError when that fails."""
        with _errors_of_sqlite3():
            flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
            self._connection = apsw.Connection(uri, flags=flags, vfs=vfs)
        self._synchronous = synchronous
        self._wal_pages = 0
        self._connection.set_wal_hook(self._committed)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> ApswRows:
        """Carry out one statement, with all its rows."""
        if self._synchronous is not None and statement.startswith("PRAGMA synchronous"):
            statement = f"PRAGMA synchronous={self._synchronous}"
        with _errors_of_sqlite3():
            rows = self._connection.execute(statement, tuple(parameters)).fetchall()
        self._write_back()
        return ApswRows(rows)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Carry out one statement for each row."""
        for row in rows:
            self.execute(statement, row)

    def executescript(self, script: str) -> None:
        """Carry out several statements."""
        self.execute(script)

    def close(self) -> None:
        """Close the file; as with SQLite's own, what could not be written back stays in the WAL."""
        with suppress(apsw.Error):
            self._connection.close()

    def _committed(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _write_back(self) -> None:
        if self._wal_pages >= WRITE_BACK_PAGES and not self._connection.in_transaction:
            self._wal_pages = 0
            with suppress(apsw.Error):  # as SQLite's own, which also leaves it to the next one
                self._connection.wal_checkpoint()


@contextmanager
def _errors_of_sqlite3() -> Iterator[None]:
    try:
        yield
    except apsw.ConstraintError as error:
        raise sqlite3.IntegrityError(str(error)) from error
    except apsw.Error as error:
        raise sqlite3.OperationalError(str(error)) from error
