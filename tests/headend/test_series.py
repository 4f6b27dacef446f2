"""Laws of the series: a day's last balance, and the month's shares."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Connection

from headend import statements
from headend.ingest import ingest
from headend.series import month_series
from headend.visibility import EVERY_METER
from tests.support import headend_books
from tests.support.headend_books import RENT, TITLE, WATER, MeterJournal


@pytest.fixture
def purse(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> statements.Purse:
    """Entries on 1, 11, 21, 31 January and 10 February."""
    monkeypatch.setattr(headend_books, "timedelta", lambda hours: timedelta(days=10 * hours))
    journal = MeterJournal()
    journal.top_up(10_000)
    journal.deduct(3_000, RENT)
    journal.deduct(500, WATER)
    journal.deduct(3_000, RENT)
    journal.deduct(7, WATER)
    ingest(connection, [journal.batch()])
    found = statements.purse(connection, str(TITLE), EVERY_METER)
    assert found is not None
    return found


def test_every_day_has_the_balance_at_its_end(connection: Connection, purse: statements.Purse) -> None:
    january = month_series(connection, purse, "2026-01")
    balances = [day.balance_minor for day in january.days]
    assert balances == [10_000] * 10 + [7_000] * 10 + [6_500] * 10 + [3_500]
    assert [(total.label, total.amount_minor) for total in january.totals] == [("房租", 6_000), ("Water", 500)]


def test_the_month_that_runs_ends_with_the_newest_entry(connection: Connection, purse: statements.Purse) -> None:
    february = month_series(connection, purse, "2026-02")
    assert (february.days[0].balance_minor, february.days[-1].balance_minor) == (3_500, 3_493)
    assert february.days[-1].day == date(2026, 2, 10)


def test_before_the_first_entry_there_is_nothing(connection: Connection, purse: statements.Purse) -> None:
    assert month_series(connection, purse, "2025-12").days == ()
