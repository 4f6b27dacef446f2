"""A fleet of three meters for each test."""

import pytest

from tests.support.fleets import FleetWorld


@pytest.fixture
def fleet(tmp_path):
    """Three meters that were just powered up."""
    world = FleetWorld(tmp_path / "fleet")
    yield world
    world.stop()
