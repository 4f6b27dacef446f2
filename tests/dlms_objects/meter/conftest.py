"""A meter for each test, and a client of the management association."""

import pytest

from tests.support.meters import MeterWorld


@pytest.fixture
def world(tmp_path):
    """A meter that was just started, with an empty purse."""
    world = MeterWorld(tmp_path / "meter")
    yield world
    world.meter.close()


@pytest.fixture
def client(world):
    """A session of the management association."""
    return world.connect()
