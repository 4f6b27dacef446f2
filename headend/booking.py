"""Booking what was verified: entries, their postings and notices, and the new heads, written together.

One `Booking` is one request's work. Nothing here judges a row; but what was written is summed by the database itself
before the heads move, so that postings and running balances agree after every entry. Imported by `ingest`.
"""

from collections.abc import Collection, Iterator

from sqlalchemy import Connection

from dlms_objects.errors import LocalError
from dlms_objects.purse.entry import Entry
from dlms_objects.purse.row_page import RowPage
from dlms_objects.values.money import Currency
from headend import measurements, points
from headend.books import Book
from headend.bulk import Cell, insert_rows, update_rows
from headend.descriptors import UNKNOWN, Descriptor
from headend.ledger import (
    POSTING_COLUMNS,
    Accounts,
    Posting,
    counter_account,
    needs_payee,
    new_posting_sums,
    postings,
    purse_account,
)
from headend.notices import MADE_FROM_ENTRY, OF_ENTRY
from headend.schema import entry as entry_table
from headend.schema import fee_item, meter, notice, posting

_ITEM_COLUMNS = ("meter_id", "number", "revision", "kind", "label", "payee")
_ENTRY_COLUMNS = (
    "meter_id",
    "sequence",
    "kind",
    "fee_item",
    "item_revision",
    "amount_minor",
    "balance_minor",
    "row",
)
_NOTICE_COLUMNS = ("meter_id", "kind", "number", "facts")
_HEAD_COLUMNS = ("id", "sequence", "digest", "balance_minor", "currency_code", "currency_scale")
_NOTICE_KINDS = {int(kind): told.value for kind, told in OF_ENTRY.items()}


class BooksOutOfBalanceError(LocalError):
    """What the database holds after writing is not what was to be written; the whole request must be undone."""


class Booking:
    """What a request adds to the books; `write` puts it there, a statement for each table."""

    def __init__(self, connection: Connection, books: Collection[Book]) -> None:
        """Nothing to write yet; `books` are those that may be added to."""
        self._connection = connection
        self._accounts = Accounts(connection)
        self._accounts.look_up(purse_account(str(book.title)) for book in books)
        self._before: dict[int, int] = {}
        self._touched: dict[int, Book] = {}
        self._entries: list[tuple[Cell, ...]] = []
        self._postings: list[Posting] = []
        self._notices: list[tuple[Cell, ...]] = []
        self._items: list[tuple[Cell, ...]] = []
        self._points_wanted = points.is_wanted(connection)
        self._points: list[str] = []

    def learn(self, book: Book, items: tuple[Descriptor, ...], currency: Currency) -> None:
        """Take in what a batch says of fee items, and the currency of a meter that had none."""
        for item in items:
            if book.descriptors.add(item):
                self._items.append((book.meter_id, item.number, item.revision, item.kind, item.label, item.payee))
        if book.currency is None:
            book.currency = currency
            self._touch(book)

    def add(self, book: Book, page: RowPage, currency: Currency) -> None:
        """Book the rows of a page, at least one, which go on from the book's head; the head moves with them."""
        meter_id = book.meter_id
        purse_id = self._accounts.number(book.organisation_id, purse_account(str(book.title)), currency)
        counters = _Counters(book, self._accounts, currency)
        for index, (sequence, kind, item, amount, balance, revision, _digest) in enumerate(page.columns):
            counter_id, told = counters[kind, item, revision]
            item_revision = None if told is UNKNOWN else told.revision
            self._entries.append((meter_id, sequence, kind, item, item_revision, amount, balance, page.row(index)))
            self._postings += postings(
                meter_id=meter_id, sequence=sequence, amount=amount, purse_id=purse_id, counter_id=counter_id
            )
            self._notices.append((meter_id, _NOTICE_KINDS[kind], sequence, MADE_FROM_ENTRY))
        if self._points_wanted:
            self._points += _points(book, page, currency, counters)
        self._touch(book)
        book.head, book.balance = page.head, page.columns[-1].balance

    def write(self) -> None:
        """Write everything added so far, then move the heads; BooksOutOfBalanceError when they must not move."""
        connection = self._connection
        insert_rows(connection, fee_item, _ITEM_COLUMNS, self._items)
        insert_rows(connection, entry_table, _ENTRY_COLUMNS, self._entries)
        insert_rows(connection, posting, POSTING_COLUMNS, self._postings)
        insert_rows(connection, notice, _NOTICE_COLUMNS, self._notices)
        points.enqueue(connection, self._points)
        if self._entries:
            self._require_balance()
        update_rows(connection, meter, _HEAD_COLUMNS, [_head(book) for book in self._touched.values()])
        for written in (self._items, self._entries, self._postings, self._notices, self._points):
            written.clear()
        self._touched.clear()
        self._before.clear()

    def _touch(self, book: Book) -> None:
        self._touched[book.meter_id] = book
        self._before.setdefault(book.meter_id, book.balance)

    def _require_balance(self) -> None:
        sums = new_posting_sums(self._connection, self._touched)
        for meter_id, book in self._touched.items():
            change = book.balance - self._before[meter_id]
            if sums[meter_id] != (change, -change):
                raise BooksOutOfBalanceError(
                    f"meter {book.title}: the balance moves by {change}, posted is {sums[meter_id]}"
                )


class _Counters(dict[tuple[int, int, int], tuple[int, Descriptor]]):
    """The account on the other side by kind, fee item and revision of an entry, and what the item is called."""

    def __init__(self, book: Book, accounts: Accounts, currency: Currency) -> None:
        super().__init__()
        self._book = book
        self._accounts = accounts
        self._currency = currency
        self.names: dict[tuple[int, int, int], str] = {}

    def __missing__(self, key: tuple[int, int, int]) -> tuple[int, Descriptor]:
        kind, item, revision = key
        told = self._book.descriptors.at(item, revision) if needs_payee(kind, item) else UNKNOWN
        name = self.names[key] = counter_account(kind, item, told.payee)
        found = self[key] = self._accounts.number(self._book.organisation_id, name, self._currency), told
        return found


def _points(book: Book, page: RowPage, currency: Currency, counters: _Counters) -> Iterator[str]:
    for index in range(len(page.columns)):
        entry = Entry.from_row(page.row(index))
        key = entry.kind, entry.fee_item, entry.revision
        yield measurements.purse_entry(
            entry,
            meter=str(book.title),
            currency=currency.code,
            account=counters.names[key],
            label=counters[key][1].label,
        )


def _head(book: Book) -> tuple[Cell, ...]:
    currency = book.currency
    return (
        book.meter_id,
        book.head.sequence,
        book.head.digest,
        book.balance,
        None if currency is None else currency.code,
        None if currency is None else currency.scale,
    )
