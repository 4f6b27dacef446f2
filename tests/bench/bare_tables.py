"""What a database can do bare: the same rows into a table like the ledger's, by its fastest means, nothing verified."""

import base64
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import psycopg

from dlms_objects.purse.entry import ROW_LENGTH, Entry
from tests.bench.journal_stream import JournalStream
from tests.support.postgres import PostgresWorld

Columns = tuple[int, int, int, int, int, int, bytes]
_CREATE = (
    "CREATE TABLE entry (meter_id INTEGER NOT NULL, sequence BIGINT NOT NULL, kind INTEGER NOT NULL, "
    "fee_item INTEGER NOT NULL, amount_minor BIGINT NOT NULL, balance_minor BIGINT NOT NULL, {row} NOT NULL, "
    "PRIMARY KEY (meter_id, sequence))"
)


def bare_rows_per_s(folder: Path, world: PostgresWorld | None, stream: JournalStream, *, rows: int) -> float:
    """Rows a second, as many a transaction as there are in a request."""
    numbers = {str(each.title): number for number, each in enumerate(stream.journals, start=1)}
    transactions = [list(_columns(each.body, numbers)) for each in stream.bodies(rows)]
    begun = time.perf_counter()
    if world is None:
        _sqlite(folder / "bare.sqlite", transactions)
    else:
        _postgres(world.make().url, transactions)
    return rows / (time.perf_counter() - begun)


def _columns(body: bytes, numbers: dict[str, int]) -> Iterator[Columns]:
    for batch in msgspec.json.decode(body)["batches"]:
        octets = base64.b64decode(batch["rows"])
        for start in range(0, len(octets), ROW_LENGTH):
            row = octets[start : start + ROW_LENGTH]
            entry = Entry.from_row(row)
            meter = numbers[batch["system_title"]]
            yield meter, entry.sequence, entry.kind, entry.fee_item, entry.amount, entry.balance, row


def _sqlite(path: Path, transactions: list[list[Columns]]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(_CREATE.format(row="row BLOB") + " WITHOUT ROWID")
        for rows in transactions:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")


def _postgres(url: str, transactions: list[list[Columns]]) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(_CREATE.format(row="row BYTEA"))
        connection.commit()
        for rows in transactions:
            with connection.cursor().copy("COPY entry FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(("int4", "int8", "int4", "int4", "int8", "int8", "bytea"))
                for row in rows:
                    copy.write_row(row)
            connection.commit()
