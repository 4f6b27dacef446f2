"""Taking in journal rows: verify a batch whole, then post it, its notices and the new head in one transaction.

The key of a row is (system title, sequence), for ever, and the row itself is compared: the same row again changes
nothing, a different one is a conflict that is kept as evidence and never booked. What is accepted is decided by the
digest chain, so batches may overlap, repeat and come in any order. Imported by `api`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, bindparam, insert, select, update

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.chain import ChainError, Fork, verify_octets
from dlms_objects.purse.entry import ROW_LENGTH, Entry
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle
from headend import measurements, notices, points
from headend.books import Book, books_of
from headend.descriptors import UNKNOWN, Descriptor
from headend.evidence import ConflictError, count_unknown, keep
from headend.ledger import Accounts, counter_account, is_bookable, needs_payee, postings, purse_account, purse_sums
from headend.schema import entry as entry_table
from headend.schema import fee_item, meter, notice, posting


class Status(StrEnum):
    """What became of one batch."""

    ACCEPTED = "accepted"
    """Every row of it is in the ledger."""
    CONFLICT = "conflict"
    """It contradicts the ledger; nothing of it was booked, the rows are kept as evidence."""
    GAP = "gap"
    """Rows before it are missing; nothing of it was kept, send again from the cumulative sequence on."""
    UNKNOWN_METER = "unknown_meter"
    """No such meter is registered; nothing of it was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Consecutive journal rows of one meter as they travel: `rows` is k x 98 octets, the first numbered `first`."""

    title: SystemTitle
    first: int
    rows: bytes
    items: tuple[Descriptor, ...]
    currency: Currency

    def row(self, sequence: int) -> bytes:
        """The meter's own octets of one row."""
        start = (sequence - self.first) * ROW_LENGTH
        return self.rows[start : start + ROW_LENGTH]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the ledger holds of a meter after a batch: entries 1..`sequence`, the last one with `digest`."""

    title: SystemTitle
    status: Status
    sequence: int
    digest: bytes
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """A row that is no journal row; its batch was left alone. `sequence` is the number it should have had."""

    title: SystemTitle
    sequence: int
    detail: str


class _MalformedRowError(Exception):
    def __init__(self, sequence: int, detail: str) -> None:
        self.sequence = sequence
        self.detail = detail
        super().__init__(detail)


def ingest(connection: Connection, batches: Sequence[Batch]) -> tuple[list[Answer], list[Malformed]]:
    """Take in batches, each on its own merits; one answer per batch that is well formed, in order."""
    work = _Ingestion(connection, batches)
    answers: list[Answer] = []
    malformed: list[Malformed] = []
    for batch in batches:
        try:
            answers.append(work.take(batch))
        except _MalformedRowError as error:
            malformed.append(Malformed(title=batch.title, sequence=error.sequence, detail=error.detail))
    work.write()
    return answers, malformed


class _Ingestion:
    """One request's work: books are read once, rows are collected and written together."""

    def __init__(self, connection: Connection, batches: Sequence[Batch]) -> None:
        self._connection = connection
        self._books = books_of(connection, (batch.title for batch in batches))
        self._sums = purse_sums(connection, (book.meter_id for book in self._books.values()))
        self._accounts = Accounts(connection)
        self._touched: dict[int, Book] = {}
        self._entries: list[dict[str, object]] = []
        self._postings: list[dict[str, int]] = []
        self._notices: list[dict[str, object]] = []
        self._items: list[dict[str, object]] = []
        self._points_wanted = points.is_wanted(connection)
        self._points: list[str] = []

    def take(self, batch: Batch) -> Answer:
        """Verify one batch and collect what it adds."""
        book = self._books.get(batch.title)
        if book is None:
            count_unknown(self._connection, str(batch.title), rows=len(batch.rows) // ROW_LENGTH)
            return Answer(title=batch.title, status=Status.UNKNOWN_METER, sequence=0, digest=b"")
        entries = _entries_of(batch)
        if batch.first > book.head.sequence + 1:
            return _answer(book, Status.GAP, f"entry {book.head.sequence + 1} is wanted first")
        try:
            self._require_sound(book, batch)
            overlap = book.head.sequence + 1 - batch.first
            self._require_identical(book, batch, entries[:overlap])
            _require_chained(book, batch, overlap)
        except ConflictError as conflict:
            self.write()
            keep(self._connection, book, conflict)
            return _answer(book, Status.CONFLICT, str(conflict))
        self._collect(book, batch, entries[overlap:])
        return _answer(book, Status.ACCEPTED)

    def write(self) -> None:
        """Write everything collected so far, a statement per table."""
        for table, rows in (
            (fee_item, self._items),
            (entry_table, self._entries),
            (posting, self._postings),
            (notice, self._notices),
        ):
            if rows:
                self._connection.execute(insert(table), list(rows))
                rows.clear()
        points.enqueue(self._connection, self._points)
        self._points.clear()
        if self._touched:
            self._connection.execute(_MOVE_HEAD, [_head_columns(book) for book in self._touched.values()])
            self._touched.clear()

    def _require_sound(self, book: Book, batch: Batch) -> None:
        total = self._sums.get(book.meter_id, 0)
        if total != book.balance:
            raise ConflictError("ledger", f"the purse's postings sum to {total}, its balance is {book.balance}")
        if book.currency not in (None, batch.currency):
            raise ConflictError("currency", f"the books of this meter are in {book.currency}, not {batch.currency}")

    def _require_identical(self, book: Book, batch: Batch, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        self.write()  # the same meter may have come earlier in this very request
        held = self._connection.execute(
            select(entry_table.c.sequence, entry_table.c.row)
            .where(
                entry_table.c.meter_id == book.meter_id,
                entry_table.c.sequence.between(entries[0].sequence, entries[-1].sequence),
            )
            .order_by(entry_table.c.sequence)
        ).all()
        for sequence, row in held:
            if row != batch.row(sequence):
                detail = f"entry {sequence} is in the ledger with other content"
                raise ConflictError("different_row", detail, sequence=sequence, row=batch.row(sequence))

    def _collect(self, book: Book, batch: Batch, fresh: Sequence[Entry]) -> None:
        meter_id, descriptors = book.meter_id, book.descriptors
        for item in batch.items:
            if descriptors.add(item):
                self._items.append(_item_columns(meter_id, item))
        if book.currency is None:
            book.currency = batch.currency
            self._touched[meter_id] = book
        if not fresh:
            return
        purse_id = self._accounts.number(purse_account(str(book.title)), batch.currency)
        for entry in fresh:
            told = descriptors.at(entry.fee_item, entry.revision) if needs_payee(entry) else UNKNOWN
            counter = counter_account(entry, told.payee)
            counter_id = self._accounts.number(counter, batch.currency)
            self._entries.append(_entry_columns(meter_id, entry, batch.row(entry.sequence)))
            self._postings += postings(entry, meter_id=meter_id, purse_id=purse_id, counter_id=counter_id)
            self._notices.append(notices.of_entry(entry, told, meter_id=meter_id))
            if self._points_wanted:
                self._points.append(_point(entry, batch, counter, told))
        book.head, book.balance = fresh[-1].head, fresh[-1].balance
        self._sums[meter_id] = self._sums.get(meter_id, 0) + sum(entry.amount for entry in fresh)
        self._touched[meter_id] = book


_MOVE_HEAD = (
    update(meter)
    .where(meter.c.id == bindparam("meter_id"))
    .values(
        sequence=bindparam("new_sequence"),
        digest=bindparam("new_digest"),
        balance_minor=bindparam("new_balance"),
        currency_code=bindparam("new_code"),
        currency_scale=bindparam("new_scale"),
    )
)


def _entries_of(batch: Batch) -> list[Entry]:
    """The rows of a batch, each well formed and numbered from `first` on."""
    entries: list[Entry] = []
    for sequence, start in enumerate(range(0, len(batch.rows), ROW_LENGTH), batch.first):
        try:
            entry = Entry.from_row(batch.rows[start : start + ROW_LENGTH])
        except InvalidValueError as error:
            raise _MalformedRowError(sequence, str(error)) from error
        if entry.sequence != sequence:
            raise _MalformedRowError(sequence, f"the row is numbered {entry.sequence}")
        if not is_bookable(entry):
            raise _MalformedRowError(sequence, "no ledger can hold the counter-posting of -2^63")
        entries.append(entry)
    return entries


def _require_chained(book: Book, batch: Batch, overlap: int) -> None:
    fresh = batch.rows[overlap * ROW_LENGTH :]
    try:
        verify_octets(fresh, book.head, book.balance)
    except ChainError as error:
        cause = "fork" if isinstance(error, Fork) else "wrong_balance"  # form and numbering are known to be right
        row = batch.row(error.sequence)
        raise ConflictError(cause, str(error), sequence=error.sequence, row=row) from error


def _answer(book: Book, status: Status, detail: str | None = None) -> Answer:
    return Answer(title=book.title, status=status, sequence=book.head.sequence, digest=book.head.digest, detail=detail)


def _entry_columns(meter_id: int, entry: Entry, row: bytes) -> dict[str, object]:
    return {
        "meter_id": meter_id,
        "sequence": entry.sequence,
        "kind": int(entry.kind),
        "fee_item": entry.fee_item,
        "amount_minor": entry.amount,
        "balance_minor": entry.balance,
        "row": row,
    }


def _point(entry: Entry, batch: Batch, counter: str, told: Descriptor) -> str:
    return measurements.purse_entry(
        entry, meter=str(batch.title), currency=batch.currency.code, account=counter, label=told.label
    )


def _item_columns(meter_id: int, item: Descriptor) -> dict[str, object]:
    return {
        "meter_id": meter_id,
        "number": item.number,
        "revision": item.revision,
        "kind": item.kind,
        "label": item.label,
        "payee": item.payee,
    }


def _head_columns(book: Book) -> dict[str, object]:
    currency = book.currency
    return {
        "meter_id": book.meter_id,
        "new_sequence": book.head.sequence,
        "new_digest": book.head.digest,
        "new_balance": book.balance,
        "new_code": None if currency is None else currency.code,
        "new_scale": None if currency is None else currency.scale,
    }
