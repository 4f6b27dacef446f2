"""Who is told of what, and when: a delivery row for each new notice or alarm and each channel of each recipient.

`plan` runs in the transaction that wrote the notices, so a notice and its deliveries are kept together or not at all.
Which ones are new is known by a cursor; nothing is planned twice, and a recipient that is added later is told of what
happens from then on. Imported by the API and `dispatcher`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from headend.alarms import AlarmFacts, AlarmKind, facts_of, raise_alarm
from headend.column_types import naive
from headend.delivery.config import RecipientConfig
from headend.delivery.log import State
from headend.delivery.quiet import first_allowed, next_digest
from headend.monthly import close_months
from headend.notices import OF_ENTRY, NoticeKind
from headend.schema import alarm, delivery, delivery_plan, meter, notice

MACHINE = "webhook:"
"""Channels to machines: no quiet hours, no digests."""

MAXIMUM_NEW = 2**31 - 1
"""More notices than one transaction writes."""

_OF_ENTRIES = {kind.value for kind in OF_ENTRY.values()}


def plan(connection: Connection, recipients: Sequence[RecipientConfig], *, now: datetime) -> None:
    """Write the deliveries of every notice and alarm since the last time, inside the caller's transaction."""
    planned = connection.execute(select(delivery_plan.c.notice_id, delivery_plan.c.alarm_id)).one()
    close_months(connection, _meters_with_entries(connection, planned.notice_id))
    notices = _new_notices(connection, planned.notice_id) if recipients else []
    newest = connection.execute(select(func.max(notice.c.id))).scalar_one() or 0
    alarms = connection.execute(select(alarm).where(alarm.c.id > planned.alarm_id).order_by(alarm.c.id)).all()
    rows: list[dict[str, object]] = []
    for told in notices:
        for recipient in recipients:
            if is_told(recipient, NoticeKind(told.kind), title=told.system_title, household=told.household):
                rows += _rows(recipient, now, notice_id=told.id)
    for raised in alarms:
        for recipient in recipients:
            if _is_alarmed(recipient, AlarmKind(raised.kind), facts_of(raised.facts)):
                rows += _rows(recipient, now, alarm_id=raised.id)
    if rows:
        connection.execute(insert(delivery), rows)
    if newest > planned.notice_id or alarms:
        connection.execute(
            update(delivery_plan).values(
                notice_id=newest,
                alarm_id=alarms[-1].id if alarms else planned.alarm_id,
            )
        )


def plan_test(connection: Connection, recipient: RecipientConfig, *, now: datetime) -> list[int]:
    """Send a test to a recipient on all channels, whatever the hour; the ids of its deliveries."""
    facts = AlarmFacts(subject=recipient.name)
    number = int(now.timestamp() * 1000)
    alarm_id = raise_alarm(connection, AlarmKind.TEST, number, facts)
    if alarm_id is None:
        return []
    rows = [_row(recipient, channel, now, now, alarm_id=alarm_id) for channel in recipient.channels]
    return [connection.execute(insert(delivery).values(row).returning(delivery.c.id)).scalar_one() for row in rows]


def is_told(recipient: RecipientConfig, kind: NoticeKind, *, title: str, household: str) -> bool:
    """Whether a notice of that kind of that meter is for this recipient."""
    if kind not in recipient.events:
        return False
    return not (recipient.meter or recipient.household) or title in recipient.meter or household in recipient.household


def _meters_with_entries(connection: Connection, planned_id: int) -> Sequence[int]:
    """The meters of which entries were booked since the last time."""
    # Order and limit keep SQLite from walking an index of all notices for the sake of DISTINCT.
    new = (
        select(notice.c.meter_id)
        .where(notice.c.id > planned_id, notice.c.kind.in_(_OF_ENTRIES))
        .order_by(notice.c.id)
        .limit(MAXIMUM_NEW)
        .subquery()
    )
    return connection.execute(select(new.c.meter_id).distinct()).scalars().all()


def _new_notices(connection: Connection, planned_id: int) -> Sequence[Any]:
    return connection.execute(
        select(notice.c.id, notice.c.kind, notice.c.meter_id, meter.c.system_title, meter.c.household)
        .join(meter, meter.c.id == notice.c.meter_id)
        .where(notice.c.id > planned_id)
        .order_by(notice.c.id)
    ).all()


def _is_alarmed(recipient: RecipientConfig, kind: AlarmKind, facts: AlarmFacts) -> bool:
    if kind is AlarmKind.TEST or kind not in recipient.events:
        return False  # a test has its deliveries already
    return not recipient.meter or facts.subject in recipient.meter


def _rows(
    recipient: RecipientConfig, now: datetime, *, notice_id: int | None = None, alarm_id: int | None = None
) -> Iterator[dict[str, object]]:
    for channel in recipient.channels:
        due, is_digest = now, False
        if not channel.startswith(MACHINE):
            if recipient.digest_at is not None:
                due, is_digest = next_digest(recipient, recipient.digest_at, now), True
            due = first_allowed(recipient, due)
        yield _row(recipient, channel, now, due, notice_id=notice_id, alarm_id=alarm_id, is_digest=is_digest)


def _row(  # noqa: PLR0913 - the columns of a delivery
    recipient: RecipientConfig,
    channel: str,
    now: datetime,
    due: datetime,
    *,
    notice_id: int | None = None,
    alarm_id: int | None = None,
    is_digest: bool = False,
) -> dict[str, object]:
    return {
        "notice_id": notice_id,
        "alarm_id": alarm_id,
        "recipient": recipient.name,
        "channel": channel,
        "state": State.PENDING.value,
        "is_digest": int(is_digest),
        "attempts": 0,
        "planned_at": naive(now),
        "due_at": naive(due),
        "changed_at": naive(now),
    }
