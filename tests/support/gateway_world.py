"""A gateway in one piece without reactor: its outbox file, a meter and a head-end in memory, and crashes on demand.

A crash is an exception that no code of ours handles, raised at a numbered step: before and after each answer of meter
and head-end, and around every SQL statement, commits among them. What was open is dropped without a commit, as a
killed process drops it; `restart` opens the same file again.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock

from dlms_objects.values.system_title import SystemTitle
from gateway.collector import Collected, CollectionLimits, Collector
from gateway.counters import AssociationCounters
from gateway.records import BatchLimits
from gateway.store import Store
from gateway.uplink import Uplink, UplinkLimits
from gateway.writer import Writer
from tests.support.fake_headend import FakeHeadend
from tests.support.fake_session import FakeMeter, FakeSession
from tests.support.twisted_testing import result_of

NOW_S = 1_800_000_000
SESSION_COUNTERS = 3


class Crash(BaseException):
    """The process ends here."""


class StepCounter:
    """Counts steps and crashes at one of them; `crash_at` None never crashes."""

    def __init__(self, crash_at: int | None = None) -> None:
        self.crash_at = crash_at
        self.steps: list[str] = []

    def __call__(self, what: str) -> None:
        self.steps.append(what)
        if self.crash_at is not None and len(self.steps) > self.crash_at:
            raise Crash(what)

    @property
    def crashed_at(self) -> str | None:
        """The step of the crash, or None when it never came to it."""
        if self.crash_at is None or self.crash_at >= len(self.steps):
            return None
        return self.steps[self.crash_at]


def open_store(path: Path, step: Callable[[str], None] = lambda _what: None) -> Store:
    """The store on this file, with a step before and after every statement from now on."""

    class Connection(sqlite3.Connection):
        armed = False

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql == "PRAGMA synchronous = FULL":
                sql = "PRAGMA synchronous = OFF"  # processes end here, not power: no need to wait for the disk
            if not Connection.armed:
                return super().execute(sql, *parameters)
            step(f"before {sql[:40]}")
            cursor = super().execute(sql, *parameters)
            step(f"after {sql[:40]}")
            return cursor

        def executemany(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            step(f"before many {sql[:40]}")
            cursor = super().executemany(sql, *parameters)
            step(f"after many {sql[:40]}")
            return cursor

    def connect(name: str) -> sqlite3.Connection:
        return sqlite3.connect(name, isolation_level=None, check_same_thread=False, factory=Connection)

    store = Store(path, connect)
    Connection.armed = True
    return store


def inline(function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
    """`in_thread` for a Writer: at once, in this thread."""
    return execute(function, *arguments)


class World:
    """One gateway process over an outbox file; `limits` for pages and batches are small so that there are many."""

    collector = Collector
    uplink = Uplink

    def __init__(
        self,
        path: Path,
        meters: list[FakeMeter],
        headend: FakeHeadend,
        *,
        step: Callable[[str], None] = lambda _what: None,
        limits: CollectionLimits | None = None,
        batches: BatchLimits | None = None,
    ) -> None:
        self.path = path
        self.meters = meters
        self.headend = headend
        self.clock = Clock()
        self.step = step
        self.limits = limits or CollectionLimits(page_rows=3, maximum_rows=1000)
        headend.step = step
        self.store = open_store(path, step)
        self.writer = Writer(self.store, inline)
        self.link = self.uplink(
            headend,
            self.writer,
            UplinkLimits(
                batches=batches or BatchLimits(batch_rows=4, request_rows=6),
                upload_every_s=5,
                back_off_first_s=1,
                back_off_maximum_s=8,
            ),
            clock=self.clock,
            random=Random(1),
        )
        try:
            self.counters = {
                meter.title: AssociationCounters(self.store, meter.title, f"{meter.title}/1") for meter in meters
            }
        except Crash:
            self.die()
            raise
        self.stopping = False

    def session(self, meter: FakeMeter) -> FakeSession:
        """A session as the line would open it: the meter's answers raise its received counter."""
        counters = self.counters[meter.title]
        for _ in range(SESSION_COUNTERS):
            counters.accept(meter.title, (counters.highest(meter.title) or 0) + 1)
        return FakeSession(meter, self.step)

    def collect(self, meter: FakeMeter | None = None, session: FakeSession | None = None) -> Collected:
        """One collection of a meter (the first, unless told otherwise)."""
        meter = meter or self.meters[0]
        collector = self.collector(
            session or self.session(meter),
            self.writer,
            meter.title,
            self.limits,
            keep_counters=self.counters[meter.title].keep,
            now_s=lambda: NOW_S,
            is_stopping=lambda: self.stopping,
        )
        return result_of(collector.collect())

    def upload(self) -> float:
        """One step of the uplink; the wait it asks for."""
        return result_of(self.link.step())

    def cycle(self) -> None:
        """Collect from every meter, upload until the uplink would wait, and collect again to carry acknowledgements."""
        for _ in range(2):
            for meter in self.meters:
                self.collect(meter)
            while self.upload() == 0:
                pass

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of the outbox file as they are durable, seen through a connection of its own."""
        with sqlite3.connect(self.path) as connection:
            return connection.execute(sql, parameters).fetchall()

    def cursor(self, title: SystemTitle) -> int:
        """The sequence number up to which a meter is collected."""
        sequences = self.query("select sequence from meter where title = ?", title.octets)
        return int(sequences[0][0]) if sequences else 0

    def die(self) -> None:
        """End the process: the connection goes without a commit, past the steps (they count only what may happen)."""
        self.store._connection.rollback()
        self.store.close()
