"""The second step: the sink begins turned off, and there is one."""

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from headend.migrations.versions import revision_0002


def test_it_follows_the_first() -> None:
    assert (revision_0002.revision, revision_0002.down_revision) == ("0002", "0001")


def test_the_sink_begins_turned_off(connection: Connection) -> None:
    found = connection.execute(text("SELECT id, wanted, delivered, delivered_at, failure, failed_at FROM point_sink"))
    assert [tuple(row) for row in found] == [(1, 0, 0, None, None, None)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO point_sink (id, wanted, delivered) VALUES (2, 0, 0)",
        "UPDATE point_sink SET wanted = 2",
        "INSERT INTO point_bundle (points, lines) VALUES (0, '')",
    ],
)
def test_what_cannot_be_is_refused(connection: Connection, statement: str) -> None:
    with pytest.raises(IntegrityError):
        connection.execute(text(statement))
