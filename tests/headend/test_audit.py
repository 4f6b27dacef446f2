"""The audit log: who, what, when; an organisation's own."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, delete
from sqlalchemy.exc import IntegrityError

from headend.audit import record, records
from headend.authentication import FIRST_ORGANISATION, Caller
from headend.permissions import Role
from headend.schema_access import audit_record
from headend.users import add_organisation

NOW = datetime(2026, 7, 1, 3, 4, 5, tzinfo=UTC)
CALLER = Caller(organisation_id=FIRST_ORGANISATION, name="olga", role=Role.OPERATOR)


def test_what_was_done_is_read_again_in_pages_and_by_its_organisation_only(connection: Connection) -> None:
    other = replace(CALLER, organisation_id=add_organisation(connection, "other"))
    for caller, subject in ((CALLER, "a"), (other, "secret"), (CALLER, "b"), (CALLER, "c")):
        record(connection, caller, "change", subject, now=NOW, detail={"房": 1})
    first = records(connection, FIRST_ORGANISATION, after=0, limit=2)
    rest = records(connection, FIRST_ORGANISATION, after=first[-1].number, limit=9)
    assert [each.subject for each in first + rest] == ["a", "b", "c"]
    assert (first[0].at, first[0].actor, first[0].action, first[0].detail) == (
        NOW,
        "operator olga",
        "change",
        {"房": 1},
    )


def test_nobody_takes_anything_out_of_it(connection: Connection) -> None:
    record(connection, CALLER, "change", "a", now=NOW)
    with pytest.raises(IntegrityError, match="append-only"):
        connection.execute(delete(audit_record))
