"""A statement has every entry between its days, once, and its balances and sums agree with the entries."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection

from dlms_objects.purse.entry import EntryKind
from dlms_objects.values.cosem_time import CosemDateTime
from headend import spending as module
from headend.delivery_path import Path, came
from headend.ingest import ingest
from headend.spending import Spending, TooMuchError, spending
from headend.statements import purse
from headend.visibility import EVERY_METER
from tests.support.headend_books import RENT, SHANGHAI, TITLE, MeterJournal

NOW = datetime(2026, 7, 1, tzinfo=UTC)
FIRST = date(2026, 1, 1)


def booked(connection: Connection, days: int = 10) -> MeterJournal:
    """A top-up and a deduction at noon of each day; the first half by gateway, the rest by courier."""
    journal = MeterJournal()
    for day in range(days):
        noon = datetime(2026, 1, 1 + day, 12, tzinfo=SHANGHAI)
        journal.append(EntryKind.TOP_UP, 1000 + day, time=CosemDateTime.from_instant(noon, SHANGHAI))
        journal.append(
            EntryKind.DEDUCTION, -10 - day, fee_item=1, revision=1, time=CosemDateTime.from_instant(noon, SHANGHAI)
        )
    for first, last, path in ((1, days, Path.GATEWAY), (days + 1, 2 * days, Path.COURIER)):
        answers, _malformed = ingest(connection, [journal.batch(first, last)])
        came(connection, answers, path, now=NOW)
    return journal


def told(connection: Connection, first: date, end: date) -> Spending:
    found = purse(connection, str(TITLE), EVERY_METER)
    assert found is not None
    return spending(connection, found, first, end)


def test_statements_of_each_day_are_the_journal_and_hang_together(connection: Connection) -> None:
    journal = booked(connection)
    seen, balance = [], 0
    for day in range(-1, 12):
        statement = told(connection, FIRST + timedelta(days=day), FIRST + timedelta(days=day + 1))
        assert statement.balance_before == balance
        assert statement.balance_after == balance + sum(each.booked.entry.amount for each in statement.spent)
        balance = statement.balance_after
        seen += [each.booked.entry for each in statement.spent]
    assert seen == journal.entries


def test_each_entry_says_how_it_came_and_fees_are_summed(connection: Connection) -> None:
    booked(connection)
    statement = told(connection, FIRST, date(2026, 2, 1))
    paths = [each.delivery and each.delivery.path for each in statement.spent]
    assert paths == [Path.GATEWAY] * 10 + [Path.COURIER] * 10
    assert [(total.label, total.amount_minor) for total in statement.totals] == [(RENT.label, sum(range(10, 20)))]


def test_more_than_a_statement_shows_is_refused(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    booked(connection)
    monkeypatch.setattr(module, "MOST_ENTRIES", 19)
    with pytest.raises(TooMuchError, match="there are 20 entries"):
        told(connection, FIRST, date(2026, 2, 1))
