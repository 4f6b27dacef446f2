"""The simulated household: its register only rises, needs no memory, and fits the register's type for ever."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.meter.clock import LATEST
from dlms_objects.meter.config import ConsumptionConfig
from dlms_objects.meter.consumption import SeededConsumption

instants = st.datetimes(datetime(2019, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
households = st.builds(SeededConsumption, st.integers(0, 1000), st.integers(0, 50_000))


@given(household=households, instant=instants, step_s=st.integers(0, 10_000_000))
def test_the_register_never_falls(household, instant, step_s):
    assert household.energy_wh(instant + timedelta(seconds=step_s)) >= household.energy_wh(instant)


@given(household=households, instant=instants)
def test_the_same_household_reads_the_same_after_every_restart(household, instant):
    assert SeededConsumption(household.seed, household.kwh_per_year).energy_wh(instant) == household.energy_wh(instant)


def test_a_register_begins_at_zero_in_2020():
    assert SeededConsumption(1, 2400).energy_wh(datetime(2019, 12, 31, tzinfo=UTC)) == 0
    assert SeededConsumption(1, 2400).energy_wh(datetime(2020, 1, 1, tzinfo=UTC)) == 0


def test_a_year_draws_what_was_configured_within_its_swings():
    household = SeededConsumption(7, 2400)
    drawn_wh = household.energy_wh(datetime(2027, 1, 1, tzinfo=UTC)) - household.energy_wh(
        datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert drawn_wh == pytest.approx(2_400_000, rel=0.01)


def test_seeds_make_different_households():
    noon = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert len({SeededConsumption(seed, 2400).energy_wh(noon) for seed in range(20)}) > 15


def test_the_largest_household_fits_the_register_as_long_as_the_clock_runs():
    assert SeededConsumption(1, 50_000).energy_wh(LATEST) < 2**32
    with pytest.raises(ValueError, match="50000"):
        ConsumptionConfig(seed=1, kwh_per_year=50_001)
