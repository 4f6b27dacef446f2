"""What a command is, what came of it, and the documents in which both travel. No I/O; imported by this package.

A command is known by the head-end's id for ever: the same id is the same command, however often it is delivered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

import msgspec
from twisted.logger import Logger

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.system_title import SystemTitle
from gateway.exchange import AnswerError

COMMANDS_PATH = "/api/gateway/v1/commands"
LOWEST_PRIORITY = 9
_ID_DIGITS = 32

log = Logger()


class State(StrEnum):
    """What is known of a command: the first two while it is not over, the others as results."""

    WAITING = "waiting"
    BEGUN = "begun"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One order for one meter; `priority` 0..9, 0 first; `expires_at_s` is unix time, None: it does not expire.

    `attempts` counts how often it was begun: an attempt that was begun may have had its effect.
    """

    identifier: str
    title: SystemTitle
    kind: str
    parameters: Mapping[str, Any]
    priority: int = LOWEST_PRIORITY
    expires_at_s: int | None = None
    attempts: int = 0

    def has_expired(self, now_s: float) -> bool:
        """Whether its time is over at `now_s` (unix time)."""
        return self.expires_at_s is not None and now_s >= self.expires_at_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a command: one of the last four states, why where it is not `confirmed`, and what was read."""

    state: State
    reason: str | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def confirmed(cls, **answer: Any) -> "Result":
        """It was carried out."""
        return cls(state=State.CONFIRMED, answer=answer)

    @classmethod
    def refused(cls, reason: str, **answer: Any) -> "Result":
        """It was not carried out, and the same again would not be either."""
        return cls(state=State.REFUSED, reason=reason, answer=answer)

    @classmethod
    def failed(cls, reason: str, **answer: Any) -> "Result":
        """It was tried, and what is in the meter is not what was wanted or is not known."""
        return cls(state=State.FAILED, reason=reason, answer=answer)

    @classmethod
    def expired(cls, reason: str) -> "Result":
        """Its time was over first."""
        return cls(state=State.EXPIRED, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A result as the head-end is to be told of it; `at_s` (unix time) is when it was known."""

    identifier: str
    result: Result
    at_s: int

    @property
    def path(self) -> str:
        """Where it is posted to."""
        return f"{COMMANDS_PATH}/{self.identifier}/result"

    def document(self) -> bytes:
        """The body that is posted."""
        return msgspec.json.encode(
            {
                "state": self.result.state.value,
                "reason": self.result.reason,
                "answer": self.result.answer,
                "at": datetime.fromtimestamp(self.at_s, UTC).isoformat(),
            }
        )


def poll_path(wait_s: int) -> str:
    """What is asked for commands, which the head-end may answer up to `wait_s` seconds later."""
    return f"{COMMANDS_PATH}?{urlencode({'wait': wait_s})}"


def delivered(body: bytes) -> list[Command]:
    """The commands in the head-end's answer; AnswerError when it is not one.

    One that cannot be told by its id and its meter is passed over, as the log says: the others are not held up.
    """
    try:
        document = msgspec.json.decode(body)
        rows = document["commands"]
        if not isinstance(rows, list):
            raise TypeError("commands is no list")
    except (msgspec.DecodeError, TypeError, KeyError) as error:
        raise AnswerError(f"not an answer with commands: {error}") from error
    commands = []
    for row in rows:
        try:
            commands.append(_command(row))
        except (InvalidValueError, TypeError, KeyError, ValueError) as error:
            log.error("a command that cannot be understood is passed over: {error}", error=str(error))
    return commands


def _command(row: Mapping[str, Any]) -> Command:
    identifier = str(row["id"]).lower()
    if len(identifier) != _ID_DIGITS or not set(identifier) <= set("0123456789abcdef"):
        raise InvalidValueError(f"not an id: {identifier!r}")
    expires_at = row.get("expires_at")
    parameters = row.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise InvalidValueError(f"{identifier}: parameters are an object")
    priority = row.get("priority", LOWEST_PRIORITY)
    if type(priority) is not int:
        raise InvalidValueError(f"{identifier}: not a priority: {priority!r}")
    return Command(
        identifier=identifier,
        title=SystemTitle.parse(str(row["system_title"])),
        kind=str(row["kind"]),
        parameters=parameters,
        priority=min(max(priority, 0), LOWEST_PRIORITY),
        expires_at_s=None if expires_at is None else _unix_time_s(str(expires_at)),
    )


def _unix_time_s(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise InvalidValueError(f"an instant has an offset: {text}")
    return int(moment.timestamp())
