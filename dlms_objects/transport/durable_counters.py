"""Invocation counters in SQLite: reserved before they are sent, stored before what they carried takes effect.

The caller owns the connection (autocommit mode, WAL, synchronous=FULL) and may keep other tables beside these two.
A "key id" names one key with one owner, for example `4D50520000000001/1`. sqlite3.Error passes through everywhere: the
owner of the database knows what its failure means. Imported by the stores of the meter and the gateway.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from dlms_objects.values.system_title import SystemTitle

TABLES = """
CREATE TABLE IF NOT EXISTS sent_counter (key_id TEXT PRIMARY KEY, ceiling INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS received_counter (
    key_id TEXT, system_title BLOB, highest INTEGER NOT NULL, PRIMARY KEY (key_id, system_title)
) STRICT, WITHOUT ROWID;
"""

connect: Callable[..., sqlite3.Connection] = sqlite3.connect
"""The connection factory; tests swap in one that records every operation on the disk, or fails them."""


def open_database(path: Path, *, create: bool = True) -> sqlite3.Connection:
    """A connection as this project wants it for money and counters: autocommit, WAL, synchronous=FULL.

    `create` False: a file that is not there is an error, not a new database.
    """
    uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
    connection = connect(uri, uri=True, isolation_level=None, timeout=10)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    except BaseException:
        connection.close()
        raise
    return connection


class DurableCounters:
    """The two counter tables of one database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use an open connection; the tables are made where they are missing."""
        self._connection = connection
        connection.executescript(TABLES)

    def reserve(self, key_id: str) -> Callable[[int], range]:
        """The reservation of one key: called with a count, it returns counters that nobody ever had, durably."""

        def reserve(count: int) -> range:
            ((ceiling,),) = self._connection.execute(
                "INSERT INTO sent_counter VALUES (?, ?)"
                " ON CONFLICT (key_id) DO UPDATE SET ceiling = ceiling + ? RETURNING ceiling",
                (key_id, count, count),
            ).fetchall()
            return range(ceiling - count + 1, ceiling + 1)

        return reserve

    def received(self, key_id: str) -> "DurableReceivedCounters":
        """The received counters of one key, by system title."""
        return DurableReceivedCounters(self._connection, key_id)


class DurableReceivedCounters:
    """The highest counter received with one key, for each system title."""

    def __init__(self, connection: sqlite3.Connection, key_id: str) -> None:
        """Use an open connection whose tables exist."""
        self._connection = connection
        self._key_id = key_id
        rows = connection.execute("SELECT system_title, highest FROM received_counter WHERE key_id = ?", (key_id,))
        self._highest: dict[bytes, int] = dict(rows.fetchall())

    def highest(self, title: SystemTitle) -> int | None:
        """The highest counter accepted from that title; None before the first."""
        return self._highest.get(title.octets)

    def highest_of_all(self) -> int:
        """The highest counter accepted with this key from anyone; 0 before the first."""
        return max(self._highest.values(), default=0)

    def accept(self, title: SystemTitle, counter: int) -> None:
        """Store a counter durably; it returns after the commit."""
        self._connection.execute(
            "INSERT INTO received_counter VALUES (?, ?, ?)"
            " ON CONFLICT (key_id, system_title) DO UPDATE SET highest = max(highest, excluded.highest)",
            (self._key_id, title.octets, counter),
        )
        self._highest[title.octets] = counter
