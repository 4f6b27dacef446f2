"""The tables of settlement are on disk as the program sees them: `test_schema` compares all of the metadata."""

from headend import schema, schema_settlement


def test_what_is_closed_is_marked_as_append_only() -> None:
    tables = schema_settlement.settlement_period, schema_settlement.settlement_line, schema_settlement.settlement_sum
    assert all(schema.metadata.tables[table.name].info == schema.APPEND_ONLY for table in tables)
