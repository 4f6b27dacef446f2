"""How often a caller may come who has shown no token: a few at once, then so many a minute. Imported by `courier`."""

from collections import OrderedDict
from dataclasses import dataclass

REMEMBERED_CALLERS = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


class RateLimit:
    """A bucket of `burst` calls for each caller, filled again at `per_minute`; the latest callers are remembered."""

    def __init__(self, *, burst: int, per_minute: float) -> None:
        """Every bucket is full at first."""
        self._burst = burst
        self._per_s = per_minute / 60
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, caller: str, now_s: float) -> float:
        """0 when the call may go on, and it is counted; otherwise the seconds until one may."""
        bucket = self._buckets.pop(caller, None) or _Bucket(self._burst, now_s)
        bucket.left = min(self._burst, bucket.left + max(0.0, now_s - bucket.at_s) * self._per_s)
        bucket.at_s = now_s
        self._buckets[caller] = bucket
        while len(self._buckets) > REMEMBERED_CALLERS:
            self._buckets.popitem(last=False)
        if bucket.left < 1:
            return (1 - bucket.left) / self._per_s
        bucket.left -= 1
        return 0.0
