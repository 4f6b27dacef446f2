"""Whether the clock of the host was stepped under the meter: real time against time that nobody sets.

A meter goes by its host's clock; when that is set, due times come sooner or later than they were meant to. The rules of
deduction bear it, and a step of more than MAXIMUM_STEP is told as an event. Sans-I/O; used by the service.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

MAXIMUM_STEP = timedelta(hours=1)
_JITTER_S = 1.0  # between two readings of clocks, on a host that is busy


def steady_seconds() -> float:
    """Seconds since the host was switched on, its sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ClockWatch:
    """Compares the real seconds it is shown with steady ones, from one look to the next."""

    def __init__(self, steady_s: Callable[[], float], real_s: float) -> None:
        """`steady_s` reads a clock that runs on while the host sleeps and that nobody sets; any origin."""
        self._steady_s = steady_s
        self._offset_s = real_s - steady_s()

    def step(self, real_s: float, rate: float) -> timedelta | None:
        """By how much the meter's clock, `rate` times as fast as the host's, was stepped since the last look.

        None for MAXIMUM_STEP or less, either way.
        """
        offset_s = real_s - self._steady_s()
        step_s, self._offset_s = offset_s - self._offset_s, offset_s
        if abs(step_s) <= _JITTER_S or abs(step_s) * rate <= MAXIMUM_STEP.total_seconds():
            return None
        return timedelta(seconds=round(step_s * rate))


def step_back(last: datetime | None, now: datetime) -> timedelta | None:
    """By how much the clock went back while the power was off, at least; `last` is when something last happened.

    None for MAXIMUM_STEP or less. A step forward cannot be told from a time without power.
    """
    if last is None or last - now <= MAXIMUM_STEP:
        return None
    return now - last
