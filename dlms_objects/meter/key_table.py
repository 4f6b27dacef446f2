"""The tables of the meters' keys in a store: read and replaced as one value for each meter.

Imported by `store`, which owns the transaction. The tables and the file, its owner's alone, are `store_file`'s.
"""

import sqlite3

from dlms_objects.meter.meter_keys import MeterKeys
from dlms_objects.wire.cipher_keys import CipherKeys


def read_keys(connection: sqlite3.Connection, number: int) -> MeterKeys | None:
    """The keys of that meter; None before its first were stored. InvalidValueError when they were altered to none."""
    masters = connection.execute("SELECT key FROM master_key WHERE meter = ?", (number,)).fetchall()
    if not masters:
        return None
    rows = connection.execute(
        "SELECT client_sap, encryption_key, authentication_key FROM association_keys WHERE meter = ?", (number,)
    )
    secrets = connection.execute("SELECT client_sap, secret FROM association_secret WHERE meter = ?", (number,))
    return MeterKeys(
        associations={
            client_sap: CipherKeys(global_unicast_encryption_key=encryption_key, authentication_key=authentication_key)
            for client_sap, encryption_key, authentication_key in rows
        },
        master_key=masters[0][0],
        secrets=dict(secrets.fetchall()),
    )


def key_statements(keys: MeterKeys, number: int) -> list[tuple[str, tuple[object, ...]]]:
    """The statements that replace all keys of that meter; they belong in one transaction."""
    return [
        ("INSERT OR REPLACE INTO master_key VALUES (?, ?)", (keys.master_key, number)),
        *(
            (
                "INSERT OR REPLACE INTO association_keys VALUES (?, ?, ?, ?)",
                (client_sap, of_one.global_unicast_encryption_key, of_one.authentication_key, number),
            )
            for client_sap, of_one in keys.associations.items()
        ),
        *(
            ("INSERT OR REPLACE INTO association_secret VALUES (?, ?, ?)", (client_sap, secret, number))
            for client_sap, secret in keys.secrets.items()
        ),
    ]
