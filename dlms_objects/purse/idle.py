"""How long checks stay idle: after one that found nothing to do, up to when every further one will find nothing too.

With that a meter need not work through its fee items every minute. It never changes what a check does: an `Idle` holds
only while `check` is known to return the state it was given, without entries or events. Asked by the meter's keeper.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dlms_objects.purse.fee_item import AmountSource, FeeItem, Occurrence, RegisterReference
from dlms_objects.purse.metering import Registers
from dlms_objects.purse.prompt import find_shortfall, find_wanted
from dlms_objects.purse.state import CLOCK_VALID_FROM, PurseState
from dlms_objects.values.civil import civil_of, time_zone

# The longest that is looked ahead at a time. No zone changes its offset from UTC twice within it.
WINDOW = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRange:
    """The readings of a register between which checks stay idle; `lowest` None: while it has no reading.

    Both in the register's unit, both included; `highest` None: however much it rises.
    """

    register: RegisterReference
    lowest: int | None
    highest: int | None

    def holds(self, registers: Registers) -> bool:
        """Whether the register reads so now."""
        reading = registers.get(self.register)
        if reading is None or self.lowest is None:
            return reading is self.lowest
        return self.lowest <= reading and (self.highest is None or reading <= self.highest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """A check of `state` does nothing from `since` to just before `until` (instants), within the ranges of readings."""

    state: PurseState
    since: datetime
    until: datetime
    readings: tuple[ReadingRange, ...] = ()

    def holds(self, state: PurseState, now: datetime, registers: Registers) -> bool:
        """Whether a check of that state (the same object) at that instant with these readings would do nothing."""
        if state is not self.state or not self.since <= now < self.until:
            return False
        return all(reading.holds(registers) for reading in self.readings)


def idle_after(state: PurseState, now: datetime, registers: Registers) -> Idle:
    """For how long checks do nothing, after `check(state, now, registers)` has just done nothing.

    Where the zone's offset changes within WINDOW, at the instant itself or at the end of the look-ahead, that is not at
    all: due times and horizon then move by leaps.
    """
    if now < CLOCK_VALID_FROM:
        return Idle(state=state, since=now, until=CLOCK_VALID_FROM)
    zone, ahead = time_zone(state.settings.time_zone), timedelta(seconds=state.settings.look_ahead_s)
    until = now + WINDOW
    if not (_is_steady(now, until, zone) and _is_steady(now + ahead, until + ahead, zone)):
        return Idle(state=state, since=now, until=now)
    civil, horizon = civil_of(now, zone), civil_of(now + ahead, zone)
    for item in state.items:
        until = min((until, *_turning_points(item, now, civil, horizon)))
    return Idle(state=state, since=now, until=until, readings=tuple(_ranges(state, now, civil, horizon, registers)))


def _is_steady(begin: datetime, end: datetime, zone: ZoneInfo) -> bool:
    return begin.astimezone(zone).utcoffset() == end.astimezone(zone).utcoffset()


def _turning_points(item: FeeItem, now: datetime, civil: datetime, horizon: datetime) -> Iterator[datetime]:
    """The instants at which something of the item next falls due, comes into sight, or comes into force."""
    if item.passive is not None and item.activation_time is not None and item.activation_time > now:
        yield item.activation_time
    has_future = False
    for occurrence in _open(item):
        if occurrence.due > civil and not has_future:
            has_future = True
            yield now + (occurrence.due - civil)
        if occurrence.due > horizon:
            yield now + (occurrence.due - horizon)
            return


def _open(item: FeeItem) -> Iterator[Occurrence]:
    if item.next_occurrence is not None:
        yield from item.open_occurrences()


def _ranges(
    state: PurseState, now: datetime, civil: datetime, horizon: datetime, registers: Registers
) -> Iterator[ReadingRange]:
    """What the registers of metered items may read without anything to tell.

    What a metered item would collect within the look-ahead counts as wanted. While all that is wanted is covered, it
    may grow by its share of the money to spare; once it is not covered, more consumption changes nothing to tell, but
    for the rare occurrence that is due and could not be collected.
    """
    counted = {item.number: first for item in state.items if (first := _first_metered(item, horizon)) is not None}
    is_short = find_shortfall(state, now, registers) is not None
    spare = max(0, state.available - sum(amount for *_, amount in find_wanted(state, horizon, registers)))
    share = spare // len(counted) if counted else 0
    for item in state.items:
        metering = item.metering
        if metering is None:
            continue
        register = metering.unit_price.register
        reading = registers.get(register)
        highest = None
        if item.number in counted and metering.reading is not None and reading is not None:
            if not is_short:
                amount, _ = metering.advanced(reading).collected()
                highest = metering.highest_reading_for(amount + share)
            elif counted[item.number] <= civil:
                highest = reading
        yield ReadingRange(register=register, lowest=reading, highest=highest)


def _first_metered(item: FeeItem, horizon: datetime) -> datetime | None:
    """When the first occurrence within the horizon falls due whose amount is still being metered."""
    for occurrence in _open(item):
        if occurrence.due > horizon:
            return None
        is_metered = occurrence.parameters.amount_source is AmountSource.METERED
        if is_metered and item.amount_of(occurrence) is None:
            return occurrence.due
    return None
