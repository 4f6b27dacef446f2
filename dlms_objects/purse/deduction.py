"""The deduction: the one place that takes money for fees.

Which occurrences are due, in what order they are tried, and what happens to one that cannot be paid. Called by `check`
alone, with a valid clock and an unbroken journal.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from dlms_objects.purse.collection import collect
from dlms_objects.purse.draft import Draft
from dlms_objects.purse.entry import NO_REFERENCE, EntryKind
from dlms_objects.purse.fee_item import FeeItem, Occurrence
from dlms_objects.purse.metering import Registers
from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.state import InsufficientPolicy
from dlms_objects.values.civil import instant_of
from dlms_objects.values.money import MAXIMUM_MINOR

# No zone repeats more than a day (a date line crossed eastwards), so a due time later than this is still to come.
_LONGEST_REPEAT = timedelta(days=2)


def deduct(draft: Draft, registers: Registers) -> None:
    """Deduct what is due and covered, by (priority, number), each item's oldest first, up to `max_catch_up`."""
    _Round(draft, registers).go()


def is_due(due: datetime, draft: Draft, civil: datetime) -> bool:
    """Whether the civil time `due` has come at the draft's instant, whose civil time is `civil`.

    Only in the second pass of a repeated hour has a later civil time come already.
    """
    if due <= civil:
        return True
    return due - civil < _LONGEST_REPEAT and instant_of(due, draft.zone) <= draft.now


class _Round:
    """The deductions of one check: what is left of the catch-up, and who waits."""

    def __init__(self, draft: Draft, registers: Registers) -> None:
        self._draft = draft
        self._registers = registers
        self._civil = draft.civil()
        self._left = draft.state.settings.max_catch_up
        self._waiting_priority: int | None = None
        self._waiting_amount = 0

    def go(self) -> None:
        """Try every item that is due, by (priority, number)."""
        due_items: list[FeeItem] = []
        for item in self._draft.state.items:
            occurrence = item.next_occurrence
            if occurrence is not None and is_due(occurrence.due, self._draft, self._civil):
                due_items.append(item)
            elif item.short_due is not None or item.asked_due is not None:
                self._draft.put(replace(item, short_due=None, asked_due=None))
        for item in sorted(due_items, key=_turn):
            self._try_item(item)

    def _try_item(self, item: FeeItem) -> None:
        """Deduct the item's due occurrences, oldest first, up to one that must wait."""
        occurrence = item.next_occurrence
        while occurrence is not None and self._left and is_due(occurrence.due, self._draft, self._civil):
            if self._draft.state.is_journal_full:
                return
            item = collect(self._draft, item, occurrence, self._registers)
            amount = item.amount_of(occurrence)
            if amount is None:
                self._ask(item, occurrence)
                return
            if not self._covers(item, amount):
                self._wait(item, occurrence, amount)
                return
            item = self._settle(item, occurrence, amount)
            occurrence = item.next_occurrence

    def _covers(self, item: FeeItem, amount: int) -> bool:
        if self._is_held(item):
            return False
        return amount == 0 or amount <= self._draft.state.available

    def _is_held(self, item: FeeItem) -> bool:
        hold = self._draft.state.settings.insufficient_policy is InsufficientPolicy.HOLD_LOWER
        return hold and self._waiting_priority is not None and _priority(item) > self._waiting_priority

    def _settle(self, item: FeeItem, occurrence: Occurrence, amount: int) -> FeeItem:
        pending = item.pending_on(occurrence.due.date())
        self._draft.enter(
            EntryKind.DEDUCTION,
            -amount,
            fee_item=item.number,
            due=occurrence.due,
            revision=occurrence.revision,
            reference=NO_REFERENCE if pending is None else pending.reference,
        )
        if item.short_due == occurrence.due:
            self._draft.note(EventCode.SETTLED, fee_item=item.number, value=amount, due=occurrence.due)
        self._left -= 1
        item = item.settled(occurrence, amount, self._draft.now)
        self._draft.put(item)
        return item

    def _wait(self, item: FeeItem, occurrence: Occurrence, amount: int) -> None:
        """The balance does not cover it: it stays due, and is announced once."""
        missing = amount - self._draft.state.available + (self._waiting_amount if self._is_held(item) else 0)
        self._waiting_amount += amount
        if self._waiting_priority is None:
            self._waiting_priority = _priority(item)
        if item.short_due != occurrence.due:
            self._draft.note(
                EventCode.INSUFFICIENT, fee_item=item.number, value=min(missing, MAXIMUM_MINOR), due=occurrence.due
            )
            item = replace(item, short_due=occurrence.due, asked_due=None)
        self._draft.put(item)

    def _ask(self, item: FeeItem, occurrence: Occurrence) -> None:
        """Nobody has said how much: it stays due, and is announced once."""
        if item.asked_due != occurrence.due:
            self._draft.note(EventCode.WAITING_AMOUNT, fee_item=item.number, due=occurrence.due)
            item = replace(item, asked_due=occurrence.due, short_due=None)
        self._draft.put(item)


def _priority(item: FeeItem) -> int:
    return 0 if item.parameters is None else item.parameters.priority


def _turn(item: FeeItem) -> tuple[int, int]:
    return _priority(item), item.number
