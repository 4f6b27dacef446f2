"""The demo's InfluxDB, where its programs are installed: started beside the head-end, at the end asked what it holds.

Imported by `run`.
"""

import time
from pathlib import Path

from deploy.configuration import load
from deploy.demo.influxdb import InfluxWorld, is_installed
from dlms_objects.errors import RemoteError
from headend.config import HeadendConfig
from headend.influx.operations import check
from headend.setup import CONFIG_NAME

PATIENCE_S = 10.0
LOOK_EVERY_S = 0.1


class PointsMissingError(RemoteError):
    """InfluxDB does not hold the entries that the ledger holds."""


class DemoInflux:
    """An InfluxDB for the head-end whose folder it is given, or none where it is not installed."""

    def __init__(self, headend: Path) -> None:
        """Start it and tell the head-end's configuration of it; the head-end is not running yet."""
        self._config = headend / CONFIG_NAME
        self._world = InfluxWorld.started(headend.with_name("influxdb")) if is_installed() else None
        if self._world is not None:
            with self._config.open("a", encoding="utf-8") as config:
                config.write(self._world.headend_toml())

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The processes that run."""
        servers = () if self._world is None else (self._world.nginx, self._world.influxd)
        return tuple(server.process_id for server in servers if server.process_id is not None)

    def verdict(self) -> str:
        """One line: the points found, by measurement; PointsMissingError when entries are missing after all."""
        if self._world is None:
            return "InfluxDB: not installed (Debian packages influxdb and nginx-light); no points were written"
        entries = self._arrived()
        points = self._world.points()
        found = ", ".join(f"{count} {name}" for name, count in sorted(points.items()))
        return f"InfluxDB: {sum(points.values())} points found ({found}); all {entries} entries of the ledger are there"

    def stop(self) -> None:
        """End it."""
        if self._world is not None:
            self._world.stop()

    def _arrived(self) -> int:
        """How many entries the ledger holds, as soon as InfluxDB holds the same."""
        config = load(self._config, HeadendConfig)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            compared = check(config)
            if all(meter.is_same for meter in compared):
                return sum(meter.ledger.count for meter in compared)
            if time.monotonic() > deadline:
                raise PointsMissingError(f"InfluxDB and ledger differ: {compared}")
            time.sleep(LOOK_EVERY_S)
