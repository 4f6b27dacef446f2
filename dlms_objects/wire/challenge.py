"""The rules for HLS challenges: their length, and that no peer repeats one.

Here: the check of a received challenge, the check of our own source, and the memory of recent challenges, which
outlives connections. Not here: the proofs over a challenge (`handshake`). Imported by the engines and by their owners.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Final

from dlms_objects.errors import LocalError
from dlms_objects.values.logical_name import LogicalName, MethodDescriptor

SHORTEST_CHALLENGE_OCTETS: Final = 8
LONGEST_CHALLENGE_OCTETS: Final = 64
CHALLENGES_PER_PEER: Final = 16
PEERS: Final = 4096

REPLY_TO_HLS: Final = MethodDescriptor(15, LogicalName.parse("0.0.40.0.0.255"), 1)
"""Method 1 of the current association: passes 3 and 4 of HLS."""

ChallengeSource = Callable[[], bytes]
"""Gives 16 unpredictable octets (8..64 are allowed), never the same twice; `secrets.token_bytes(16)` in production."""


class RecentChallenges:
    """The last challenges of each peer, bounded: 16 challenges of 4096 peers, the peer heard longest ago goes first.

    A peer is whatever tells it from others: its system title, or its SAP where it has no title. Dedicated keys are
    remembered the same way, as digests, under a name of their own.
    """

    __slots__ = ("_peers",)

    def __init__(self) -> None:
        """Begin with no memory."""
        self._peers: OrderedDict[Hashable, deque[bytes]] = OrderedDict()

    def is_fresh(self, peer: Hashable, challenge: bytes) -> bool:
        """Whether the challenge is 8..64 octets long and not among the peer's recent ones; it then is remembered."""
        if not SHORTEST_CHALLENGE_OCTETS <= len(challenge) <= LONGEST_CHALLENGE_OCTETS:
            return False
        recent = self._peers.get(peer)
        if recent is None:
            recent = self._peers[peer] = deque(maxlen=CHALLENGES_PER_PEER)
            if len(self._peers) > PEERS:
                self._peers.popitem(last=False)
        elif challenge in recent:
            return False
        else:
            self._peers.move_to_end(peer)
        recent.append(challenge)
        return True


def draw_challenge(source: ChallengeSource) -> bytes:
    """A challenge of our own; LocalError when the source does not give 8..64 octets."""
    challenge = source()
    if not SHORTEST_CHALLENGE_OCTETS <= len(challenge) <= LONGEST_CHALLENGE_OCTETS:
        raise LocalError(f"the challenge source gave {len(challenge)} octets; 8..64 are allowed")
    return challenge
