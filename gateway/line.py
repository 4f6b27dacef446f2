"""A line: one meter over TCP, collected on its schedule, with a deadline per session and back-off after failures.

One bad meter never stops another: each line has its own loop, and at most `concurrency` sessions are open at a time.
Opening a session is passed in, so nothing here knows sockets or keys. Imported by `service.py`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.defer import TimeoutError as DeadlineError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dlms_objects.errors import MeterPurseError, TransportLostError
from dlms_objects.values.system_title import SystemTitle
from gateway.back_off import BackOff
from gateway.collector import Collected, CollectionLimits, Collector
from gateway.counters import AssociationCounters
from gateway.purse_reader import Session
from gateway.writer import Writer

log = Logger()


class LineSession(Session, Protocol):
    """A session that the line opens and ends."""

    async def release(self) -> None:
        """Release the association and close the connection."""
        ...

    def abort(self) -> None:
        """Drop the connection at once."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSettings:
    """What sets this line apart, and the limits of its sessions."""

    name: str
    title: SystemTitle
    collect_every_s: float
    session_limit_s: float
    collection: CollectionLimits


class Line:
    """The schedule of one meter; `step` is repeated by a loop."""

    def __init__(  # noqa: PLR0913 - what it is given instead of reaching for it
        self,
        settings: LineSettings,
        open_session: Callable[[], Awaitable[LineSession]],
        writer: Writer,
        counters: AssociationCounters,
        back_off: BackOff,
        *,
        clock: IReactorTime,
        now_s: Callable[[], int],
        sessions: DeferredSemaphore,
        collected: Callable[[], None],
        read: Callable[[Session, SystemTitle], Awaitable[None]],
        commands: Callable[[Callable[[], bool]], Awaitable[float | None]] | None = None,
    ) -> None:
        """`sessions` is shared by all lines; `collected` is called when there is something new to upload.

        `read` is awaited after a complete collection, before the session is released. `commands` takes the turn of the
        meter's commands, before a collection: it is asked whether to stop, and says when it wants another turn.
        """
        self._settings = settings
        self._open_session = open_session
        self._writer = writer
        self._counters = counters
        self._back_off = back_off
        self._clock = clock
        self._now_s = now_s
        self._sessions = sessions
        self._collected = collected
        self._read = read
        self._commands = commands
        self._wanted_s: float | None = None
        self._sessions_begun = 0
        self._sessions_failed = 0
        self._is_stopping = False

    @property
    def failures(self) -> int:
        """How many sessions in a row ended in an error."""
        return self._back_off.failures

    @property
    def sessions_begun(self) -> int:
        """How many sessions were begun since the start, whatever became of them."""
        return self._sessions_begun

    @property
    def sessions_failed(self) -> int:
        """How many of them ended in an error."""
        return self._sessions_failed

    def stop(self) -> None:
        """End the session under way after its current page, and open no other."""
        self._is_stopping = True

    async def step(self) -> float:
        """The commands' turn and one collection, when there is a place for it; the seconds to wait before the next."""
        delay_s = await self._collection()
        return delay_s if self._wanted_s is None else min(delay_s, self._wanted_s)

    async def _collection(self) -> float:
        await self._sessions.acquire()
        self._wanted_s = None
        try:
            if self._is_stopping:
                return self._settings.collect_every_s
            if self._commands is not None:
                self._wanted_s = await self._commands(lambda: self._is_stopping)
            self._sessions_begun += 1
            result = await self._limited_session()
        except MeterPurseError as error:
            self._sessions_failed += 1
            delay_s = self._back_off.failed()
            log.warn(
                "{meter}: {error}; trying again in {delay_s:.1f} s",
                meter=self._settings.name,
                error=error,
                delay_s=delay_s,
                failures=self._back_off.failures,
            )
            return delay_s
        finally:
            self._sessions.release()
        self._back_off.succeeded()
        if result.rows or result.events:
            self._collected()
        return self._settings.collect_every_s

    async def _limited_session(self) -> Collected:
        limit_s = self._settings.session_limit_s
        try:
            return await Deferred.fromCoroutine(self._session()).addTimeout(limit_s, self._clock)
        except DeadlineError:
            raise TransportLostError(f"the session was not over within {limit_s:g} s") from None

    async def _session(self) -> Collected:
        await self._counters.prepare(self._writer)
        session = await self._open_session()
        released = False
        try:
            result = await Collector(
                session,
                self._writer,
                self._settings.title,
                self._settings.collection,
                keep_counters=self._counters.keep,
                now_s=self._now_s,
                is_stopping=lambda: self._is_stopping,
            ).collect()
            if result.complete:
                await self._read(session, self._settings.title)
            await session.release()
            released = True
        finally:
            if not released:
                session.abort()
        return result
