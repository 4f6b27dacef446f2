"""Many rows in one statement, as each database takes them fastest: `executemany` on SQLite, arrays on PostgreSQL.

Rows are tuples in the order of the columns' names; what they hold is the table's business. Imported by `booking`.
"""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, Table, Text

Cell = int | str | bytes | None
Rows = Sequence[tuple[Cell, ...]]

_ARRAYS = {BigInteger: "int8[]", Integer: "int4[]", LargeBinary: "bytea[]", Text: "text[]"}


def insert_rows(connection: Connection, table: Table, names: tuple[str, ...], rows: Rows) -> None:
    """Add rows, in order."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_sqlite_insert(table, names), list(rows))
    else:
        connection.exec_driver_sql(_postgres_insert(table, names), _columns(rows))


def update_rows(connection: Connection, table: Table, names: tuple[str, ...], rows: Rows) -> None:
    """Change the rows whose `id` is the first of `names`; it is the first cell of each row too."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_sqlite_update(table, names), [(*row[1:], row[0]) for row in rows])
    else:
        connection.exec_driver_sql(_postgres_update(table, names), _columns(rows))


def _columns(rows: Rows) -> tuple[list[Cell], ...]:
    return tuple(map(list, zip(*rows, strict=True)))


@lru_cache
def _sqlite_insert(table: Table, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table.name} ({_quoted(names)}) VALUES ({', '.join('?' * len(names))})"


@lru_cache
def _postgres_insert(table: Table, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table.name} ({_quoted(names)}) SELECT * FROM unnest({_arrays(table, names)})"


@lru_cache
def _sqlite_update(table: Table, names: tuple[str, ...]) -> str:
    changes = ", ".join(f'"{name}" = ?' for name in names[1:])
    return f"UPDATE {table.name} SET {changes} WHERE id = ?"


@lru_cache
def _postgres_update(table: Table, names: tuple[str, ...]) -> str:
    changes = ", ".join(f'"{name}" = told."{name}"' for name in names[1:])
    told = f"unnest({_arrays(table, names)}) AS told ({_quoted(names)})"
    return f"UPDATE {table.name} SET {changes} FROM {told} WHERE {table.name}.id = told.id"


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _arrays(table: Table, names: tuple[str, ...]) -> str:
    """`%b::int8[], ...`: binary parameters, one array a column."""
    return ", ".join(f"%b::{_array_of(table, name)}" for name in names)


def _array_of(table: Table, name: str) -> str:
    return next(array for kind, array in _ARRAYS.items() if isinstance(table.c[name].type, kind))
