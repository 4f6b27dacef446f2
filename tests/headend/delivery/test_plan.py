"""Who is told of what, and when."""

from datetime import UTC, datetime

from sqlalchemy import Connection, select

from dlms_objects.purse.outcome import EventCode
from dlms_objects.values.cosem_time import CosemDateTime
from headend import schema
from headend.alarms import AlarmFacts, AlarmKind, raise_alarm
from headend.delivery import log
from headend.delivery.plan import plan, plan_test
from headend.events import EventBatch, MeterEvent, ingest_events
from headend.ingest import ingest
from tests.support.deliveries import NOW, recipient
from tests.support.headend_books import SHANGHAI, TITLE, UNKNOWN_TITLE, MeterJournal, usual_journal


def planned(connection: Connection) -> list[tuple[str, str, str]]:
    return [(row.recipient, row.channel, row.kind) for row in log.deliveries(connection, limit=99)]


def test_a_recipient_chooses_meters_households_and_events(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    everybody = [
        recipient("a", events=["adjustment"]),
        recipient("b", events=["adjustment"], meter=[str(TITLE)]),
        recipient("c", events=["adjustment"], household=["一号楼301"]),
        recipient("d", events=["adjustment"], meter=["4D50520000000002"]),
        recipient("e", events=["low_balance"]),
    ]
    plan(connection, everybody, now=NOW)
    assert planned(connection) == [(name, "email", "adjustment") for name in "abc"]


def test_whoever_comes_later_is_not_told_of_what_was(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    plan(connection, [], now=NOW)
    plan(connection, [recipient()], now=NOW)
    assert planned(connection) == []


def test_quiet_hours_are_for_people_and_not_for_machines(connection: Connection) -> None:
    journal = MeterJournal()
    journal.top_up(5)
    ingest(connection, [journal.batch()])
    night = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
    both = recipient("a", email="a@example.org", webhook="w", quiet_from="22:00", quiet_until="07:00")
    plan(connection, [both], now=night)
    due = {row.channel: row.due_at for row in log.deliveries(connection, limit=9)}
    assert due == {"email": datetime(2026, 3, 1, 23, 0, tzinfo=UTC), "webhook:w": night}


def test_alarms_go_to_whoever_named_them(connection: Connection) -> None:
    operator = recipient("op", events=[kind.value for kind in AlarmKind])
    journal = usual_journal()
    ingest(connection, [journal.batch()])
    plan(connection, [operator], now=NOW)
    forked = MeterJournal()
    forked.top_up(1)
    ingest(connection, [forked.batch(), MeterJournal(UNKNOWN_TITLE).batch()])
    ingest(connection, [forked.batch(), MeterJournal(UNKNOWN_TITLE).batch()])
    time = CosemDateTime.from_instant(NOW, SHANGHAI)
    tamper = MeterEvent(number=1, time=time, code=EventCode.TAMPER, fee_item=0, value=0, due=None)
    ingest_events(connection, [EventBatch(title=TITLE, events=(tamper,))])
    plan(connection, [operator, recipient()], now=NOW)
    assert planned(connection) == [("op", "email", kind) for kind in ("chain_conflict", "unknown_meter", "meter_alarm")]


def test_a_test_goes_to_one_recipient_on_every_channel_at_once(connection: Connection) -> None:
    night = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
    both = recipient("a", email="a@example.org", webhook="w", quiet_from="22:00", quiet_until="07:00")
    assert len(plan_test(connection, both, now=night)) == 2
    assert plan_test(connection, both, now=night) == []
    plan(connection, [both], now=night)
    assert {row.due_at for row in log.deliveries(connection, limit=9)} == {night}
    assert len(planned(connection)) == 2


def test_an_alarm_is_raised_once(connection: Connection) -> None:
    facts = AlarmFacts(subject="x")
    assert raise_alarm(connection, AlarmKind.UNKNOWN_METER, 1, facts) is not None
    assert raise_alarm(connection, AlarmKind.UNKNOWN_METER, 1, facts) is None
    assert len(connection.execute(select(schema.alarm)).all()) == 1
