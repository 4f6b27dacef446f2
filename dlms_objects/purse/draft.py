"""A change in the making: the working copy that `check` and the operations share. Nothing outside this room sees one.

It numbers and chains entries, stamps events, and ends as a `Change`; it decides nothing.
"""

from dataclasses import replace
from datetime import datetime

from dlms_objects.purse.entry import NO_REFERENCE, Entry, EntryKind
from dlms_objects.purse.fee_item import FeeItem
from dlms_objects.purse.outcome import Event, EventCode, Operation, OutcomeCode, UsedId
from dlms_objects.purse.state import Change, PurseState
from dlms_objects.values.civil import civil_of, time_zone
from dlms_objects.values.cosem_time import STATUS_INVALID, CosemDateTime


class Draft:
    """One operation at the instant `now` (aware): `state` is the newest, entries and events are in order."""

    def __init__(self, state: PurseState, now: datetime) -> None:
        """Begin at `state`."""
        self.state = state
        self.now = now
        self.zone = time_zone(state.settings.time_zone)
        self._entries: list[Entry] = []
        self._events: list[Event] = []
        self._used_ids: list[UsedId] = []

    def civil(self) -> datetime:
        """The civil time of `now`."""
        return civil_of(self.now, self.zone)

    def civil_if_valid(self) -> datetime | None:
        """The civil time of `now`, or None when the clock is not valid."""
        return self.civil() if self.state.is_clock_valid(self.now) else None

    def put(self, item: FeeItem) -> None:
        """Put the item in place of the one of its number, if it differs."""
        if item != self.state.item(item.number):
            self.state = self.state.with_item(item)

    def enter(
        self,
        kind: EntryKind,
        amount: int,
        *,
        reference: bytes = NO_REFERENCE,
        fee_item: int = 0,
        due: datetime | None = None,
        revision: int = 0,
    ) -> None:
        """Move the balance by `amount` (signed, minor units) with one chained entry."""
        balance = self.state.balance + amount
        entry = Entry.chained(
            self.state.head,
            time=self._stamp(),
            kind=kind,
            amount=amount,
            balance=balance,
            fee_item=fee_item,
            due=CosemDateTime.NOT_SPECIFIED if due is None else CosemDateTime.from_civil(due),
            reference=reference,
            revision=revision,
        )
        self._entries.append(entry)
        self.state = replace(self.state, balance=balance, head=entry.head)

    def note(self, code: EventCode, *, fee_item: int = 0, value: int = 0, due: datetime | None = None) -> None:
        """Add an event."""
        civil = None if due is None else CosemDateTime.from_civil(due)
        self._events.append(Event(time=self._stamp(), code=code, fee_item=fee_item, value=value, due=civil))

    def spend(self, identifier: bytes, operation: Operation, arguments: str) -> None:
        """Use up a caller-made identifier for the result as it stands now."""
        self._used_ids.append(
            UsedId(
                identifier=identifier,
                operation=operation,
                arguments=arguments,
                outcome=OutcomeCode.DONE,
                sequence=self.state.head.sequence,
                balance=self.state.balance,
            )
        )

    def change(self) -> Change:
        """All of it, done."""
        return Change(
            state=self.state,
            entries=tuple(self._entries),
            events=tuple(self._events),
            used_ids=tuple(self._used_ids),
            sequence=self.state.head.sequence,
            balance=self.state.balance,
        )

    def _stamp(self) -> CosemDateTime:
        status = 0 if self.state.is_clock_valid(self.now) else STATUS_INVALID
        return CosemDateTime.from_instant(self.now, self.zone, status=status)


def refused(state: PurseState, outcome: OutcomeCode) -> Change:
    """Nothing but an answer."""
    return Change(state=state, outcome=outcome, sequence=state.head.sequence, balance=state.balance)
