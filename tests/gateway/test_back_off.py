"""gateway/back_off.py: waits double up to a limit, and are never all the same."""

from random import Random

from gateway.back_off import BackOff


def test_waits_double_up_to_the_limit_and_half_is_left_to_chance() -> None:
    back_off = BackOff(2, 60, Random(1))
    waits_s = [back_off.failed() for _ in range(200)]
    for wait_s, full_s in zip(waits_s, [2, 4, 8, 16, 32, 60, 60, 60], strict=False):
        assert full_s / 2 <= wait_s <= full_s
    assert max(waits_s) <= 60
    assert len(set(waits_s)) > 100


def test_success_begins_anew() -> None:
    back_off = BackOff(2, 60, Random(1))
    for _ in range(5):
        back_off.failed()
    assert back_off.failures == 5
    back_off.succeeded()
    assert back_off.failures == 0
    assert back_off.failed() <= 2
