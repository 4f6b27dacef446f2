"""The journal entry: one movement of the balance, and the 98 octets in which it travels and rests.

Everyone who carries or checks money imports this module; nobody re-encodes an entry in another way.
"""

import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.money import MAXIMUM_MINOR, MINIMUM_MINOR
from dlms_objects.values.system_title import SystemTitle

ROW_LENGTH = 98
DIGEST_LENGTH = 16
NO_REFERENCE = bytes(16)

# A structure of ten columns, each with its A-XDR tag (and length where it has one); see the object model.
_ROW = struct.Struct(">2s2s12sBIBBBB2s12sBqBq2s16sBI2s16s")
_TAGS = (b"\x02\x0a", b"\x09\x0c", 0x06, 0x16, 0x11, b"\x09\x0c", 0x14, 0x14, b"\x09\x10", 0x06, b"\x09\x10")
_CHAINED_HEADER = b"\x02\x09"  # what is chained is a structure of the first nine columns
_CHAINED_END = ROW_LENGTH - 2 - DIGEST_LENGTH


class EntryKind(IntEnum):
    """What moved the balance."""

    DEDUCTION = 1
    TOP_UP = 2
    REVERSAL = 3
    ADJUSTMENT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalHead:
    """The last entry's sequence number and digest; sequence 0 is the empty journal."""

    sequence: int
    digest: bytes

    @classmethod
    def empty(cls, title: SystemTitle) -> Self:
        """The head before the first entry: SHA-256 of the system title, its first 16 octets."""
        return cls(sequence=0, digest=hashlib.sha256(title.octets).digest()[:DIGEST_LENGTH])


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the purse journal.

    Amounts are minor units (long64): `amount` is the signed change, `balance` the balance after it. `fee_item` and
    `revision` are those of a deduction and, so that books can undo it, of its reversal; 0 elsewhere. `due` is not
    specified unless the entry is a deduction. `reference` is the caller's 16-octet id or bill reference.
    """

    time: CosemDateTime
    sequence: int
    kind: EntryKind
    fee_item: int
    due: CosemDateTime
    amount: int
    balance: int
    reference: bytes
    revision: int
    digest: bytes

    @classmethod
    def chained(  # noqa: PLR0913 - the nine columns of a row
        cls,
        head: JournalHead,
        *,
        time: CosemDateTime,
        kind: EntryKind,
        amount: int,
        balance: int,
        fee_item: int = 0,
        due: CosemDateTime = CosemDateTime.NOT_SPECIFIED,
        reference: bytes = NO_REFERENCE,
        revision: int = 0,
    ) -> Self:
        """The next entry after `head`, numbered and chained; InvalidValueError when a column overflows."""
        draft = cls(
            time=time,
            sequence=head.sequence + 1,
            kind=kind,
            fee_item=fee_item,
            due=due,
            amount=amount,
            balance=balance,
            reference=reference,
            revision=revision,
            digest=bytes(DIGEST_LENGTH),
        )
        return cls.from_row(draft.row()[:-DIGEST_LENGTH] + row_digest(head.digest, draft.row()))

    @classmethod
    def from_row(cls, row: bytes) -> Self:
        """Read the 98 octets of a row; InvalidValueError when they are not a journal row to the byte."""
        columns = _unpack(row)
        try:
            kind = EntryKind(columns[6])
        except ValueError as error:
            raise InvalidValueError(f"no such kind of entry: {columns[6]}") from error
        return cls(
            time=CosemDateTime(columns[2]),
            sequence=columns[4],
            kind=kind,
            fee_item=columns[8],
            due=CosemDateTime(columns[10]),
            amount=columns[12],
            balance=columns[14],
            reference=columns[16],
            revision=columns[18],
            digest=columns[20],
        )

    def row(self) -> bytes:
        """The 98 octets of the row; InvalidValueError when a column does not fit its type exactly."""
        if not (MINIMUM_MINOR <= self.amount <= MAXIMUM_MINOR and MINIMUM_MINOR <= self.balance <= MAXIMUM_MINOR):
            raise InvalidValueError(f"an amount does not fit 64 bits: {self.amount}, {self.balance}")
        if len(self.reference) != 16 or len(self.digest) != DIGEST_LENGTH:
            raise InvalidValueError("a reference and a digest are 16 octets")
        try:
            return _ROW.pack(
                _TAGS[0],
                _TAGS[1],
                self.time.octets,
                _TAGS[2],
                self.sequence,
                _TAGS[3],
                self.kind,
                _TAGS[4],
                self.fee_item,
                _TAGS[5],
                self.due.octets,
                _TAGS[6],
                self.amount,
                _TAGS[7],
                self.balance,
                _TAGS[8],
                self.reference,
                _TAGS[9],
                self.revision,
                _TAGS[10],
                self.digest,
            )
        except struct.error as error:
            raise InvalidValueError(f"an entry does not fit its row: {error}") from error

    @property
    def head(self) -> JournalHead:
        """The journal head that this entry makes."""
        return JournalHead(sequence=self.sequence, digest=self.digest)


def row_digest(previous: bytes, row: bytes) -> bytes:
    """SHA-256(previous digest || A-XDR of a structure of columns 1..9), first 16 octets."""
    return hashlib.sha256(previous + _CHAINED_HEADER + row[2:_CHAINED_END]).digest()[:DIGEST_LENGTH]


def row_figures(row: bytes) -> tuple[int, int, int, bytes]:
    """Sequence, amount, balance and digest of a row, all that a chain check needs; InvalidValueError if it is none."""
    columns = _unpack(row)
    return columns[4], columns[12], columns[14], columns[20]


def time_of_row(row: bytes) -> CosemDateTime:
    """When the entry of a row was made; InvalidValueError if it is no row."""
    return CosemDateTime(_unpack(row)[2])


def _unpack(row: bytes) -> tuple[Any, ...]:
    """The ten columns, each after its tag, of 98 octets with the skeleton of a row."""
    if len(row) != ROW_LENGTH:
        raise InvalidValueError(f"a journal row is {ROW_LENGTH} octets, not {len(row)}")
    columns = _ROW.unpack(row)
    if (columns[0], *columns[1::2]) != _TAGS:
        raise InvalidValueError(f"not a journal row: {row[:24].hex()}...")
    return columns
