"""Seeded consumption: how much energy a simulated household has drawn, as a pure function of time.

The power is a mean with daily, weekly and yearly swings that never make it negative; its integral is taken in closed
form, so the register is monotonic, needs no state and is the same after every restart.
"""

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

_ORIGIN = datetime(2020, 1, 1, tzinfo=UTC)
_YEAR_S = 365.2425 * 86400
_SWINGS = ((86400.0, 0.45), (7 * 86400.0, 0.10), (_YEAR_S, 0.35))  # period in seconds, share of the mean; sum < 1


@dataclass(frozen=True, slots=True)
class SeededConsumption:
    """A household that draws `kwh_per_year` on average; `seed` shifts its swings."""

    seed: int
    kwh_per_year: int

    def energy_wh(self, instant: datetime) -> int:
        """The reading of the active energy import register at that instant, Wh; 0 before 2020."""
        elapsed_s = (instant - _ORIGIN).total_seconds()
        if elapsed_s <= 0:
            return 0
        weighted_s = elapsed_s
        for (period_s, share), phase in zip(_SWINGS, _phases(self.seed), strict=True):
            turn = 2 * math.pi / period_s
            weighted_s += share / turn * (math.cos(phase) - math.cos(turn * elapsed_s + phase))
        return int(self.kwh_per_year * 1000 / _YEAR_S * weighted_s)


@cache
def _phases(seed: int) -> tuple[float, ...]:
    habits = random.Random(seed)
    return tuple(habits.uniform(0, 2 * math.pi) for _ in _SWINGS)
