"""The guards of an append-only table hold against every kind of change, on either database."""

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from headend.migrations.append_only import refuse_changes


@pytest.fixture
def guarded(connection: Connection) -> Connection:
    connection.execute(text("CREATE TABLE said (word TEXT)"))
    connection.execute(text("INSERT INTO said VALUES ('this')"))
    with Operations.context(MigrationContext.configure(connection)):
        refuse_changes("said")
    return connection


@pytest.mark.parametrize("change", ["UPDATE said SET word = 'that'", "DELETE FROM said", "TRUNCATE said"])
def test_no_change_passes_and_an_addition_does(guarded: Connection, change: str) -> None:
    if change.startswith("TRUNCATE") and guarded.dialect.name == "sqlite":
        change = "DELETE FROM said WHERE TRUE"  # SQLite has no TRUNCATE
    with pytest.raises(IntegrityError, match="said is append-only"), guarded.begin_nested():
        guarded.execute(text(change))
    guarded.execute(text("INSERT INTO said VALUES ('that')"))
    assert guarded.execute(text("SELECT word FROM said ORDER BY word")).scalars().all() == ["that", "this"]
