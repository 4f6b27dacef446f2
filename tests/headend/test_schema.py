"""The tables as the program sees them are the tables on disk."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, inspect, text

from headend import schema


def test_the_program_and_the_migrations_say_the_same(connection: Connection) -> None:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    assert compare_metadata(context, schema.metadata) == []


def test_a_column_too_many_is_noticed(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE entry ADD COLUMN planted TEXT"))
    context = MigrationContext.configure(connection)
    assert len(compare_metadata(context, schema.metadata)) == 1


def test_checks_have_the_same_names_in_both(connection: Connection) -> None:
    """Alembic compares all other constraints, but not these."""
    for table in schema.metadata.sorted_tables:
        wanted = {each.name for each in table.constraints if isinstance(each, CheckConstraint)}
        assert {each["name"] for each in inspect(connection).get_check_constraints(table.name)} == wanted


def test_what_the_meters_said_is_append_only(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        asked, changes = "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'", ("update", "delete")
    else:
        asked = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
        changes = ("update", "delete", "truncate")
    guarded = [table for table in schema.metadata.sorted_tables if table.info.get("append_only")]
    assert len(guarded) >= 6
    assert {(table, name) for table, name in connection.execute(text(asked))} == {
        (table.name, f"{table.name}_refuses_{change}") for table in guarded for change in changes
    }
