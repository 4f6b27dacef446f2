"""The notice of an entry says what its entry says, under the name it was booked under, whatever is learnt later."""

from dataclasses import replace

from sqlalchemy import Connection, select

from headend.descriptors import UNKNOWN
from headend.events import EventBatch, ingest_events
from headend.ingest import ingest
from headend.notices import Facts, facts_of_entry
from headend.schema import notice
from headend.told import FACTS_COLUMNS, facts_from, with_entries
from tests.support.headend_books import OTHER_TITLE, RENT, TITLE, WATER, usual_journal
from tests.support.influx_feed import usual_events


def facts(connection: Connection) -> list[Facts]:
    query = select(notice.c.id, *FACTS_COLUMNS).select_from(with_entries(notice)).order_by(notice.c.id)
    return [facts_from(row) for row in connection.execute(query)]


def test_every_entry_is_told_as_it_was_booked(connection: Connection) -> None:
    journal = usual_journal()
    ingest(connection, [journal.batch(1, 3, items=(RENT,))])
    moved = replace(RENT, revision=2, label="another", payee="other")
    ingest(connection, [journal.batch(4, items=(WATER, moved))])
    ingest(connection, [usual_journal(OTHER_TITLE).batch(items=())])
    names = {2: RENT, 4: WATER}
    wanted = []
    for entry in journal.entries:
        item = names.get(entry.sequence, UNKNOWN)
        wanted.append(facts_of_entry(entry, label=item.label, payee=item.payee))
    assert facts(connection)[:6] == wanted
    assert {(each.label, each.payee) for each in facts(connection)[6:]} == {("", "")}


def test_a_notice_of_an_event_keeps_its_own_facts(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    ingest_events(connection, [EventBatch(title=TITLE, events=tuple(usual_events()))])
    of_events = facts(connection)[6:]
    assert of_events
    assert all(each.amount_minor is None and each.month is None for each in of_events)
