"""One effect and one answer, however often a request is sent: answers are kept under the caller's own key.

The answer is written in the transaction of what was done, so either both are there or neither. Keys are an
organisation's own and good for ever. Imported by the routers that change something.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from dlms_objects.errors import LocalError
from headend.authentication import Caller
from headend.column_types import naive
from headend.schema_access import given_answer


class KeyUsedError(LocalError):
    """The key was used for another request; nothing was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer: HTTP status and JSON content."""

    status: int
    content: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as far as it decides the answer: the caller's key, what is done, and with what."""

    key: str
    action: str
    content: object

    @property
    def digest(self) -> bytes:
        """The SHA-256 of action and content."""
        words = json.dumps([self.action, self.content], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(words.encode()).digest()


def once(connection: Connection, caller: Caller, asked: Asked, work: Callable[[], Given], *, now: datetime) -> Given:
    """Do it and keep the answer, or give the answer that was given; KeyUsedError when the key meant something else.

    A `work` that raises has done nothing, and the key stays free. Runs inside the one writer's transaction.
    """
    of_key = (given_answer.c.organisation_id == caller.organisation_id, given_answer.c.key == asked.key)
    held = connection.execute(select(given_answer).where(*of_key)).one_or_none()
    if held is not None:
        if held.request != asked.digest:
            raise KeyUsedError(f"the idempotency key {asked.key} was used for another request")
        return Given(status=held.status, content=json.loads(held.answer))
    given = work()
    connection.execute(
        insert(given_answer).values(
            organisation_id=caller.organisation_id,
            key=asked.key,
            request=asked.digest,
            status=given.status,
            answer=json.dumps(given.content, ensure_ascii=False),
            given_at=naive(now),
        )
    )
    return given
