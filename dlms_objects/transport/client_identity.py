"""Who the command line is to a meter: a system title of its own and durable counters, in a file beside the key file."""

import os
import secrets
import sqlite3
from pathlib import Path

from dlms_objects.errors import LocalError
from dlms_objects.transport.client import ClientIdentity
from dlms_objects.transport.credentials import MeterCredentials
from dlms_objects.transport.durable_counters import DurableCounters, open_database
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.counters import CounterBlocks, Counters

CLIENT_MAKER = b"MPC"

_TABLE = (
    "CREATE TABLE IF NOT EXISTS identity (id INTEGER PRIMARY KEY CHECK (id = 1), system_title BLOB NOT NULL) STRICT"
)


class IdentityError(LocalError):
    """The file of a client's identity cannot be read or written."""


def identity_path(key_file: Path) -> Path:
    """Where the identity that goes with a key file is kept."""
    return key_file.with_suffix(".identity.sqlite")


def load_identity(path: Path, credentials: MeterCredentials) -> ClientIdentity:
    """The identity kept at `path`; made with a random system title at the first use.

    Several processes may use it at once: each reserves invocation counters of its own. IdentityError when the file
    cannot be used.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = open_database(path)
        connection.execute(_TABLE)
        connection.execute("INSERT OR IGNORE INTO identity VALUES (1, ?)", (CLIENT_MAKER + secrets.token_bytes(5),))
        ((title,),) = connection.execute("SELECT system_title FROM identity").fetchall()
        durable = DurableCounters(connection)
        counters = Counters(
            sent=CounterBlocks(durable.reserve(credentials.key_id)), received=durable.received(credentials.key_id)
        )
    except (sqlite3.Error, OSError) as error:
        raise IdentityError(f"{path}: cannot be used as the identity of a client: {error}") from error
    return ClientIdentity(system_title=SystemTitle(title), counters=counters)
