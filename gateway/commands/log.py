"""The log of commands in the gateway's file: stored before they are acted on, kept until their result is reported.

Every function is one operation for `Writer.run`. A command whose result was reported stays known for `REMEMBERED_S`: a
delivery that crossed the report on its way is then no second order. Imported by this package.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from dlms_objects.values.system_title import SystemTitle
from gateway.commands.model import Command, Report, Result, State
from gateway.store import Operation

REMEMBERED_S = 90 * 86_400
REPORTS_AT_A_TIME = 100

_OPEN = "state in ('waiting', 'begun')"


def take_in(
    connection: sqlite3.Connection,
    commands: Sequence[Command],
    *,
    judge: Callable[[Command], Result | None],
    now_s: int,
) -> list[Command]:
    """Store the commands whose ids are not known; those that are new and wait for their meters.

    `judge` says which new ones are over at once. One that is known and over is reported again: the head-end does not
    seem to have its result.
    """
    fresh: list[Command] = []
    for command in commands:
        inserted = connection.execute(
            "insert into command (id, title, kind, parameters, priority, expires_at_s, received_at_s)"
            " values (?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing",
            (
                command.identifier,
                command.title.octets,
                command.kind,
                json.dumps(command.parameters),
                command.priority,
                command.expires_at_s,
                now_s,
            ),
        ).rowcount
        if not inserted:
            connection.execute(
                f"update command set reported_at_s = null where id = ? and not {_OPEN}", (command.identifier,)
            )
        elif (result := judge(command)) is not None:
            finish(connection, command.identifier, result, now_s=now_s)
        else:
            fresh.append(command)
    return fresh


def waiting(connection: sqlite3.Connection, title: SystemTitle) -> list[Command]:
    """The commands of a meter that are not over, in the order of their priority and then of their arrival."""
    rows = connection.execute(
        "select id, kind, parameters, priority, expires_at_s, attempts from command"
        f" where title = ? and {_OPEN} order by priority, number",
        (title.octets,),
    )
    return [
        Command(
            identifier=identifier,
            title=title,
            kind=kind,
            parameters=json.loads(parameters),
            priority=priority,
            expires_at_s=expires_at_s,
            attempts=attempts,
        )
        for identifier, kind, parameters, priority, expires_at_s, attempts in rows.fetchall()
    ]


def begin(connection: sqlite3.Connection, identifier: str) -> None:
    """From now on the command may have had its effect."""
    connection.execute(
        f"update command set state = 'begun', attempts = attempts + 1 where id = ? and {_OPEN}", (identifier,)
    )


def finish(
    connection: sqlite3.Connection,
    identifier: str,
    result: Result,
    *,
    now_s: int,
    counters: Operation[None] = lambda _connection: None,
) -> bool:
    """Keep what came of a command, to be reported; False when it was over before, whose result stays.

    `counters` makes those of the answers that led to it durable along with it.
    """
    counters(connection)
    return bool(
        connection.execute(
            f"update command set state = ?, reason = ?, answer = ?, finished_at_s = ? where id = ? and {_OPEN}",
            (result.state.value, result.reason, json.dumps(result.answer), now_s, identifier),
        ).rowcount
    )


def unreported(connection: sqlite3.Connection) -> list[Report]:
    """The results that the head-end has not answered for, the oldest first, some at a time."""
    rows = connection.execute(
        "select id, state, reason, answer, finished_at_s from command"
        f" where reported_at_s is null and not {_OPEN} order by finished_at_s, number limit ?",
        (REPORTS_AT_A_TIME,),
    )
    return [
        Report(
            identifier=identifier,
            result=Result(state=State(state), reason=reason, answer=json.loads(answer)),
            at_s=at_s,
        )
        for identifier, state, reason, answer, at_s in rows.fetchall()
    ]


def reported(connection: sqlite3.Connection, identifier: str, *, now_s: int) -> None:
    """The head-end has the result; what was reported long ago is forgotten."""
    connection.execute("update command set reported_at_s = ? where id = ?", (now_s, identifier))
    connection.execute("delete from command where reported_at_s < ?", (now_s - REMEMBERED_S,))


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many commands wait, how many are begun, how many results are not reported; by those three words."""
    found: dict[str, Any] = {"waiting": 0, "begun": 0, "unreported": 0}
    if connection.execute("select 1 from sqlite_master where name = 'command'").fetchone() is None:
        return found  # a file that no gateway of this version has opened yet
    query = (
        f"select case when {_OPEN} then state else 'unreported' end as word, count(*) from command"
        " where reported_at_s is null group by word"
    )
    return found | dict(connection.execute(query).fetchall())
