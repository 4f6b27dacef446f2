"""gateway/verdict.py: which answers let rows go, as a table."""

import pytest

from dlms_objects.purse.entry import JournalHead
from dlms_objects.values.money import Currency
from gateway.exchange import EventAnswer, RecordAnswer
from gateway.records import EventBatch, EventRow, ItemDescriptor, RecordBatch, UplinkStatus
from gateway.verdict import judge_events, judge_records
from tests.support.fake_session import TITLE, FakeMeter

ITEM = ItemDescriptor(number=1, revision=1, kind=1, label="Rent", payee="landlord")
METER = FakeMeter()
for _ in range(9):
    METER.book(1)
DIGESTS = {n: row[-16:] for n, row in enumerate(METER.rows, start=1)}
OTHER = bytes(16)


def batch(rows: slice = slice(3, 6)) -> RecordBatch:
    """Rows 4..6 of nine, unless told otherwise."""
    return RecordBatch(
        title=TITLE,
        first=rows.start + 1,
        rows=tuple(METER.rows[rows]),
        items=(ITEM,),
        currency=Currency("CNY", -2),
    )


def answer(status: str, sequence: int, digest: bytes | None = None, detail: str = "") -> RecordAnswer:
    """An answer with the digest of that row, unless another is given."""
    digest = DIGESTS.get(sequence, b"") if digest is None else digest
    return RecordAnswer(
        system_title=str(TITLE), status=UplinkStatus(status), sequence=sequence, digest=digest.hex(), detail=detail
    )


@pytest.mark.parametrize(
    ("status", "sequence", "up_to", "items"),
    [
        ("accepted", 6, 6, (ITEM,)),
        ("accepted", 4, 4, (ITEM,)),
        ("accepted", 9, 9, (ITEM,)),  # more than we sent: it came another way
        ("gap", 5, 5, ()),
    ],
)
def test_rows_that_the_head_end_has_are_let_go(
    status: str, sequence: int, up_to: int, items: tuple[ItemDescriptor, ...]
) -> None:
    verdict = judge_records(batch(), answer(status, sequence))
    assert verdict.status is UplinkStatus.ACCEPTED
    assert verdict.head == JournalHead(sequence=up_to, digest=DIGESTS[up_to])
    assert verdict.items == items


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (None, UplinkStatus.REFUSED),
        (answer("accepted", 3), UplinkStatus.GAP),
        (answer("accepted", 0), UplinkStatus.GAP),
        (answer("gap", 2), UplinkStatus.GAP),
        (answer("conflict", 6), UplinkStatus.CONFLICT),
        (answer("conflict", 0), UplinkStatus.CONFLICT),
        (answer("unknown_meter", 0), UplinkStatus.UNKNOWN_METER),
        (answer("unknown_meter", 6), UplinkStatus.UNKNOWN_METER),
        (answer("accepted", 6, OTHER), UplinkStatus.CONFLICT),
        (answer("gap", 5, OTHER), UplinkStatus.CONFLICT),
        (answer("accepted", 6, b"short"), UplinkStatus.REFUSED),
        (answer("accepted", 9, b""), UplinkStatus.REFUSED),
    ],
)
def test_anything_else_keeps_every_row(told: RecordAnswer | None, status: UplinkStatus) -> None:
    verdict = judge_records(batch(), told)
    assert (verdict.status, verdict.head, verdict.items) == (status, None, ())
    assert verdict.detail


@pytest.mark.parametrize(
    ("status", "sequence", "expected"),
    [
        ("accepted", 6, UplinkStatus.ACCEPTED),
        ("accepted", 2, UplinkStatus.ACCEPTED),
        ("gap", 2, UplinkStatus.GAP),
        ("conflict", 6, UplinkStatus.CONFLICT),
        ("unknown_meter", 0, UplinkStatus.UNKNOWN_METER),
    ],
)
def test_descriptors_alone_are_taken_without_rows(status: str, sequence: int, expected: UplinkStatus) -> None:
    verdict = judge_records(batch(slice(6, 6)), answer(status, sequence))
    assert (verdict.status, verdict.head) == (expected, None)
    assert verdict.items == ((ITEM,) if expected is UplinkStatus.ACCEPTED else ())


def test_a_digest_that_is_not_hexadecimal_keeps_every_row() -> None:
    told = RecordAnswer(system_title=str(TITLE), status=UplinkStatus.ACCEPTED, sequence=6, digest="zz" * 16)
    assert judge_records(batch(), told).status is UplinkStatus.REFUSED


EVENTS = EventBatch(
    title=TITLE,
    rows=tuple(EventRow(time=bytes(12), number=n, code=10, fee_item=0, value=0, due=None) for n in (4, 7, 8)),
)


@pytest.mark.parametrize(
    ("status", "number", "expected", "up_to"),
    [
        ("accepted", 8, UplinkStatus.ACCEPTED, 8),
        ("accepted", 5, UplinkStatus.ACCEPTED, 5),
        ("accepted", 3, UplinkStatus.GAP, 0),
        ("conflict", 8, UplinkStatus.CONFLICT, 0),
        ("unknown_meter", 0, UplinkStatus.UNKNOWN_METER, 0),
    ],
)
def test_events_that_the_head_end_has_are_let_go(status: str, number: int, expected: UplinkStatus, up_to: int) -> None:
    told = EventAnswer(system_title=str(TITLE), status=UplinkStatus(status), number=number)
    verdict = judge_events(EVENTS, told)
    assert (verdict.status, verdict.number) == (expected, up_to)


def test_events_left_out_of_the_answer_are_kept() -> None:
    assert judge_events(EVENTS, None).status is UplinkStatus.REFUSED
