"""Commands to meters: kept under the caller's own id, handed to the meter's gateway until it reports, run once.

queued -> sent -> confirmed | refused | failed | expired; queued -> cancelled | expired. What was handed out is handed
out again at every poll until its result is here: the gateway knows the id, and the meter knows those of money. Imported
by the routers, `plans`, `bills` and `meter_keys`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, or_, select, update

from headend import audit
from headend.authentication import Caller
from headend.column_types import naive
from headend.command_kinds import CommandError, CommandKind, checked
from headend.schema import entry, meter
from headend.schema_commands import command
from headend.visibility import seen_by

USUAL_PRIORITY = 5
HANDED_OUT = 200
"""At most so many commands in one answer to a gateway."""


class State(StrEnum):
    """How far a command is."""

    QUEUED = "queued"
    SENT = "sent"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


FINAL = (State.CONFIRMED, State.REFUSED, State.FAILED, State.EXPIRED, State.CANCELLED)
_OPEN = (State.QUEUED.value, State.SENT.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommand:
    """What is to be done: `command_id` is made by the caller, 32 hexadecimal digits; priority 0 comes first, 9 last."""

    command_id: str
    system_title: str
    kind: CommandKind
    parameters: dict[str, Any] = field(repr=False)
    priority: int = USUAL_PRIORITY
    not_before: datetime | None = None
    expires_at: datetime | None = None
    bulk: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command as it stands; `answer` is what the meter said, `reason` why it did not do it."""

    number: int
    command_id: str
    system_title: str
    kind: CommandKind
    parameters: dict[str, Any]
    priority: int
    bulk: str | None
    created_at: datetime
    created_by: str
    not_before: datetime | None
    expires_at: datetime | None
    state: State
    changed_at: datetime
    reason: str | None
    answer: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a gateway reports: a final state, and what the meter said."""

    state: State
    reason: str | None
    answer: dict[str, Any]


def enqueue(connection: Connection, caller: Caller, new: NewCommand, *, now: datetime) -> Command:
    """Keep a command; the same again changes nothing. CommandError when it cannot be, or the id meant another one."""
    parameters = checked(new.kind, new.parameters)
    meter_id = connection.execute(
        select(meter.c.id).where(meter.c.system_title == new.system_title, seen_by(caller))
    ).scalar_one_or_none()
    if meter_id is None:
        raise CommandError(f"no meter {new.system_title} is registered")
    told = {
        "meter_id": meter_id,
        "kind": new.kind.value,
        "parameters": json.dumps(parameters, ensure_ascii=False, sort_keys=True),
    }
    held = connection.execute(_of(caller).where(command.c.id == new.command_id)).one_or_none()
    if held is not None:
        if {name: getattr(held, name) for name in told} != told:
            raise CommandError(f"the command {new.command_id} was given before with other values")
        return _command(held)
    connection.execute(
        insert(command).values(
            id=new.command_id,
            organisation_id=caller.organisation_id,
            priority=new.priority,
            bulk=new.bulk,
            created_at=naive(now),
            created_by=f"{caller.role.value} {caller.name}",
            not_before=None if new.not_before is None else naive(new.not_before),
            expires_at=None if new.expires_at is None else naive(new.expires_at),
            state=State.QUEUED.value,
            changed_at=naive(now),
            **told,
        )
    )
    audit.record(
        connection,
        caller,
        f"command {new.kind}",
        new.system_title,
        now=now,
        detail={"id": new.command_id, "parameters": parameters},
    )
    return _command(connection.execute(_of(caller).where(command.c.id == new.command_id)).one())


def state_of(connection: Connection, caller: Caller, command_id: str) -> Command | None:
    """A command of the caller's organisation; None when there is none of that id."""
    row = connection.execute(_of(caller).where(command.c.id == command_id)).one_or_none()
    return None if row is None else _command(row)


def commands(  # noqa: PLR0913 - what may be asked
    connection: Connection,
    caller: Caller,
    *,
    state: State | None = None,
    system_title: str | None = None,
    bulk: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[Command]:
    """At most `limit` commands with a number above `after`, oldest first."""
    chosen = _of(caller).where(command.c.number > after).order_by(command.c.number).limit(limit)
    for column, wanted in (
        (command.c.state, state),
        (meter.c.system_title, system_title),
        (command.c.bulk, bulk),
    ):
        if wanted is not None:
            chosen = chosen.where(column == str(wanted))
    return [_command(row) for row in connection.execute(chosen)]


def progress(connection: Connection, caller: Caller, bulk: str) -> dict[State, int]:
    """How many commands of a bulk are in which state; empty when there is no such bulk."""
    rows = connection.execute(
        select(command.c.state, func.count())
        .where(command.c.organisation_id == caller.organisation_id, command.c.bulk == bulk)
        .group_by(command.c.state)
    )
    return {State(state): count for state, count in rows}


def cancel(connection: Connection, caller: Caller, command_id: str, *, now: datetime) -> Command | None:
    """Take back what no gateway has yet; the command as it stands then, None when there is none of that id."""
    cancelled = connection.execute(
        update(command)
        .where(
            command.c.organisation_id == caller.organisation_id,
            command.c.id == command_id,
            command.c.state == State.QUEUED.value,
        )
        .values(state=State.CANCELLED.value, changed_at=naive(now))
    )
    if cancelled.rowcount:
        audit.record(connection, caller, "cancel command", command_id, now=now)
    return state_of(connection, caller, command_id)


def has_open(connection: Connection, gateway: Caller, *, now: datetime) -> bool:
    """Whether there is anything for a gateway to do; only reads."""
    return connection.execute(_for_gateway(gateway, now).limit(1)).first() is not None


def hand_out(connection: Connection, gateway: Caller, *, now: datetime) -> list[Command]:
    """What a gateway has to do: what is new, and what it was handed before and has not reported; first things first."""
    connection.execute(
        update(command)
        .where(
            command.c.organisation_id == gateway.organisation_id,
            command.c.state == State.QUEUED.value,
            command.c.expires_at <= naive(now),
        )
        .values(state=State.EXPIRED.value, changed_at=naive(now), reason="no gateway fetched it in time")
    )
    rows = connection.execute(
        _for_gateway(gateway, now).order_by(command.c.priority, command.c.number).limit(HANDED_OUT)
    ).all()
    new = [row.number for row in rows if row.state == State.QUEUED.value]
    if new:
        connection.execute(
            update(command).where(command.c.number.in_(new)).values(state=State.SENT.value, changed_at=naive(now))
        )
    return [_command(row) for row in rows]


def take_result(
    connection: Connection, gateway: Caller, command_id: str, result: Result, *, now: datetime
) -> Command | None:
    """Keep what a gateway reports; None when it has no such command. CommandError when another result is here.

    The same result again changes nothing. Only a command that is not final takes one.
    """
    row = connection.execute(
        _of(gateway).where(command.c.id == command_id, meter.c.gateway_id == gateway.token_id)
    ).one_or_none()
    if row is None:
        return None
    held = _command(row)
    if held.state in FINAL:
        if (held.state, held.reason, held.answer) != (result.state, result.reason, result.answer):
            raise CommandError(f"the command {command_id} is {held.state} already")
        return held
    connection.execute(
        update(command)
        .where(command.c.number == held.number)
        .values(
            state=result.state.value,
            reason=result.reason,
            answer=json.dumps(result.answer, ensure_ascii=False),
            changed_at=naive(now),
        )
    )
    return state_of(connection, gateway, command_id)


def amount_reversed(connection: Connection, meter_id: int, sequence: int) -> int:
    """The amount of the entry that a reversal takes back, in minor units; 0 when it has not come to the ledger."""
    found: int | None = connection.execute(
        select(entry.c.amount_minor).where(entry.c.meter_id == meter_id, entry.c.sequence == sequence)
    ).scalar_one_or_none()
    return found or 0


def several(
    connection: Connection, caller: Caller, new: Sequence[NewCommand], *, now: datetime
) -> list[tuple[NewCommand, CommandError | None]]:
    """Keep many commands, each on its own merits; what stood in the way of each."""
    outcomes: list[tuple[NewCommand, CommandError | None]] = []
    for each in new:
        try:
            enqueue(connection, caller, each, now=now)
        except CommandError as error:
            outcomes.append((each, error))
        else:
            outcomes.append((each, None))
    return outcomes


def _of(caller: Caller) -> Select[Any]:
    return (
        select(command, meter.c.system_title)
        .join(meter, meter.c.id == command.c.meter_id)
        .where(command.c.organisation_id == caller.organisation_id)
    )


def _for_gateway(gateway: Caller, now: datetime) -> Select[Any]:
    is_time = or_(command.c.not_before.is_(None), command.c.not_before <= naive(now))
    is_fresh = or_(
        command.c.state == State.SENT.value, command.c.expires_at.is_(None), command.c.expires_at > naive(now)
    )
    return _of(gateway).where(meter.c.gateway_id == gateway.token_id, command.c.state.in_(_OPEN), is_time, is_fresh)


def _command(row: Row[Any]) -> Command:
    told = row._mapping
    return Command(
        number=told["number"],
        command_id=told["id"],
        system_title=told["system_title"],
        kind=CommandKind(told["kind"]),
        parameters=json.loads(told["parameters"]),
        priority=told["priority"],
        bulk=told["bulk"],
        created_at=told["created_at"].replace(tzinfo=UTC),
        created_by=told["created_by"],
        not_before=_aware(told["not_before"]),
        expires_at=_aware(told["expires_at"]),
        state=State(told["state"]),
        changed_at=told["changed_at"].replace(tzinfo=UTC),
        reason=told["reason"],
        answer=None if told["answer"] is None else json.loads(told["answer"]),
    )


def _aware(told: datetime | None) -> datetime | None:
    return None if told is None else told.replace(tzinfo=UTC)
