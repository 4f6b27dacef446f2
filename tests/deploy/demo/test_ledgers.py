"""Comparing the three books finds every difference, and none where there is none."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.demo.ledgers import Book, disagreements, gateway_book, headend_book, meter_book
from dlms_objects.purse.entry import JournalHead
from dlms_objects.values.system_title import SystemTitle
from gateway.store import Store

JOURNAL = [
    {"kind": "top_up", "amount": 500, "digest": "aa"},
    {"kind": "deduction", "amount": -120, "digest": "bb"},
]
RECONCILIATION = {
    "count": 2,
    "entries": {"deduction": 1},
    "sum": {"minor": 380},
    "ledger_sum": {"minor": 380},
    "digest": "bb",
    "balanced": True,
    "conflicts": 0,
}
METER = meter_book(JOURNAL, 380)
GATEWAY = Book(name="gateway", entries=2, deductions=None, total=380, balance=380, digest="bb")
HEADEND = headend_book(RECONCILIATION)


def test_books_that_agree_have_nothing_to_say() -> None:
    assert disagreements(METER, GATEWAY, HEADEND, RECONCILIATION) == []


@pytest.mark.parametrize("field", ["entries", "total", "balance", "digest"])
@pytest.mark.parametrize("which", ["gateway", "headend"])
def test_any_difference_is_found_and_named(which: str, field: str) -> None:
    wrong = "cc" if field == "digest" else 379
    gateway = replace(GATEWAY, **{field: wrong}) if which == "gateway" else GATEWAY
    headend = replace(HEADEND, **{field: wrong}) if which == "headend" else HEADEND
    (found,) = disagreements(METER, gateway, headend, RECONCILIATION)
    assert field in found


def test_a_deduction_that_one_book_lacks_is_found() -> None:
    assert len(disagreements(METER, GATEWAY, replace(HEADEND, deductions=0), RECONCILIATION)) == 1


def test_a_journal_that_does_not_sum_up_to_its_balance_is_found() -> None:
    meter = meter_book(JOURNAL, 381)
    assert any("sum up" in found for found in disagreements(meter, GATEWAY, HEADEND, RECONCILIATION))


@pytest.mark.parametrize("change", [{"balanced": False}, {"conflicts": 1}])
def test_a_ledger_that_does_not_balance_is_found(change: dict[str, object]) -> None:
    assert disagreements(METER, GATEWAY, HEADEND, RECONCILIATION | change) != []


def test_a_gateway_that_has_collected_nothing_stands_at_the_empty_journal(tmp_path: Path) -> None:
    title = SystemTitle(b"MPR\0\0\0\0\1")
    Store(tmp_path / "outbox.sqlite3").close()
    book = gateway_book(tmp_path / "outbox.sqlite3", title)
    assert (book.entries, book.balance, book.digest) == (0, 0, JournalHead.empty(title).digest.hex())
