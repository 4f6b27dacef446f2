"""What the head-end's answer means for one meter's batch; pure. Imported by the lanes and `outbox.py`."""

from dataclasses import dataclass

from dlms_objects.purse.entry import JournalHead
from dlms_objects.values.system_title import SystemTitle
from gateway.exchange import AnswerError, EventAnswer, RecordAnswer
from gateway.records import EventBatch, ItemDescriptor, RecordBatch, UplinkStatus

_LEFT_OUT = "the head-end's answer leaves this meter out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Accepted up to a journal head (rows; with which descriptors) or a number (events); or held back, and why."""

    title: SystemTitle
    status: UplinkStatus
    detail: str = ""
    head: JournalHead | None = None
    items: tuple[ItemDescriptor, ...] = ()
    number: int = 0


def refused(title: SystemTitle, detail: str) -> Verdict:
    """The head-end would not take this meter's batch at all."""
    return Verdict(title=title, status=UplinkStatus.REFUSED, detail=detail)


def judge_records(batch: RecordBatch, answer: RecordAnswer | None) -> Verdict:
    """What an answer means for the rows of a batch.

    An answer is believed only where it agrees with our rows: another digest for a row of ours is a conflict. A `gap`
    whose cumulative sequence reaches into the batch is an acceptance: the next batch begins after it.
    """
    if answer is None:
        return refused(batch.title, _LEFT_OUT)
    detail = answer.detail or f"the head-end has 1..{answer.sequence}, the rows held begin with {batch.first}"
    if answer.status not in (UplinkStatus.ACCEPTED, UplinkStatus.GAP):
        return Verdict(title=batch.title, status=answer.status, detail=detail)
    if answer.status is UplinkStatus.ACCEPTED and not batch.rows:
        return Verdict(title=batch.title, status=UplinkStatus.ACCEPTED, items=batch.items)
    if answer.sequence < batch.first or not batch.rows:
        return Verdict(title=batch.title, status=UplinkStatus.GAP, detail=detail)
    return _judge_head(batch, answer)


def judge_events(batch: EventBatch, answer: EventAnswer | None) -> Verdict:
    """What an answer means for the events of a batch."""
    if answer is None:
        return refused(batch.title, _LEFT_OUT)
    detail = answer.detail or f"the head-end has events up to {answer.number} only"
    if answer.status is not UplinkStatus.ACCEPTED:
        return Verdict(title=batch.title, status=answer.status, detail=detail)
    if answer.number < batch.rows[0].number:
        return Verdict(title=batch.title, status=UplinkStatus.GAP, detail=detail)
    return Verdict(title=batch.title, status=UplinkStatus.ACCEPTED, number=answer.number)


def _judge_head(batch: RecordBatch, answer: RecordAnswer) -> Verdict:
    """The head-end has rows of ours: are they the same rows?"""
    try:
        head = JournalHead(sequence=answer.sequence, digest=answer.digest_octets())
    except AnswerError as error:
        return refused(batch.title, str(error))
    if batch.digest_at(head.sequence) not in (None, head.digest):
        detail = f"the head-end's digest of entry {head.sequence} is not that of the row collected here"
        return Verdict(title=batch.title, status=UplinkStatus.CONFLICT, detail=detail)
    items = batch.items if answer.status is UplinkStatus.ACCEPTED else ()
    return Verdict(title=batch.title, status=UplinkStatus.ACCEPTED, head=head, items=items)
