"""A step of the host's clock is seen, whichever way; time that passes is none."""

from datetime import UTC, datetime, timedelta

import pytest

from dlms_objects.meter.clock_watch import ClockWatch, steady_seconds, step_back

NOW = datetime(2026, 6, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Host:
    """A host whose clock may be set, and a watch on it."""

    def __init__(self) -> None:
        self.real_s, self.steady_s = 1_000_000.0, 50.0
        self.watch = ClockWatch(lambda: self.steady_s, self.real_s)

    def look(self, passed_s: float, set_by_s: float = 0, rate: float = 1.0) -> timedelta | None:
        self.steady_s += passed_s
        self.real_s += passed_s + set_by_s
        return self.watch.step(self.real_s, rate)


@pytest.mark.parametrize("passed_s", [0, 1, 86_400, 10_000_000])
@pytest.mark.parametrize("rate", [1.0, 1_000_000.0])
def test_time_that_passes_is_no_step_however_long_nobody_looked(passed_s, rate):
    assert Host().look(passed_s, rate=rate) is None


@pytest.mark.parametrize("set_by_s", [3_601, -3_601, 31_622_400, -1_780_000_000])
def test_a_step_is_seen_once_with_its_sign(set_by_s):
    host = Host()
    assert host.look(1, set_by_s) == timedelta(seconds=set_by_s)
    assert host.look(1) is None


@pytest.mark.parametrize("set_by_s", [3_600, -3_600, 1])
def test_a_step_of_an_hour_or_less_is_none(set_by_s):
    assert Host().look(1, set_by_s) is None


def test_the_clock_of_the_meter_is_stepped_by_so_many_times_as_much():
    assert Host().look(1, 61, rate=60.0) == timedelta(seconds=3_660)
    assert Host().look(1, 59, rate=60.0) is None


def test_two_clocks_that_are_not_read_at_once_make_no_step():
    assert Host().look(1, 0.9, rate=1_000_000.0) is None


@pytest.mark.parametrize(
    ("last", "step"),
    [
        (None, None),
        (NOW - timedelta(days=400), None),
        (NOW + HOUR, None),
        (NOW + HOUR + timedelta(seconds=1), -HOUR - timedelta(seconds=1)),
        (NOW + timedelta(days=400), -timedelta(days=400)),
    ],
)
def test_a_clock_that_is_behind_what_has_happened_went_back(last, step):
    assert step_back(last, NOW) == step


def test_the_steady_clock_runs_and_does_not_tell_the_time_of_day():
    first = steady_seconds()
    assert first <= steady_seconds() < datetime(2000, 1, 1, tzinfo=UTC).timestamp()
