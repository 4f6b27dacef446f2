"""Whether entries are the whole truth: numbering, digest chain and running balance.

Every hop that carries money calls this: the meter at start, the gateway on each page, the head-end on each upload. It
works on the 98 octets of a row; entries are made of them only for who wants entries.
"""

from collections.abc import Iterable

from dlms_objects.errors import InvalidValueError, RemoteError
from dlms_objects.purse.entry import ROW_LENGTH, Entry, JournalHead, row_digest, row_figures
from dlms_objects.purse.row_page import RowPage


class ChainError(RemoteError):
    """Rows that cannot be the continuation of the journal: which one, what was expected, what was found."""

    def __init__(self, sequence: int, expected: object, found: object) -> None:
        """Keep the sequence number of the row at fault and both values."""
        super().__init__(f"entry {sequence}: {self.__doc__} Expected {expected}, found {found}.")
        self.sequence = sequence
        self.expected = expected
        self.found = found


class Gap(ChainError):
    """The sequence number does not follow."""


class Fork(ChainError):
    """The digest does not follow from the entries before it."""


class WrongBalance(ChainError):
    """The balance is not the one before it plus the amount."""


class NotARow(ChainError):
    """The octets are not a journal row."""


def verify(entries: Iterable[Entry], after: JournalHead, balance_before: int) -> JournalHead:
    """The head after `entries`, which continue the journal from `after`; ChainError at the first that does not."""
    return _follow((entry.row() for entry in entries), after, balance_before)[0]


def verify_rows(rows: bytes, after: JournalHead, balance_before: int) -> list[Entry]:
    """The entries of so many rows of 98 octets, verified as by `verify`; NotARow for octets that are none."""
    split = _split(rows, after)
    _follow(split, after, balance_before)
    return [_read(row, after.sequence + number) for number, row in enumerate(split, start=1)]


def verify_octets(rows: bytes, after: JournalHead, balance_before: int) -> tuple[JournalHead, int]:
    """The head and balance after so many rows of 98 octets, without making entries of them: the hot path.

    ChainError as for `verify_rows`, which alone looks into the times of a row.
    """
    return _follow(_split(rows, after), after, balance_before)


def verify_page(page: RowPage, after: JournalHead, balance_before: int) -> tuple[JournalHead, int]:
    """The same for a page that is read already: its form is known to be right, and every column is at hand."""
    digest, sequence, balance = after.digest, after.sequence, balance_before
    for index, row in enumerate(page.columns):
        sequence += 1
        if row.sequence != sequence:
            raise Gap(sequence, sequence, row.sequence)
        digest = row_digest(digest, page.row(index))
        if row.digest != digest:
            raise Fork(sequence, digest.hex(), row.digest.hex())
        balance += row.amount
        if row.balance != balance:
            raise WrongBalance(sequence, balance, row.balance)
    return JournalHead(sequence=sequence, digest=digest), balance


def fold(entries: Iterable[Entry]) -> int:
    """The sum of all changes, in minor units: of a whole journal, the balance."""
    return sum(entry.amount for entry in entries)


def _follow(rows: Iterable[bytes], after: JournalHead, balance: int) -> tuple[JournalHead, int]:
    sequence, digest = after.sequence, after.digest
    for row in rows:
        sequence += 1
        try:
            found_sequence, amount, found_balance, found_digest = row_figures(row)
        except InvalidValueError as error:
            raise NotARow(sequence, "a journal row", error) from error
        if found_sequence != sequence:
            raise Gap(sequence, sequence, found_sequence)
        digest = row_digest(digest, row)
        if found_digest != digest:
            raise Fork(sequence, digest.hex(), found_digest.hex())
        balance += amount
        if found_balance != balance:
            raise WrongBalance(sequence, balance, found_balance)
    return JournalHead(sequence=sequence, digest=digest), balance


def _split(rows: bytes, after: JournalHead) -> list[bytes]:
    if len(rows) % ROW_LENGTH:
        whole = len(rows) - len(rows) % ROW_LENGTH
        sequence = after.sequence + 1 + len(range(0, whole, ROW_LENGTH))
        raise NotARow(sequence, f"{ROW_LENGTH} octets", f"{len(rows) - whole} at the end")
    return [bytes(rows[start : start + ROW_LENGTH]) for start in range(0, len(rows), ROW_LENGTH)]


def _read(row: bytes, sequence: int) -> Entry:
    try:
        return Entry.from_row(row)
    except InvalidValueError as error:
        raise NotARow(sequence, "a journal row", error) from error
