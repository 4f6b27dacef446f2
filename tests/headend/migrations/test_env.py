"""Alembic's environment works on the connection it is handed, and only there."""

from pathlib import Path

from sqlalchemy import text

from headend.database import connect, migrate
from headend.migrations.versions import revision_0001


def test_a_migration_that_is_not_committed_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "headend.sqlite"
    path.touch()
    engine = connect(path)
    with engine.connect() as connection, connection.begin() as work:
        migrate(connection)
        work.rollback()
    with engine.begin() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM sqlite_master")).scalar_one() == 0
        migrate(connection)
        migrate(connection)
        steps = Path(revision_0001.__file__).parent.glob("revision_*.py")
        newest = max(step.stem.removeprefix("revision_") for step in steps)
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [newest]
    engine.dispose()
