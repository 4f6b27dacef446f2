"""A lane: one kind of record (journal rows, or events) on its way to the head-end, a request at a time.

At least once: records stay in the outbox until an answer covers them, and a repeated batch is answered like the first.
What the head-end will not take from one meter holds back that meter's records alone. Imported by `uplink.py`.
"""

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dlms_objects.values.system_title import SystemTitle
from gateway.back_off import BackOff
from gateway.headend_client import BatchRefusedError, Headend
from gateway.records import BatchLimits, EventBatch, RecordBatch, UplinkStatus
from gateway.verdict import Verdict, refused
from gateway.writer import Writer

log = Logger()

B = TypeVar("B", RecordBatch, EventBatch)
A = TypeVar("A")


class NextBatches(Protocol[B]):
    """The operation that takes the next batches, meters in order of title from `after` on and then from the start."""

    def __call__(
        self, connection: sqlite3.Connection, limits: BatchLimits, *, after: bytes, held_back: Collection[SystemTitle]
    ) -> list[B]:
        """At most `request_rows` records, of meters that are not held back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordKind(Generic[B, A]):
    """What sets journal rows and events apart: where they are posted, how they are written, what an answer means."""

    path: str
    next_batches: NextBatches[B]
    document: Callable[[Sequence[B]], bytes]
    answers: Callable[[bytes], Mapping[SystemTitle, A]]
    judge: Callable[[B, A | None], Verdict]
    take: Callable[[sqlite3.Connection, Sequence[Verdict]], None]


class Lane(Generic[B, A]):
    """Sends one kind of record; keeps nothing that a restart could miss."""

    def __init__(  # noqa: PLR0913 - what it is given instead of reaching for it
        self,
        kind: RecordKind[B, A],
        headend: Headend,
        writer: Writer,
        limits: BatchLimits,
        *,
        clock: IReactorTime,
        new_back_off: Callable[[], BackOff],
    ) -> None:
        """Nothing is sent before the first upload."""
        self._kind: RecordKind[B, A] = kind
        self._headend = headend
        self._writer = writer
        self._limits = limits
        self._clock = clock
        self._new_back_off = new_back_off
        self._held_back: dict[SystemTitle, tuple[BackOff, float]] = {}
        self._after = b""

    async def upload(self) -> bool:
        """One request with the records of the next meters; True when the head-end took some.

        HeadendUnavailableError or AnswerError when it did not: everything is still held.
        """
        now_s = self._clock.seconds()
        held_back = frozenset(title for title, (_, until_s) in self._held_back.items() if until_s > now_s)
        batches = await self._writer.run(
            partial(self._kind.next_batches, limits=self._limits, after=self._after, held_back=held_back)
        )
        if not batches:
            return False
        self._after = batches[-1].title.octets
        return await self._send(batches)

    async def _send(self, batches: Sequence[B]) -> bool:
        try:
            body = await self._headend.request("POST", self._kind.path, self._kind.document(batches))
        except BatchRefusedError as error:
            if len(batches) == 1:
                return await self._take([refused(batches[0].title, str(error))])
            # One batch spoils the request: each meter alone, so that the others are served.
            return any([await self._send([batch]) for batch in batches])
        answers = self._kind.answers(body)
        return await self._take([self._kind.judge(batch, answers.get(batch.title)) for batch in batches])

    async def _take(self, verdicts: Sequence[Verdict]) -> bool:
        await self._writer.run(lambda connection: self._kind.take(connection, verdicts))
        for verdict in verdicts:
            if verdict.status is not UplinkStatus.ACCEPTED:
                self._hold_back(verdict)
            elif self._held_back.pop(verdict.title, None) is not None:
                log.info("{meter}: the head-end takes its records again", meter=verdict.title)
        return any(verdict.status is UplinkStatus.ACCEPTED for verdict in verdicts)

    def _hold_back(self, verdict: Verdict) -> None:
        back_off, _ = self._held_back.get(verdict.title) or (self._new_back_off(), 0.0)
        delay_s = back_off.failed()
        self._held_back[verdict.title] = (back_off, self._clock.seconds() + delay_s)
        log.error(
            "{meter}: {status} at the head-end; its records are kept and sent again in {delay_s:.0f} s: {detail}",
            meter=verdict.title,
            status=verdict.status.value,
            delay_s=delay_s,
            detail=verdict.detail,
        )
