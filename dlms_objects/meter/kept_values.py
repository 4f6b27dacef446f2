"""The table of what single objects of the meter keep beside purse, keys and clock: a name and octets each.

Imported by `store`, which owns the connection and the transaction; what the octets mean is the objects' own business.
The table is `store_file`'s.
"""

import sqlite3
from collections.abc import Mapping


def read_kept(connection: sqlite3.Connection, number: int, name: str) -> bytes | None:
    """The octets that meter keeps under that name; None before the first."""
    row = connection.execute("SELECT octets FROM kept_value WHERE meter = ? AND name = ?", (number, name)).fetchone()
    return None if row is None else bytes(row[0])


def kept_statements(values: Mapping[str, bytes], number: int) -> list[tuple[str, tuple[object, ...]]]:
    """The statements that replace these values of that meter; they belong in one transaction."""
    return [("INSERT OR REPLACE INTO kept_value VALUES (?, ?, ?)", (*pair, number)) for pair in values.items()]
