"""Closed periods as they are read: by number, in pages, and only by who may see the account."""

from datetime import UTC, date, datetime

from sqlalchemy import Connection

from headend import settled, settlement
from headend.authentication import FIRST_ORGANISATION, Caller
from headend.ingest import ingest
from headend.permissions import Role
from headend.settlement import PeriodEnd
from headend.users import add_organisation
from headend.visibility import payables_seen_by
from tests.support.headend_books import usual_journal

NOW = datetime(2026, 7, 1, tzinfo=UTC)
AUDITOR = Caller(organisation_id=FIRST_ORGANISATION, name="a", role=Role.AUDITOR)


def test_periods_are_read_by_who_may_see_the_account(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    (payable,) = settlement.payables(connection, payables_seen_by(AUDITOR), payee="landlord")
    for number, day in enumerate((date(2026, 2, 1), date(2026, 3, 1)), 1):
        end = PeriodEnd(day=day, zone="Asia/Shanghai")
        (payable,) = settlement.payables(connection, payables_seen_by(AUDITOR), payee="landlord")
        assert settlement.close(connection, payable, end, by="x", now=NOW) == number
    other = add_organisation(connection, "other")
    landlord, waterworks = (
        Caller(organisation_id=FIRST_ORGANISATION, name="p", role=Role.PAYEE, payee=payee)
        for payee in ("landlord", "waterworks")
    )
    stranger = Caller(organisation_id=other, name="s", role=Role.ADMIN)
    resident = Caller(organisation_id=FIRST_ORGANISATION, name="r", role=Role.RESIDENT, household="一号楼301")
    for caller, shown in ((AUDITOR, 2), (landlord, 2), (waterworks, 0), (stranger, 0), (resident, 0)):
        found = settled.periods(connection, "landlord", payables_seen_by(caller), after=0, limit=9)
        assert len(found) == shown
    seen = payables_seen_by(landlord)
    assert [each.number for each in settled.periods(connection, "landlord", seen, after=1, limit=9)] == [2]
    first = settled.period(connection, "landlord", 1, seen)
    assert first is not None
    assert settled.period(connection, "landlord", 3, seen) is None
    lines = settled.lines(connection, first.period_id)
    assert [(line.number, line.amount_minor) for line in lines] == [(1, 350_000)]
    assert settled.lines(connection, first.period_id, after=1) == []
