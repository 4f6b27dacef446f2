"""Damage to keys, tokens, guards and shape of a ledger, each with the words that must name it."""

from tests.support.damages import Damage, drop, execute, sql

ACCESS_DAMAGES = (
    Damage(
        name="a foreign gateway",
        plant=sql("UPDATE meter SET gateway_id = (SELECT id FROM bearer_token WHERE name = 'theirs') WHERE id = 1"),
        kind="access",
        words="no gateway of its organisation",
    ),
    Damage(
        name="a weak hash",
        plant=sql("UPDATE user_account SET password_hash = 'plain'"),
        kind="access",
        words="no argon2id",
    ),
    Damage(
        name="a token's hash",
        plant=sql("UPDATE bearer_token SET digest = substr(digest, 1, 5) WHERE name = 'theirs'"),
        kind="access",
        words="no hash",
    ),
    Damage(
        name="a sealed key",
        plant=sql("UPDATE courier_key SET sealed_keys = substr(sealed_keys, 1, 50)"),
        kind="key",
        words="not sealed with this root key",
    ),
    Damage(
        name="a key's name",
        plant=sql("UPDATE courier_key SET key_name = 'other'"),
        kind="key",
        words="not the key that it is named",
    ),
    Damage(name="a key's counter", plant=sql("UPDATE courier_key SET sent = -1"), kind="key", words="a counter"),
)
GUARD_DAMAGES = (
    *(
        Damage(name=f"{table} may {change}", plant=drop(table, change), kind="guard", words=f"{change} rows of {table}")
        for table in ("entry", "posting", "evidence", "meter_event", "notice", "audit_record")
        for change in ("update", "delete")
    ),
    Damage(
        name="a column too many",
        plant=lambda connection: execute(connection, "ALTER TABLE entry ADD COLUMN planted TEXT"),
        kind="shape",
        words="remove_column",
    ),
    Damage(
        name="an index gone",
        plant=lambda connection: execute(connection, "DROP INDEX ix_notice_meter_id_id"),
        kind="shape",
        words="add_index",
    ),
)
