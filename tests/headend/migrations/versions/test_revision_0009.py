"""The step of commands."""

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from headend.migrations.versions import revision_0009


def test_it_follows_the_one_before() -> None:
    assert (revision_0009.revision, revision_0009.down_revision) == ("0009", "0008")


def test_a_state_that_there_is_not_is_refused(connection: Connection) -> None:
    statement = (
        "INSERT INTO command (id, organisation_id, meter_id, kind, parameters, priority, created_at, created_by, "
        "state, changed_at) VALUES (:state, 1, 1, 'read', '{}', 5, CURRENT_TIMESTAMP, 'x', :state, CURRENT_TIMESTAMP)"
    )
    good = {"state": "queued"}
    connection.execute(text(statement), good)
    with pytest.raises(IntegrityError):
        connection.execute(text(statement), good | {"state": "lost"})
