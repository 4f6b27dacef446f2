"""What couriers hand in: a meter's sealed batch is opened, verified, booked like any other, and answered sealed.

Nobody logs in: the seal proves the meter. What does not prove itself costs two look-ups and one decryption, and changes
nothing. The very same newest batch again is the same request: it gets the same answer. Imported by `api`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sqlalchemy import Connection

from dlms_objects.classes.courier_codec import (
    CourierBatch,
    courier_context,
    decode_batch,
    encode_instruction,
    open_sealed,
    seal,
)
from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.purse.entry import Entry
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.ciphered import decode_general_glo_ciphering
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.security import DecryptionError, ReplayError
from headend import courier_keys
from headend.books import Book, books_of
from headend.courier_keys import CourierKeys, LastBatch
from headend.delivery.config import RecipientConfig
from headend.delivery.plan import plan
from headend.delivery_path import Path, came
from headend.evidence import ConflictError, keep
from headend.fleet import heard
from headend.ingest import Batch, Status, ingest
from headend.root_key import RootKey


class Refusal(Enum):
    """Why a batch was not taken, as far as whoever hands it in may know."""

    NOT_PROVEN = auto()
    """Not sealed by a meter that is known here, or altered; nothing was changed."""
    REPLAY = auto()
    """A newer batch of this meter was handed in before; what is in it is here already."""
    CONFLICT = auto()
    """It contradicts the books: kept as evidence, the operator is told, nothing was booked or acknowledged."""
    GAP = auto()
    """Rows before it are missing here; nothing was booked or acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is acknowledged now, how many rows of the batch were new, and the sealed instruction for the meter."""

    title: SystemTitle
    sequence: int
    new_rows: int
    instruction: bytes


def prove(connection: Connection, root: RootKey, sealed: bytes) -> CourierKeys | None:
    """The keys of the meter that sealed these octets; None when no meter that is known here did. Changes nothing."""
    try:
        title = SystemTitle(decode_general_glo_ciphering(sealed).system_title)
    except (MalformedError, InvalidValueError):
        return None
    keys = courier_keys.find(connection, root, title)
    if keys is None:
        return None
    nothing_yet = Counters(sent=MemorySentCounters(), received=MemoryReceivedCounters())
    try:
        _open(keys, nothing_yet, sealed)
    except DecryptionError:
        return None
    return keys


def take(
    connection: Connection,
    keys: CourierKeys,
    sealed: bytes,
    *,
    recipients: Sequence[RecipientConfig],
    now: datetime,
) -> Taken | Refusal:
    """Book a batch that is proven, inside the caller's transaction, and seal the acknowledgement of what is held."""
    counters = courier_keys.counters(connection, keys.meter_id)
    (book,) = books_of(connection, [keys.meter_title]).values()
    digest = hashlib.sha256(sealed).digest()
    last = courier_keys.last_batch(connection, keys.meter_id)
    if last is not None and last.digest == digest:
        return Taken(title=keys.meter_title, sequence=book.head.sequence, new_rows=0, instruction=last.answer)
    try:
        batch = decode_batch(_open(keys, counters, sealed))
    except ReplayError:
        return Refusal.REPLAY
    except (DecryptionError, MalformedError):
        return Refusal.NOT_PROVEN
    refusal, held = _book(connection, book, batch, recipients=recipients, now=now)
    if refusal is not None:
        return refusal
    plain = encode_instruction("acknowledge", {"sequence": held.head.sequence, "digest": held.head.digest.hex()})
    context = courier_context(
        keys.cipher_keys, own_title=keys.head_end_title, peer_title=keys.meter_title, counters=counters
    )
    answer = seal(context, plain)
    courier_keys.keep_last_batch(connection, keys.meter_id, LastBatch(digest=digest, answer=answer))
    new_rows = held.head.sequence - book.head.sequence
    return Taken(title=keys.meter_title, sequence=held.head.sequence, new_rows=new_rows, instruction=answer)


def _open(keys: CourierKeys, counters: Counters, sealed: bytes) -> bytes:
    context = courier_context(
        keys.cipher_keys, own_title=keys.head_end_title, peer_title=keys.meter_title, counters=counters
    )
    return open_sealed(context, sealed)


def _book(
    connection: Connection,
    book: Book,
    batch: CourierBatch,
    *,
    recipients: Sequence[RecipientConfig],
    now: datetime,
) -> tuple[Refusal | None, Book]:
    """Take the rows as those of a gateway are taken; the refusal, if any, and the book as it stands then."""
    if not batch.rows:
        return None, book
    try:
        sent = _sent(book, batch)
        answers, malformed = ingest(connection, [sent])
        if malformed:
            row = sent.row(malformed[0].sequence)
            raise ConflictError("malformed", malformed[0].detail, sequence=malformed[0].sequence, row=row)
    except ConflictError as conflict:
        keep(connection, book, conflict)
        return Refusal.CONFLICT, book
    heard(connection, [sent], answers, now=now)
    came(connection, answers, Path.COURIER, now=now)
    plan(connection, recipients, now=now)
    refusals = {Status.ACCEPTED: None, Status.GAP: Refusal.GAP}
    (held,) = books_of(connection, [book.title]).values()
    return refusals.get(answers[0].status, Refusal.CONFLICT), held


def _sent(book: Book, batch: CourierBatch) -> Batch:
    """The rows as a gateway would send them; ConflictError unless they are rows that lead to the journal head."""
    row = batch.rows[-1]
    try:
        first, last = Entry.from_row(batch.rows[0]), Entry.from_row(row)
    except InvalidValueError as error:
        raise ConflictError("malformed", str(error), sequence=batch.head.sequence, row=row) from None
    if batch.head.sequence < last.sequence or (batch.head.sequence == last.sequence and batch.head != last.head):
        detail = f"the journal head {batch.head.sequence} is not that of the rows, which end with {last.sequence}"
        raise ConflictError("head", detail, sequence=last.sequence, row=row)
    if book.currency is None:
        raise LocalError(f"the currency of meter {book.title} is not known, though its keys are")
    return Batch(title=book.title, first=first.sequence, rows=b"".join(batch.rows), items=(), currency=book.currency)
