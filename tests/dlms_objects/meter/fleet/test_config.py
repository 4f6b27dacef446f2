"""The configuration of a fleet: what cannot be is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from dlms_objects.meter.fleet.config import FaultsConfig, FleetConfig
from dlms_objects.meter.fleet.identity import LARGEST_FLEET

FLEET = {"meters": 2, "seed": 1, "store": "fleet.sqlite", "clock": {"start": "2026-01-01T00:00:00Z"}}


def test_the_store_is_counted_from_the_folder():
    config = FleetConfig.model_validate(FLEET, context={"folder": Path("/somewhere")})
    assert config.store == Path("/somewhere/fleet.sqlite")
    assert (config.stores, config.clock.rate) == ("shared", 1.0)


@pytest.mark.parametrize(
    "wrong",
    [{"meters": 0}, {"meters": LARGEST_FLEET + 1}, {"listen": "nowhere"}, {"stores": "none"}, {"more": 1}],
)
def test_a_fleet_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValidationError):
        FleetConfig.model_validate({**FLEET, **wrong})


@pytest.mark.parametrize(
    "wrong", [{"drop": 1.1}, {"refuse": -0.1}, {"drop": 0.6, "corrupt": 0.6}, {"delay_s": 0}, {"loss": 1}]
)
def test_faults_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValidationError):
        FaultsConfig.model_validate(wrong)


def test_there_are_no_faults_unless_they_are_asked_for():
    assert not any(FaultsConfig().model_dump(exclude={"saps", "delay_s", "away_s"}).values())
