"""The third step: what was before is not sent, and what cannot be is refused."""

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from headend.migrations.versions import revision_0003


def test_it_follows_the_second() -> None:
    assert (revision_0003.revision, revision_0003.down_revision) == ("0003", "0002")


def test_the_plan_begins_after_what_was(connection: Connection) -> None:
    assert connection.execute(text("SELECT * FROM delivery_plan")).all() == [(1, 0, 0)]


@pytest.mark.parametrize("values", ["NULL, NULL, 'a', 'email', 'pending'", "NULL, 1, 'a', 'email', 'lost'"])
def test_what_cannot_be_is_refused(connection: Connection, values: str) -> None:
    connection.execute(text("INSERT INTO alarm (id, kind, subject, number, facts) VALUES (1, 'test', 'a', 1, '{}')"))
    with pytest.raises(IntegrityError):
        connection.execute(
            text(
                "INSERT INTO delivery (notice_id, alarm_id, recipient, channel, state, is_digest, attempts, "
                f"planned_at, due_at, changed_at) VALUES ({values}, 0, 0, '2026-01-01', '2026-01-01', '2026-01-01')"
            )
        )
