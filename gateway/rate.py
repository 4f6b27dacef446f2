"""How fast entries are collected, and how long the outbox has room at that rate. Pure; who asks passes the time in.

Kept in memory from samples of the last day: after a start it takes an hour until it tells anything. (Counting the rows
that are held would cost as much as they are.) Imported by `watch.py`.
"""

from collections import deque

SAMPLE_EVERY_S = 300
SHORTEST_WINDOW_S = 3600
LONGEST_WINDOW_S = 86_400


class CollectionRate:
    """Samples of the number of entries that ever came through."""

    def __init__(self) -> None:
        """No sample yet."""
        self._samples: deque[tuple[int, int]] = deque()

    def sample(self, now_s: int, entries: int) -> None:
        """Take note, at most every SAMPLE_EVERY_S; a clock that went back begins anew."""
        samples = self._samples
        if samples and now_s < samples[-1][0]:
            samples.clear()
        if samples and now_s - samples[-1][0] < SAMPLE_EVERY_S:
            return
        samples.append((now_s, entries))
        while now_s - samples[0][0] > LONGEST_WINDOW_S:
            samples.popleft()

    def seconds_left(self, room: int) -> float | None:
        """Until so many more entries have come; None when that is not known, or none come."""
        if not self._samples:
            return None
        (first_s, first), (last_s, last) = self._samples[0], self._samples[-1]
        if last_s - first_s < SHORTEST_WINDOW_S or last <= first:
            return None
        return max(0, room) * (last_s - first_s) / (last - first)
