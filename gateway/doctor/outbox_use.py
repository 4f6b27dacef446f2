"""Whether a gateway is at work on an outbox file, and the counters with which one may speak in its name.

A gateway draws invocation counters from blocks that it has reserved. Whoever spoke in its name meanwhile would use
greater ones, and the meter would then refuse the rest of its block as replays: so nobody does. Imported by `meter.py`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from dlms_objects.transport.credentials import MeterCredentials
from gateway.counters import AssociationCounters
from gateway.store import Store


def is_in_use(path: Path) -> bool:
    """Whether another process has the outbox file open; False when there is none. Nothing is changed.

    A connection in WAL mode holds a shared lock as long as it is open, so an exclusive one can only be had without it.
    """
    if not path.exists():
        return False
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError as error:
            return "locked" in str(error)
    return False


@contextmanager
def counters_of_gateway(path: Path, credentials: MeterCredentials) -> Iterator[AssociationCounters]:
    """The gateway's own durable counters with one meter; what was accepted is durable after the block.

    Only for an outbox that is not in use. StoreError when the file cannot be used.
    """
    store = Store(path)
    try:
        counters = AssociationCounters(store, credentials.system_title, credentials.key_id)
        yield counters
        store.run(counters.keep())
    finally:
        store.close()
