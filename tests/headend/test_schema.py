"""The tables as the program sees them are the tables on disk."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from headend import schema


def test_the_program_and_the_migrations_say_the_same(connection: Connection) -> None:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    assert compare_metadata(context, schema.metadata) == []


def test_a_column_too_many_is_noticed(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE entry ADD COLUMN planted TEXT"))
    context = MigrationContext.configure(connection)
    assert len(compare_metadata(context, schema.metadata)) == 1


def test_checks_and_constraints_have_the_same_names_in_both(connection: Connection) -> None:
    for table in schema.metadata.sorted_tables:
        on_disk = connection.execute(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": table.name})
        statement = on_disk.scalar_one()
        for constraint in table.constraints:
            if constraint.name is not None:
                assert f"CONSTRAINT {constraint.name} " in statement


def test_what_the_meters_said_is_append_only(connection: Connection) -> None:
    triggers = connection.execute(text("SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'")).all()
    assert {(table, name) for table, name in triggers} == {
        (table.name, f"{table.name}_refuses_{change}")
        for table in schema.APPEND_ONLY
        for change in ("update", "delete")
    }
