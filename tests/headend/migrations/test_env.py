"""Alembic's environment works on the connection it is handed, and only there."""

from pathlib import Path

from sqlalchemy import inspect, text

from headend.database import migrate
from headend.engines import Purpose, connect
from headend.migrations.versions import revision_0001
from headend.place import Place


def test_a_migration_that_is_not_committed_leaves_nothing(empty: Place) -> None:
    engine = connect(empty, Purpose.MIGRATE)
    with engine.connect() as connection, connection.begin() as work:
        migrate(connection)
        work.rollback()
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == []
        migrate(connection)
        migrate(connection)
        steps = Path(revision_0001.__file__).parent.glob("revision_*.py")
        newest = max(step.stem.removeprefix("revision_") for step in steps)
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [newest]
    engine.dispose()
