"""The demo's world: one meter, one gateway, one head-end, each with its folder, on free loopback ports."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deploy.demo.daemons import Daemon
from deploy.demo.influxdb import free_port
from deploy.household import Household
from deploy.purse_client import MeterAddress
from dlms_objects.classes.catalogue import Role
from dlms_objects.meter import setup as meter_setup
from dlms_objects.meter.config import CONFIG_NAME as METER_CONFIG
from dlms_objects.values.system_title import SystemTitle
from gateway import setup as gateway_setup
from headend import setup as headend_setup
from headend.config import MeterConfig

COLLECT_EVERY_S = 0.25
UPLOAD_EVERY_S = 0.25
READ_EVERY_S = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where everything is, and the three daemons."""

    folder: Path
    system_title: SystemTitle
    meter: Daemon
    gateway: Daemon
    headend: Daemon
    address: MeterAddress
    headend_url: str
    auditor_token: str
    outbox: Path

    @property
    def daemons(self) -> tuple[Daemon, Daemon, Daemon]:
        """Meter, gateway, head-end."""
        return self.meter, self.gateway, self.headend

    def set_clock_rate(self, rate: float) -> None:
        """Let the meter's virtual clock run at another rate from its next start on."""
        path = self.folder / "meter" / METER_CONFIG
        lines = (f"rate = {rate}" if line.startswith("rate = ") else line for line in path.read_text().splitlines())
        path.write_text("\n".join(lines) + "\n")

    def stop(self) -> None:
        """Stop what runs, the gateway first."""
        for daemon in (self.gateway, self.headend, self.meter):
            daemon.stop()


def make_world(folder: Path, household: Household, start: datetime, *, meter_module: str = "deploy") -> World:
    """Make the three folders with random keys and tokens; nothing is started. `start`: the virtual clock's, aware."""
    meter_port, headend_port = free_port(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    meter = meter_setup.create(
        folder / "meter",
        listen=f"127.0.0.1:{meter_port}",
        currency=household.currency,
        time_zone=household.settings.time_zone,
        clock_start=start,
    )
    registered = MeterConfig(
        system_title=str(meter.system_title),
        household=household.household.name,
        language=household.household.language,
        time_zone=household.settings.time_zone,
    )
    headend = headend_setup.create(folder / "headend", meters=[registered], listen=f"127.0.0.1:{headend_port}")
    headend_url = f"http://127.0.0.1:{headend_port}"
    endpoint = f"tcp:127.0.0.1:{meter_port}"
    keys = meter.keys[Role.MANAGEMENT]
    new_meter = gateway_setup.NewMeter(
        name="demo-meter", endpoint=endpoint, key_file=keys, collect_every_s=COLLECT_EVERY_S
    )
    gateway_setup.create(
        folder / "gateway",
        headend_url=headend_url,
        token=headend.gateway_token.read_text().strip(),
        meters=[new_meter],
        upload_every_s=UPLOAD_EVERY_S,
        read_every_s=READ_EVERY_S,
    )
    return World(
        folder=folder,
        system_title=meter.system_title,
        meter=Daemon("meter", ["meter", "run", str(folder / "meter")], folder / "meter.log", module=meter_module),
        gateway=Daemon("gateway", ["gateway", "run", str(folder / "gateway")], folder / "gateway.log"),
        headend=Daemon("head-end", ["headend", "run", str(folder / "headend")], folder / "headend.log"),
        address=MeterAddress(endpoint=endpoint, keys=keys),
        headend_url=headend_url,
        auditor_token=headend.auditor_token.read_text().strip(),
        outbox=folder / "gateway" / gateway_setup.OUTBOX_NAME,
    )
