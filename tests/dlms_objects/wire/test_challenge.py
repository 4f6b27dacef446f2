"""HLS challenges: long enough, not too long, never a recent one of the same peer."""

import pytest

from dlms_objects.errors import LocalError
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import challenge
from dlms_objects.wire.challenge import CHALLENGES_PER_PEER, RecentChallenges, draw_challenge

PEER = SystemTitle(b"MPR\x00\x00\x00\x00\x01")
OTHER = SystemTitle(b"MPR\x00\x00\x00\x00\x02")


@pytest.mark.parametrize(("octets", "fresh"), [(0, False), (7, False), (8, True), (64, True), (65, False)])
def test_a_challenge_is_8_to_64_octets(octets: int, fresh: bool) -> None:
    assert RecentChallenges().is_fresh(PEER, bytes(octets)) is fresh
    if fresh:
        assert draw_challenge(lambda: bytes(octets)) == bytes(octets)
        return
    with pytest.raises(LocalError):
        draw_challenge(lambda: bytes(octets))


def test_a_challenge_is_fresh_once_for_each_peer() -> None:
    recent = RecentChallenges()
    assert recent.is_fresh(PEER, b"challenge")
    assert not recent.is_fresh(PEER, b"challenge")
    assert recent.is_fresh(OTHER, b"challenge")


def test_the_memory_of_a_peer_is_bounded_and_keeps_the_newest() -> None:
    recent = RecentChallenges()
    drawn = [number.to_bytes(8, "big") for number in range(CHALLENGES_PER_PEER + 1)]
    assert all(recent.is_fresh(PEER, value) for value in drawn)
    assert not any(recent.is_fresh(PEER, value) for value in drawn[1:])
    assert recent.is_fresh(PEER, drawn[0])


def test_the_peer_heard_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challenge, "PEERS", 2)
    recent = RecentChallenges()
    third = SystemTitle(b"MPR\x00\x00\x00\x00\x03")
    assert recent.is_fresh(PEER, b"of the peer")
    assert recent.is_fresh(OTHER, b"of the other")
    assert recent.is_fresh(PEER, b"of the peer again")
    assert recent.is_fresh(third, b"of the third")
    assert not recent.is_fresh(PEER, b"of the peer")
    assert recent.is_fresh(OTHER, b"of the other")
