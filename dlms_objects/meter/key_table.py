"""The tables of the meter's keys in its store: made where they are missing, read and replaced as one value.

Imported by `store`, which owns the connection and the transaction. The file is its owner's alone (`store_file`).
"""

import sqlite3

from dlms_objects.meter.meter_keys import MeterKeys
from dlms_objects.wire.cipher_keys import CipherKeys

KEY_TABLES = """
CREATE TABLE IF NOT EXISTS association_keys (
    client_sap INTEGER PRIMARY KEY, encryption_key BLOB NOT NULL, authentication_key BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS master_key (id INTEGER PRIMARY KEY CHECK (id = 1), key BLOB NOT NULL) STRICT;
"""


def read_keys(connection: sqlite3.Connection) -> MeterKeys | None:
    """The keys in the tables; None before the first were stored. InvalidValueError when they were altered to none."""
    masters = connection.execute("SELECT key FROM master_key").fetchall()
    if not masters:
        return None
    rows = connection.execute("SELECT client_sap, encryption_key, authentication_key FROM association_keys")
    return MeterKeys(
        associations={
            client_sap: CipherKeys(global_unicast_encryption_key=encryption_key, authentication_key=authentication_key)
            for client_sap, encryption_key, authentication_key in rows
        },
        master_key=masters[0][0],
    )


def key_statements(keys: MeterKeys) -> list[tuple[str, tuple[object, ...]]]:
    """The statements that replace all keys; they belong in one transaction."""
    return [
        ("INSERT OR REPLACE INTO master_key VALUES (1, ?)", (keys.master_key,)),
        *(
            (
                "INSERT OR REPLACE INTO association_keys VALUES (?, ?, ?)",
                (client_sap, of_one.global_unicast_encryption_key, of_one.authentication_key),
            )
            for client_sap, of_one in keys.associations.items()
        ),
    ]
