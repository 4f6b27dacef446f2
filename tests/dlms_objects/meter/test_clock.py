"""The clock is a straight line, goes on from where it is, and never leaves the calendar it can show."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.clock import EARLIEST, LATEST, MeterClock

START = datetime(2026, 1, 1, tzinfo=UTC)
REAL_S = 1_800_000_000.0


def virtual(rate=60.0):
    return MeterClock(epoch_s=REAL_S, start=START, rate=rate)


def test_a_real_clock_shows_real_time():
    assert MeterClock.real().now(REAL_S) == datetime.fromtimestamp(REAL_S, UTC)


def test_a_virtual_clock_starts_at_its_start_and_runs_at_its_rate():
    assert virtual().now(REAL_S) == START
    assert virtual().now(REAL_S + 10) == START + timedelta(minutes=10)
    assert virtual().now(REAL_S - 1) == START - timedelta(minutes=1)


@given(rate=st.floats(0.01, 1e7), other=st.floats(0.01, 1e7), passed_s=st.floats(0, 1000))
def test_a_change_of_rate_moves_no_time_and_holds_from_then_on(rate, other, passed_s):
    changed = virtual(rate).at_rate(other, REAL_S + passed_s)
    before = virtual(rate).now(REAL_S + passed_s)
    assert changed.now(REAL_S + passed_s) == before
    if before < LATEST - timedelta(seconds=other * 10):
        elapsed_s = (changed.now(REAL_S + passed_s + 10) - before).total_seconds()
        assert elapsed_s == pytest.approx(other * 10, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("wanted", [EARLIEST, START, LATEST])
def test_a_clock_that_was_set_shows_what_it_was_set_to(wanted):
    clock = virtual().set_to(wanted, REAL_S + 5)
    assert (clock.now(REAL_S + 5), clock.rate) == (wanted, 60.0)


def test_a_clock_stands_still_at_both_ends_of_its_calendar():
    assert virtual(1e7).now(REAL_S + 1e9) == LATEST
    assert virtual(1e7).now(REAL_S - 1e9) == EARLIEST
    assert MeterClock.real().now(-5.0) == EARLIEST


@pytest.mark.parametrize("start", [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)])
def test_a_time_that_cannot_be_shown_is_refused(start):
    with pytest.raises(InvalidValueError, match="1970-01-01 to 2099-12-31"):
        MeterClock(epoch_s=0.0, start=start)
    with pytest.raises((InvalidValueError, OverflowError)):
        virtual().set_to(start, REAL_S)


def test_a_start_without_a_zone_is_refused():
    with pytest.raises(InvalidValueError):
        MeterClock(epoch_s=0.0, start=datetime(2026, 1, 1))  # noqa: DTZ001 - the offence
