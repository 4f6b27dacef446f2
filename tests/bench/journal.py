"""Made journals to measure with: chained rows of a purse, as a meter would send them."""

from datetime import datetime, timedelta

from dlms_objects.purse.entry import Entry, EntryKind, JournalHead
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.lengths import encode_length

TITLE = SystemTitle(b"MPR\x00\x00\x00\x00\x01")


def journal_rows(count: int) -> list[bytes]:
    """`count` rows of 98 octets from the first entry on: a top-up, then nine deductions, and again."""
    head, balance, rows = JournalHead.empty(TITLE), 0, []
    start = datetime(2026, 3, 1, 8)
    for number in range(count):
        is_top_up = number % 10 == 0
        amount = 100_000 if is_top_up else -(1_000 + number)
        balance += amount
        moment = start + timedelta(hours=6 * number)
        entry = Entry.chained(
            head,
            time=CosemDateTime.from_civil(moment + timedelta(seconds=17)),
            kind=EntryKind.TOP_UP if is_top_up else EntryKind.DEDUCTION,
            amount=amount,
            balance=balance,
            **{"reference": (number + 1).to_bytes(16, "big")}
            if is_top_up
            else {"fee_item": number % 10, "due": CosemDateTime.from_civil(moment), "revision": 3},
        )
        head = entry.head
        rows.append(entry.row())
    return rows


def journal_page(rows: list[bytes]) -> bytes:
    """The rows as the buffer of the journal's profile."""
    return b"\x01" + encode_length(len(rows)) + b"".join(rows)
