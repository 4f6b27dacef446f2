"""The state of a purse between two operations, and what every operation returns.

Plain frozen values that a snapshot can carry; no rule but the ranges of settings. Imported by the rest of this room, by
the classes, and by the store of the meter, which alone keeps a state from one moment to the next.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Protocol, Self

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.entry import Entry, EntryKind, JournalHead
from dlms_objects.purse.fee_item import FeeItem
from dlms_objects.purse.outcome import Event, EventCode, Operation, OutcomeCode, UsedId
from dlms_objects.purse.ranges import require_whole
from dlms_objects.values.civil import time_zone
from dlms_objects.values.money import MAXIMUM_MINOR, Currency
from dlms_objects.values.system_title import SystemTitle

__all__ = [
    "CLOCK_VALID_FROM",
    "JOURNAL_CAPACITY",
    "Change",
    "Crossings",
    "Entry",
    "EntryKind",
    "Event",
    "EventCode",
    "InsufficientPolicy",
    "Journal",
    "JournalHead",
    "Operation",
    "OutcomeCode",
    "PurseState",
    "Settings",
    "UsedId",
]

JOURNAL_CAPACITY = 10_000  # unacknowledged entries
CLOCK_VALID_FROM = datetime(2024, 1, 1, tzinfo=UTC)
LAST_SEQUENCE = 2**32 - 1
MAXIMUM_LOOK_AHEAD_S = 366 * 86_400


class InsufficientPolicy(IntEnum):
    """What happens to the other items while an occurrence waits for balance."""

    PAY_WHAT_FITS = 0
    HOLD_LOWER = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The purse's settings (attribute 4); amounts in minor units, 0..2^63-1.

    `maximum_balance` and `maximum_top_up` 0: no limit. `check_period_s` 1..2^32-1, `look_ahead_s` 0..366 days,
    `max_catch_up` deductions per check 1..255, `time_zone` an IANA name: the civil time of all due times.
    """

    low_balance_threshold: int = 0
    overdraft_limit: int = 0
    maximum_balance: int = 0
    maximum_top_up: int = 0
    check_period_s: int = 60
    look_ahead_s: int = 7 * 86_400
    insufficient_policy: InsufficientPolicy = InsufficientPolicy.PAY_WHAT_FITS
    max_catch_up: int = 12
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse the settings whole when one of them is invalid; InvalidValueError names the field."""
        for name in ("low_balance_threshold", "overdraft_limit", "maximum_balance", "maximum_top_up"):
            require_whole(name, getattr(self, name), 0, MAXIMUM_MINOR)
        require_whole("check_period_s", self.check_period_s, 1, 2**32 - 1)
        require_whole("look_ahead_s", self.look_ahead_s, 0, MAXIMUM_LOOK_AHEAD_S)
        if not isinstance(self.insufficient_policy, InsufficientPolicy):
            raise InvalidValueError(f"insufficient_policy is none of 0..1: {self.insufficient_policy!r}")
        require_whole("max_catch_up", self.max_catch_up, 1, 255)
        time_zone(self.time_zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossings:
    """Which conditions of the whole purse have been announced, so that each event comes once per crossing."""

    clock_invalid: bool = False
    low_balance: bool = False
    shortfall_ahead: bool = False
    journal_full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PurseState:
    """The whole purse: balance (minor units), journal head, what the head-end has acknowledged, items by number.

    `tamper`: the journal's chain was found broken; nothing is deducted while it is set.
    """

    title: SystemTitle
    currency: Currency
    settings: Settings
    balance: int
    head: JournalHead
    acknowledged: JournalHead
    items: tuple[FeeItem, ...] = ()
    crossings: Crossings = field(default_factory=Crossings)
    tamper: bool = False

    def __post_init__(self) -> None:
        """Refuse items that are not in order of their numbers, each once (InvalidValueError)."""
        numbers = [item.number for item in self.items]
        if sorted(set(numbers)) != numbers:
            raise InvalidValueError(f"fee items are held once each, by number: {numbers}")

    @classmethod
    def new(cls, title: SystemTitle, currency: Currency, settings: Settings) -> Self:
        """A purse with nothing in it: balance 0, an empty journal, no fee item."""
        head = JournalHead.empty(title)
        return cls(title=title, currency=currency, settings=settings, balance=0, head=head, acknowledged=head)

    def item(self, number: int) -> FeeItem:
        """Fee item 1..32; one that was never configured is there, disabled. InvalidValueError for another number."""
        return next((item for item in self.items if item.number == number), None) or FeeItem(number=number)

    def with_item(self, item: FeeItem) -> Self:
        """The state with that item in place of the one of its number."""
        others = (other for other in self.items if other.number != item.number)
        return replace(self, items=tuple(sorted((*others, item), key=_number_of)))

    @property
    def available(self) -> int:
        """What may still be deducted, in minor units: the balance and the overdraft."""
        return self.balance + self.settings.overdraft_limit

    @property
    def unacknowledged(self) -> int:
        """How many entries the head-end has not acknowledged."""
        return self.head.sequence - self.acknowledged.sequence

    @property
    def is_journal_full(self) -> bool:
        """True when no entry may be added: 10 000 are unacknowledged, or the sequence numbers are used up."""
        return self.unacknowledged >= JOURNAL_CAPACITY or self.head.sequence >= LAST_SEQUENCE

    def is_clock_valid(self, now: datetime) -> bool:
        """False before 2024-01-01, and from the check that was told of a lost clock to the one that finds it set."""
        return now >= CLOCK_VALID_FROM and not self.crossings.clock_invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one operation did: the new state, and what must be made durable with it in one transaction.

    `sequence` and `balance` are the answer to the caller: the entry made (or the journal's last) and the balance after
    it; of the first result when the outcome is REPEATED. Nothing changed exactly when `state` is the state given.
    """

    state: PurseState
    entries: tuple[Entry, ...] = ()
    events: tuple[Event, ...] = ()
    used_ids: tuple[UsedId, ...] = ()
    outcome: OutcomeCode = OutcomeCode.DONE
    sequence: int
    balance: int


class Journal(Protocol):
    """What the rules may ask of the past; the meter's store answers."""

    def used_id(self, identifier: bytes) -> UsedId | None:
        """What those 16 octets were used for, or None."""
        ...

    def entry(self, sequence: int) -> Entry | None:
        """The entry of that number, or None when there is none (or no longer)."""
        ...

    def is_reversed(self, sequence: int) -> bool:
        """Whether a reversal of that entry was done."""
        ...


def _number_of(item: FeeItem) -> int:
    return item.number
