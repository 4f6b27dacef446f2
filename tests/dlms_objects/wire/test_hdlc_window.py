"""Sequence numbers modulo 8: every window, every number, go-back-N."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.wire.hdlc_window import Segment, Window


def test_the_last_segment_of_an_apdu_and_no_other_ends_it() -> None:
    window = Window(7)
    window.put([b"a", b"b", b"c"])
    window.put([b"d"])
    assert window.has_unsent
    assert window.burst() == [
        (0, Segment(b"a", True)),
        (1, Segment(b"b", True)),
        (2, Segment(b"c", False)),
        (3, Segment(b"d", False)),
    ]
    assert (window.next_to_send, window.in_flight, window.has_unsent) == (4, 4, False)


@given(st.integers(1, 7), st.lists(st.integers(0, 7), max_size=40))
def test_each_segment_goes_until_it_is_acknowledged_and_in_its_order(frames: int, received_of_each) -> None:
    window, sent = Window(frames), [bytes((number,)) for number in range(20)]
    window.put(sent)
    first = 0
    for received in received_of_each:
        burst = window.burst()
        assert [segment.payload for _, segment in burst] == sent[first : first + frames]
        assert [number for number, _ in burst] == [(first + ahead) % 8 for ahead in range(len(burst))]
        count = window.acknowledge(received)
        assert (count is None) is ((received - first) % 8 > len(burst))
        first += count or 0
        assert window.has_work is (first < len(sent))
        assert window.in_flight == len(burst) - (count or 0)


def test_nothing_goes_to_a_busy_peer() -> None:
    window = Window(2)
    window.put([b"a"])
    window.is_peer_busy = True
    assert window.burst() == []
    window.is_peer_busy = False
    assert window.burst() == [(0, Segment(b"a", False))]


def test_the_frame_that_is_expected_is_accepted_and_no_other() -> None:
    window = Window(1)
    for number in range(20):
        for other in range(8):
            if other != number % 8:
                assert not window.accept(other)
        assert window.expected == number % 8
        assert window.accept(number % 8)


@pytest.mark.parametrize("frames", range(1, 8))
def test_a_frame_is_ahead_within_the_window_only(frames: int) -> None:
    window = Window(1)
    for expected in range(8):
        ahead = [sent for sent in range(8) if window.is_ahead(sent, frames)]
        assert sorted((sent - expected) % 8 for sent in ahead) == list(range(1, frames))
        window.accept(expected)
