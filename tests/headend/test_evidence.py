"""Laws of what was turned away."""

from sqlalchemy import Connection, select

from headend import schema
from headend.books import books_of
from headend.evidence import ConflictError, count_unknown, keep
from headend.ingest import ingest
from tests.support.headend_books import TITLE, usual_journal


def kept(connection: Connection) -> list[tuple[object, ...]]:
    columns = schema.evidence.c
    return [tuple(row) for row in connection.execute(select(columns.sequence, columns.held_row, columns.received_row))]


def test_a_row_is_kept_once_beside_what_the_ledger_holds(connection: Connection) -> None:
    journal = usual_journal()
    ingest(connection, [journal.batch()])
    book = books_of(connection, [TITLE])[TITLE]
    for _ in range(2):
        keep(connection, book, ConflictError("fork", "x", sequence=3, row=b"forged"))
    assert kept(connection) == [(3, journal.entries[2].row(), b"forged")]


def test_beyond_the_ledger_the_last_row_is_kept_beside_it(connection: Connection) -> None:
    journal = usual_journal()
    book = books_of(connection, [TITLE])[TITLE]
    keep(connection, book, ConflictError("fork", "x", sequence=1, row=b"first"))
    ingest(connection, [journal.batch()])
    book = books_of(connection, [TITLE])[TITLE]
    keep(connection, book, ConflictError("fork", "x", sequence=9, row=b"later"))
    assert kept(connection) == [(1, None, b"first"), (9, journal.entries[-1].row(), b"later")]


def test_a_conflict_without_a_row_leaves_none(connection: Connection) -> None:
    keep(connection, books_of(connection, [TITLE])[TITLE], ConflictError("currency", "x"))
    assert kept(connection) == []


def test_unknown_meters_are_counted(connection: Connection) -> None:
    for rows in (3, 0, 4):
        count_unknown(connection, "4D505200000000FF", rows=rows, owner=None)
    assert connection.execute(select(schema.unknown_meter)).all() == [(1, "4D505200000000FF", 3, 7)]
