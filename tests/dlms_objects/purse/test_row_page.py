"""A page is well formed exactly when each of its rows is an entry, and says the same of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.chain import Fork, Gap, WrongBalance, verify_octets, verify_page
from dlms_objects.purse.entry import ROW_LENGTH, Entry, EntryKind, JournalHead
from dlms_objects.purse.row_page import RowPage
from tests.support.headend_books import OTHER_TITLE, TITLE, MeterJournal, usual_journal

ROWS = usual_journal().batch().rows
COUNT = len(ROWS) // ROW_LENGTH
EMPTY = JournalHead.empty(TITLE)


def entries_of(rows: bytes) -> list[Entry] | None:
    try:
        return [Entry.from_row(rows[start : start + ROW_LENGTH]) for start in range(0, len(rows), ROW_LENGTH)]
    except InvalidValueError:
        return None


def test_the_columns_are_those_of_the_entries() -> None:
    page = RowPage.of(ROWS)
    assert page is not None
    for index, (columns, entry) in enumerate(zip(page.columns, entries_of(ROWS) or [], strict=True)):
        assert page.row(index) == entry.row()
        assert tuple(columns) == (
            entry.sequence,
            entry.kind,
            entry.fee_item,
            entry.amount,
            entry.balance,
            entry.revision,
            entry.digest,
        )


@pytest.mark.parametrize("position", range(ROW_LENGTH))
def test_every_value_of_every_octet_is_judged_as_by_the_entry(position: int) -> None:
    """All 256 values at each of the 98 places, in the first, a middle and the last row."""
    for index in (0, 2, COUNT - 1):
        octets = bytearray(ROWS)
        for value in range(256):
            octets[index * ROW_LENGTH + position] = value
            changed = bytes(octets)
            assert (RowPage.of(changed) is None) == (entries_of(changed) is None), value


@settings(max_examples=300)
@given(deviation=st.integers(0, 0xFFFF), start=st.sampled_from([4, 27]))
def test_a_deviation_is_judged_as_by_the_entry(deviation: int, start: int) -> None:
    octets = bytearray(ROWS)
    octets[start + 9 : start + 11] = deviation.to_bytes(2, "big")
    assert (RowPage.of(bytes(octets)) is None) == (entries_of(bytes(octets)) is None)


@pytest.mark.parametrize("length", [1, ROW_LENGTH - 1, ROW_LENGTH + 1])
def test_a_part_of_a_row_is_no_page(length: int) -> None:
    assert RowPage.of(ROWS[:length]) is None


def test_no_rows_are_a_page() -> None:
    assert RowPage.of(b"") == RowPage(b"", ())


@settings(max_examples=200)
@given(position=st.integers(0, len(ROWS) - 1), bit=st.integers(0, 7), first=st.integers(0, COUNT))
def test_a_page_is_verified_as_its_octets_are(position: int, bit: int, first: int) -> None:
    octets = bytearray(ROWS)
    octets[position] ^= 1 << bit
    page = RowPage.of(bytes(octets))
    if page is None:
        return
    rest = page.from_row(first)
    before = usual_journal().entries[first - 1] if first else None
    head, balance = (EMPTY, 0) if before is None else (before.head, before.balance)
    wanted: object
    try:
        wanted = verify_octets(rest.rows, head, balance)
    except (Gap, Fork, WrongBalance) as error:
        with pytest.raises(type(error), match=str(error)[:30]):
            verify_page(rest, head, balance)
    else:
        assert verify_page(rest, head, balance) == wanted


def test_a_page_that_cannot_go_on_says_which_row_and_why() -> None:
    forged = MeterJournal()
    forged.top_up(100)
    forged.append(EntryKind.TOP_UP, 100, balance=201)
    other = usual_journal(OTHER_TITLE)
    cases = {WrongBalance: (forged.batch().rows, 2), Gap: (ROWS[ROW_LENGTH:], 1), Fork: (other.batch().rows, 1)}
    for error, (rows, sequence) in cases.items():
        page = RowPage.of(rows)
        assert page is not None
        with pytest.raises(error) as caught:
            verify_page(page, EMPTY, 0)
        assert caught.value.sequence == sequence


def test_the_head_of_a_page_is_that_of_its_last_entry() -> None:
    page = RowPage.of(ROWS)
    assert page is not None
    assert page.head == usual_journal().entries[-1].head
