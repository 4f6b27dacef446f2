"""Idle checks: whoever leaves them out gets the same journal and events, to the octet, as who makes them all."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from dlms_objects.purse import idle, operations
from dlms_objects.purse.check import check
from dlms_objects.purse.fee_item import AmountSource, Frequency, Parameters, Schedule
from dlms_objects.purse.idle import WINDOW, Idle, ReadingRange, idle_after
from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.state import Change, InsufficientPolicy, PurseState, Settings
from tests.support.purse_machine import PurseMachine
from tests.support.purses import ENERGY, Purse, at, billed, daily, fixed, household, metered, monthly

MINUTE = timedelta(minutes=1)


class Sparing:
    """A check that is left out while the last idle one says that it does nothing; it counts both."""

    def __init__(self) -> None:
        self.made = self.left_out = 0
        self._idle: Idle | None = None

    def __call__(self, state: PurseState, now: datetime, registers: Any, *, clock_valid: bool = True) -> Change:
        if clock_valid and self._idle is not None and self._idle.holds(state, now, registers):
            self.left_out += 1
            return Change(state=state, sequence=state.head.sequence, balance=state.balance)
        self.made += 1
        change = check(state, now, registers, clock_valid=clock_valid)
        if change.state is state and clock_valid:
            self._idle = idle_after(state, now, registers)
        return change


class Twins:
    """Two purses that live the same life: one makes every check, the other spares itself the idle ones."""

    def __init__(self, settings_: Settings, now: datetime) -> None:
        self.sparing = Sparing()
        self.both = [Purse(settings_, now), Purse(settings_, now)]
        self.both[1].checks = self.sparing

    def do(self, act: Callable[[Purse], object]) -> None:
        for purse in self.both:
            act(purse)

    def assert_same(self) -> None:
        every, sparing = self.both
        assert sparing.state == every.state
        assert sparing.journal.entries == every.journal.entries
        assert sparing.events == every.events


ZONES = (
    ("Europe/Berlin", datetime(2026, 3, 27, 23, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 23, 22, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 6, 20, tzinfo=UTC)),  # skips local midnight
    ("Australia/Lord_Howe", datetime(2026, 4, 3, 3, tzinfo=UTC)),  # half an hour
    ("Asia/Shanghai", datetime(2026, 1, 29, tzinfo=UTC)),
)


def schedules(dice: random.Random, first: date) -> Schedule:
    begin = first + timedelta(days=dice.randrange(-3, 6))
    clock = dice.choice([time(0), time(0, 30), time(2, 30), time(8), time(23, 59, 59)])
    if dice.random() < 0.5:
        return daily(clock, begin, interval=dice.randint(1, 2))
    if dice.random() < 0.5:
        return Schedule(frequency=Frequency.WEEKLY, day=dice.randint(1, 7), time=clock, first=begin)
    return Schedule(frequency=Frequency.ONCE, time=clock, first=begin)


def parameters(dice: random.Random, first: date) -> Parameters:
    schedule, priority, enabled = schedules(dice, first), dice.randint(0, 2), dice.random() < 0.9
    match dice.randrange(4):
        case 0:
            return billed(dice.choice([AmountSource.CLOUD, AmountSource.MANUAL]), schedule, priority=priority)
        case 1 | 2:
            return metered(dice.randint(0, 30), dice.randint(-3, 0), schedule, priority=priority, enabled=enabled)
        case _:
            return fixed(dice.randint(0, 400), schedule, priority=priority, enabled=enabled)


def happenings(dice: random.Random, first: date) -> Callable[[Purse], object]:
    """Something that a resident, the cloud or a register does."""
    number, amount, terms = dice.randint(1, 4), dice.randint(1, 2_000), parameters(dice, first)
    name, days, units = dice.randrange(10**9), dice.randrange(6), dice.randint(-3, 200)
    activation = timedelta(minutes=dice.randint(-100, 2_000))

    def passive(purse: Purse) -> None:
        purse.keep(operations.set_passive(purse.state, purse.now, number, terms))
        purse.keep(operations.set_activation_time(purse.state, purse.now, number, purse.now + activation))
        purse.check()

    def consume(purse: Purse) -> None:
        if ENERGY in purse.registers:
            purse.registers = {ENERGY: max(0, purse.registers[ENERGY] + units)}

    def unplug(purse: Purse) -> None:
        purse.registers = {} if purse.registers else {ENERGY: amount}

    acts: list[Callable[[Purse], object]] = [
        lambda purse: purse.configure(number, terms),
        lambda purse: purse.top_up(amount, name + 1),
        lambda purse: purse.set_amount(number, first + timedelta(days=days), amount),
        passive,
        *(consume,) * 12,
        unplug,
        lambda purse: purse.keep(operations.mark_tamper(purse.state, purse.now)) if amount < 40 else None,
    ]
    return dice.choice(acts)


def live(seed: int, steps: int = 700) -> Twins:
    dice = random.Random(seed)
    zone, start = dice.choice(ZONES)
    twins = Twins(
        Settings(
            time_zone=zone,
            look_ahead_s=dice.choice([0, 3_600, 2 * 86_400, 7 * 86_400]),
            low_balance_threshold=dice.choice([0, 500]),
            overdraft_limit=dice.choice([0, 300]),
            insufficient_policy=dice.choice(list(InsufficientPolicy)),
            max_catch_up=dice.randint(1, 4),
        ),
        start,
    )
    for number in range(1, 5):
        terms = parameters(dice, start.date())
        twins.do(lambda purse, number=number, terms=terms: purse.configure(number, terms))  # type: ignore[misc]
    twins.do(lambda purse: purse.top_up(1_000))
    now = start
    for _ in range(steps):
        now += MINUTE * dice.choice([1, 5, 5, 5, 30]) + timedelta(seconds=dice.choice([0, 0.25]))
        if dice.random() < 0.01:
            now -= timedelta(hours=dice.randint(1, 30))
        if dice.random() < 0.2:
            twins.do(happenings(dice, now.date()))
        moment = now
        twins.do(lambda purse, moment=moment: purse.check(moment))  # type: ignore[misc]
    return twins


@pytest.mark.parametrize("seed", range(60))
def test_leaving_out_idle_checks_changes_no_entry_and_no_event(seed: int) -> None:
    twins = live(seed)
    twins.assert_same()


def test_most_checks_of_a_quiet_household_are_left_out() -> None:
    twins = Twins(Settings(time_zone="Asia/Shanghai"), at(1, 2))
    twins.do(lambda purse: purse.top_up(10_000_000))
    twins.do(lambda purse: purse.configure(1, fixed(350_000)))
    twins.do(lambda purse: purse.configure(2, metered(56, -3, monthly(day=4))))
    for minute in range(3 * 1440):
        moment, reading = at(1, 2) + MINUTE * minute, minute // 3
        twins.do(lambda purse, moment=moment, reading=reading: purse.check(moment, {ENERGY: reading}))  # type: ignore[misc]
    twins.assert_same()
    assert len(twins.both[1].deductions()) == 1
    assert twins.sparing.made < twins.sparing.left_out / 100


# Each forgets one thing that ends idleness; the twins must notice.


def no_due_time(item: Any, now: datetime, civil: datetime, horizon: datetime) -> Iterator[datetime]:
    yield from (point for point in POINTS(item, now, civil, horizon) if point >= now + (horizon - civil))


def no_horizon(item: Any, now: datetime, civil: datetime, _horizon: datetime) -> Iterator[datetime]:
    yield from POINTS(item, now, civil, civil)


def no_activation(item: Any, now: datetime, civil: datetime, horizon: datetime) -> Iterator[datetime]:
    yield from POINTS(replace(item, passive=None), now, civil, horizon)


POINTS = idle._turning_points
FAULTS = {
    "due times": ("_turning_points", no_due_time),
    "the look-ahead": ("_turning_points", no_horizon),
    "future-dated parameters": ("_turning_points", no_activation),
    "readings": ("_ranges", lambda *_: ()),
    "changes of the offset": ("_is_steady", lambda *_: True),
}


@pytest.mark.parametrize(("name", "fault"), FAULTS.values(), ids=FAULTS)
def test_the_twins_catch_what_is_forgotten(name: str, fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, name, fault)

    def differ(seed: int) -> bool:
        try:
            live(seed).assert_same()
        except AssertionError:
            return True
        return False

    assert any(differ(seed) for seed in range(60))


class TrueToItsWord(PurseMachine):
    """Every check is made; where it was said to be idle, it is."""

    _idle: Idle | None = None

    def checks(self, state: PurseState, now: datetime, registers: Any, *, clock_valid: bool = True) -> Change:  # type: ignore[override]
        change = check(state, now, registers, clock_valid=clock_valid)
        nothing = Change(state=state, sequence=state.head.sequence, balance=state.balance)
        if clock_valid and self._idle is not None and self._idle.holds(state, now, registers):
            assert change == nothing
            assert change.state is state
        if clock_valid and change.state is state:
            self._idle = idle_after(state, now, registers)
        return change

    @rule(step=st.timedeltas(timedelta(0), WINDOW))
    def some_time_passes(self, step: timedelta) -> None:
        """Not more than one looks ahead."""
        self.purse.check(self.purse.now + step)


def test_a_check_that_was_said_to_be_idle_is_in_any_order_of_operations() -> None:
    run_state_machine_as_test(
        TrueToItsWord,
        settings=settings(
            max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_an_idle_state_is_that_very_state_in_its_time() -> None:
    purse = household(1_000)
    purse.configure(1, fixed(100))
    found = idle_after(purse.state, at(1, 2), {})
    assert found.holds(purse.state, at(1, 2), {})
    assert not found.holds(purse.state, at(1, 2) - MINUTE, {})
    assert found.holds(purse.state, at(1, 2) + WINDOW - MINUTE, {})
    assert not found.holds(purse.state, at(1, 2) + WINDOW, {})
    assert not found.holds(replace(purse.state), at(1, 2), {})


def test_without_a_valid_clock_only_the_clock_matters() -> None:
    purse = Purse(now=datetime(2020, 1, 1, tzinfo=UTC))
    purse.configure(1, fixed(100))
    found = idle_after(purse.state, purse.now, {})
    assert found.until == datetime(2024, 1, 1, tzinfo=UTC)
    purse.check(found.until)
    assert purse.codes() == [EventCode.CLOCK_INVALID]
    assert purse.state.crossings.clock_invalid is False


@pytest.mark.parametrize(
    ("lowest", "highest", "reading", "holds"),
    [
        (5, 9, 5, True),
        (5, 9, 9, True),
        (5, 9, 4, False),
        (5, 9, 10, False),
        (5, None, 10**9, True),
        (5, 9, None, False),
        (None, None, None, True),
        (None, None, 0, False),
    ],
)
def test_a_range_of_readings_holds_between_its_ends(
    lowest: int | None, highest: int | None, reading: int | None, holds: bool
) -> None:
    registers = {} if reading is None else {ENERGY: reading}
    assert ReadingRange(register=ENERGY, lowest=lowest, highest=highest).holds(registers) is holds
