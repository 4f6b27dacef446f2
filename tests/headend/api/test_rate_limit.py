"""Laws of the rate limit: a burst, then a steady rate, each caller alone, and no memory without end."""

from headend.api.rate_limit import REMEMBERED_CALLERS, RateLimit


def passed(limit: RateLimit, caller: str, now_s: float) -> bool:
    return limit.wait_s(caller, now_s) == 0


def test_a_burst_passes_and_then_so_many_a_minute() -> None:
    limit = RateLimit(burst=3, per_minute=60)
    assert [passed(limit, "a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert limit.wait_s("a", 0.25) == 0.75
    assert passed(limit, "a", 1.0)
    assert not passed(limit, "a", 1.5)
    assert sum(passed(limit, "a", 1.5 + tenth / 10) for tenth in range(100)) == 10


def test_a_rest_fills_the_bucket_and_no_more() -> None:
    limit = RateLimit(burst=3, per_minute=60)
    assert passed(limit, "a", 0.0)
    assert [passed(limit, "a", 1000.0) for _ in range(4)] == [True, True, True, False]


def test_one_caller_does_not_hold_up_another() -> None:
    limit = RateLimit(burst=1, per_minute=1)
    assert passed(limit, "a", 0.0)
    assert not passed(limit, "a", 0.0)
    assert passed(limit, "b", 0.0)


def test_a_clock_set_back_gives_nothing_away() -> None:
    limit = RateLimit(burst=1, per_minute=60)
    assert passed(limit, "a", 100.0)
    assert not passed(limit, "a", 0.0)


def test_only_the_latest_callers_are_remembered() -> None:
    limit = RateLimit(burst=1, per_minute=0.001)
    for number in range(REMEMBERED_CALLERS + 1):
        assert passed(limit, str(number), 0.0)
    assert passed(limit, "0", 0.0)
    assert not passed(limit, str(REMEMBERED_CALLERS), 0.0)
