"""The uplink: both lanes to the head-end, one step after the other, with back-off when it cannot be reached.

Imported by `service.py`, which repeats `step` in a loop.
"""

from dataclasses import dataclass
from random import Random

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from dlms_objects.errors import MeterPurseError
from gateway import exchange, outbox, verdict
from gateway.back_off import BackOff
from gateway.exchange import EventAnswer, RecordAnswer
from gateway.headend_client import Headend
from gateway.lane import Lane, RecordKind
from gateway.records import BatchLimits, EventBatch, RecordBatch
from gateway.writer import Writer

log = Logger()

JOURNAL_ROWS: RecordKind[RecordBatch, RecordAnswer] = RecordKind(
    path=exchange.RECORDS_PATH,
    next_batches=outbox.record_batches,
    document=exchange.records_document,
    answers=exchange.record_answers,
    judge=verdict.judge_records,
    take=outbox.take_record_verdicts,
)
EVENTS: RecordKind[EventBatch, EventAnswer] = RecordKind(
    path=exchange.EVENTS_PATH,
    next_batches=outbox.event_batches,
    document=exchange.events_document,
    answers=exchange.event_answers,
    judge=verdict.judge_events,
    take=outbox.take_event_verdicts,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkLimits:
    """Batch sizes, the pause between steps when there is nothing to send, and the waits after failures."""

    batches: BatchLimits
    upload_every_s: float
    back_off_first_s: float
    back_off_maximum_s: float


class Uplink:
    """Uploads what the outbox holds; one per gateway."""

    def __init__(
        self, headend: Headend, writer: Writer, limits: UplinkLimits, *, clock: IReactorTime, random: Random
    ) -> None:
        """Nothing is sent before the first step."""

        def new_back_off() -> BackOff:
            return BackOff(limits.back_off_first_s, limits.back_off_maximum_s, random)

        self._upload_every_s = limits.upload_every_s
        self._clock = clock
        self._failing_since_s: float | None = None
        self._back_off = new_back_off()
        self._rows = Lane(JOURNAL_ROWS, headend, writer, limits.batches, clock=clock, new_back_off=new_back_off)
        self._events = Lane(EVENTS, headend, writer, limits.batches, clock=clock, new_back_off=new_back_off)

    @property
    def failures(self) -> int:
        """How many steps in a row the head-end was not reached or its answer not understood."""
        return self._back_off.failures

    @property
    def failing_s(self) -> float:
        """How long the head-end was not reached or understood, in seconds; 0 when the last step went well."""
        return 0.0 if self._failing_since_s is None else self._clock.seconds() - self._failing_since_s

    async def step(self) -> float:
        """One request of rows and one of events, where there are any; the seconds to wait before the next step."""
        try:
            moved = [await self._rows.upload(), await self._events.upload()]
        except MeterPurseError as error:
            if self._failing_since_s is None:
                self._failing_since_s = self._clock.seconds()
            delay_s = self._back_off.failed()
            log.warn("the upload failed, trying again in {delay_s:.1f} s: {error}", delay_s=delay_s, error=error)
            return delay_s
        self._back_off.succeeded()
        self._failing_since_s = None
        return 0 if any(moved) else self._upload_every_s
