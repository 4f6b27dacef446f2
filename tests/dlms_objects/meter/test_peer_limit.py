"""What peers do wrong: the first times are allowed, a flood is not, and one peer's flood is not another's."""

from dlms_objects.meter.peer_limit import PEERS, PeerLimit

BURST, REFILL_S = 20, 60.0


def admitted(limit, peer, count, now_s=0.0, step_s=0.0):
    return [limit.admit(peer, now_s + number * step_s) for number in range(count)]


def test_the_first_events_of_a_peer_are_all_admitted():
    assert admitted(PeerLimit(BURST, REFILL_S), "a", BURST) == [0] * BURST


def test_of_a_flood_only_the_burst_and_one_a_minute_are_admitted():
    limit = PeerLimit(BURST, REFILL_S)
    hour = admitted(limit, "a", 36_000, step_s=0.1)
    assert sum(answer is not None for answer in hour) == BURST + 3600 / REFILL_S - 1


def test_what_was_left_out_is_counted_with_the_next_event():
    limit = PeerLimit(BURST, REFILL_S)
    admitted(limit, "a", BURST + 7)
    assert limit.admit("a", REFILL_S) == 7
    assert limit.admit("a", 2 * REFILL_S) == 0


def test_one_peers_flood_hides_nothing_of_another():
    limit = PeerLimit(BURST, REFILL_S)
    admitted(limit, "a", 1000)
    assert admitted(limit, "b", BURST) == [0] * BURST


def test_a_quiet_peer_regains_its_burst_and_no_more():
    limit = PeerLimit(BURST, REFILL_S)
    admitted(limit, "a", BURST)
    answers = admitted(limit, "a", BURST + 5, now_s=1e6)
    assert answers == [0] * BURST + [None] * 5


def test_a_clock_that_goes_back_gives_no_tokens_and_takes_none():
    limit = PeerLimit(BURST, REFILL_S)
    admitted(limit, "a", BURST - 1, now_s=1000.0)
    assert limit.admit("a", 0.0) == 0
    assert limit.admit("a", 0.0) is None


def test_ten_thousand_addresses_together_get_one_more_burst_not_one_each():
    limit = PeerLimit(BURST, REFILL_S)
    answers = [limit.admit(f"host {number}", 1.0) for number in range(10_000)]
    assert sum(answer is not None for answer in answers) == PEERS + BURST


def test_peers_that_went_quiet_make_room_for_new_ones():
    limit = PeerLimit(BURST, REFILL_S)
    for number in range(PEERS):
        limit.admit(f"early {number}", 0.0)
    late = [limit.admit(f"late {number}", BURST * REFILL_S) for number in range(PEERS)]
    assert late == [0] * PEERS


def test_looking_takes_no_token():
    limit = PeerLimit(BURST, REFILL_S)
    assert all(limit.has_token("a", 0.0) for _ in range(BURST + 1))
    admitted(limit, "a", BURST)
    assert [limit.has_token("a", now_s) for now_s in (0.0, REFILL_S - 1, REFILL_S)] == [False, False, True]
