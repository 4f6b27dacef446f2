"""Real servers for tests, from Debian's packages: InfluxDB 1.6 and nginx before it, on free loopback ports.

A server that is missing skips the test on a developer's machine and fails it in CI (`CI=true`), where nothing may be
skipped in silence.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.demo.influxdb import PROGRAMS, InfluxWorld, program


def require(name: str) -> None:
    """Go on only where that program is installed."""
    if program(name) is None:
        missing = f"{name} is not installed (Debian packages: influxdb nginx-light)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)


@contextmanager
def influx_world(folder: Path) -> Iterator[InfluxWorld]:
    """InfluxDB and nginx in `folder`, up, with an empty bucket; both are killed at the end."""
    for name in PROGRAMS:
        require(name)
    world = InfluxWorld.started(folder)
    try:
        yield world
    finally:
        world.stop()
