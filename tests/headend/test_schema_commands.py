"""The tables of commands and keys are on disk as the program sees them: `test_schema` compares all of the metadata."""

from headend import schema, schema_commands
from headend.commands import State


def test_its_tables_are_of_the_one_metadata_and_know_every_state() -> None:
    assert {"command", "meter_key", "gateway_recipient"} <= set(schema.metadata.tables)
    assert ", ".join(f"'{state}'" for state in State) == schema_commands.STATES
