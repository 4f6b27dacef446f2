"""The audit log: who changed what, when; append-only. What a change was is written in the change's own transaction.

A detail never holds a key, a password or a token. Imported by whatever changes something for a caller.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from headend.authentication import Caller
from headend.column_types import naive
from headend.schema_access import audit_record


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One change: what `actor` (role and name) did to `subject`."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, object]


def record(  # noqa: PLR0913 - the columns of a record
    connection: Connection,
    caller: Caller,
    action: str,
    subject: str,
    *,
    now: datetime,
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write a change into the log of the caller's organisation."""
    connection.execute(
        insert(audit_record).values(
            organisation_id=caller.organisation_id,
            at=naive(now),
            actor=f"{caller.role.value} {caller.name}",
            action=action,
            subject=subject,
            detail=json.dumps(detail or {}, ensure_ascii=False),
        )
    )


def records(connection: Connection, organisation_id: int, *, after: int, limit: int) -> list[AuditRecord]:
    """At most `limit` records of an organisation with a number above `after`, oldest first."""
    rows = connection.execute(
        select(audit_record)
        .where(audit_record.c.organisation_id == organisation_id, audit_record.c.id > after)
        .order_by(audit_record.c.id)
        .limit(limit)
    )
    return [
        AuditRecord(
            number=row.id,
            at=row.at.replace(tzinfo=UTC),
            actor=row.actor,
            action=row.action,
            subject=row.subject,
            detail=json.loads(row.detail),
        )
        for row in rows
    ]
