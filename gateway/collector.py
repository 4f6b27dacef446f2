"""One collection of one meter: what is new in the journal and the event log, verified and made durable page by page.

The rules are here and the I/O is not: the session answers questions, the writer runs transactions, `now` and the wish
to stop are asked for. Nothing is kept between collections; where to go on is read from the outbox each time, so a crash
at any point repeats work and loses none. Imported by `line.py`.

An idle meter costs one question (journal_head and last_event) and no write. The currency is asked along until something
was stored, the descriptors of fee items, together, when rows or events name revisions that are not known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from twisted.logger import Logger

from dlms_objects.errors import LocalError, RefusedError, RemoteError
from dlms_objects.purse.chain import ChainError, verify_octets
from dlms_objects.purse.entry import DIGEST_LENGTH, JournalHead
from dlms_objects.purse.outcome import EventCode, OutcomeCode
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle
from gateway import intake
from gateway.intake import EventPage, Evidence, Page, Standing
from gateway.purse_reader import PurseReader, Session
from gateway.records import EventRow, ItemDescriptor
from gateway.store import Operation
from gateway.writer import Writer

log = Logger()


class JournalFault(RemoteError):
    """The meter's journal does not continue our copy; what shows it is kept as evidence, and nothing was collected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionLimits:
    """Rows per question, and rows that the whole outbox may hold."""

    page_rows: int
    maximum_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What one collection brought; `complete` is False when it stopped early (outbox full, or asked to stop)."""

    rows: int
    events: int
    acknowledged: JournalHead | None
    complete: bool


class Collector:
    """Collects from one meter over one session; used once."""

    def __init__(  # noqa: PLR0913 - what it is given instead of reaching for it
        self,
        session: Session,
        writer: Writer,
        title: SystemTitle,
        limits: CollectionLimits,
        *,
        keep_counters: Callable[[], Operation[None]],
        now_s: Callable[[], int],
        is_stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """`keep_counters` makes the received invocation counters part of a transaction; `now_s` is unix time."""
        self._reader = PurseReader(session)
        self._writer = writer
        self._title = title
        self._limits = limits
        self._keep_counters = keep_counters
        self._now_s = now_s
        self._is_stopping = is_stopping

    async def collect(self) -> Collected:
        """Money first: journal, acknowledgement, then events.

        JournalFault, after the events, when the journal does not continue our copy; then nothing is acknowledged.
        """
        before = await self._writer.run(partial(intake.standing, title=self._title))
        opening = await self._reader.opening(with_currency=before.currency is None)
        currency = before.currency or opening.currency
        if currency is None:
            raise LocalError(f"{self._title}: the currency was not asked for")
        try:
            after, complete = await self._collect_journal(before, currency, opening.head)
        except JournalFault:
            await self._collect_events(before, currency, opening.last_event)
            raise
        acknowledged = await self._acknowledge(before.acknowledgement)
        events = await self._collect_events(after, currency, opening.last_event) if complete else 0
        rows = after.head.sequence - before.head.sequence
        return Collected(rows=rows, events=events, acknowledged=acknowledged, complete=complete)

    async def _collect_journal(
        self, standing: Standing, currency: Currency, head: JournalHead
    ) -> tuple[Standing, bool]:
        """Where the collection stands now, and whether these were all the rows up to `head`."""
        if head == standing.head:
            return standing, True
        if head.sequence <= standing.head.sequence:
            raise await self._fault("fork", "the journal does not lead past our copy", standing.head, head, b"")
        held_rows = standing.held_rows
        while standing.head.sequence < head.sequence:
            wanted = min(self._limits.page_rows, head.sequence - standing.head.sequence)
            if self._is_stopping():
                return standing, False
            if held_rows + wanted > self._limits.maximum_rows:
                log.warn("{meter}: the outbox is full, the rest stays in the meter", meter=self._title, rows=held_rows)
                return standing, False
            before, standing = standing, await self._collect_page(standing, currency, wanted)
            held_rows += standing.head.sequence - before.head.sequence
        if standing.head.digest != head.digest:
            raise await self._fault("fork", "the journal head is not that of the rows", standing.head, head, b"")
        return standing, True

    async def _collect_page(self, standing: Standing, currency: Currency, wanted: int) -> Standing:
        after = standing.head
        page = await self._reader.journal(after.sequence + 1, after.sequence + wanted)
        octets = b"".join(page.rows)
        try:
            head, balance = verify_octets(octets, after, standing.balance)
        except ChainError as error:
            row = page.rows[error.sequence - after.sequence - 1]
            found = JournalHead(sequence=error.sequence, digest=row[-DIGEST_LENGTH:])
            raise await self._fault(type(error).__name__.lower(), str(error), after, found, octets) from error
        if head == after:
            nothing = JournalHead(sequence=after.sequence + 1, digest=b"")
            raise await self._fault("gap", f"entry {nothing.sequence} is not in the journal", after, nothing, b"")
        items = await self._descriptors(standing.revisions, page.revisions)
        await self._writer.run(
            partial(
                intake.commit_page,
                page=Page(
                    title=self._title,
                    after=after,
                    rows=page.rows,
                    head=head,
                    balance=balance,
                    currency=currency,
                    items=items,
                    collected_at_s=self._now_s(),
                ),
                maximum_rows=self._limits.maximum_rows,
                counters=self._keep_counters(),
            )
        )
        log.info(
            "{meter}: entries {first}..{last} collected",
            meter=self._title,
            first=after.sequence + 1,
            last=head.sequence,
        )
        revisions = standing.revisions | {item.number: item.revision for item in items}
        return replace(standing, head=head, balance=balance, revisions=revisions)

    async def _descriptors(self, known: dict[int, int], wanted: dict[int, int]) -> list[ItemDescriptor]:
        """The descriptors of fee items that are named in a newer revision than is known.

        A fee item that the meter does not show holds back no money: its rows go on without a descriptor.
        """
        numbers = [number for number, revision in sorted(wanted.items()) if known.get(number, -1) < revision]
        if not numbers:
            return []
        items, missing = await self._reader.fee_items(numbers)
        for number in missing:
            log.warn("{meter}: fee item {number} is not shown", meter=self._title, number=number)
        return items

    async def _collect_events(self, standing: Standing, currency: Currency, last: int) -> int:
        through = standing.event_number
        if last < through:
            log.warn("{meter}: the event log went back to {last}", meter=self._title, last=last, collected=through)
        collected = 0
        revisions = standing.revisions
        while through < last and not self._is_stopping():
            first, through = through + 1, min(last, through + self._limits.page_rows)
            rows = await self._reader.events(first, through)
            missing = through - first + 1 - len(rows)
            if missing:
                log.warn("{meter}: {missing} events are no longer held", meter=self._title, missing=missing)
            items = await self._descriptors(revisions, _revisions_named(rows))
            page = EventPage(title=self._title, rows=rows, through=through, currency=currency, items=items)
            await self._writer.run(
                partial(
                    intake.commit_events,
                    page=page,
                    maximum_rows=self._limits.maximum_rows,
                    counters=self._keep_counters(),
                )
            )
            revisions = revisions | {item.number: item.revision for item in items}
            collected += len(rows)
        return collected

    async def _acknowledge(self, head: JournalHead | None) -> JournalHead | None:
        """Carry a waiting acknowledgement to the meter; what it took, or None. A refusal is left for the next time."""
        if head is None:
            return None
        try:
            outcome = await self._reader.acknowledge(head)
        except RefusedError as error:
            log.error("{meter}: the acknowledgement was refused: {error}", meter=self._title, error=error)
            return None
        if outcome not in (OutcomeCode.DONE, OutcomeCode.REPEATED):
            log.error(
                "{meter}: the acknowledgement of entry {sequence} was answered with outcome {outcome}",
                meter=self._title,
                sequence=head.sequence,
                outcome=outcome,
            )
            return None
        await self._writer.run(
            partial(intake.acknowledgement_delivered, title=self._title, head=head, counters=self._keep_counters())
        )
        log.info("{meter}: entry {sequence} acknowledged", meter=self._title, sequence=head.sequence)
        return head

    async def _fault(
        self, cause: str, words: str, expected: JournalHead, found: JournalHead, rows: bytes
    ) -> JournalFault:
        evidence = Evidence(
            title=self._title,
            cause=cause,
            expected=expected,
            found=found,
            rows=rows,
            found_at_s=self._now_s(),
        )
        new = await self._writer.run(partial(intake.keep_evidence, evidence=evidence, counters=self._keep_counters()))
        if new:
            log.critical(
                "{meter}: {cause}: {words}; our copy ends with entry {expected}, the meter shows {found}",
                meter=self._title,
                cause=cause,
                words=words,
                expected=f"{expected.sequence}/{expected.digest.hex()}",
                found=f"{found.sequence}/{found.digest.hex()}",
            )
        return JournalFault(f"{self._title}: {cause}: {words}")


def _revisions_named(events: Sequence[EventRow]) -> dict[int, int]:
    """The fee items that events name, with the revision that a change of parameters tells and 0 otherwise."""
    named: dict[int, int] = {}
    for event in events:
        if event.fee_item:
            changed = event.code in (EventCode.PARAMETERS_CHANGED, EventCode.PASSIVE_ACTIVATED)
            named[event.fee_item] = max(named.get(event.fee_item, 0), event.value if changed else 0)
    return named
