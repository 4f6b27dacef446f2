"""Laws of monthly statements: every entry in exactly one, and the sums exact."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from dlms_objects.purse.entry import EntryKind
from dlms_objects.values.cosem_time import CosemDateTime
from headend import schema
from headend.ingest import ingest
from headend.monthly import close_months, month_of
from headend.notices import Facts, facts_of
from tests.support import headend_books
from tests.support.headend_books import RENT, WATER, MeterJournal

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def half_year(monkeypatch: pytest.MonkeyPatch) -> MeterJournal:
    """An entry every five days from 1 January on: 36 in all, up to the end of June."""
    monkeypatch.setattr(headend_books, "timedelta", lambda hours: timedelta(days=5 * hours))
    monkeypatch.setattr(headend_books, "FIRST_INSTANT", datetime(2025, 12, 31, 16, 0, tzinfo=UTC))
    journal = MeterJournal()
    for step in range(36):
        match step % 6:
            case 0:
                journal.top_up(100_000 + step)
            case 4:
                journal.append(EntryKind.REVERSAL, 7, fee_item=2, revision=1)
            case 5:
                journal.append(EntryKind.ADJUSTMENT, -3)
            case _:
                journal.deduct(1_000 + step, RENT if step % 2 else WATER)
    return journal


def row_made(time: CosemDateTime) -> bytes:
    return MeterJournal().append(EntryKind.TOP_UP, 1, time=time).row()


@given(
    instant=st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 1), timezones=st.just(UTC)),
    clock=st.sampled_from(["Asia/Shanghai", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"]),
    zone=st.sampled_from(["Asia/Shanghai", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York"]),
)
def test_the_month_is_that_of_the_households_zone_whatever_clock_the_meter_has(
    instant: datetime, clock: str, zone: str
) -> None:
    time = CosemDateTime.from_instant(instant, ZoneInfo(clock))
    made = time.instant()
    assert made is not None
    assert month_of(row_made(time), ZoneInfo(zone)) == made.astimezone(ZoneInfo(zone)).date().isoformat()[:7]


@pytest.mark.parametrize(
    "octets",
    ["ffffffffffffffffff8000ff", "07ea030a02080000ff8000ff", "0000030a0208000000000000", "ffff030a0208000000fe2000"],
)
def test_a_time_that_is_no_instant_has_no_month(octets: str) -> None:
    assert month_of(row_made(CosemDateTime(bytes.fromhex(octets))), SHANGHAI) == ""


def statements(connection: Connection) -> list[Facts]:
    query = select(schema.notice.c.facts).where(schema.notice.c.kind == "statement").order_by(schema.notice.c.number)
    return [facts_of(row) for row in connection.execute(query).scalars()]


@pytest.mark.parametrize("page", [1, 5, 36])
def test_every_entry_is_in_one_statement_however_they_arrive(
    connection: Connection, half_year: MeterJournal, page: int
) -> None:
    for first in range(1, 37, page):
        ingest(connection, [half_year.batch(first, first + page - 1)])
        close_months(connection, [1])
        close_months(connection, [1])
    found = statements(connection)
    assert [facts.month for facts in found] == ["2026-01", "2026-02", "2026-03", "2026-04", "2026-05"]
    before, covered = 0, 0
    for facts in found:
        assert facts.through_sequence is not None
        entries = half_year.entries[covered : facts.through_sequence]
        assert {f"{entry.time.instant().astimezone(SHANGHAI):%Y-%m}" for entry in entries} == {facts.month}
        assert (facts.before_minor, facts.after_minor) == (before, entries[-1].balance)
        assert facts.after_minor == before + facts.topped_up_minor - facts.deducted_minor + facts.adjusted_minor
        assert facts.deducted_minor == sum(total.amount_minor for total in facts.totals)
        before, covered = facts.after_minor, facts.through_sequence


def test_a_month_that_is_not_over_has_no_statement(connection: Connection, half_year: MeterJournal) -> None:
    ingest(connection, [half_year.batch(1, 6)])
    close_months(connection, [1])
    assert statements(connection) == []
