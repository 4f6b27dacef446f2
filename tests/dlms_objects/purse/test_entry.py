"""The journal row: 98 octets, the same both ways, chained as the object model says."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.entry import (
    NO_REFERENCE,
    ROW_LENGTH,
    Entry,
    EntryKind,
    JournalHead,
    row_digest,
    row_figures,
)
from dlms_objects.values.civil import time_zone
from dlms_objects.values.cosem_time import CosemDateTime
from tests.support.purses import TITLE

WRITTEN = CosemDateTime.from_instant(datetime(2026, 2, 1, 0, 0, 5, tzinfo=UTC), time_zone("Asia/Shanghai"))
DUE = CosemDateTime.from_civil(datetime(2026, 2, 1, 8))
EMPTY = JournalHead.empty(TITLE)


def deduction(head: JournalHead = EMPTY, **changes: Any) -> Entry:
    columns: dict[str, Any] = {
        "time": WRITTEN,
        "kind": EntryKind.DEDUCTION,
        "amount": -350_000,
        "balance": 150_000,
        "fee_item": 1,
        "due": DUE,
        "revision": 3,
    }
    return Entry.chained(head, **{**columns, **changes})


def test_a_row_is_laid_out_as_the_object_model_says() -> None:
    row = deduction().row()
    assert len(row) == ROW_LENGTH
    assert row[:-18].hex(" ") == (
        "02 0a 09 0c 07 ea 02 01 07 08 00 05 00 fe 20 00 "  # structure of ten; time: 2026-02-01, a Sunday, UTC+8
        "06 00 00 00 01 16 01 11 01 "  # sequence 1, deduction, fee item 1
        "09 0c 07 ea 02 01 07 08 00 00 00 80 00 ff "  # due: civil
        "14 ff ff ff ff ff fa a8 d0 14 00 00 00 00 00 02 49 f0 "  # amount -350000, balance 150000
        "09 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "  # no reference
        "06 00 00 00 03"  # revision 3
    )
    assert row[-18:-16] == b"\x09\x10"


def test_the_first_digest_follows_from_the_system_title() -> None:
    assert JournalHead(sequence=0, digest=hashlib.sha256(TITLE.octets).digest()[:16]) == EMPTY


def test_a_digest_is_of_the_one_before_and_a_structure_of_nine_columns() -> None:
    entry = deduction()
    chained = b"\x02\x09" + entry.row()[2:-18]
    assert entry.digest == hashlib.sha256(EMPTY.digest + chained).digest()[:16]
    assert entry.digest == row_digest(EMPTY.digest, entry.row())
    assert entry.head == JournalHead(sequence=1, digest=entry.digest)


def test_a_top_up_has_no_item_and_no_due_time() -> None:
    entry = Entry.chained(EMPTY, time=WRITTEN, kind=EntryKind.TOP_UP, amount=5, balance=5)
    assert (entry.fee_item, entry.due, entry.reference) == (0, CosemDateTime.NOT_SPECIFIED, NO_REFERENCE)


def test_the_figures_of_a_row_are_those_of_its_entry() -> None:
    entry = deduction()
    assert row_figures(entry.row()) == (1, -350_000, 150_000, entry.digest)


AMOUNTS = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=50)
@given(
    kind=st.sampled_from(EntryKind),
    amount=AMOUNTS,
    balance=AMOUNTS,
    fee_item=st.integers(0, 255),
    reference=st.binary(min_size=16, max_size=16),
    revision=st.integers(0, 2**32 - 1),
    sequence=st.integers(0, 2**32 - 2),
)
def test_every_entry_survives_its_row(sequence: int, **columns: Any) -> None:
    entry = deduction(JournalHead(sequence=sequence, digest=bytes(16)), **columns)
    assert Entry.from_row(entry.row()) == entry


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 2**63},
        {"balance": -(2**63) - 1},
        {"fee_item": 256},
        {"revision": 2**32},
        {"reference": b"short"},
        {"head": JournalHead(sequence=2**32 - 1, digest=bytes(16))},
    ],
)
def test_a_column_that_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        deduction(**changes)


def test_a_digest_of_another_length_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="16 octets"):
        replace(deduction(), digest=b"").row()


@pytest.mark.parametrize("tag_offset", [0, 2, 16, 21, 23, 25, 39, 48, 57, 75, 80])
def test_a_row_with_a_strange_tag_is_refused(tag_offset: int) -> None:
    row = bytearray(deduction().row())
    row[tag_offset] ^= 0x40
    for read in (Entry.from_row, row_figures):
        with pytest.raises(InvalidValueError, match="not a journal row"):
            read(bytes(row))


@pytest.mark.parametrize("length", [0, 97, 99])
def test_a_row_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidValueError, match="98 octets"):
        Entry.from_row(bytes(length))


def test_a_kind_that_is_none_is_refused() -> None:
    row = bytearray(deduction().row())
    row[22] = 9
    with pytest.raises(InvalidValueError, match="no such kind of entry: 9"):
        Entry.from_row(bytes(row))
