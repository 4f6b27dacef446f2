"""What a peer may do wrong: a bucket of tokens for each, so that nobody can flood the event log or guess without end.

The first times are always allowed; later ones as tokens come back, with the number that was left out. Nobody else's
bucket is touched. Pure; who asks passes the time in. Imported by `connection`.
"""

from dataclasses import dataclass

PEERS = 1024
STRANGERS = ""  # the one bucket of all peers beyond PEERS


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at_s: float
    left_out: int = 0


class PeerLimit:
    """Buckets of `burst` tokens by peer; one token comes back every `refill_s`. At most PEERS are told apart."""

    def __init__(self, burst: int, refill_s: float) -> None:
        """Nobody has done anything yet."""
        self.burst = burst
        self.refill_s = refill_s
        self._buckets: dict[str, _Bucket] = {}
        self._tidied_at_s = float("-inf")

    def admit(self, peer: str, now_s: float) -> int | None:
        """Take a token. None when there is none; otherwise how often this peer found none before.

        A clock that went back counts as standing still.
        """
        bucket = self._filled(peer, now_s)
        if bucket.tokens < 1:
            bucket.left_out += 1
            return None
        bucket.tokens -= 1
        left_out, bucket.left_out = bucket.left_out, 0
        return left_out

    def has_token(self, peer: str, now_s: float) -> bool:
        """Whether `admit` would find one."""
        return self._filled(peer, now_s).tokens >= 1

    def _filled(self, peer: str, now_s: float) -> _Bucket:
        if peer not in self._buckets and len(self._buckets) >= PEERS:
            if not 0 <= now_s - self._tidied_at_s < self.refill_s:
                self._forget_quiet(now_s)
            if len(self._buckets) >= PEERS:
                peer = STRANGERS
        bucket = self._buckets.setdefault(peer, _Bucket(float(self.burst), now_s))
        passed_s = max(0.0, now_s - bucket.filled_at_s)
        bucket.tokens = min(float(self.burst), bucket.tokens + passed_s / self.refill_s)
        bucket.filled_at_s = now_s
        return bucket

    def _forget_quiet(self, now_s: float) -> None:
        """Forget the peers whose buckets have filled again."""
        self._tidied_at_s = now_s
        full_after_s = self.burst * self.refill_s
        self._buckets = {
            peer: bucket for peer, bucket in self._buckets.items() if now_s - bucket.filled_at_s < full_after_s
        }
