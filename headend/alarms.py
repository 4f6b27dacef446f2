"""What operators are told: alarms, each once per kind, subject and number, in the transaction of what raised it.

An alarm has no household and is in no mailbox; recipients whose `events` name its kind are sent it. Imported by
`events`, `evidence`, `delivery`, `rendering` and the configuration.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

import msgspec
from sqlalchemy import Connection, insert, select

from dlms_objects.purse.outcome import EventCode
from headend.schema import alarm, bearer_token, gateway_status


class AlarmKind(StrEnum):
    """What an alarm is about; also the name of its template."""

    CHAIN_CONFLICT = "chain_conflict"
    """Rows of a meter contradict the ledger; subject: the meter, number: of the evidence."""
    UNKNOWN_METER = "unknown_meter"
    """A meter that nobody registered; subject: the meter."""
    GATEWAY_SILENT = "gateway_silent"
    """A gateway has not reported for too long; subject: the gateway, number: its last report, seconds since 1970."""
    METER_ALARM = "meter_alarm"
    """The meter's own log has something for the operator; subject: the meter, number: of the event."""
    DELIVERY_DEAD = "delivery_dead"
    """A notice was given up; subject: the recipient, number: of the delivery."""
    TEST = "test"
    """A test that somebody asked for; subject: the recipient."""


OF_EVENT_CODE = MappingProxyType(
    {
        int(code): code.name.lower()
        for code in (
            EventCode.CLOCK_INVALID,
            EventCode.DECRYPTION_FAILED,
            EventCode.REPLAY_REFUSED,
            EventCode.KEY_CHANGED,
            EventCode.JOURNAL_FULL,
            EventCode.STORAGE_FAILED,
            EventCode.TAMPER,
            EventCode.REGISTER_ROLL_BACK,
        )
    }
)
"""The event codes of the object model that an operator is told about, with their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFacts:
    """What an alarm's template may say: what it is about, and the cause in the words of whoever found it."""

    subject: str
    detail: str = ""
    household: str = ""


_decoder = msgspec.json.Decoder(AlarmFacts)


def facts_of(text: str) -> AlarmFacts:
    """The facts as they were stored."""
    return _decoder.decode(text)


def raise_alarm(connection: Connection, kind: AlarmKind, number: int, facts: AlarmFacts) -> int | None:
    """Keep an alarm; its id, or None when this kind, subject and number was raised before."""
    same = (alarm.c.kind == kind.value, alarm.c.subject == facts.subject, alarm.c.number == number)
    if connection.execute(select(alarm.c.id).where(*same)).first() is not None:
        return None
    raised: int = connection.execute(
        insert(alarm)
        .values(kind=kind.value, subject=facts.subject, number=number, facts=msgspec.json.encode(facts).decode())
        .returning(alarm.c.id)
    ).scalar_one()
    return raised


def raise_silences(connection: Connection, *, now: datetime, after_s: int) -> None:
    """Raise an alarm for each gateway whose last report is older than `after_s`: one for each silence."""
    reports = connection.execute(
        select(bearer_token.c.name, gateway_status.c.received_at).join(
            bearer_token, bearer_token.c.id == gateway_status.c.token_id
        )
    )
    for name, received_at in reports.all():
        last = datetime.fromisoformat(received_at)
        if now - last > timedelta(seconds=after_s):
            said = last.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
            facts = AlarmFacts(subject=name, detail=said)
            raise_alarm(connection, AlarmKind.GATEWAY_SILENT, int(last.timestamp()), facts)
