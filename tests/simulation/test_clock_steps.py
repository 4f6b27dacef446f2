"""The clock is stepped, by seconds or decades, at every step of a deduction, with and without a restart there.

Each occurrence is deducted at most once and none is missed, wherever the clock went in between; and the meter goes on
once the clock is right again. A purse that owes again what it was paid, once the clock went back, is found out.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dlms_objects.meter import purse_keeper
from dlms_objects.meter.clock import MeterClock
from dlms_objects.meter.consumption import SeededConsumption
from dlms_objects.meter.meter import Meter
from dlms_objects.meter.meter_keys import MeterKeys
from dlms_objects.meter.store import MeterStore
from dlms_objects.purse import operations
from dlms_objects.purse.check import check
from dlms_objects.purse.entry import Entry, EntryKind
from dlms_objects.purse.outcome import OutcomeCode
from dlms_objects.purse.schedule import Frequency, Schedule
from dlms_objects.purse.state import LAST_SEQUENCE, PurseState, Settings
from dlms_objects.values.civil import civil_of, time_zone
from dlms_objects.wire.cipher_keys import CipherKeys
from tests.support.purses import CNY, TITLE, daily, fixed, identifier, monthly
from tests.support.recorded_disk import Kind, RecordedDisk, folder_in_memory, no_fault

START = datetime(2026, 6, 10, 4, tzinfo=UTC)
HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=366)
SCHEDULES = {
    1: daily(),
    2: monthly(11),
    3: Schedule(frequency=Frequency.WEEKLY, day=4, time=daily().time, first=daily().first),
}
LENGTHS = (timedelta(seconds=1), timedelta(seconds=61), HOUR, HOUR + timedelta(seconds=1), DAY, 31 * DAY, YEAR)
MOMENTS = [
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2000, 1, 1, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC),
]
STEPS: list[timedelta | datetime] = [*LENGTHS, *(-length for length in LENGTHS), *MOMENTS]
MONEY = 10**12
KEYS = MeterKeys(
    associations={
        sap: CipherKeys(global_unicast_encryption_key=bytes([sap]) * 16, authentication_key=bytes([sap + 100]) * 16)
        for sap in (1, 2)
    },
    master_key=b"M" * 16,
)


class CutError(Exception):
    """The power goes."""


class Host:
    """A host with a clock that steps at moment `at`; a moment is a look at the clock or an operation of the disk."""

    def __init__(self, step: timedelta | datetime, at: int, *, cuts: bool) -> None:
        """`cuts`: the power goes at that moment too."""
        self.true_s, self.wrong_s, self.moments = START.timestamp(), 0.0, 0
        self.lived = 0  # moments up to the end of what is looked at
        self._step, self._at, self._cuts = step, at, cuts

    def seconds(self) -> float:
        """The time of day as the host has it."""
        self.happen()
        return self.true_s + self.wrong_s

    def on_disk(self, kind: Kind) -> None:
        """An operation of the disk."""
        if kind in (Kind.WRITE, Kind.SYNC):
            self.happen()

    def happen(self) -> None:
        """One moment."""
        number, self.moments = self.moments, self.moments + 1
        if number == self._at:
            is_length = isinstance(self._step, timedelta)
            self.wrong_s = self._step.total_seconds() if is_length else self._step.timestamp() - self.true_s
            if self._cuts:
                raise CutError


def meter_on(path: Path, host: Host) -> Meter:
    meter = Meter(MeterStore.open(path), MeterClock.real(), SeededConsumption(1, 1_000), KEYS)
    try:
        meter.start(host.seconds())
    except CutError:
        meter.close()
        raise
    return meter


def live(folder: Path, host: Host) -> list[tuple[int, datetime]]:
    """Two days around a deduction of every item, then the clock is right again for two more; what was deducted."""
    path = folder / "meter.sqlite"
    MeterStore.create(path, "0001", PurseState.new(TITLE, CNY, Settings(time_zone="Asia/Shanghai")))
    store = MeterStore.open(path)
    store.save_keys(KEYS, [])
    store.close()
    meter = meter_on(path, Host(timedelta(0), -1, cuts=False))
    configure(meter)
    meter.close()
    disk = RecordedDisk(folder)
    disk.fault = host.on_disk
    with disk.recording():
        meter = None
        while host.true_s < (START + 2 * DAY).timestamp():
            try:
                meter = meter or meter_on(path, host)
                host.true_s += 8 * 3600
                meter.advance(host.seconds())
            except CutError:
                if meter is not None:
                    meter.close()  # only so that this process lets go of the file
                meter = None
    disk.fault = no_fault
    host.wrong_s, host.lived = 0.0, host.moments
    if meter is not None:
        meter.close()
    meter = meter_on(path, host)
    for _ in range(6):
        host.true_s += 8 * 3600
        meter.advance(host.seconds())
    paid = [
        (entry.fee_item, due)
        for entry in map(Entry.from_row, meter._store.rows(1, LAST_SEQUENCE, LAST_SEQUENCE))
        if entry.kind is EntryKind.DEDUCTION and (due := entry.due.civil()) is not None
    ]
    assert not meter.keeper.state.tamper
    meter.close()
    return paid


def configure(meter: Meter) -> None:
    keeper = meter.keeper
    rules = [lambda state: operations.top_up(state, meter._store, START, identifier(1), MONEY)]
    rules += [
        lambda state, at=number, of=schedule: operations.set_parameters(state, START, at, fixed(100, of))
        for number, schedule in SCHEDULES.items()
    ]
    for rule in rules:
        assert keeper.carry_out(START, rule).outcome is OutcomeCode.DONE


def problems(paid: list[tuple[int, datetime]]) -> list[str]:
    """An occurrence deducted twice, or missing before the last one deducted or before the true end."""
    found = [f"{what} {times} times" for what, times in Counter(paid).items() if times > 1]
    start, end = (moment.replace(tzinfo=None) + timedelta(hours=8) for moment in (START, START + 4 * DAY))
    for number, schedule in SCHEDULES.items():
        dues = sorted(due for item, due in paid if item == number)
        last = max([end, *dues])
        owed = []
        for due in schedule.after(start):
            if due > last:
                break
            owed.append(due)
        if dues != owed:
            found.append(f"item {number}: {len(dues)} of {len(owed)} occurrences")
    return found


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="meterpurse-steps-", dir=folder_in_memory()) as folder:
        yield Path(folder)


def moments_of_a_life(place: Path) -> int:
    host = Host(timedelta(0), -1, cuts=False)
    folder = place / "sound"
    folder.mkdir()
    assert problems(live(folder, host)) == []
    return host.lived


@pytest.mark.slow
@pytest.mark.parametrize("cuts", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_step_at_any_moment_neither_doubles_nor_misses_an_occurrence(
    place: Path, step: timedelta | datetime, cuts: bool
) -> None:
    for at in range(moments_of_a_life(place)):
        folder = place / f"{at}"
        folder.mkdir()
        assert problems(live(folder, Host(step, at, cuts=cuts))) == [], at


@pytest.mark.parametrize("step", [-DAY, -YEAR], ids=str)
def test_a_purse_that_forgets_what_is_paid_when_the_clock_goes_back_is_found_out(
    place: Path, monkeypatch: pytest.MonkeyPatch, step: timedelta
) -> None:
    def forgetful(state: PurseState, now: datetime, registers: Any) -> Any:
        civil = civil_of(now, time_zone(state.settings.time_zone))
        items = (
            replace(item, paid_through=None) if item.paid_through is not None and item.paid_through > civil else item
            for item in state.items
        )
        return check(replace(state, items=tuple(items)), now, registers)

    count = moments_of_a_life(place)
    monkeypatch.setattr(purse_keeper, "check", forgetful)
    found = []
    for at in range(count):
        folder = place / f"{at}"
        folder.mkdir()
        found += problems(live(folder, Host(step, at, cuts=False)))
    assert found
