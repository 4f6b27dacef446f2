"""The log of deliveries: one row per notice (or alarm), recipient and channel, and what became of it.

pending -> sending -> sent | failed (tried again) | dead (given up). A row is `sending` before its message leaves and
`sent` after: whoever finds it `sending` after a crash sends once more, so one crash repeats a message at most once, and
the log goes on saying that it may have. An attempt that was claimed counts, so a message that kills the process is
given up in the end. Nothing here sends. Imported by `plan`, `dispatcher`, the API and the command line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Row, Select, case, func, select, update

from headend.alarms import AlarmFacts, AlarmKind, raise_alarm
from headend.authentication import FIRST_ORGANISATION
from headend.column_types import naive
from headend.delivery.config import NoticesConfig, RecipientConfig
from headend.delivery.quiet import first_allowed
from headend.measurements import NOBODY, notice_delivery
from headend.points import enqueue
from headend.schema import alarm, delivery, meter, notice

LONGEST_REASON = 500
INTERRUPTED = "the head-end ended while this was being sent; it may arrive twice"
"""The reason of a delivery that a crash or a stop cut off; it stays when the next attempt succeeds."""


class State(StrEnum):
    """What became of a delivery."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DEAD = "dead"


_OPEN = (State.PENDING.value, State.FAILED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Deliveries that go out as one message (several: a digest). `attempts` counts this one."""

    ids: tuple[int, ...]
    recipient: str
    channel: str
    is_digest: bool
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a message did not go out; `is_final`: the other side refused it, trying again is of no use."""

    reason: str
    is_final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One row of the log; `system_title` is None for an alarm, `subject` and `kind` say what it is about."""

    delivery_id: int
    recipient: str
    channel: str
    kind: str
    system_title: str | None
    subject: str
    number: int
    state: State
    attempts: int
    planned_at: datetime
    due_at: datetime
    changed_at: datetime
    reason: str | None


def recover(connection: Connection, channels: Sequence[str], *, now: datetime) -> int:
    """At the start: what a crash left `sending` is to be sent again; how many. Rows of other channels are given up."""
    left = connection.execute(
        update(delivery)
        .where(delivery.c.state == State.SENDING.value)
        .values(state=State.FAILED.value, reason=INTERRUPTED, changed_at=naive(now))
    )
    connection.execute(
        update(delivery)
        .where(delivery.c.state.in_(_OPEN), delivery.c.channel.not_in(channels))
        .values(state=State.DEAD.value, reason="this channel is no longer configured", changed_at=naive(now))
    )
    return left.rowcount


def is_due(connection: Connection, channel: str, *, now: datetime) -> bool:
    """Whether anything is to be sent on a channel now."""
    return connection.execute(_due(channel, now)).first() is not None


def claim_next(connection: Connection, channel: str, *, now: datetime) -> Claim | None:
    """Mark what is due longest on a channel as `sending` and hand it out; None when nothing is due."""
    first = connection.execute(_due(channel, now)).first()
    if first is None:
        return None
    ids = [first.id]
    if first.is_digest:
        together = _due(channel, now, limit=None).where(
            delivery.c.recipient == first.recipient, delivery.c.is_digest == 1
        )
        ids = sorted(row.id for row in connection.execute(together))
    connection.execute(
        update(delivery)
        .where(delivery.c.id.in_(ids))
        .values(state=State.SENDING.value, attempts=delivery.c.attempts + 1, changed_at=naive(now))
    )
    return Claim(
        ids=tuple(ids),
        recipient=first.recipient,
        channel=channel,
        is_digest=bool(first.is_digest),
        attempts=first.attempts + 1,
    )


def settle(  # noqa: PLR0913 - the claim and what is known about its recipient
    connection: Connection,
    claim: Claim,
    failure: Failure | None,
    *,
    recipient: RecipientConfig | None,
    policy: NoticesConfig,
    now: datetime,
) -> State:
    """Write down how sending ended, in all deliveries of the claim; tell the operator of those given up."""
    kept = case((delivery.c.reason == INTERRUPTED, INTERRUPTED), else_=None)
    told: dict[str, object] = {"changed_at": naive(now), "reason": kept}
    state = State.SENT
    if failure is not None:
        told["reason"] = failure.reason[:LONGEST_REASON]
        state = State.DEAD if failure.is_final or claim.attempts >= policy.attempts else State.FAILED
        if state is State.FAILED:
            again = now + back_off(policy, claim.attempts)
            told["due_at"] = naive(again if recipient is None else first_allowed(recipient, again))
    connection.execute(update(delivery).where(delivery.c.id.in_(claim.ids)).values(state=state.value, **told))
    rows = connection.execute(_ROWS.where(delivery.c.id.in_(claim.ids))).all()
    enqueue(connection, [_point(row, state, now) for row in rows])
    if state is State.DEAD:
        for row in rows:
            _tell_operator(connection, row)
    return state


def back_off(policy: NoticesConfig, attempts: int) -> timedelta:
    """How long to wait after so many attempts: doubling, up to the longest wait."""
    return timedelta(seconds=min(policy.retry_first_s * 2 ** min(attempts - 1, 32), policy.retry_maximum_s))


def retry(connection: Connection, delivery_id: int, *, now: datetime) -> bool:
    """Try a delivery that was given up again from the beginning; False when it was not given up."""
    again = connection.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id, delivery.c.state == State.DEAD.value)
        .values(state=State.PENDING.value, attempts=0, due_at=naive(now), changed_at=naive(now))
    )
    return again.rowcount == 1


def bounced(connection: Connection, delivery_id: int, reason: str, *, now: datetime) -> bool:
    """A message that was sent came back later; False when it was not sent at all."""
    came_back = connection.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id, delivery.c.state == State.SENT.value)
        .values(state=State.DEAD.value, reason=f"bounced: {reason}"[:LONGEST_REASON], changed_at=naive(now))
    )
    if came_back.rowcount == 0:
        return False
    _tell_operator(connection, connection.execute(_ROWS.where(delivery.c.id == delivery_id)).one())
    return True


def deliveries(  # noqa: PLR0913 - what may be asked
    connection: Connection,
    organisation_id: int | None = None,
    *,
    state: State | None = None,
    recipient: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[Delivery]:
    """At most `limit` deliveries with an id above `after`, oldest first; of an organisation, or (None) all.

    Alarms are the first organisation's, which runs the head-end.
    """
    chosen = _ROWS.where(delivery.c.id > after).order_by(delivery.c.id).limit(limit)
    if organisation_id is not None:
        chosen = chosen.where(func.coalesce(meter.c.organisation_id, FIRST_ORGANISATION) == organisation_id)
    if state is not None:
        chosen = chosen.where(delivery.c.state == state.value)
    if recipient is not None:
        chosen = chosen.where(delivery.c.recipient == recipient)
    return [_delivery(row) for row in connection.execute(chosen)]


def _due(channel: str, now: datetime, *, limit: int | None = 1) -> Select[tuple[int, str, int, int]]:
    return (
        select(delivery.c.id, delivery.c.recipient, delivery.c.is_digest, delivery.c.attempts)
        .where(delivery.c.channel == channel, delivery.c.state.in_(_OPEN), delivery.c.due_at <= naive(now))
        .order_by(delivery.c.due_at, delivery.c.id)
        .limit(limit)
    )


_ROWS = (
    select(
        delivery,
        notice.c.kind.label("notice_kind"),
        notice.c.number.label("notice_number"),
        alarm.c.kind.label("alarm_kind"),
        alarm.c.subject.label("alarm_subject"),
        alarm.c.number.label("alarm_number"),
        meter.c.system_title,
        meter.c.household,
    )
    .join(notice, notice.c.id == delivery.c.notice_id, isouter=True)
    .join(meter, meter.c.id == notice.c.meter_id, isouter=True)
    .join(alarm, alarm.c.id == delivery.c.alarm_id, isouter=True)
)


def _delivery(row: Row[tuple[object, ...]]) -> Delivery:
    of_notice = row.notice_id is not None
    return Delivery(
        delivery_id=row.id,
        recipient=row.recipient,
        channel=row.channel,
        kind=row.notice_kind if of_notice else row.alarm_kind,
        system_title=row.system_title,
        subject=row.household if of_notice else row.alarm_subject,
        number=row.notice_number if of_notice else row.alarm_number,
        state=State(row.state),
        attempts=row.attempts,
        planned_at=row.planned_at.replace(tzinfo=UTC),
        due_at=row.due_at.replace(tzinfo=UTC),
        changed_at=row.changed_at.replace(tzinfo=UTC),
        reason=row.reason,
    )


def _point(row: Row[tuple[object, ...]], state: State, now: datetime) -> str:
    return notice_delivery(
        meter=row.system_title or NOBODY,
        kind=row.notice_kind or row.alarm_kind,
        channel=row.channel,
        outcome=state.value,
        number=row.notice_id or row.alarm_id,
        attempts=row.attempts,
        waited_s=(naive(now) - row.planned_at) // timedelta(seconds=1),
        now=now,
    )


def _tell_operator(connection: Connection, row: Row[tuple[object, ...]]) -> None:
    """Of a household's notice that was given up; an alarm that was is not told by another alarm."""
    if row.notice_id is not None:
        detail = f"{row.channel}: {row.reason}"
        facts = AlarmFacts(subject=row.recipient, detail=detail, household=row.household)
        raise_alarm(connection, AlarmKind.DELIVERY_DEAD, row.id, facts)
