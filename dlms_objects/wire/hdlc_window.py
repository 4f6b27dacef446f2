"""The sequence numbers of one side of an HDLC link: V(S), V(R), what is unacknowledged, what waits to be sent.

Here: numbers modulo 8 and go-back-N by checkpoints: what the peer has not acknowledged by the time it is our turn goes
again. Not here: turns, time, frames. Imported by the links.
"""

from collections import deque
from typing import NamedTuple

from dlms_objects.wire.hdlc_control import SEQUENCE_MODULUS


class Segment(NamedTuple):
    """One information field; `segmented`: the APDU goes on in the next one."""

    payload: bytes
    segmented: bool


class Window:
    """Both sequence variables of one open link."""

    def __init__(self, frames: int) -> None:
        """At most that many frames (1..7) go in one turn."""
        self._frames = frames
        self._unacknowledged = 0  # N(S) of the first segment in the queue
        self._in_flight = 0  # how many segments at the head of the queue were sent
        self._queue: deque[Segment] = deque()
        self.expected = 0
        self.is_peer_busy = False

    @property
    def next_to_send(self) -> int:
        """V(S): the number of the next new frame."""
        return (self._unacknowledged + self._in_flight) % SEQUENCE_MODULUS

    @property
    def in_flight(self) -> int:
        """How many frames were sent and are not acknowledged."""
        return self._in_flight

    @property
    def has_unsent(self) -> bool:
        """True while something was never sent."""
        return len(self._queue) > self._in_flight

    @property
    def has_work(self) -> bool:
        """True while something is unsent or unacknowledged."""
        return bool(self._queue)

    def put(self, payloads: list[bytes]) -> None:
        """Queue the information fields of one APDU."""
        last = len(payloads) - 1
        self._queue.extend(Segment(payload, number < last) for number, payload in enumerate(payloads))

    def burst(self) -> list[tuple[int, Segment]]:
        """N(S) and segment of each frame of this turn, the unacknowledged ones first; none while the peer is busy."""
        if self.is_peer_busy:
            return []
        self._in_flight = min(len(self._queue), self._frames)
        first = self._unacknowledged
        return [((first + ahead) % SEQUENCE_MODULUS, self._queue[ahead]) for ahead in range(self._in_flight)]

    def acknowledge(self, received: int) -> int | None:
        """Take the peer's N(R): how many frames it acknowledges, or None when that number is not possible."""
        count = (received - self._unacknowledged) % SEQUENCE_MODULUS
        if count > self._in_flight:
            return None
        self._unacknowledged = received
        self._in_flight -= count
        for _ in range(count):
            self._queue.popleft()
        return count

    def accept(self, sent: int) -> bool:
        """Take the peer's N(S): True, and the next one is expected, when it is the one that was."""
        if sent != self.expected:
            return False
        self.expected = (sent + 1) % SEQUENCE_MODULUS
        return True

    def is_ahead(self, sent: int, frames: int) -> bool:
        """True for the N(S) of a frame before which others were lost, when at most `frames` come in one turn."""
        return 1 <= (sent - self.expected) % SEQUENCE_MODULUS < frames
