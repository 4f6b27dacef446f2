"""Triggers that keep a table append-only, on either database. Imported by the migrations that make such a table."""

from alembic import op

_SQLITE = (
    "CREATE TRIGGER {table}_refuses_{change} BEFORE {change} ON {table} "
    "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
)
_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
_POSTGRES = (
    "CREATE TRIGGER {table}_refuses_{change} BEFORE {change} ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
)


def refuse_changes(table: str) -> None:
    """Have the database itself refuse to change or delete rows of a table, or to empty it."""
    if op.get_bind().dialect.name == "sqlite":
        statement, changes = _SQLITE, ["update", "delete"]
    else:
        op.execute(_POSTGRES_FUNCTION)
        statement, changes = _POSTGRES, ["update", "delete", "truncate"]
    for change in changes:
        op.execute(statement.format(table=table, change=change))
