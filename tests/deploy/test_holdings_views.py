"""How the outbox is shown: names, reasons and ages for people, plain values for programs."""

import json

import pytest
from rich.console import Console
from rich.table import Table

from deploy import holdings_views as views
from dlms_objects.purse.entry import Entry, EntryKind, JournalHead
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle
from gateway.holdings import Holdings, KeptEvidence, MeterHolding
from gateway.records import UplinkStatus

TITLE = SystemTitle(b"MPR\x00\x00\x00\x00\x01")
NAMES = {TITLE: "flat-1"}
ENTRY = Entry.chained(
    JournalHead.empty(TITLE), time=CosemDateTime.NOT_SPECIFIED, kind=EntryKind.TOP_UP, amount=500, balance=500
)
EVIDENCE = KeptEvidence(
    number=3,
    title=TITLE,
    found_at_s=1_800_000_000,
    cause="fork",
    expected=JournalHead(sequence=1, digest=bytes(16)),
    found=JournalHead(sequence=1, digest=bytes(15) + b"\x01"),
    rows=(ENTRY.row(), bytes(98)),
    currency=Currency("CNY", -2),
)


def holdings(status: UplinkStatus = UplinkStatus.ACCEPTED, days_left: float | None = 12.34) -> Holdings:
    meter = MeterHolding(
        title=TITLE,
        collected=9,
        held_rows=4,
        held_events=1,
        oldest_row_age_s=90,
        uplink_status=status,
        uplink_detail="",
        acknowledgement_waiting=False,
        evidence=1,
    )
    return Holdings(held_rows=5, maximum_rows=1000, days_left=days_left, meters=(meter,))


def text(table: Table) -> str:
    console = Console(width=300)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_the_summary_says_fill_and_room() -> None:
    assert views.summary(holdings()) == "5 of 1000 rows held (0.5%); room without the head-end: 12.3 days"
    assert views.summary(holdings(days_left=None)).endswith("not known yet")


def test_a_meter_held_back_says_why_and_what_to_do() -> None:
    assert "accepted" in text(views.holdings_table(holdings(), NAMES))
    shown = text(views.holdings_table(holdings(UplinkStatus.UNKNOWN_METER), NAMES))
    assert "flat-1" in shown
    assert "held back: unknown_meter: the head-end does not know this meter; register it there" in shown
    assert "(not configured)" in text(views.holdings_table(holdings(), {}))


@pytest.mark.parametrize("status", UplinkStatus)
def test_every_verdict_has_words(status: UplinkStatus) -> None:
    assert text(views.holdings_table(holdings(status), NAMES))


def test_evidence_shows_amounts_to_people_and_octets_to_programs() -> None:
    assert "flat-1" in text(views.evidence_table([EVIDENCE], NAMES))
    rows = text(views.evidence_rows_table(EVIDENCE))
    assert "5.00" in rows
    assert "not a journal row" in rows
    document = json.loads(json.dumps(views.evidence_document(EVIDENCE, NAMES)))
    assert [row["octets"] for row in document["rows"]] == [row.hex() for row in EVIDENCE.rows]
    assert document["rows"][0]["entry"]["amount"] == 500
    assert document["rows"][1]["entry"] is None


def test_the_document_has_every_figure() -> None:
    document = json.loads(json.dumps(views.holdings_document(holdings(), NAMES)))
    assert document["meters"][0]["name"] == "flat-1"
    assert (document["fill"], document["days_left"]) == (0.005, 12.34)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7260, "2 h 1 min"), (97_200, "1 d 3 h")]
)
def test_an_age_is_told_in_its_largest_units(seconds: int, words: str) -> None:
    assert views.age(seconds) == words
