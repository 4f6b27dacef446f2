"""The tables of who may do what are on disk as the program sees them: `test_schema` compares all of the metadata."""

from headend import schema, schema_access


def test_its_tables_are_of_the_one_metadata() -> None:
    named = {"user_account", "login_session", "given_answer", "audit_record"}
    assert named <= set(schema.metadata.tables)
    assert schema_access.audit_record.info == schema.APPEND_ONLY
