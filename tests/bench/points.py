"""The sink's throughput in points per second, beside raw posting of the same bytes to the same InfluxDB through nginx.

Wall time, for most of it is InfluxDB's. The sink reads the outbox, posts by influxdb-client and empties the outbox
durably; raw posting sends prepared bodies over one kept connection and does nothing else. Each case writes the same
lines in the same batches into an empty bucket, in turns.
"""

import asyncio
import http.client
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from time import perf_counter
from urllib.parse import urlsplit

from deploy.demo.influxdb import InfluxWorld
from dlms_objects.purse.entry import Entry
from headend import measurements, points
from headend.database import Database, connect, migrate
from headend.influx.sink import Sink, SinkLimits
from headend.influx.target import Target
from headend.influx.writer import InfluxWriter
from tests.bench.journal import TITLE, journal_rows

POINTS = 100_000
BATCH = 5_000
ROUNDS = 3
LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Points per second, a figure per round."""

    sink: tuple[float, ...]
    raw: tuple[float, ...]

    @property
    def share(self) -> float:
        """How much of raw posting the sink reaches: the median of the shares of the rounds."""
        return statistics.median(sink / raw for sink, raw in zip(self.sink, self.raw, strict=True))


def throughput(*, count: int = POINTS, rounds: int = ROUNDS) -> Throughput:
    """Measure both in turns; every point is counted in InfluxDB afterwards."""
    lines = entry_lines(count)
    sink, raw = [], []
    with tempfile.TemporaryDirectory(prefix="meterpurse-bench-") as folder:
        world = InfluxWorld.started(Path(folder) / "influxdb")
        try:
            for number in range(rounds):
                database = filled_outbox(Path(folder) / f"{number}.sqlite", lines)
                sink.append(count / timed(world, lambda ready=database: drain(ready, world.target)))
                database.close()
                raw.append(count / timed(world, lambda: post(world.target, lines)))
                assert world.points()["purse_entry"] == count
        finally:
            world.stop()
    return Throughput(sink=tuple(sink), raw=tuple(raw))


def entry_lines(count: int) -> list[str]:
    """The points of a made journal."""
    return [
        measurements.purse_entry(
            Entry.from_row(row), meter=str(TITLE), currency="CNY", account="payable:landlord", label="Rent"
        )
        for row in journal_rows(count)
    ]


def filled_outbox(path: Path, lines: Sequence[str]) -> Database:
    """A database whose outbox holds these points, in the bundles that batches of a thousand rows make."""
    path.touch()
    engine = connect(path)
    with engine.begin() as connection:
        migrate(connection)
        points.set_wanted(connection, True)
        points.enqueue(connection, lines)
    engine.dispose()
    return Database(path, write_queue=4)


def drain(database: Database, target: Target) -> None:
    """Let the sink empty the outbox."""

    async def run() -> None:
        limits = SinkLimits(batch_points=BATCH, figures_every_s=3600, back_off_maximum_s=1)
        writer = InfluxWriter(target)
        sink = Sink(database, writer, limits, now=lambda: datetime.now(UTC), random=Random(1))
        while await sink.step() == 0:
            pass
        writer.close()

    asyncio.run(run())
    assert database.write_now(partial(points.next_bundles, maximum_points=1)) == []


def post(target: Target, lines: Sequence[str]) -> None:
    """Post the same lines in the same batches, with nothing around it."""
    host = urlsplit(target.url).netloc
    bodies = ["\n".join(lines[start : start + BATCH]).encode() for start in range(0, len(lines), BATCH)]
    connection = http.client.HTTPConnection(host)
    for body in bodies:
        connection.request(
            "POST",
            f"/api/v2/write?org=-&bucket={target.bucket}&precision=ns",
            body=body,
            headers={"Authorization": f"Token {target.token}"},
        )
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (204, b"")
    connection.close()


def timed(world: InfluxWorld, work: object) -> float:
    """The seconds that a piece of work takes, with an empty bucket at its beginning."""
    world.create_bucket(world.target.bucket)
    assert callable(work)
    begin = perf_counter()
    work()
    return perf_counter() - begin
