"""An open store file: its connection, its lock, and the transactions of the meters in it.

A file holds one meter or thousands; each is known by its number (from 1) and has rows of its own in every table
(`store_file`). What one meter reads and writes is in `store`; here is what they share: one writer, and one transaction
for what belongs together, be it of one meter or of many.
"""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from dlms_objects.meter.store_file import lock_store, open_store, storage_errors
from dlms_objects.transport.durable_counters import DurableCounters

Statement = tuple[str, tuple[object, ...]]
"""SQL and its parameters."""


class MeterDatabase:
    """The file of one or many meters, open and locked; `close` lets another process have it."""

    def __init__(self, connection: sqlite3.Connection, counters: DurableCounters, resources: ExitStack) -> None:
        """Use a connection to a complete file; `open` makes one, and `resources` that ends it with its lock."""
        self.connection = connection
        self.counters = counters
        self._resources = resources

    @classmethod
    def open(cls, path: Path) -> "MeterDatabase":
        """Open an existing file; StorageError where there is none, it is not a meter's, or another process has it."""
        with ExitStack() as resources:
            resources.callback(os.close, lock_store(path))
            connection = open_store(path)
            resources.callback(connection.close)
            with storage_errors(f"{path}: cannot open the meter's store"):
                counters = DurableCounters(connection)
            return cls(connection, counters, resources.pop_all())

    def close(self) -> None:
        """Close the file, and let another process have it; everything committed stays."""
        self._resources.close()

    def numbers(self) -> list[int]:
        """The numbers of the meters in the file, in order."""
        with storage_errors():
            return [number for (number,) in self.connection.execute("SELECT number FROM meter ORDER BY number")]

    def change(self, statements: Iterable[Statement]) -> None:
        """Carry out all of it in one durable transaction; StorageError when one fails, and nothing happened then."""
        connection = self.connection
        with storage_errors():
            connection.execute("BEGIN IMMEDIATE")
            try:
                for statement, parameters in statements:
                    connection.execute(statement, parameters)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
