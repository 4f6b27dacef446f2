"""Laws of the rate: nothing before an hour, the last day after, and no number where none come."""

from gateway.rate import LONGEST_WINDOW_S, SAMPLE_EVERY_S, SHORTEST_WINDOW_S, CollectionRate


def test_before_an_hour_nothing_is_known() -> None:
    rate = CollectionRate()
    assert rate.seconds_left(100) is None
    for now_s in range(0, SHORTEST_WINDOW_S, SAMPLE_EVERY_S):
        rate.sample(now_s, now_s)
    assert rate.seconds_left(100) is None
    rate.sample(SHORTEST_WINDOW_S, SHORTEST_WINDOW_S)
    assert rate.seconds_left(100) == 100


def test_the_room_lasts_as_long_as_the_rate_of_the_last_day_lets_it() -> None:
    rate = CollectionRate()
    for now_s in range(0, 3 * LONGEST_WINDOW_S, SAMPLE_EVERY_S):
        rate.sample(now_s, 10 * now_s if now_s < LONGEST_WINDOW_S else 10 * LONGEST_WINDOW_S + 2 * now_s)
    assert rate.seconds_left(1000) == 500
    assert rate.seconds_left(-5) == 0
    assert len(rate._samples) <= LONGEST_WINDOW_S // SAMPLE_EVERY_S + 1


def test_when_nothing_comes_there_is_no_end_to_tell() -> None:
    rate = CollectionRate()
    rate.sample(0, 7)
    rate.sample(SHORTEST_WINDOW_S, 7)
    assert rate.seconds_left(100) is None


def test_a_clock_set_back_begins_anew() -> None:
    rate = CollectionRate()
    rate.sample(10_000, 0)
    rate.sample(20_000, 10_000)
    rate.sample(5_000, 10_001)
    assert rate.seconds_left(100) is None
