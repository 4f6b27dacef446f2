"""Ten virtual years of one meter with five fee items, checked every minute: time, memory, descriptors.

    python -m tests.simulation.ten_years [--years 10]

The household is that of the bench: rent, property fee, a billed one, a daily one, metered electricity. Money is put in
every month, the bill's amount is set, the head-end acknowledges. Memory is that of the process, after the first quarter
and at the end. Exit code 1 when an occurrence was missed, or memory or descriptors grew.
"""

import argparse
import gc
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from dlms_objects.purse import operations
from dlms_objects.purse.entry import Entry, EntryKind
from dlms_objects.purse.fee_item import AmountSource
from dlms_objects.purse.state import LAST_SEQUENCE, Change, PurseState
from tests.support.meters import NOW, MeterWorld
from tests.support.purses import billed, daily, fixed, identifier, metered, monthly
from tests.support.recorded_disk import folder_in_memory

MINUTES_OF_A_DAY = 24 * 60
SETTLED_AFTER_DAYS = 91  # what the process needs it has by then
LARGEST_DRIFT = 2 * 2**20
ITEMS = {
    1: fixed(350_000),
    2: fixed(28_000, monthly(day=-1)),
    3: billed(schedule=monthly(day=20)),
    4: fixed(1_000, daily()),
    5: metered(60, scaler=-3, schedule=monthly(day=28)),
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What the years took: CPU seconds, octets of memory, open files before and after; what was deducted by item."""

    days: int
    cpu_s: float
    drift: int
    descriptors: tuple[int, int]
    deductions: dict[int, int]
    expected: dict[int, int]

    @property
    def is_sound(self) -> bool:
        """Nothing missed, nothing grew."""
        steady = self.descriptors[0] == self.descriptors[1] and self.drift < LARGEST_DRIFT
        return steady and self.deductions == self.expected

    def __str__(self) -> str:
        """One line."""
        return (
            f"{self.days} days, {self.days * MINUTES_OF_A_DAY} checks, {sum(self.deductions.values())} deductions in"
            f" {self.cpu_s:.1f} s CPU; memory {self.drift / 2**20:+.2f} MB, descriptors {self.descriptors}"
        )


class Years:
    """A meter without clients, and its time."""

    def __init__(self, folder: Path) -> None:
        """A meter at noon, with its five items."""
        self.world = MeterWorld(folder)
        self.meter = self.world.meter
        self._ids = 0
        self._real_s = NOW.timestamp()
        for number, parameters in ITEMS.items():
            self._do(lambda state, now, at=number, of=parameters: operations.set_parameters(state, now, at, of))

    def pass_day(self) -> None:
        """A day, minute by minute; on the 15th money is put in, the bill is written, and all is acknowledged."""
        for _ in range(MINUTES_OF_A_DAY):
            self._real_s += 60
            self.meter.advance(self._real_s)
        today = self.meter.clock.now(self._real_s).date()
        if today.day == 15:
            self._ids += 1
            self._do(lambda s, now: operations.top_up(s, self.meter._store, now, identifier(self._ids), 600_000))
            due = date(today.year, today.month, 20)
            self._do(
                lambda s, now: operations.set_amount(
                    s, self.meter._store, now, 3, due, 4_000, identifier(0), AmountSource.CLOUD
                )
            )
            head = self.meter.keeper.state.head
            self._do(lambda s, _now: operations.acknowledge(s, self.meter._store, head.sequence, head.digest))

    def expected(self) -> dict[int, int]:
        """How many occurrences of each item have come since the start."""
        begin, end = (moment.astimezone(NOW.tzinfo) for moment in (NOW, self.meter.clock.now(self._real_s)))
        hours = timedelta(hours=8)  # Shanghai, which sets no clock back
        civil = [(moment + hours).replace(tzinfo=None) for moment in (begin, end)]
        return {number: of.schedule.count_between(civil[0], civil[1]) for number, of in ITEMS.items()}

    def deductions(self) -> dict[int, int]:
        """How many were deducted of each item."""
        counts = dict.fromkeys(ITEMS, 0)
        for row in self.meter._store.rows(1, LAST_SEQUENCE, LAST_SEQUENCE):
            entry = Entry.from_row(row)
            if entry.kind is EntryKind.DEDUCTION:
                counts[entry.fee_item] += 1
        return counts

    def _do(self, rule: Callable[[PurseState, datetime], Change]) -> None:
        now = self.meter.advance(self._real_s)
        outcome = self.meter.keeper.carry_out(now, lambda state: rule(state, now)).outcome
        assert outcome == 0, outcome


def live(folder: Path, days: int) -> Figures:
    """So many days, at least SETTLED_AFTER_DAYS and some."""
    years = Years(folder)
    settled, files = 0, 0
    begin_s = time.process_time()
    for day in range(days):
        if day == SETTLED_AFTER_DAYS:
            settled, files = memory(), open_files()
        years.pass_day()
    cpu_s = time.process_time() - begin_s
    after, files_after = memory(), open_files()
    figures = Figures(days, cpu_s, after - settled, (files, files_after), years.deductions(), years.expected())
    years.world.stop()
    return figures


def memory() -> int:
    """The octets of memory that this process occupies."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def open_files() -> int:
    """The descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


def main() -> int:
    """Run it; 0 when nothing was missed and nothing grew."""
    parser = argparse.ArgumentParser(description="years of one meter, checked every minute")
    parser.add_argument("--years", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meterpurse-years-", dir=folder_in_memory()) as place:
        figures = live(Path(place, "meter"), options.years * 365 + options.years // 4)
    sys.stdout.write(f"{figures}\n")
    return 0 if figures.is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
