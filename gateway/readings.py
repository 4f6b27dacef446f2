"""Readings: how a meter stands at a moment (clock, energy, purse, each fee item), read after collection and uploaded.

A reading is a figure, not money: nothing is booked by it, the newest of each meter is held in memory until the head-end
has it, and a newer one takes the place of one that waits. What must not be lost is in the outbox. Imported by
`service.py`.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice

from twisted.logger import Logger

from dlms_objects.errors import MeterPurseError, RefusedError, RemoteError, TransportLostError
from dlms_objects.values.system_title import SystemTitle
from gateway import exchange, intake
from gateway.headend_client import BatchRefusedError, Headend
from gateway.purse_reader import MeterStanding, PurseReader, Session
from gateway.writer import Writer

MAXIMUM_READINGS = 1000
"""The most readings in one request."""

log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one meter stood, at `read_at_s` on our clock (unix time)."""

    title: SystemTitle
    read_at_s: int
    standing: MeterStanding

    def document(self) -> dict[str, object]:
        """The reading as it is uploaded; times are 24 hexadecimal digits."""
        stood = self.standing
        return {
            "system_title": str(self.title),
            "time": stood.time.hex(),
            "read_at_s": self.read_at_s,
            "energy_wh": stood.energy_wh,
            **asdict(stood.purse),
            "items": [{**asdict(item), "due": None if item.due is None else item.due.hex()} for item in stood.items],
        }


class ReadingDesk:
    """Takes readings in sessions that are open anyway, no more often than asked, and uploads the newest ones."""

    def __init__(
        self, headend: Headend, writer: Writer, *, read_every_s: float, upload_every_s: float, now_s: Callable[[], int]
    ) -> None:
        """`now_s` is unix time."""
        self._headend = headend
        self._writer = writer
        self._read_every_s = read_every_s
        self._upload_every_s = upload_every_s
        self._now_s = now_s
        self._read_at_s: dict[SystemTitle, int] = {}
        self._waiting: dict[SystemTitle, Reading] = {}

    async def read(self, session: Session, title: SystemTitle) -> None:
        """Read a meter if it is time to; TransportLostError when the session ends under it.

        A meter that refuses or answers nonsense has no reading; its money was collected before.
        """
        now_s = self._now_s()
        last = self._read_at_s.get(title)
        if last is not None and now_s - last < self._read_every_s:
            return
        try:
            self._waiting[title] = await self._reading(session, title, now_s)
        except TransportLostError:
            raise
        except (RefusedError, RemoteError) as error:
            log.warn("{meter}: no reading: {error}", meter=title, error=error)
        self._read_at_s[title] = now_s

    async def step(self) -> float:
        """Upload what waits; the seconds to wait before the next step."""
        sent = dict(islice(self._waiting.items(), MAXIMUM_READINGS))
        if not sent:
            return self._upload_every_s
        body = exchange.readings_document([reading.document() for reading in sent.values()])
        try:
            await self._headend.request("POST", exchange.READINGS_PATH, body)
        except BatchRefusedError as error:
            log.error("the head-end refused {count} readings, they are let go: {error}", count=len(sent), error=error)
        except MeterPurseError as error:
            log.debug("no readings uploaded: {error}", error=error)
            return self._upload_every_s
        for title, reading in sent.items():
            if self._waiting[title] is reading:
                del self._waiting[title]
        return 0 if self._waiting else self._upload_every_s

    async def _reading(self, session: Session, title: SystemTitle, now_s: int) -> Reading:
        known = await self._writer.run(partial(intake.standing, title=title))
        return Reading(
            title=title, read_at_s=now_s, standing=await PurseReader(session).standing(sorted(known.revisions))
        )
