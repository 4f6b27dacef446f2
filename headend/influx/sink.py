"""The sink: carries points from the outbox to InfluxDB, in order, until it is stopped.

Blocking writes run in a thread of their own and no transaction is open meanwhile, so ingest never waits for InfluxDB;
when it is away, points wait in the outbox and the sink backs off. A batch leaves the outbox only after it is written;
what a crash writes twice is the same point twice, which InfluxDB keeps once. Imported by `service`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random

from sqlalchemy import Connection, func, select
from twisted.logger import Logger

from headend import measurements, points
from headend.database import Database, DatabaseBusyError
from headend.influx.writer import InfluxUnavailableError, LineWriter, deliver
from headend.points import Bundle, Refusal
from headend.schema import evidence, meter, unknown_meter

IDLE_S = 0.5
"""How often an empty outbox is looked at."""
BUSY_S = 0.1
"""How long a full write queue of the database is given way to."""
AFTER_FAULT_S = 60.0
"""How long the sink rests after an error that nobody expected."""

_log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkLimits:
    """The size of a request, and the waits; seconds."""

    batch_points: int
    figures_every_s: float
    back_off_maximum_s: float
    back_off_first_s: float = 0.5


class Sink:
    """One worker over one outbox; `run` it as a task, `stop` it, then await the task."""

    def __init__(
        self, database: Database, writer: LineWriter, limits: SinkLimits, *, now: Callable[[], datetime], random: Random
    ) -> None:
        """Nothing is done before `run`. `now` gives aware date-times."""
        self._database = database
        self._writer = writer
        self._limits = limits
        self._now = now
        self._random = random
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="influx-sink")
        self._stopping = asyncio.Event()
        self._failures = 0
        self._figures_at: datetime | None = None

    async def run(self) -> None:
        """Deliver until stopped; the request in hand is finished first."""
        try:
            while not self._stopping.is_set():
                wait_s = await self._guarded_step()
                if wait_s:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._stopping.wait(), wait_s)
        finally:
            self._thread.shutdown(wait=False)

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._stopping.set()

    async def _guarded_step(self) -> float:
        try:
            return await self.step()
        except Exception:  # noqa: BLE001 - the seam of the service: a fault here must not end delivery for good
            _log.failure("the sink met an error nobody expected; it goes on in {wait_s:.0f} s", wait_s=AFTER_FAULT_S)
            return AFTER_FAULT_S

    async def step(self) -> float:
        """One batch, where there is one; the seconds to wait before the next step."""
        await self._write_figures()
        bundles = await self._database.read(partial(points.next_bundles, maximum_points=self._limits.batch_points))
        if not bundles:
            return IDLE_S
        try:
            refused = await self._deliver(bundles)
        except InfluxUnavailableError as error:
            return await self._failed(str(error))
        self._succeeded(refused)
        await self._write(partial(points.settle, bundles=bundles, refusals=refused, now=self._now()))
        return 0

    async def _deliver(self, bundles: Sequence[Bundle]) -> list[Refusal]:
        lines = [line for bundle in bundles for line in bundle.lines]
        return await asyncio.get_running_loop().run_in_executor(self._thread, deliver, self._writer, lines)

    def _succeeded(self, refused: Sequence[Refusal]) -> None:
        if self._failures:
            _log.info("InfluxDB takes points again")
        self._failures = 0
        if refused:
            _log.error(
                "InfluxDB refused {count} points for good, the first because: {reason}",
                count=len(refused),
                reason=refused[0].reason,
            )

    async def _failed(self, reason: str) -> float:
        wait_s = min(self._limits.back_off_first_s * 2.0**self._failures, self._limits.back_off_maximum_s)
        wait_s *= self._random.uniform(0.5, 1)
        self._failures = min(self._failures + 1, 30)
        _log.warn("no points delivered, trying again in {wait_s:.1f} s: {reason}", wait_s=wait_s, reason=reason)
        await self._write(partial(points.note_failure, reason=reason, now=self._now()))
        return wait_s

    async def _write_figures(self) -> None:
        now = self._now()
        if self._figures_at is not None and (now - self._figures_at).total_seconds() < self._limits.figures_every_s:
            return
        self._figures_at = now
        figures = await self._database.read(partial(headend_figures, now=now))
        await self._write(partial(points.enqueue, lines=[measurements.headend_status(figures, now=now)]))

    async def _write(self, work: Callable[[Connection], None]) -> None:
        """Write when the database has room; ingest goes first."""
        while True:
            try:
                await self._database.write(work)
                return
            except DatabaseBusyError:
                await asyncio.sleep(BUSY_S)


def headend_figures(connection: Connection, *, now: datetime) -> dict[str, int]:
    """What the head-end says of itself: meters, entries booked, conflicts kept, and how the outbox of points stands."""
    status = points.sink_status(connection)
    meters, entries = connection.execute(
        select(func.count(), func.coalesce(func.sum(meter.c.sequence), 0)).select_from(meter)
    ).one()
    waited_s = 0 if status.oldest_queued_at is None else int((now - status.oldest_queued_at).total_seconds())
    return {
        "meters": meters,
        "entries": int(entries),
        "conflicts": connection.execute(select(func.count()).select_from(evidence)).scalar_one(),
        "unknown_meters": connection.execute(select(func.count()).select_from(unknown_meter)).scalar_one(),
        "points_waiting": status.waiting,
        "points_refused": status.refused,
        "oldest_point_s": max(0, waited_s),
    }
