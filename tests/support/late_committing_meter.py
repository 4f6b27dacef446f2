"""`meterpurse` with a deliberate fault: the meter's store commits half a second after the answer has left.

For the tests that must notice it. Run as `python -m tests.support.late_committing_meter meter run DIR`.
"""

import sqlite3
from collections.abc import Iterable

from dlms_objects.meter.store import MeterStore

LATE_S = 0.5


def _commit_late(self: MeterStore, statements: Iterable[tuple[str, tuple[object, ...]]]) -> None:
    from twisted.internet import reactor

    connection = self._connection
    if not connection.in_transaction:
        connection.execute("BEGIN IMMEDIATE")
        reactor.callLater(LATE_S, _commit, connection)
    for statement, parameters in statements:
        connection.execute(statement, parameters)


def _commit(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("COMMIT")


def _commit_and_close(self: MeterStore) -> None:
    """A stop in good order loses nothing: only a kill shows the fault."""
    _commit(self._connection)
    _close(self)


_close = MeterStore.close

if __name__ == "__main__":
    from deploy.cli import main

    assert callable(MeterStore._change)
    MeterStore._change = _commit_late  # type: ignore[method-assign]
    MeterStore.close = _commit_and_close  # type: ignore[method-assign]
    main()
