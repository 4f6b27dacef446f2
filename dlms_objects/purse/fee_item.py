"""A fee item: the terms of one fee, and how far it has been paid.

Which occurrences are open, and what a change of terms does to them, is decided here; nothing here moves the balance
(that is `check`). Imported by the rest of this room, and by the classes and the store of the meter.

An occurrence is (number, civil due date-time). It is owed from the moment its terms came into force on this meter: what
fell due before that, or while the item was disabled, is never charged. Three rules hold through every change of terms:

* nothing at or before `paid_through` is ever deducted again, and `paid_through` only moves forward;
* a change never makes anything owed that fell due before the change, and never forgives what was owed and unpaid;
* a change made at once holds for everything not yet deducted (it may correct a wrong amount); a future-dated one only
  for what falls due at or after its activation time, however late the meter gets to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Self

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.entry import NO_REFERENCE
from dlms_objects.purse.metering import Metering
from dlms_objects.purse.parameters import (
    NO_UNIT_PRICE,
    AmountSource,
    FeeKind,
    Parameters,
    RegisterReference,
    UnitPrice,
)
from dlms_objects.purse.ranges import require_whole
from dlms_objects.purse.schedule import Frequency, Schedule, just_before
from dlms_objects.values.money import MAXIMUM_MINOR

__all__ = [
    "MAXIMUM_ITEMS",
    "NO_UNIT_PRICE",
    "AmountSource",
    "FeeItem",
    "FeeKind",
    "Frequency",
    "Metering",
    "Occurrence",
    "Parameters",
    "PendingAmount",
    "RegisterReference",
    "Schedule",
    "Terms",
    "UnitPrice",
]

MAXIMUM_ITEMS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingAmount:
    """The amount (minor units, 0..2^63-1) of one open occurrence, found by its calendar day, until it is deducted.

    `source` says who gave it; a metered item keeps its own reading of the due time here, with no reference.
    """

    due: date
    amount: int
    reference: bytes = NO_REFERENCE
    source: AmountSource

    def __post_init__(self) -> None:
        """Refuse an amount out of range or a reference that is not 16 octets (InvalidValueError)."""
        require_whole("pending amount", self.amount, 0, MAXIMUM_MINOR)
        if type(self.reference) is not bytes or len(self.reference) != 16:
            raise InvalidValueError(f"the reference of a pending amount is 16 octets, not {self.reference!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Parameters and revision, and the civil times from `since` up to before `until` in which they make fees fall due.

    `since` None: not yet in force, for want of a valid clock. `until` None: open, or to be closed by the next valid
    clock.
    """

    parameters: Parameters
    revision: int
    since: datetime | None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One due time of an item that is not yet deducted, and the terms it falls under."""

    due: datetime
    parameters: Parameters
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeItem:
    """One fee item, number 1..32; `parameters` None when it was never configured or was deleted.

    `since` is the civil time from which the present parameters count, `former` are earlier terms under which something
    is still open. `paid_through` is the due time last deducted. `last_amount` and `total_deducted` are minor units.
    `short_due` and `asked_due` are the due times announced as insufficient and as waiting for an amount: their events
    are not repeated.
    """

    number: int
    parameters: Parameters | None = None
    passive: Parameters | None = None
    activation_time: datetime | None = None
    revision: int = 0
    pending: tuple[PendingAmount, ...] = ()
    since: datetime | None = None
    former: tuple[Terms, ...] = ()
    paid_through: datetime | None = None
    last_deducted: datetime | None = None
    last_amount: int = 0
    total_deducted: int = 0
    metering: Metering | None = None
    short_due: datetime | None = None
    asked_due: datetime | None = None
    _next: Occurrence | None = field(init=False, default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a number or time that is none (InvalidValueError); find the next occurrence once, for every check."""
        require_whole("the number of a fee item", self.number, 1, MAXIMUM_ITEMS)
        require_whole("revision", self.revision, 0, 2**32 - 1)
        if self.activation_time is not None and self.activation_time.tzinfo is None:
            raise InvalidValueError("activation_time is an aware date-time")
        object.__setattr__(self, "_next", next(self.open_occurrences(), None) if self.is_enabled else None)

    @property
    def is_enabled(self) -> bool:
        """True when the item is configured and enabled."""
        return self.parameters is not None and self.parameters.enabled

    @property
    def next_occurrence(self) -> Occurrence | None:
        """The oldest occurrence that is not deducted, due or still to come; None when disabled or finished."""
        return self._next

    def open_occurrences(self) -> Iterator[Occurrence]:
        """Every occurrence in force that is not deducted, oldest first, without end if the schedule has none."""
        for terms in self._terms():
            if terms.since is None:
                continue
            for due in terms.parameters.schedule.after(self._bound(terms)):
                if terms.until is not None and due >= terms.until:
                    break
                yield Occurrence(due=due, parameters=terms.parameters, revision=terms.revision)

    def open_on(self, day: date) -> Occurrence | None:
        """The occurrence of that calendar day if it is not deducted and would be owed; None otherwise."""
        for terms in self._terms():
            due = terms.parameters.schedule.on(day)
            if due is not None and due > self._bound(terms) and (terms.until is None or due < terms.until):
                return Occurrence(due=due, parameters=terms.parameters, revision=terms.revision)
        return None

    def count_open(self, through: datetime) -> int:
        """How many occurrences are not deducted and fell due at or before the civil time `through`."""
        number = 0
        for terms in self._terms():
            if terms.since is not None:
                end = through if terms.until is None else min(through, just_before(terms.until))
                number += terms.parameters.schedule.count_between(self._bound(terms), end)
        return number

    def pending_on(self, day: date) -> PendingAmount | None:
        """The amount set for the occurrence of that day, or None."""
        for pending in self.pending:
            if pending.due == day:
                return pending
        return None

    def amount_of(self, occurrence: Occurrence) -> int | None:
        """The amount of an open occurrence in minor units; None while nobody has set it or metered it."""
        pending = self.pending_on(occurrence.due.date())
        if pending is not None:
            return pending.amount
        return occurrence.parameters.amount if occurrence.parameters.amount_source is AmountSource.FIXED else None

    def with_pending(self, pending: PendingAmount) -> Self:
        """The item with that amount in place of any other for the same day."""
        others = (other for other in self.pending if other.due != pending.due)
        return replace(self, pending=tuple(sorted((*others, pending), key=_due_of)))

    def without_pending(self, day: date) -> Self:
        """The item with no amount set for that day."""
        return replace(self, pending=tuple(pending for pending in self.pending if pending.due != day))

    def amended(self, parameters: Parameters, civil: datetime | None) -> Self:
        """The item with parameters that hold at once for all that is not deducted; `civil` None: no valid clock."""
        old, revision = self.parameters, self.revision + 1
        former, since = self.former, self.since
        if old is None or (old.schedule, old.enabled) != (parameters.schedule, parameters.enabled):
            former, since = self._closed(civil), civil
        corrected = tuple(
            replace(terms, parameters=replace(parameters, schedule=terms.parameters.schedule), revision=revision)
            for terms in former
        )
        item = replace(self, parameters=parameters, revision=revision, since=since, former=corrected)
        return item._tidied()

    def activated(self, civil: datetime | None) -> Self:
        """The item with its passive parameters in force from `civil` on; what fell due earlier keeps its terms."""
        item = replace(
            self,
            parameters=self.passive,
            passive=None,
            activation_time=None,
            revision=self.revision + 1,
            since=civil,
            former=self._closed(civil),
        )
        return item._tidied()

    def started(self, civil: datetime) -> Self:
        """The item with terms that waited for a valid clock in force from `civil` on."""
        closed = (terms if terms.until is not None else replace(terms, until=civil) for terms in self.former)
        return replace(self, since=civil, former=self._still_open(closed))

    def deleted(self) -> Self:
        """The item unconfigured; its number keeps what was paid, so that no occurrence is ever deducted twice."""
        return type(self)(
            number=self.number,
            revision=self.revision + 1,
            paid_through=self.paid_through,
            last_deducted=self.last_deducted,
            last_amount=self.last_amount,
            total_deducted=self.total_deducted,
        )

    def settled(self, occurrence: Occurrence, amount: int, now: datetime) -> Self:
        """The item with its oldest open occurrence deducted at the instant `now`."""
        due = occurrence.due
        item = replace(
            self,
            paid_through=due,
            last_deducted=now,
            last_amount=amount,
            total_deducted=self.total_deducted + amount,
            pending=tuple(pending for pending in self.pending if pending.due > due.date()),
            short_due=None,
            asked_due=None,
        )
        return replace(item, former=item._still_open(item.former)) if item.former else item

    def _terms(self) -> Iterator[Terms]:
        yield from self.former
        if self.parameters is not None:
            yield Terms(parameters=self.parameters, revision=self.revision, since=self.since)

    def _bound(self, terms: Terms) -> datetime:
        """The civil time after which occurrences of these terms are open."""
        bound = datetime.min if terms.since is None else just_before(terms.since)  # noqa: DTZ901 - civil
        return bound if self.paid_through is None else max(bound, self.paid_through)

    def _closed(self, civil: datetime | None) -> tuple[Terms, ...]:
        """The former terms, with the present ones ending at `civil` where something stays open under them."""
        if self.parameters is None or not self.parameters.enabled or self.since is None:
            return self.former
        present = Terms(parameters=self.parameters, revision=self.revision, since=self.since, until=civil)
        return self._still_open((*self.former, present))

    def _still_open(self, former: Iterator[Terms] | tuple[Terms, ...]) -> tuple[Terms, ...]:
        return tuple(terms for terms in former if terms.until is None or self._has_open(terms, terms.until))

    def _has_open(self, terms: Terms, until: datetime) -> bool:
        due = terms.parameters.schedule.first_after(self._bound(terms))
        return due is not None and due < until

    def _tidied(self) -> Self:
        """Drop amounts of occurrences that are no more, and a metering that no terms ask for."""
        metered = any(terms.parameters.amount_source is AmountSource.METERED for terms in self._terms())
        return replace(
            self,
            pending=tuple(pending for pending in self.pending if self._takes(pending)),
            metering=self.metering if metered else None,
        )

    def _takes(self, pending: PendingAmount) -> bool:
        occurrence = self.open_on(pending.due)
        return occurrence is not None and takes_amount(occurrence.parameters.amount_source, pending.source)


def takes_amount(source: AmountSource, given_by: AmountSource) -> bool:
    """Whether an item of that source takes an amount given by hand, by the cloud, or by its own register."""
    return given_by is source or (source is AmountSource.MANUAL and given_by is AmountSource.CLOUD)


def _due_of(pending: PendingAmount) -> date:
    return pending.due
