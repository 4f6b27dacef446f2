"""Taking in journal rows: verify a batch whole, then post it, its notices and the new head in one transaction.

The key of a row is (system title, sequence), for ever, and the row itself is compared: the same row again changes
nothing, a different one is a conflict that is kept as evidence and never booked. What is accepted is decided by the
digest chain, so batches may overlap, repeat and come in any order. Imported by `api`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection, select

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.chain import ChainError, Fork, verify_page
from dlms_objects.purse.entry import ROW_LENGTH, Entry
from dlms_objects.purse.row_page import RowPage
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle
from headend.booking import Booking
from headend.books import Book, books_of
from headend.descriptors import Descriptor
from headend.evidence import ConflictError, count_unknown, keep
from headend.ledger import is_bookable
from headend.schema import entry as entry_table


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
    """What the ledger holds of a meter after a batch: entries 1..`sequence`, the last one with `digest`.

    The last `new_rows` of them came with this batch.
    """

    title: SystemTitle
    status: Status
    sequence: int
    digest: bytes
    detail: str | None = None
    new_rows: int = 0


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


def ingest(
    connection: Connection, batches: Sequence[Batch], *, owner: int | None = None
) -> tuple[list[Answer], list[Malformed]]:
    """Take in batches, each on its own merits; one answer per batch that is well formed, in order.

    Who sends for the organisation `owner` finds that organisation's meters only; None: the rows are proven otherwise.
    """
    work = _Ingestion(connection, batches, owner)
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
    """One request's work: books are read once, what is added to them is written together."""

    def __init__(self, connection: Connection, batches: Sequence[Batch], owner: int | None) -> None:
        self._connection = connection
        self._owner = owner
        self._books = books_of(connection, (batch.title for batch in batches), owner=owner)
        self._faults = {title: fault for title, book in self._books.items() if (fault := book.fault()) is not None}
        self._booking = Booking(connection, self._books.values())

    def take(self, batch: Batch) -> Answer:
        """Verify one batch and add to the books what is new in it."""
        book = self._books.get(batch.title)
        if book is None:
            rows = len(batch.rows) // ROW_LENGTH
            count_unknown(self._connection, str(batch.title), rows=rows, owner=self._owner)
            return Answer(title=batch.title, status=Status.UNKNOWN_METER, sequence=0, digest=b"")
        page = _page_of(batch)
        if batch.first > book.head.sequence + 1:
            return _answer(book, Status.GAP, f"entry {book.head.sequence + 1} is wanted first")
        try:
            self._require_sound(book, batch)
            overlap = min(book.head.sequence + 1 - batch.first, len(page.columns))
            self._require_identical(book, batch, overlap)
            fresh = page.from_row(overlap)
            _require_chained(book, batch, fresh)
        except ConflictError as conflict:
            self.write()
            keep(self._connection, book, conflict)
            return _answer(book, Status.CONFLICT, str(conflict))
        self._booking.learn(book, batch.items, batch.currency)
        if fresh.columns:
            self._booking.add(book, fresh, batch.currency)
        return replace(_answer(book, Status.ACCEPTED), new_rows=len(fresh.columns))

    def write(self) -> None:
        """Write everything that was added so far."""
        self._booking.write()

    def _require_sound(self, book: Book, batch: Batch) -> None:
        if book.title in self._faults:
            raise ConflictError("ledger", self._faults[book.title])
        if book.currency not in (None, batch.currency):
            raise ConflictError("currency", f"the books of this meter are in {book.currency}, not {batch.currency}")

    def _require_identical(self, book: Book, batch: Batch, overlap: int) -> None:
        if overlap == 0:
            return
        self.write()  # the same meter may have come earlier in this very request
        held = self._connection.execute(
            select(entry_table.c.sequence, entry_table.c.row)
            .where(
                entry_table.c.meter_id == book.meter_id,
                entry_table.c.sequence.between(batch.first, batch.first + overlap - 1),
            )
            .order_by(entry_table.c.sequence)
        ).all()
        for sequence, row in held:
            if row != batch.row(sequence):
                detail = f"entry {sequence} is in the ledger with other content"
                raise ConflictError("different_row", detail, sequence=sequence, row=batch.row(sequence))


def _page_of(batch: Batch) -> RowPage:
    """The rows of a batch, each well formed, bookable and numbered from `first` on."""
    page = RowPage.of(batch.rows)
    if page is None:
        raise _malformed(batch)
    for sequence, row in enumerate(page.columns, batch.first):
        if row.sequence != sequence:
            raise _MalformedRowError(sequence, f"the row is numbered {row.sequence}")
        if not is_bookable(row.amount):
            raise _MalformedRowError(sequence, "no ledger can hold the counter-posting of -2^63")
    return page


def _malformed(batch: Batch) -> _MalformedRowError:
    """The first fault of rows that are no page."""
    for sequence, start in enumerate(range(0, len(batch.rows), ROW_LENGTH), batch.first):
        try:
            Entry.from_row(batch.rows[start : start + ROW_LENGTH])
        except InvalidValueError as error:
            return _MalformedRowError(sequence, str(error))
    raise AssertionError("rows that are entries one by one are a page")


def _require_chained(book: Book, batch: Batch, fresh: RowPage) -> None:
    try:
        verify_page(fresh, book.head, book.balance)
    except ChainError as error:
        cause = "fork" if isinstance(error, Fork) else "wrong_balance"  # form and numbering are known to be right
        row = batch.row(error.sequence)
        raise ConflictError(cause, str(error), sequence=error.sequence, row=row) from error


def _answer(book: Book, status: Status, detail: str | None = None) -> Answer:
    return Answer(title=book.title, status=status, sequence=book.head.sequence, digest=book.head.digest, detail=detail)
