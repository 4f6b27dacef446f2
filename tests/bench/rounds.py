"""Measuring side by side: every case runs in every round, in rotating order, so that drift of the machine hits all.

CPU time of the process, medians over the rounds; a ratio is the median of the ratios taken inside each round. A case
runs `count` operations and says how many nanoseconds each part of it took.
"""

import contextlib
import gc
import os
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from time import process_time_ns

SAMPLE_S = 0.08
MOST_OPERATIONS = 200_000

Case = Callable[[int], tuple[int, ...]]
"""Runs so many operations; the nanoseconds of each part, such as client and server."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Microseconds per operation of one part of one case, a figure per round."""

    rounds_us: tuple[float, ...]

    @property
    def median_us(self) -> float:
        """The median over the rounds."""
        return statistics.median(self.rounds_us)

    def times(self, other: "Measured") -> float:
        """How many times the other's cost this one has, the median of the ratios of the rounds."""
        return statistics.median(a / b for a, b in zip(self.rounds_us, other.rounds_us, strict=True))


def operation(function: Callable[[], object]) -> Case:
    """A case of one part: the function, again and again."""

    def run(count: int) -> tuple[int, ...]:
        begin = process_time_ns()
        for _ in range(count):
            function()
        return (process_time_ns() - begin,)

    return run


def measure(cases: Mapping[str, Case], rounds: int) -> dict[str, list[Measured]]:
    """Each case's parts. The number of operations per sample is found first, which also warms the case up."""
    with quiet():
        counts = {name: _calibrated(case) for name, case in cases.items()}
        samples: dict[str, list[tuple[float, ...]]] = {name: [] for name in cases}
        names = list(cases)
        for number in range(rounds):
            start = number % len(names)
            for name in names[start:] + names[:start]:
                gc.collect()
                count = counts[name]
                samples[name].append(tuple(spent / count / 1000 for spent in cases[name](count)))
    return {name: [Measured(part) for part in zip(*rows, strict=True)] for name, rows in samples.items()}


def _calibrated(case: Case) -> int:
    """How many operations take about SAMPLE_S."""
    case(1)
    count = 1
    while True:
        spent_s = sum(case(count)) / 1e9
        if spent_s >= SAMPLE_S / 2 or count >= MOST_OPERATIONS:
            return max(1, min(MOST_OPERATIONS, int(count * SAMPLE_S / spent_s)))
        count = max(2 * count, min(8 * count, int(count * SAMPLE_S / max(spent_s, 1e-7))))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing reaches stdout inside: gurux prints for each ciphered APDU."""
    sys.stdout.flush()
    saved, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)
        os.close(null)
