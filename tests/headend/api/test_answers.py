"""Answers say what the books say."""

from datetime import UTC, datetime

from sqlalchemy import Connection

from headend import statements
from headend.api.answers import Entry, Gateway, Notice, Purse, Reconciliation, TurnedAway
from headend.fleet import GatewayStatus, UnknownMeter
from headend.ingest import ingest
from headend.visibility import EVERY_METER
from tests.support.headend_books import CNY, TITLE, usual_journal


def test_entries_are_shown_with_exact_amounts_and_their_reference(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    shown = [Entry.of(each, CNY) for each in statements.entries(connection, 1, after=0, limit=9)]
    assert [(each.kind, each.amount.text) for each in shown] == [
        ("top_up", "5000.00"),
        ("deduction", "-3500.00"),
        ("deduction", "-43.10"),
        ("reversal", "43.10"),
        ("top_up", "0.01"),
        ("adjustment", "-0.07"),
    ]
    assert [each.reference is None for each in shown] == [False, True, True, False, False, False]


def test_before_the_first_batch_there_is_no_currency_and_no_text(connection: Connection) -> None:
    purse = statements.purse(connection, str(TITLE), EVERY_METER)
    assert purse is not None
    shown = Purse.of(purse)
    assert (shown.currency, shown.balance.minor, shown.balance.text) == (None, 0, None)


def test_a_reconciliation_names_every_kind(connection: Connection) -> None:
    counted = statements.reconciliation(connection, str(TITLE), EVERY_METER)
    assert counted is not None
    shown = Reconciliation.of(counted)
    assert shown.entries == {"deduction": 0, "top_up": 0, "reversal": 0, "adjustment": 0}


def test_a_notice_has_the_time_of_its_entry(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    purse = statements.purse(connection, str(TITLE), EVERY_METER)
    assert purse is not None
    letter = statements.mailbox(connection, purse, language=None, after=0, limit=1)[0]
    shown = Notice.of(letter)
    assert shown.time is not None
    assert shown.time.isoformat() == "2026-01-01T09:00:00+08:00"


def test_gateways_and_unknown_meters() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert Gateway.of(GatewayStatus(gateway="g", received_at=now, status={"a": 1})).status == {"a": 1}
    assert TurnedAway.of(UnknownMeter(system_title="A" * 16, batches=1, rows=2)).rows == 2
