"""Every entry of a payee is settled in exactly one period, whatever order entries arrive in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from dlms_objects.purse.entry import EntryKind
from dlms_objects.values.cosem_time import CosemDateTime
from headend import settled, settlement
from headend.ingest import ingest
from headend.schema import account, posting
from headend.settlement import Payable, PeriodEnd, SettlementError, Sums
from headend.visibility import EVERY_METER
from tests.support.headend_books import OTHER_TITLE, RENT, SHANGHAI, TITLE, WATER, MeterJournal, usual_journal

NOW = datetime(2027, 1, 1, tzinfo=UTC)
PAYEES = ("landlord", "waterworks")
DAYS = (date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1))
Steps = list[tuple[int, int]]


def end(day: date) -> PeriodEnd:
    return PeriodEnd(day=day, zone="Asia/Shanghai")


def at(*moment: int) -> CosemDateTime:
    return CosemDateTime.from_instant(datetime(2026, *moment, tzinfo=SHANGHAI), SHANGHAI)


def of(connection: Connection, payee: str) -> Payable:
    (found,) = settlement.payables(connection, EVERY_METER, payee=payee)
    return found


def close(connection: Connection, payee: str, day: date) -> int:
    return settlement.close(connection, of(connection, payee), end(day), by="operator anna", now=NOW)


def posted(connection: Connection, payee: str) -> int:
    total = connection.execute(
        select(func.sum(posting.c.amount_minor)).join(account).where(account.c.name == f"payable:{payee}")
    ).scalar_one()
    return int(total or 0)


def closed_sums(connection: Connection, payee: str) -> list[Sums]:
    return [each.sums for each in settled.periods(connection, payee, EVERY_METER, after=0, limit=100)]


def accounted(connection: Connection, payee: str) -> int:
    """What all closed periods and the open one say is payable."""
    still_open = Sums.of(settlement.open_lines(connection, of(connection, payee)))
    return sum(each.payable_minor for each in [*closed_sums(connection, payee), still_open])


def test_what_was_collected_and_given_back_is_told_apart(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    assert close(connection, "waterworks", DAYS[0]) == 1
    assert closed_sums(connection, "waterworks") == [
        Sums(collected_minor=4_310, reversed_minor=4_310, entries=2, late_entries=0)
    ]
    (closed,) = settled.periods(connection, "waterworks", EVERY_METER, after=0, limit=9)
    assert (closed.end_day, closed.begins_at, closed.closed_by) == (DAYS[0], None, "operator anna")
    assert settled.item_sums(connection, closed.period_id) == {(WATER.kind, WATER.label): closed.sums}
    assert [line.amount_minor for line in settled.lines(connection, closed.period_id)] == [4_310, -4_310]
    assert settlement.open_lines(connection, of(connection, "waterworks")) == []


def test_an_entry_at_the_end_belongs_to_the_next_period_and_one_that_comes_late_too(connection: Connection) -> None:
    punctual, late = MeterJournal(TITLE), MeterJournal(OTHER_TITLE)
    for journal in (punctual, late):
        journal.append(EntryKind.DEDUCTION, -5, fee_item=1, revision=1, time=at(1, 31, 23, 59, 59))
        journal.append(EntryKind.DEDUCTION, -7, fee_item=1, revision=1, time=at(2, 1))
    ingest(connection, [punctual.batch()])
    close(connection, "landlord", DAYS[0])
    ingest(connection, [late.batch()])
    close(connection, "landlord", DAYS[1])
    first, second = closed_sums(connection, "landlord")
    assert first == Sums(collected_minor=5, reversed_minor=0, entries=1, late_entries=0)
    assert second == Sums(collected_minor=19, reversed_minor=0, entries=3, late_entries=1)


def test_a_clock_that_is_wrong_keeps_no_money_back(connection: Connection) -> None:
    journal = MeterJournal(TITLE)
    for time in (CosemDateTime.from_instant(NOW + timedelta(days=9999), SHANGHAI), CosemDateTime.NOT_SPECIFIED):
        journal.append(EntryKind.DEDUCTION, -5, fee_item=1, revision=1, time=time)
    ingest(connection, [journal.batch()])
    close(connection, "landlord", DAYS[0])
    assert closed_sums(connection, "landlord")[0].entries == 2


def test_a_period_ends_after_the_last_one_and_not_in_the_future(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    close(connection, "landlord", DAYS[1])
    for day in (DAYS[1], DAYS[0], date(2028, 1, 1)):
        with pytest.raises(SettlementError):
            close(connection, "landlord", day)
    assert close(connection, "landlord", DAYS[2]) == 2


@pytest.mark.parametrize("table", ["settlement_period", "settlement_sum", "settlement_line"])
def test_what_is_closed_stays_closed(connection: Connection, table: str) -> None:
    ingest(connection, [usual_journal().batch()])
    close(connection, "landlord", DAYS[0])
    with pytest.raises(DBAPIError, match="append-only"):
        connection.execute(text(f"DELETE FROM {table}"))


def live(connection: Connection, months: list[list[int]], steps: Steps) -> None:
    """Two meters' journals arrive in pieces between closings; the books agree after each step and at the end."""
    journals = []
    for title, dated in zip((TITLE, OTHER_TITLE), months, strict=True):
        journal = MeterJournal(title)
        for number, month in enumerate(dated, 1):
            item = (RENT, WATER)[number % 2]
            kind = EntryKind.REVERSAL if number % 5 == 0 else EntryKind.DEDUCTION
            amount = number if kind is EntryKind.REVERSAL else -100 * number
            revision = item.revision
            journal.append(kind, amount, fee_item=item.number, revision=revision, time=at(month, 1 + number))
        journals.append(journal)
    arrived, closed = [0, 0], 0
    for which, rows in [*steps, (0, 99), (1, 99), (2, 0)]:
        if which < 2:
            new = journals[which].entries[arrived[which] : arrived[which] + rows]
            if new:
                ingest(connection, [journals[which].batch(arrived[which] + 1, arrived[which] + len(new))])
            arrived[which] += len(new)
        elif closed < len(DAYS):
            for payable in settlement.payables(connection, EVERY_METER):
                settlement.close(connection, payable, end(DAYS[closed]), by="", now=NOW)
            closed += 1
        for payee in (each.payee for each in settlement.payables(connection, EVERY_METER)):
            assert accounted(connection, payee) == posted(connection, payee)


LIVES: Callable[..., Any] = given(
    months=st.lists(st.lists(st.integers(1, 4), max_size=9), min_size=2, max_size=2),
    steps=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4)), max_size=10),
)
FEW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)


@FEW
@LIVES
def test_closed_and_open_periods_are_the_account_in_any_order_of_arrival(
    connection: Connection, months: list[list[int]], steps: Steps
) -> None:
    undone = connection.begin_nested()
    live(connection, months, steps)
    undone.rollback()


@pytest.mark.parametrize("fault", ["forgets reversals", "reaches too far"])
def test_the_law_would_see_a_fault(connection: Connection, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    if fault == "forgets reversals":
        sums = Sums.of
        monkeypatch.setattr(Sums, "of", lambda lines: replace(sums(lines), reversed_minor=0))
    else:
        reach = settlement._reach_on
        monkeypatch.setattr(settlement, "_reach_on", lambda a, b, found, _taken: reach(a, b, found, found))
    with pytest.raises(AssertionError):
        live(connection, [[1, 2, 1, 3, 2, 2], []], [(0, 99), (2, 0)])
