"""Exponential back-off with jitter: how long to wait after the n-th failure in a row.

Pure but for the random source passed in. Imported by the lines and the uplink.
"""

from random import Random

LARGEST_EXPONENT = 30


class BackOff:
    """Counts failures in a row; the wait doubles from `first_s` to `maximum_s`, and half of it is left to chance."""

    def __init__(self, first_s: float, maximum_s: float, random: Random) -> None:
        """No failure yet."""
        self._first_s = first_s
        self._maximum_s = maximum_s
        self._random = random
        self.failures = 0

    def failed(self) -> float:
        """One more failure; the seconds to wait, between half the full wait and all of it."""
        full_s = min(self._maximum_s, self._first_s * float(1 << min(self.failures, LARGEST_EXPONENT)))
        self.failures += 1
        return full_s * self._random.uniform(0.5, 1.0)

    def succeeded(self) -> None:
        """Begin anew after the next failure."""
        self.failures = 0
