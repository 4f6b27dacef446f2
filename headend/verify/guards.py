"""The guards of the database itself: its shape, its file, and the triggers that keep the books append-only.

Imported by `whole`.
"""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, inspect, text

from headend.verify.findings import Findings
from headend.whole_schema import metadata

_SQLITE = "SELECT tbl_name, name, sql LIKE '%RAISE(ABORT%' FROM sqlite_master WHERE type = 'trigger'"
_POSTGRES = (
    "SELECT tgrelid::regclass::text, tgname, tgenabled IN ('O', 'A') AND prosrc LIKE '%RAISE EXCEPTION%' "
    "FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
    "WHERE NOT tgisinternal AND tgrelid IN "
    "(SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)"
)


def check_guards(connection: Connection, findings: Findings) -> None:
    """Look at file, shape, constraints and triggers."""
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        for (said,) in connection.exec_driver_sql("PRAGMA integrity_check(20)").all():
            if said != "ok":
                findings.add("file", " ".join(said.split()))
    for difference in compare_metadata(MigrationContext.configure(connection), metadata):
        words = difference if isinstance(difference, tuple) else difference[0]
        findings.add("shape", f"the tables are not those of the program: {words[0]} {' '.join(map(str, words[1:3]))}")
    inspector = inspect(connection)
    for table in metadata.sorted_tables:
        wanted = {each.name for each in table.constraints if isinstance(each, CheckConstraint)}
        for name in wanted - {each["name"] for each in inspector.get_check_constraints(table.name)}:
            findings.add("shape", f"the table {table.name} has lost the check {name}")
    changes = ("update", "delete") if is_sqlite else ("update", "delete", "truncate")
    there = {
        (table, name) for table, name, works in connection.execute(text(_SQLITE if is_sqlite else _POSTGRES)) if works
    }
    for table in (table for table in metadata.sorted_tables if table.info.get("append_only")):
        for change in changes:
            if (table.name, f"{table.name}_refuses_{change}") not in there:
                findings.add("guard", f"the trigger that refuses to {change} rows of {table.name} is missing or off")
