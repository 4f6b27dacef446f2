"""What a request adds is written together: entries, postings, notices, points and heads. Its laws: `test_ingest`."""

from typing import Any

import pytest
from sqlalchemy import Connection, Table, select, update

from dlms_objects.purse.row_page import RowPage
from headend import booking, points, schema
from headend.booking import Booking
from headend.books import books_of
from headend.ingest import Status, ingest
from tests.support.headend_books import CNY, OTHER_TITLE, RENT, TITLE, usual_journal


def test_nothing_is_written_before_it_is_told_to_and_all_of_it_then(connection: Connection) -> None:
    points.set_wanted(connection, True)
    books = books_of(connection, [TITLE, OTHER_TITLE])
    work = Booking(connection, books.values())
    for title, book in books.items():
        page = RowPage.of(usual_journal(title).batch().rows)
        assert page is not None
        work.learn(book, (RENT,), CNY)
        work.add(book, page, CNY)
    tables = (schema.entry, schema.posting, schema.notice, schema.fee_item, schema.point_bundle)
    assert [len(connection.execute(select(table)).all()) for table in tables] == [0, 0, 0, 0, 0]
    for _ in range(2):
        work.write()
        assert [len(connection.execute(select(table)).all()) for table in tables] == [12, 24, 12, 2, 1]
    heads = connection.execute(select(schema.meter.c.sequence, schema.meter.c.balance_minor)).all()
    assert heads == [(6, usual_journal().balance)] * 2


def test_an_entry_keeps_the_revision_of_the_name_it_was_booked_under(connection: Connection) -> None:
    (book,) = books_of(connection, [TITLE]).values()
    work = Booking(connection, [book])
    page = RowPage.of(usual_journal().batch().rows)
    assert page is not None
    work.learn(book, (RENT,), CNY)
    work.add(book, page, CNY)
    work.write()
    kept = connection.execute(
        select(schema.entry.c.fee_item, schema.entry.c.item_revision).order_by(schema.entry.c.sequence)
    )
    assert [tuple(row) for row in kept] == [(0, None), (1, 1), (2, None), (2, None), (0, None), (0, None)]


@pytest.mark.parametrize("fault", ["posting amount", "posting lost"])
def test_what_is_not_posted_as_it_was_meant_undoes_the_request(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Deliberate faults of the booking itself: the database's own sums find them before the heads move."""
    whole = booking.insert_rows

    def faulty(connection: Connection, table: Table, names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
        if table is schema.posting:
            rows = rows[1:] if fault == "posting lost" else [*rows[:-1], (*rows[-1][:-1], rows[-1][-1] + 1)]
        whole(connection, table, names, rows)

    monkeypatch.setattr("headend.booking.insert_rows", faulty)
    with pytest.raises(booking.BooksOutOfBalanceError, match=str(TITLE)):
        ingest(connection, [usual_journal().batch(1, 2)])


@pytest.mark.parametrize("told", [{"sequence": 1}, {"digest": bytes(16)}, {"balance_minor": 0}])
def test_a_head_that_is_not_the_last_entrys_takes_nothing_more(connection: Connection, told: dict[str, object]) -> None:
    ingest(connection, [usual_journal().batch(1, 2)])
    connection.execute(update(schema.meter).values(**told))
    answers, _malformed = ingest(connection, [usual_journal().batch(2)])
    assert answers[0].status is Status.CONFLICT
