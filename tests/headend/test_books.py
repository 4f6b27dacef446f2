"""Laws of the books of registered meters."""

from sqlalchemy import Connection, insert

from dlms_objects.purse.entry import JournalHead
from headend.books import books_of, descriptors_of, register
from headend.config import MeterConfig
from headend.ingest import ingest
from headend.schema import fee_item
from headend.statements import purse
from headend.visibility import EVERY_METER
from tests.support.headend_books import CNY, OTHER_TITLE, RENT, TITLE, UNKNOWN_TITLE, usual_journal


def test_a_new_book_is_empty_and_has_the_head_of_an_empty_journal(connection: Connection) -> None:
    book = books_of(connection, [TITLE])[TITLE]
    assert (book.head, book.balance, book.currency) == (JournalHead.empty(TITLE), 0, None)
    assert (book.household, book.event_number) == ("一号楼301", 0)


def test_a_meter_nobody_registered_has_no_book(connection: Connection) -> None:
    assert set(books_of(connection, [TITLE, UNKNOWN_TITLE, OTHER_TITLE])) == {TITLE, OTHER_TITLE}


def test_registering_again_changes_the_words_and_never_the_money(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    register(
        connection,
        MeterConfig(system_title=str(TITLE), household="New name", language="en", time_zone="Asia/Urumqi"),
    )
    found = purse(connection, str(TITLE), EVERY_METER)
    assert found is not None
    assert (found.household, found.language, found.time_zone) == ("New name", "en", "Asia/Urumqi")
    book = books_of(connection, [TITLE])[TITLE]
    assert (book.head.sequence, book.balance, book.currency) == (6, 149_994, CNY)


def test_descriptors_are_kept_per_meter(connection: Connection) -> None:
    connection.execute(
        insert(fee_item).values(meter_id=2, number=1, revision=1, kind=1, label="房租", payee="landlord")
    )
    known = descriptors_of(connection, [1, 2])
    assert set(known) == {2}
    assert known[2].at(1, 1) == RENT
