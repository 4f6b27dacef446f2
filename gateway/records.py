"""The nouns that travel through the gateway: event rows, fee item descriptors, batches, and what the head-end says.

Immutable values only. Imported by every module that reads, stores or sends them.
"""

from dataclasses import dataclass
from enum import StrEnum

from dlms_objects.purse.entry import DIGEST_LENGTH
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle


class UplinkStatus(StrEnum):
    """What the head-end says of a meter; anything but `accepted` holds its records back for a while.

    `refused` is our own word for a request that the head-end could not take (HTTP 400, 413, 422) or did not answer for.
    """

    ACCEPTED = "accepted"
    CONFLICT = "conflict"
    GAP = "gap"
    UNKNOWN_METER = "unknown_meter"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One row of the event log; `time` and `due` are the 12 octets of a COSEM date-time."""

    time: bytes
    number: int
    code: int
    fee_item: int
    value: int
    due: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDescriptor:
    """What a fee item was called when it had this revision; `kind` as the object model's FeeKind."""

    number: int
    revision: int
    kind: int
    label: str
    payee: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBatch:
    """Consecutive raw rows of one meter from sequence `first` on, with what is needed to book them.

    `items` are the descriptors that the head-end does not have yet; where there are some, `rows` may be empty.
    """

    title: SystemTitle
    first: int
    rows: tuple[bytes, ...]
    items: tuple[ItemDescriptor, ...]
    currency: Currency

    @property
    def last(self) -> int:
        """The sequence of the last row."""
        return self.first + len(self.rows) - 1

    def digest_at(self, sequence: int) -> bytes | None:
        """The digest of the row of that sequence, where the batch has it."""
        return self.rows[sequence - self.first][-DIGEST_LENGTH:] if self.first <= sequence <= self.last else None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatch:
    """Events of one meter in order of number; at least one."""

    title: SystemTitle
    rows: tuple[EventRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLimits:
    """How much one request carries: rows of one meter, and rows in all (the last batch may go over it)."""

    batch_rows: int
    request_rows: int
