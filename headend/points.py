"""The outbox of points on their way to InfluxDB: written in the ledger's transactions, emptied by the sink.

A point is one line of line protocol (`measurements` makes them). Lines rest in bundles, in the order in which they were
enqueued; a bundle is deleted when its points are delivered, so what rests here is what is still to be delivered. While
no InfluxDB is configured nothing is kept at all: `influx rebuild` makes the ledger's points again. Imported by
`ingest`, `events`, `fleet`, `service`, whoever else has a point to tell, and `influx`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from headend.schema import point_bundle, point_sink, refused_point

BUNDLE_POINTS = 1000
"""The most points in one bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Up to BUNDLE_POINTS lines that were enqueued together."""

    number: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A point that will never be delivered, and why."""

    line: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkStatus:
    """How delivery stands: counts of points, times in UTC; `failure` is why the last attempt failed."""

    wanted: bool
    waiting: int
    oldest_queued_at: datetime | None
    delivered: int
    delivered_at: datetime | None
    refused: int
    failure: str | None
    failed_at: datetime | None


def is_wanted(connection: Connection) -> bool:
    """Whether there is an InfluxDB to write to; otherwise points need not even be made."""
    return bool(connection.execute(select(point_sink.c.wanted)).scalar_one())


def enqueue(connection: Connection, lines: Iterable[str]) -> None:
    """Add points inside the caller's transaction, so that they are kept exactly when its facts are.

    Each of `lines` is one line as `measurements` makes it. Nothing is kept while no InfluxDB is wanted.
    """
    kept = list(lines)
    if kept and is_wanted(connection):
        connection.execute(
            insert(point_bundle),
            [{"points": len(bundle), "lines": "\n".join(bundle)} for bundle in _bundles(kept)],
        )


def set_wanted(connection: Connection, wanted: bool) -> None:
    """Begin to keep points, or stop: what waits is then dropped, for nobody would ever fetch it."""
    connection.execute(update(point_sink).values(wanted=int(wanted)))
    if not wanted:
        connection.execute(delete(point_bundle))


def next_bundles(connection: Connection, *, maximum_points: int) -> list[Bundle]:
    """The oldest bundles: at least one if there is any, more of them up to `maximum_points` together."""
    rows = connection.execute(
        select(point_bundle.c.id, point_bundle.c.lines)
        .order_by(point_bundle.c.id)
        .limit(maximum_points)
        .execution_options(yield_per=8)
    )
    bundles: list[Bundle] = []
    points = 0
    for row in rows:
        lines = tuple(row.lines.split("\n"))
        points += len(lines)
        if bundles and points > maximum_points:
            rows.close()
            break
        bundles.append(Bundle(number=row.id, lines=lines))
    return bundles


def settle(connection: Connection, bundles: Sequence[Bundle], refusals: Sequence[Refusal], *, now: datetime) -> None:
    """These bundles, the oldest, are in InfluxDB, but for the refused points, which are put aside with their reason."""
    connection.execute(delete(point_bundle).where(point_bundle.c.id <= bundles[-1].number))
    _put_aside(connection, refusals)
    delivered = sum(len(bundle.lines) for bundle in bundles) - len(refusals)
    connection.execute(
        update(point_sink).values(
            delivered=point_sink.c.delivered + delivered, delivered_at=_naive(now), failure=None, failed_at=None
        )
    )


def note_failure(connection: Connection, reason: str, *, now: datetime) -> None:
    """Remember why nothing can be delivered at the moment."""
    connection.execute(update(point_sink).values(failure=reason, failed_at=_naive(now)))


def sink_status(connection: Connection) -> SinkStatus:
    """How delivery stands."""
    sink = connection.execute(select(point_sink)).one()
    waiting, oldest = connection.execute(
        select(func.coalesce(func.sum(point_bundle.c.points), 0), func.min(point_bundle.c.queued_at))
    ).one()
    return SinkStatus(
        wanted=bool(sink.wanted),
        waiting=int(waiting),
        oldest_queued_at=_aware(oldest),
        delivered=sink.delivered,
        delivered_at=_aware(sink.delivered_at),
        refused=connection.execute(select(func.count()).select_from(refused_point)).scalar_one(),
        failure=sink.failure,
        failed_at=_aware(sink.failed_at),
    )


def refusals(connection: Connection, *, limit: int) -> list[Refusal]:
    """The newest refused points, newest first."""
    rows = connection.execute(select(refused_point).order_by(refused_point.c.id.desc()).limit(limit))
    return [Refusal(line=row.line, reason=row.reason) for row in rows]


def _put_aside(connection: Connection, refusals: Sequence[Refusal]) -> None:
    if refusals:
        connection.execute(
            insert(refused_point), [{"line": refusal.line, "reason": refusal.reason} for refusal in refusals]
        )


def _bundles(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(lines), BUNDLE_POINTS):
        yield lines[start : start + BUNDLE_POINTS]


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


def _aware(stored: datetime | None) -> datetime | None:
    return None if stored is None else stored.replace(tzinfo=UTC)
