"""Laws of the delivery log: what is sent, how often, and what a crash does to it."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import Connection, func, select

from dlms_objects.purse.check import check
from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.state import PurseState, Settings
from headend import schema
from headend.delivery import log
from headend.delivery.config import NoticesConfig
from headend.delivery.log import Failure, State
from headend.delivery.plan import plan
from headend.events import EventBatch, MeterEvent, ingest_events
from headend.ingest import ingest
from tests.support.deliveries import NOW, recipient
from tests.support.headend_books import CNY, TITLE, usual_journal

POLICY = NoticesConfig(attempts=3, retry_first_s=30, retry_maximum_s=100)
ANNA = recipient()
BEN = recipient("ben", events=["low_balance"])


def planned(connection: Connection, *recipients: object, now: datetime = NOW) -> None:
    ingest(connection, [usual_journal().batch()])
    plan(connection, recipients, now=now)  # type: ignore[arg-type]


def deliver(connection: Connection, failure: Failure | None = None, *, now: datetime = NOW) -> log.Claim | None:
    claim = log.claim_next(connection, "email", now=now)
    if claim is not None:
        log.settle(connection, claim, failure, recipient=ANNA, policy=POLICY, now=now)
    return claim


def states(connection: Connection) -> Counter[str]:
    return Counter(connection.execute(select(schema.delivery.c.state)).scalars())


def test_every_notice_goes_once_to_each_recipient_and_channel_however_often_it_is_planned(
    connection: Connection,
) -> None:
    planned(connection, ANNA)
    plan(connection, [ANNA], now=NOW)
    planned(connection, ANNA)
    assert states(connection) == {"pending": 6}
    while deliver(connection):
        pass
    assert states(connection) == {"sent": 6}


def test_a_failure_is_tried_again_later_and_later_and_given_up_in_the_end(connection: Connection) -> None:
    planned(connection, ANNA)
    first = select(func.min(schema.delivery.c.id)).scalar_subquery()
    connection.execute(schema.delivery.delete().where(schema.delivery.c.id > first))
    now = NOW
    for wait in (30, 60):
        assert deliver(connection, Failure(reason="no route"), now=now) is not None
        assert log.claim_next(connection, "email", now=now + timedelta(seconds=wait - 1)) is None
        now += timedelta(seconds=wait)
    deliver(connection, Failure(reason="no route"), now=now)
    (row,) = log.deliveries(connection, limit=9)
    assert (row.state, row.attempts, row.reason) == (State.DEAD, 3, "no route")
    assert connection.execute(select(schema.alarm.c.kind, schema.alarm.c.subject)).one() == ("delivery_dead", "anna")
    assert log.back_off(POLICY, 50) == timedelta(seconds=100)


def test_a_refusal_is_final_and_may_be_tried_again_by_hand(connection: Connection) -> None:
    planned(connection, ANNA)
    claim = deliver(connection, Failure(reason="refused: 550 no such user", is_final=True))
    assert claim is not None
    (row,) = log.deliveries(connection, state=State.DEAD, limit=9)
    assert row.reason == "refused: 550 no such user"
    assert log.retry(connection, row.delivery_id, now=NOW)
    assert not log.retry(connection, row.delivery_id, now=NOW)


def test_a_mail_that_came_back_is_seen(connection: Connection) -> None:
    planned(connection, ANNA)
    claim = deliver(connection)
    assert claim is not None
    assert log.bounced(connection, claim.ids[0], "mailbox full", now=NOW)
    assert not log.bounced(connection, claim.ids[0], "again", now=NOW)
    (row,) = log.deliveries(connection, state=State.DEAD, limit=9)
    assert row.reason == "bounced: mailbox full"


def test_a_digest_is_one_message_at_its_time(connection: Connection) -> None:
    daily = recipient("dora", digest_at="20:00")
    planned(connection, daily)
    evening = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert log.claim_next(connection, "email", now=evening - timedelta(seconds=1)) is None
    claim = log.claim_next(connection, "email", now=evening)
    assert claim is not None
    assert (len(claim.ids), claim.is_digest) == (6, True)


def test_a_channel_that_is_gone_is_given_up_with_a_reason(connection: Connection) -> None:
    planned(connection, ANNA)
    log.recover(connection, ["sms"], now=NOW)
    assert {row.reason for row in log.deliveries(connection, limit=9)} == {"this channel is no longer configured"}


def crossings(title_number: int, random: Random, steps: int) -> list[MeterEvent]:
    """The events of a purse whose balance walks around its threshold: what the meter itself reports."""
    state = PurseState.new(TITLE, CNY, Settings(low_balance_threshold=1000, time_zone="Asia/Shanghai"))
    found: list[MeterEvent] = []
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=title_number % 300)
    from dataclasses import replace

    state = replace(state, balance=2000)
    for _ in range(steps):
        now += timedelta(minutes=1)
        state = replace(state, balance=max(0, state.balance + random.choice((-900, -300, 300, 900))))
        change = check(state, now, {})
        state = change.state
        found += [
            MeterEvent(number=0, time=event.time, code=event.code, fee_item=0, value=event.value, due=None)
            for event in change.events
            if event.code is EventCode.LOW_BALANCE
        ]
    return found


def walk_all(connection: Connection, walks: int, *, seed: int, mark_too_early: bool = False) -> tuple[int, int, int]:
    """Walk, deliver and crash; (crossings, messages, crashes between sending and marking). Raises when one is lost."""
    from dataclasses import replace

    random = Random(seed)
    number, crashes = 0, 0
    sent: Counter[tuple[int, str]] = Counter()
    crashed: Counter[tuple[int, str]] = Counter()
    numbers = {}
    now = NOW
    recipients = [ANNA, BEN]
    for start in range(0, walks, 50):
        batch = []
        for walk in range(start, min(start + 50, walks)):
            for event in crossings(walk, random, 8):
                number += 1
                batch.append(replace(event, number=number))
        for again in (False, random.random() < 0.3):
            if batch or again:
                ingest_events(connection, [EventBatch(title=TITLE, events=tuple(batch))])
                plan(connection, recipients, now=now)
        now += timedelta(seconds=60)
        while (claim := log.claim_next(connection, "email", now=now)) is not None:
            if mark_too_early:
                log.settle(connection, claim, None, recipient=None, policy=POLICY, now=now)
            chance = random.random()
            if chance < 0.02:  # it crashes before sending
                log.recover(connection, ["email"], now=now)
                continue
            sent[claim.ids[0], claim.recipient] += 1
            if chance < 0.05:  # it crashes after sending, before marking
                crashes += 1
                crashed[claim.ids[0], claim.recipient] += 1
                log.recover(connection, ["email"], now=now)
                continue
            log.settle(connection, claim, None, recipient=None, policy=NoticesConfig(), now=now)
    numbers = connection.execute(select(func.count()).select_from(schema.notice)).scalar_one()
    assert numbers == number
    wanted = set(connection.execute(select(schema.delivery.c.id, schema.delivery.c.recipient)).tuples().all())
    assert len(wanted) == number * len(recipients)
    lost = len(wanted.symmetric_difference(sent))  # a number: pytest would spell out the sets, which takes minutes
    assert lost == 0, "a notice was lost"
    assert all(times == 1 + crashed[key] for key, times in sent.items())
    assert sent.total() == number * len(recipients) + crashes
    return number, sent.total(), crashes


def test_ten_thousand_walks_make_one_notice_per_crossing_and_recipient(connection: Connection) -> None:
    walks = 10_000 if connection.dialect.name == "sqlite" else 500  # a round trip costs more than SQLite's statement
    found, messages, crashes = walk_all(connection, walks, seed=7)
    assert found > walks // 2
    assert crashes > walks // 100
    assert messages == 2 * found + crashes


def test_a_mark_before_sending_is_seen_to_lose_notices(connection: Connection) -> None:
    with pytest.raises(AssertionError, match="a notice was lost"):
        walk_all(connection, 300, seed=7, mark_too_early=True)
