"""The disk is full, or broken, at the k-th write or sync of a meter's days, for every k.

What could not be stored is refused and did not happen, the meter says so as soon as it can, and once the disk is well
again it comes to the same books as on a disk that never failed; so does a restart, even one right after the refusal.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import apsw
import pytest

from dlms_objects.meter.config import MeterConfig, first_keys
from dlms_objects.meter.meter import Meter
from dlms_objects.meter.purse_keeper import PurseKeeper
from dlms_objects.meter.service import build_meter
from dlms_objects.meter.store import StorageError
from dlms_objects.purse import operations
from dlms_objects.purse.entry import Entry
from dlms_objects.purse.outcome import EventCode, OutcomeCode
from dlms_objects.purse.state import LAST_SEQUENCE, Change, PurseState
from tests.support.meters import NOW, MeterWorld
from tests.support.meters import daily as plain_daily
from tests.support.purses import daily, fixed, identifier
from tests.support.recorded_disk import Kind, RecordedDisk, folder_in_memory

NOW_S, DAY_S = NOW.timestamp(), 86_400
FULL = (apsw.FullError, (Kind.WRITE,))
BROKEN = (apsw.IOError, (Kind.WRITE, Kind.TRUNCATE, Kind.SYNC))
Rule = Callable[[Meter, PurseState, datetime], Change]
Row = tuple[int, int, str, int, bytes]

RULES: list[Rule] = [
    lambda meter, state, now: operations.top_up(state, meter._store, now, identifier(1), 5_000),
    lambda meter, state, now: operations.set_parameters(state, now, 2, fixed(90, daily(first=LATE))),
    lambda meter, state, now: operations.top_up(state, meter._store, now, identifier(2), 300),
    lambda meter, state, now: operations.reverse(state, meter._store, now, identifier(3), 1),
]
LATE = date(2026, 6, 16)  # when everything refused has been asked for again
END_S = NOW_S + (len(RULES) + 4) * DAY_S


class WrongBooksError(Exception):
    """What the search found; not an assertion, so that the deliberate fault can be told from a broken test."""


@dataclass
class Fault:
    """A fault at operation `first` (from 0) of these kinds: once, or from then on until the disk is repaired."""

    error: type[apsw.Error]
    kinds: tuple[Kind, ...]
    first: int
    lasting: bool
    count: int = 0
    is_repaired: bool = False

    def __call__(self, kind: Kind) -> None:
        """Count, and refuse."""
        if kind in self.kinds:
            number, self.count = self.count, self.count + 1
            if not self.is_repaired and (number == self.first or (self.lasting and number > self.first)):
                raise self.error("the test's disk")


class Life:
    """A meter in a folder of its own, its rules tried day after day, on a disk with that fault."""

    def __init__(self, template: MeterWorld, folder: Path, fault: Fault, *, cut: bool = False) -> None:
        """`cut`: the power is cut at the first refusal, and what comes up goes on on a disk that is well."""
        shutil.copytree(template.folder, folder)
        self.fault, self.refusals = fault, 0
        disk = RecordedDisk(folder)
        disk.fault = fault
        with disk.recording():
            meter = started(folder, NOW_S)
            waiting = self._days(meter, [*range(len(RULES))], stops=cut)
            if cut and self.refusals:
                after = folder.with_name(folder.name + " after")
                shutil.copytree(folder, after, ignore=shutil.ignore_patterns("*-shm", "*.lock"))
            fault.is_repaired = True
            if not cut:
                self._finish(meter, waiting)
            meter.close()
        if cut and self.refusals:
            meter = started(after, NOW_S)
            self._finish(meter, waiting)
            meter.close()

    def _days(self, meter: Meter, numbers: list[int], *, stops: bool) -> list[int]:
        """Try those rules, one a day; those that are still to be done."""
        waiting = []
        for number in numbers:
            now, before = meter.advance(NOW_S + (number + 1) * DAY_S), rows_of(meter)
            change = carried_out(meter, number, now)
            if change.outcome is OutcomeCode.DONE:
                continue
            if change.outcome is not OutcomeCode.STORAGE_FAILED:
                raise WrongBooksError(f"rule {number} was answered {change.outcome.name}")
            self.refusals += 1
            waiting.append(number)
            if rows_of(meter) != before or change.balance != sum(row[3] for row in before):
                raise WrongBooksError(f"rule {number} was refused and did something")
            if stops:
                return numbers[number:]
        return waiting

    def _finish(self, meter: Meter, waiting: list[int]) -> None:
        """What was refused is asked for again, and the books are closed some days later."""
        for number in waiting:
            outcome = carried_out(meter, number, meter.advance(NOW_S + (len(RULES) + 1) * DAY_S)).outcome
            if outcome not in (OutcomeCode.DONE, OutcomeCode.REPEATED):
                raise WrongBooksError(f"rule {number} was answered {outcome.name} by a disk that is well")
        meter.advance(END_S)
        self.rows, self.balance = rows_of(meter), meter.keeper.state.balance
        self.codes = [row.event.code for row in meter._store.events(1, LAST_SEQUENCE, 1_000)]


def started(folder: Path, real_s: float) -> Meter:
    config = MeterConfig.model_validate({"store": folder / "meter.sqlite", "keys": folder / "keys"})
    meter = build_meter(config, real_s)
    try:
        meter.start(real_s)
    except StorageError:
        meter.close()
        raise
    return meter


def carried_out(meter: Meter, number: int, now: datetime) -> Change:
    return meter.keeper.carry_out(now, lambda state: RULES[number](meter, state, now))


def rows_of(meter: Meter) -> list[Row]:
    entries = [Entry.from_row(row) for row in meter._store.rows(1, LAST_SEQUENCE, LAST_SEQUENCE)]
    return [(int(one.kind), one.fee_item, str(one.due), one.amount, one.reference) for one in entries]


def judge(life: Life, sound: Life, folder: Path) -> None:
    """WrongBooksError unless the books are those of a disk without fault, and a restart agrees."""
    if Counter(life.rows) != Counter(sound.rows):
        raise WrongBooksError("the books are not those of a disk without fault")
    meter = started(folder, END_S)
    try:
        if meter.keeper.state.tamper or (rows_of(meter), meter.keeper.state.balance) != (life.rows, life.balance):
            raise WrongBooksError("a restart does not agree")
    finally:
        meter.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> MeterWorld:
    """A meter with money in it, and a fee of every day."""
    world = MeterWorld(tmp_path_factory.mktemp("template") / "meter")
    client = world.connect()
    for number, amount in ((101, 1_000), (102, 50_000)):
        client.top_up(number, amount)
    client.set_item("parameters", plain_daily())
    world.stop()
    return world


@pytest.fixture
def place() -> Iterator[Path]:
    """Where the meters of one test live."""
    with tempfile.TemporaryDirectory(prefix="meterpurse-faults-", dir=folder_in_memory()) as folder:
        yield Path(folder)


@pytest.fixture
def sound(template: MeterWorld, place: Path) -> Life:
    """The same days without any fault."""
    return Life(template, place / "sound", Fault(*BROKEN, first=-1, lasting=False))


@pytest.mark.slow
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "until repaired"])
@pytest.mark.parametrize("what", [FULL, BROKEN], ids=["ENOSPC", "EIO"])
def test_a_disk_that_fails_at_any_operation_changes_no_books(
    template: MeterWorld, sound: Life, place: Path, what: tuple[type[apsw.Error], tuple[Kind, ...]], lasting: bool
) -> None:
    lives = []
    for first in range(sound.fault.count):
        folder = place / f"{first}"
        life = Life(template, folder, Fault(*what, first=first, lasting=lasting))
        judge(life, sound, folder)
        if life.refusals:
            assert EventCode.STORAGE_FAILED in life.codes
        lives.append(life)
    assert sum(life.refusals > 0 for life in lives) >= len(RULES)


@pytest.mark.parametrize("what", [FULL, BROKEN], ids=["ENOSPC", "EIO"])
def test_a_first_start_on_a_failing_disk_says_so_and_the_next_one_succeeds(
    place: Path, what: tuple[type[apsw.Error], tuple[Kind, ...]]
) -> None:
    new = MeterWorld(place / "new", start=False)
    told, first, fault = 0, 0, Fault(*what, first=0, lasting=True)
    while first <= fault.count:
        folder = place / f"{first}"
        shutil.copytree(new.folder, folder)
        disk = RecordedDisk(folder)
        disk.fault = fault = Fault(*what, first=first, lasting=True)
        with disk.recording():
            try:
                started(folder, NOW_S).close()
            except StorageError:
                told += 1
        meter = started(folder, NOW_S)
        assert meter.keeper.state.title == new.made.system_title
        assert meter._store.keys() == first_keys(folder / "keys")
        meter.close()
        first += 1
    assert told >= 3
    assert first > told


@pytest.mark.slow
def test_a_restart_right_after_a_refusal_comes_to_the_same_books(
    template: MeterWorld, sound: Life, place: Path
) -> None:
    cut = 0
    for first in range(sound.fault.count):
        folder = place / f"{first}"
        life = Life(template, folder, Fault(*BROKEN, first=first, lasting=True), cut=True)
        if life.refusals:
            cut += 1
            judge(life, sound, folder.with_name(folder.name + " after"))
    assert cut >= len(RULES)


def test_a_keeper_that_shows_what_it_could_not_store_is_found_out(
    template: MeterWorld, sound: Life, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = PurseKeeper._commit

    def boastful(self: PurseKeeper, change: Change) -> bool:
        if not commit(self, change):
            self.show(change)
        return True

    monkeypatch.setattr(PurseKeeper, "_commit", boastful)
    found = 0
    for first in range(sound.fault.count):
        folder = place / f"{first}"
        try:
            judge(Life(template, folder, Fault(*FULL, first=first, lasting=False)), sound, folder)
        except (WrongBooksError, StorageError):
            found += 1
    assert found
