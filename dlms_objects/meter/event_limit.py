"""How many events a peer may cause: a bucket of tokens for each, so that nobody can flood the event log.

The first events of a peer are always logged; later ones as tokens come back, with the number that was left out. Pure;
who asks passes the time in. Imported by `connection`.
"""

from dataclasses import dataclass

BURST = 20
REFILL_S = 60.0
PEERS = 1024
STRANGERS = ""  # the one bucket of all peers beyond PEERS


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at_s: float
    left_out: int = 0


class EventLimit:
    """Buckets of BURST tokens by peer; one token comes back every REFILL_S. At most PEERS are told apart."""

    def __init__(self) -> None:
        """Nobody has caused anything yet."""
        self._buckets: dict[str, _Bucket] = {}
        self._tidied_at_s = float("-inf")

    def admit(self, peer: str, now_s: float) -> int | None:
        """None when the event is one too many; otherwise how many of this peer were left out before it.

        A clock that went back counts as standing still.
        """
        bucket = self._bucket(peer, now_s)
        passed_s = max(0.0, now_s - bucket.filled_at_s)
        bucket.tokens = min(float(BURST), bucket.tokens + passed_s / REFILL_S)
        bucket.filled_at_s = now_s
        if bucket.tokens < 1:
            bucket.left_out += 1
            return None
        bucket.tokens -= 1
        left_out, bucket.left_out = bucket.left_out, 0
        return left_out

    def _bucket(self, peer: str, now_s: float) -> _Bucket:
        if peer not in self._buckets and len(self._buckets) >= PEERS:
            if not 0 <= now_s - self._tidied_at_s < REFILL_S:
                self._forget_quiet(now_s)
            if len(self._buckets) >= PEERS:
                peer = STRANGERS
        return self._buckets.setdefault(peer, _Bucket(float(BURST), now_s))

    def _forget_quiet(self, now_s: float) -> None:
        """Forget the peers whose buckets have filled again."""
        self._tidied_at_s = now_s
        full_after_s = BURST * REFILL_S
        self._buckets = {
            peer: bucket for peer, bucket in self._buckets.items() if now_s - bucket.filled_at_s < full_after_s
        }
