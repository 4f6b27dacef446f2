"""What an operator asks about InfluxDB, on the database of a head-end that may be running: status, rebuild, check.

Only reads the ledger, on a snapshot, so that a running head-end is never held up. Imported by the composition root.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from dlms_objects.errors import LocalError
from headend import points
from headend.config import HeadendConfig
from headend.database import require_newest_shape, transaction
from headend.engines import Purpose
from headend.influx.replay import Compared, Rebuilt, compare
from headend.influx.replay import rebuild as write_again
from headend.influx.target import Target
from headend.influx.writer import InfluxWriter
from headend.points import Refusal, SinkStatus

REFUSALS_SHOWN = 10


class NoInfluxError(LocalError):
    """The configuration names no InfluxDB."""


def status(config: HeadendConfig) -> tuple[SinkStatus, list[Refusal]]:
    """How delivery stands, and the newest refused points."""
    with _ledger(config) as connection:
        return points.sink_status(connection), points.refusals(connection, limit=REFUSALS_SHOWN)


def rebuild(config: HeadendConfig) -> Rebuilt:
    """Write every point that follows from the ledger; InfluxUnavailableError when the server goes away."""
    target, batch_points = _target(config)
    writer = InfluxWriter(target)
    try:
        with _ledger(config) as connection:
            return write_again(connection, writer, batch_points=batch_points)
    finally:
        writer.close()


def check(config: HeadendConfig) -> list[Compared]:
    """The entries of every meter in the ledger beside those in the bucket."""
    target, _ = _target(config)
    with _ledger(config) as connection:
        return compare(connection, target)


def _target(config: HeadendConfig) -> tuple[Target, int]:
    if config.influx is None:
        raise NoInfluxError("the configuration has no [influx]")
    return Target.of(config.influx), config.influx.batch_points


@contextmanager
def _ledger(config: HeadendConfig) -> Iterator[Connection]:
    with transaction(config.database, Purpose.READ) as connection:
        require_newest_shape(connection)
        yield connection
