"""The table of what single objects of the meter keep beside purse, keys and clock: a name and octets each.

Imported by `store`, which owns the connection and the transaction; what the octets mean is the objects' own business.
"""

import sqlite3
from collections.abc import Mapping

KEPT_VALUE_TABLE = """
CREATE TABLE IF NOT EXISTS kept_value (name TEXT PRIMARY KEY, octets BLOB NOT NULL) STRICT, WITHOUT ROWID;
"""


def read_kept(connection: sqlite3.Connection, name: str) -> bytes | None:
    """The octets kept under that name; None before the first."""
    row = connection.execute("SELECT octets FROM kept_value WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


def kept_statements(values: Mapping[str, bytes]) -> list[tuple[str, tuple[object, ...]]]:
    """The statements that replace these values; they belong in one transaction."""
    return [("INSERT OR REPLACE INTO kept_value VALUES (?, ?)", pair) for pair in values.items()]
