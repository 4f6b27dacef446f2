"""Laws of taking in events."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from dlms_objects.purse.outcome import EventCode
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle
from headend import schema
from headend.events import EventAnswer, EventBatch, MeterEvent, ingest_events
from headend.ingest import Status, ingest
from headend.notices import OF_EVENT_CODE, NoticeKind, facts_of
from headend.place import Place
from tests.support.headend_books import OTHER_TITLE, SHANGHAI, TITLE, UNKNOWN_TITLE, books, usual_journal

FIRST = datetime(2026, 11, 25, 8, 0, tzinfo=SHANGHAI)
DUE = CosemDateTime.from_civil(datetime(2026, 12, 1, 8, 0))  # noqa: DTZ001 - civil


def event(number: int, code: int = 11, *, due: CosemDateTime | None = DUE) -> MeterEvent:
    time = CosemDateTime.from_instant(FIRST + timedelta(minutes=number), SHANGHAI)
    return MeterEvent(number=number, time=time, code=code, fee_item=1, value=number * 100, due=due)


def take(connection: Connection, *events: MeterEvent, title: SystemTitle = TITLE) -> EventAnswer:
    return ingest_events(connection, [EventBatch(title=title, events=events)])[0]


def told(connection: Connection) -> list[tuple[str, int]]:
    query = select(schema.notice.c.kind, schema.notice.c.number).order_by(schema.notice.c.number)
    return [tuple(row) for row in connection.execute(query)]


def held(connection: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(select(schema.meter_event).order_by(schema.meter_event.c.number))]


def test_shortages_are_told_and_the_rest_is_only_kept(connection: Connection) -> None:
    events = [event(number, code) for number, code in enumerate(EventCode, start=1)]
    answer = take(connection, *events)
    assert (answer.status, answer.number) == (Status.ACCEPTED, len(events))
    assert [kind for kind, _number in told(connection)] == [
        "low_balance",
        "shortfall_ahead",
        "insufficient",
        "settled",
        "waiting_amount",
        "parameters_changed",
        "parameters_changed",
    ]
    assert len(held(connection)) == len(events)


def test_what_is_only_the_operators_is_not_told(connection: Connection) -> None:
    take(connection, event(1, EventCode.POWER_UP))
    assert (len(held(connection)), told(connection)) == (1, [])


def test_the_codes_are_those_of_the_meter() -> None:
    named = {EventCode(code).name.lower(): kind for code, kind in OF_EVENT_CODE.items()}
    assert named.pop("passive_activated") is NoticeKind.PARAMETERS_CHANGED
    assert named == {kind.value: kind for kind in OF_EVENT_CODE.values()}


def test_a_notice_knows_the_fee_by_its_newest_name(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    take(connection, event(1))
    row = connection.execute(
        select(schema.notice.c.facts).where(schema.notice.c.kind == NoticeKind.SHORTFALL_AHEAD)
    ).scalar_one()
    facts = facts_of(row)
    assert (facts.label, facts.payee, facts.value_minor, facts.due) == ("房租", "landlord", 100, DUE.octets.hex())


@settings(max_examples=40)
@given(slices=st.lists(st.lists(st.integers(1, 9), max_size=9), max_size=6))
def test_any_order_overlap_and_repetition_keeps_and_tells_each_event_once(
    migrated: Place, slices: list[list[int]]
) -> None:
    with books(migrated) as connection:
        for numbers in slices:
            assert take(connection, *map(event, numbers)).status is Status.ACCEPTED
        take(connection, *map(event, range(1, 10)))
        assert [row[1] for row in held(connection)] == list(range(1, 10))
        assert told(connection) == [("shortfall_ahead", number) for number in range(1, 10)]


def test_a_missing_number_is_no_obstacle(connection: Connection) -> None:
    assert take(connection, event(5)).number == 5
    assert take(connection, event(3), event(9)).number == 9
    assert take(connection, event(4)).number == 9
    assert take(connection).number == 9


@pytest.mark.parametrize("changed", [{"value": 1}, {"code": 12}, {"due": None}, {"fee_item": 2}])
def test_the_same_number_with_another_content_is_a_conflict(connection: Connection, changed: dict[str, object]) -> None:
    take(connection, event(1), event(2))
    before = held(connection)
    answer = take(connection, event(3), replace(event(2), **changed))
    assert (answer.status, answer.number) == (Status.CONFLICT, 2)
    assert answer.detail == "event 2 is known with other content"
    assert held(connection) == before


def test_a_contradiction_within_a_batch_is_a_conflict(connection: Connection) -> None:
    assert take(connection, event(1), replace(event(1), value=7)).status is Status.CONFLICT
    assert held(connection) == []


def test_one_bad_meter_never_blocks_the_others(connection: Connection) -> None:
    take(connection, event(1))
    answers = ingest_events(
        connection,
        [
            EventBatch(title=UNKNOWN_TITLE, events=(event(1), event(2))),
            EventBatch(title=TITLE, events=(replace(event(1), value=0),)),
            EventBatch(title=OTHER_TITLE, events=(event(1, due=None),)),
        ],
    )
    assert [answer.status for answer in answers] == [Status.UNKNOWN_METER, Status.CONFLICT, Status.ACCEPTED]
    assert connection.execute(select(schema.unknown_meter)).all() == [(1, str(UNKNOWN_TITLE), 1, 2)]
