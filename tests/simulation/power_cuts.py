"""Power cuts: a household's six weeks rebuilt at every operation of its disk, under four models of what is lost.

    python -m tests.simulation.power_cuts [--count 20000] [--seed N] [--synchronous NORMAL]

Every image is opened and judged by the real store (`tests.support.recorded_household.check_store`). Each operation is
cut once with everything unsynced dropped, and as often as the count allows under the three random models. Equal images
are judged once; both numbers are printed. The seed replays the choice of what is lost. Exit code 0 when no image lost
or doubled anything, 1 otherwise.
"""

import argparse
import random
import shutil
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from dlms_objects.errors import MeterPurseError
from tests.support.crash_images import MODELS, CrashingDisk, Image, Model
from tests.support.recorded_disk import RecordedDisk, folder_in_memory
from tests.support.recorded_household import Acknowledged, RecordedHousehold, WrongStoreError, check_store

DEFAULT_COUNT, DEFAULT_SEED = 20_000, 1
SHOWN_PROBLEMS = 5
STORE = "meter.sqlite"


class Told(Protocol):
    """Something that was told to somebody."""

    @property
    def at(self) -> int:
        """How many operations the disk had carried out by then."""
        ...


T = TypeVar("T", bound=Told)


@dataclass
class Tally:
    """What was looked at and what was found."""

    operations: int = 0
    images: dict[Model, int] = field(default_factory=lambda: dict.fromkeys(MODELS, 0))
    distinct: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def rebuilt(self) -> int:
        """Images of all models."""
        return sum(self.images.values())

    def __str__(self) -> str:
        """One line."""
        models = ", ".join(f"{count} {model.name.lower()}" for model, count in self.images.items())
        return (
            f"{self.rebuilt} images ({models}) of {self.operations} disk operations, {self.distinct} distinct;"
            f" {len(self.problems)} wrong"
        )


def cuts(disk: RecordedDisk, count: int, seed: int) -> Iterator[tuple[int, Model, Image]]:
    """So many images, evenly over the operations: (operations carried out, model, image)."""
    dice = random.Random(seed)
    crashing = CrashingDisk(disk.before)
    total = len(disk.operations) + 1
    left = max(0, count - total)
    for at in range(total):
        if at:
            crashing.carry_out(disk.operations[at - 1])
        yield at, Model.DROPPED, crashing.cut(Model.DROPPED, dice)
        share = left * (at + 1) // total - left * at // total
        for number in range(share):
            model = MODELS[1 + (at + number) % 3]
            yield at, model, crashing.cut(model, dice)


def examine(
    disk: RecordedDisk, told: Sequence[T], judge: Callable[[Path, T | None], None], count: int, seed: int
) -> Tally:
    """Judge so many images; `judge` is given a folder and the last thing told before the cut, and raises."""
    tally, seen = Tally(operations=len(disk.operations)), set()
    moments = [one.at for one in told]
    with tempfile.TemporaryDirectory(prefix="meterpurse-cuts-", dir=folder_in_memory()) as place:
        for at, model, image in cuts(disk, count, seed):
            tally.images[model] += 1
            known = bisect_right(moments, at)
            if (image.key, known) in seen:
                continue
            seen.add((image.key, known))
            folder = Path(place, "image")
            _lay_down(image, folder)
            try:
                judge(folder, told[known - 1] if known else None)
            except (WrongStoreError, MeterPurseError) as error:
                tally.problems.append(f"cut after operation {at}, {model.value}: {error}")
    tally.distinct = len(seen)
    return tally


def household_cuts(folder: Path, count: int, seed: int, synchronous: str | None = None) -> Tally:
    """Live the six weeks in that folder, and judge what power cuts leave of them."""
    household = RecordedHousehold(folder, synchronous)
    household.live()
    title = household.world.made.system_title

    def judge(image: Path, told: Acknowledged | None) -> None:
        check_store(image / STORE, told, title)

    return examine(household.disk, household.told, judge, count, seed)


def main() -> int:
    """Run it; 0 when nothing was lost."""
    parser = argparse.ArgumentParser(description="power cuts at every disk operation of a household's six weeks")
    parser.add_argument("--count", type=int, default=DEFAULT_COUNT)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--synchronous", choices=["FULL", "NORMAL"], help="overrules what the store asks of SQLite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meterpurse-life-") as place:
        tally = household_cuts(Path(place, "meter"), options.count, options.seed, options.synchronous)
    sys.stdout.write(f"seed {options.seed}: {tally}\n")
    for problem in tally.problems[:SHOWN_PROBLEMS]:
        sys.stdout.write(f"WRONG: {problem}\n")
    return 1 if tally.problems else 0


def _lay_down(image: Image, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, octets in image.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)
        path.chmod(0o600)


if __name__ == "__main__":
    sys.exit(main())
