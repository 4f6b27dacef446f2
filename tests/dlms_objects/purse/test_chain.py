"""Whether entries are the whole truth: each way of lying is found, at its row."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dlms_objects.errors import RemoteError
from dlms_objects.purse.chain import (
    ChainError,
    Fork,
    Gap,
    NotARow,
    WrongBalance,
    fold,
    verify,
    verify_octets,
    verify_rows,
)
from dlms_objects.purse.entry import Entry, JournalHead, row_digest
from tests.support.purses import TITLE, Purse

EMPTY = JournalHead.empty(TITLE)


def journal() -> list[Entry]:
    purse = Purse()
    for number in range(1, 6):
        purse.top_up(number * 100, number)
    return purse.journal.entries


def octets(entries: list[Entry]) -> bytes:
    return b"".join(entry.row() for entry in entries)


def test_an_unbroken_journal_verifies_and_folds_to_its_balance() -> None:
    entries = journal()
    assert fold(entries) == entries[-1].balance == 1500
    assert verify(entries, EMPTY, 0) == entries[-1].head
    assert verify_rows(octets(entries), EMPTY, 0) == entries
    assert verify_octets(octets(entries), EMPTY, 0) == (entries[-1].head, 1500)


def test_a_page_continues_from_the_head_and_balance_before_it() -> None:
    entries = journal()
    assert verify(entries[2:], entries[1].head, entries[1].balance) == entries[-1].head


def test_an_empty_page_ends_where_it_began() -> None:
    assert verify([], EMPTY, 7) == EMPTY
    assert verify_octets(b"", EMPTY, 7) == (EMPTY, 7)
    assert verify_rows(b"", EMPTY, 7) == []


def left_out(entries: list[Entry]) -> list[Entry]:
    return entries[:2] + entries[3:]


def swapped(entries: list[Entry]) -> list[Entry]:
    return [entries[1], entries[0], *entries[2:]]


def repeated(entries: list[Entry]) -> list[Entry]:
    return [entries[0], *entries]


def amount_changed(entries: list[Entry]) -> list[Entry]:
    return [*entries[:2], replace(entries[2], amount=301), *entries[3:]]


def digest_changed(entries: list[Entry]) -> list[Entry]:
    return [*entries[:2], replace(entries[2], digest=bytes(16)), *entries[3:]]


def rechained_with_wrong_balance(entries: list[Entry]) -> list[Entry]:
    forged = replace(entries[2], balance=601)
    return [*entries[:2], replace(forged, digest=row_digest(entries[1].digest, forged.row()))]


LIES: list[tuple[Callable[[list[Entry]], list[Entry]], type[ChainError], int]] = [
    (left_out, Gap, 3),
    (swapped, Gap, 1),
    (repeated, Gap, 2),
    (amount_changed, Fork, 3),
    (digest_changed, Fork, 3),
    (rechained_with_wrong_balance, WrongBalance, 3),
]


@pytest.mark.parametrize(("lie", "error", "sequence"), LIES)
def test_a_lie_is_found_at_its_row_with_what_was_expected(
    lie: Callable[[list[Entry]], list[Entry]], error: type[ChainError], sequence: int
) -> None:
    entries = lie(journal())
    for refuse in (
        lambda: verify(entries, EMPTY, 0),
        lambda: verify_rows(octets(entries), EMPTY, 0),
        lambda: verify_octets(octets(entries), EMPTY, 0),
    ):
        with pytest.raises(error) as caught:
            refuse()
        assert caught.value.sequence == sequence
        assert caught.value.expected != caught.value.found
        assert f"entry {sequence}: " in str(caught.value)
        assert isinstance(caught.value, RemoteError)


def test_a_journal_of_another_meter_is_a_fork() -> None:
    with pytest.raises(Fork):
        verify(journal(), JournalHead(sequence=0, digest=bytes(16)), 0)


def test_another_balance_before_is_found_at_the_first_row() -> None:
    with pytest.raises(WrongBalance) as caught:
        verify(journal(), EMPTY, 1)
    assert (caught.value.sequence, caught.value.expected, caught.value.found) == (1, 101, 100)


def test_octets_that_are_no_rows_are_refused() -> None:
    rows = octets(journal())
    for read in (verify_rows, verify_octets):
        with pytest.raises(NotARow) as cut:
            read(rows[:-1], EMPTY, 0)
        assert cut.value.sequence == 5
        with pytest.raises(NotARow) as strange:
            read(rows[:98] + b"\x00" + rows[99:], EMPTY, 0)
        assert strange.value.sequence == 2


def test_a_chained_row_with_an_impossible_time_is_no_row() -> None:
    row = bytearray(journal()[0].row())
    row[6] = 13  # month
    row[-16:] = row_digest(EMPTY.digest, bytes(row))
    with pytest.raises(NotARow) as caught:
        verify_rows(bytes(row), EMPTY, 0)
    assert caught.value.sequence == 1
