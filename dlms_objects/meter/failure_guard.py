"""Who failed too often to prove itself: its further connections are refused for a while, everybody else's never.

A failure is a refused association, an APDU that does not verify, a replay. Each address has FAILURES of them, and one
more every REFILL_S; while it has none left, its connections are closed unread. An address from which a client proved
itself with keys is never refused, so that nobody who shares it can lock that client out: what remains of an attacker
there is slowed by the handshakes it has to make; where there is a secret to be guessed, `connection` tells of no proof.
Pure; who asks passes the time in. Imported by `connection`.
"""

from typing import Final

from dlms_objects.meter.peer_limit import PEERS, PeerLimit

FAILURES: Final = 20
REFILL_S: Final = 3.0


class FailureGuard:
    """The failures of all peers of one meter, by host. At most PEERS trusted hosts are remembered, the latest."""

    def __init__(self) -> None:
        """Nobody has failed, nobody has proved itself."""
        self._failures = PeerLimit(FAILURES, REFILL_S)
        self._trusted: dict[str, None] = {}

    def failed(self, host: str, now_s: float) -> None:
        """A peer at that host failed."""
        self._failures.admit(host, now_s)

    def proved(self, host: str) -> None:
        """A peer at that host opened an association with its keys."""
        self._trusted.pop(host, None)
        self._trusted[host] = None
        if len(self._trusted) > PEERS:
            del self._trusted[next(iter(self._trusted))]

    def refuses(self, host: str, now_s: float) -> bool:
        """Whether a connection from that host is to be closed unread."""
        return host not in self._trusted and not self._failures.has_token(host, now_s)
