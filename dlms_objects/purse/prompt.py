"""What the household is told: the prompt to top up, the purse's status and each item's. Reads, changes nothing.

Imported by `check` (for the prompt's crossings) and by the classes, the front panel and the meter's consumer message.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, IntFlag
from itertools import accumulate
from types import MappingProxyType

from dlms_objects.purse.fee_item import AmountSource, FeeItem, Occurrence, RegisterReference
from dlms_objects.purse.metering import Registers
from dlms_objects.purse.state import CLOCK_VALID_FROM, PurseState
from dlms_objects.values.civil import civil_of, time_zone
from dlms_objects.values.money import MAXIMUM_MINOR

NO_REGISTERS: Mapping[RegisterReference, int] = MappingProxyType({})
FLAG_BITS = 16
MAXIMUM_MISSED = 65535


class StatusFlag(IntFlag):
    """The conditions of a purse; flag n of the object model's bit-string is bit n here."""

    LOW_BALANCE = 1 << 0
    SHORTFALL_AHEAD = 1 << 1
    WAITING_BALANCE = 1 << 2
    WAITING_AMOUNT = 1 << 3
    CLOCK_INVALID = 1 << 4
    JOURNAL_FULL = 1 << 5
    TAMPER = 1 << 6

    def bits(self) -> str:
        """Sixteen characters `0` and `1`, flag 0 left-most, as the bit-string is written."""
        return format(int(self), f"0{FLAG_BITS}b")[::-1]


class ItemState(IntEnum):
    """Where a fee item stands."""

    DISABLED = 0
    SCHEDULED = 1
    WAITING_AMOUNT = 2
    WAITING_BALANCE = 3
    FINISHED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """What falls due within the look-ahead and is not covered.

    `missing` in minor units (at most 2^63-1 is told); `first_due` (civil) and `number` of the first occurrence that,
    all being paid in the order of their due times, finds too little.
    """

    missing: int
    first_due: datetime
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The purse's status: flags, shortfall within the look-ahead (minor units, 0: none), and the next occurrence.

    `next_due` civil, None when nothing is scheduled; `next_amount` minor units, 0 while it is not known;
    `first_short_due` civil, the due time of the first occurrence that is not covered.
    """

    flags: StatusFlag
    shortfall: int
    first_short_due: datetime | None
    next_due: datetime | None
    next_amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStatus:
    """A fee item's status: `next_due` civil (the oldest not deducted), amounts in minor units, 0 while not known.

    `last_deducted` is an aware instant or None; `missed` counts the occurrences that are due and not deducted (at most
    65535 are told).
    """

    state: ItemState
    next_due: datetime | None
    next_amount: int
    last_deducted: datetime | None
    last_amount: int
    total_deducted: int
    missed: int


def status(state: PurseState, now: datetime, registers: Registers = NO_REGISTERS) -> Status:
    """The status of the purse at the instant `now`; with `registers`, metered items are counted as they stand."""
    shortfall = find_shortfall(state, now, registers)
    waiting = [
        (item.next_occurrence.due, item.parameters.priority, item.number, item.next_occurrence, item)
        for item in state.items
        if item.next_occurrence is not None and item.parameters is not None
    ]
    first = min(waiting, key=lambda turn: turn[:3], default=None)
    return Status(
        flags=_flags(state, now, short=shortfall is not None),
        shortfall=0 if shortfall is None else shortfall.missing,
        first_short_due=None if shortfall is None else shortfall.first_due,
        next_due=None if first is None else first[0],
        next_amount=0 if first is None else _expected(first[4], first[3], registers) or 0,
    )


def item_status(item: FeeItem, state: PurseState, now: datetime, registers: Registers = NO_REGISTERS) -> ItemStatus:
    """The status of one item of the purse at the instant `now`."""
    occurrence = item.next_occurrence
    civil = civil_of(now, time_zone(state.settings.time_zone))
    return ItemStatus(
        state=_item_state(item),
        next_due=None if occurrence is None else occurrence.due,
        next_amount=0 if occurrence is None else _expected(item, occurrence, registers) or 0,
        last_deducted=item.last_deducted,
        last_amount=item.last_amount,
        total_deducted=item.total_deducted,
        missed=0 if occurrence is None else min(item.count_open(civil), MAXIMUM_MISSED),
    )


def find_shortfall(state: PurseState, now: datetime, registers: Registers) -> Shortfall | None:
    """What is missing for all that is owed or falls due within the look-ahead; None when it is covered.

    Occurrences whose amount nobody knows count nothing.
    """
    horizon = civil_of(now + timedelta(seconds=state.settings.look_ahead_s), time_zone(state.settings.time_zone))
    wanted = find_wanted(state, horizon, registers)
    total = sum(amount for _due, _priority, _number, amount in wanted)
    if total == 0 or total <= state.available:
        return None
    due, number = _first_uncovered(sorted(wanted), state.available)
    return Shortfall(missing=min(total - state.available, MAXIMUM_MINOR), first_due=due, number=number)


def find_wanted(state: PurseState, horizon: datetime, registers: Registers) -> list[tuple[datetime, int, int, int]]:
    """(due, priority, number, amount) of all that is owed or falls due up to the horizon (civil), amounts as known."""
    wanted: list[tuple[datetime, int, int, int]] = []
    for item in state.items:
        first = item.next_occurrence
        if first is not None and first.due <= horizon:
            wanted.extend(_wanted(item, horizon, registers))
    return wanted


def _first_uncovered(wanted: list[tuple[datetime, int, int, int]], available: int) -> tuple[datetime, int]:
    """Due time and number of the first that the money does not reach, of a list whose total it does not."""
    spent = accumulate(amount for _due, _priority, _number, amount in wanted)
    return next(
        (due, number)
        for (due, _priority, number, amount), total in zip(wanted, spent, strict=True)
        if amount and total > available
    )


def _wanted(item: FeeItem, horizon: datetime, registers: Registers) -> Iterator[tuple[datetime, int, int, int]]:
    """(due, priority, number, amount) of each open occurrence up to the horizon whose amount is known."""
    collected = False
    for occurrence in item.open_occurrences():
        if occurrence.due > horizon:
            return
        amount = item.amount_of(occurrence)
        if amount is None and not collected:
            amount = _consumed(item, occurrence, registers)
            collected = amount is not None
        if amount is not None:
            yield occurrence.due, occurrence.parameters.priority, item.number, amount


def _expected(item: FeeItem, occurrence: Occurrence, registers: Registers) -> int | None:
    amount = item.amount_of(occurrence)
    return _consumed(item, occurrence, registers) if amount is None else amount


def _consumed(item: FeeItem, occurrence: Occurrence, registers: Registers) -> int | None:
    """What a metered occurrence would collect if it fell due now; None for others, or without its register."""
    metering = item.metering
    if metering is None or occurrence.parameters.amount_source is not AmountSource.METERED:
        return None
    reading = registers.get(metering.unit_price.register, metering.reading)
    return None if reading is None else metering.advanced(reading).collected()[0]


def _flags(state: PurseState, now: datetime, *, short: bool) -> StatusFlag:
    conditions = (
        (StatusFlag.LOW_BALANCE, state.balance < state.settings.low_balance_threshold),
        (StatusFlag.SHORTFALL_AHEAD, short),
        (StatusFlag.WAITING_BALANCE, any(_item_state(item) is ItemState.WAITING_BALANCE for item in state.items)),
        (StatusFlag.WAITING_AMOUNT, any(_item_state(item) is ItemState.WAITING_AMOUNT for item in state.items)),
        (StatusFlag.CLOCK_INVALID, state.crossings.clock_invalid or now < CLOCK_VALID_FROM),
        (StatusFlag.JOURNAL_FULL, state.is_journal_full),
        (StatusFlag.TAMPER, state.tamper),
    )
    flags = StatusFlag(0)
    for flag, holds in conditions:
        if holds:
            flags |= flag
    return flags


def _item_state(item: FeeItem) -> ItemState:
    """The item's state as of the last check."""
    if not item.is_enabled:
        return ItemState.DISABLED
    if item.next_occurrence is None:
        return ItemState.SCHEDULED if item.since is None else ItemState.FINISHED
    if item.short_due == item.next_occurrence.due:
        return ItemState.WAITING_BALANCE
    return ItemState.WAITING_AMOUNT if item.asked_due == item.next_occurrence.due else ItemState.SCHEDULED
