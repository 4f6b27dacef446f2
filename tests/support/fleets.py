"""A fleet in a folder of its own, with clients in memory; time goes on only when the test says so."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

from dlms_objects.classes.catalogue import Role
from dlms_objects.meter.fleet.config import CONFIG_NAME, FAULTS_NAME, FaultsConfig, FleetConfig
from dlms_objects.meter.fleet.hosted_meter import HostedMeter
from dlms_objects.meter.fleet.identity import FleetIdentity
from dlms_objects.meter.fleet.service import FaultsFile, FleetService
from dlms_objects.meter.fleet.setup import NewFleet, create, write_faults
from dlms_objects.transport.client import ClientIdentity, MeterSession, client_parameters, open_session
from dlms_objects.wire.parameters import ClientParameters
from tests.support.memory_network import MemoryReactor
from tests.support.meters import CLIENT_TITLE, ENDPOINT, Client, fresh_counters
from tests.support.twisted_testing import result_of

START = datetime.fromisoformat("2026-03-01T12:00:00+08:00")
REAL_START_S = 1_800_000_000.0
ANSWER_S = 5.0


def new_fleet(**changes: Any) -> NewFleet:
    """A fleet of three meters with 1 top-up each, at START and real speed, changed as told."""
    usual = {"meters": 3, "seed": 7, "clock_start": START, "clock_rate": 1.0, "listen": "127.0.0.1:0"}
    return NewFleet(**{**usual, **changes})


def read_config(folder: Path) -> FleetConfig:
    """The configuration in a fleet's folder."""
    text = (folder / CONFIG_NAME).read_text()
    return FleetConfig.model_validate(tomllib.loads(text), context={"folder": folder})


def read_faults(path: Path) -> FaultsConfig:
    """The faults in a file."""
    return FaultsConfig.model_validate(tomllib.loads(path.read_text()))


class FleetWorld:
    """One running fleet."""

    def __init__(self, folder: Path, *, start: bool = True, **changes: Any) -> None:
        """Make a fleet as `new_fleet`, and start it."""
        self.folder = folder
        create(folder, new_fleet(**changes))
        self.reactor = MemoryReactor(REAL_START_S)
        self.counters: dict[int, Any] = {}
        self.service: FleetService
        if start:
            self.start()

    def start(self) -> str:
        """Power on; the words of its ready line."""
        path = self.folder / FAULTS_NAME
        self.service = FleetService(read_config(self.folder), FaultsFile(path, lambda: read_faults(path)), self.reactor)
        self.service.startService()
        self.reactor.settle()
        return result_of(self.service.when_ready())

    def stop(self) -> None:
        """Power off in good order."""
        stopping = self.service.stopService()
        self.reactor.settle()
        result_of(stopping)

    def host(self, sap: int) -> HostedMeter:
        """The meter of that SAP."""
        factory = self.service.factory
        assert factory is not None
        return factory.meters[sap]

    def set_faults(self, **faults: Any) -> None:
        """Let these faults be in force from now on."""
        write_faults(self.folder / FAULTS_NAME, FaultsConfig(**faults))
        self.reactor.advance(1)

    def pass_time(self, seconds: float, step_s: float = 0.5) -> None:
        """Let the time go on in steps."""
        end_s = self.reactor.seconds() + seconds
        while self.reactor.seconds() < end_s:
            self.reactor.advance(min(step_s, end_s - self.reactor.seconds()))
            self.reactor.settle()

    def parameters(self, sap: int, role: Role = Role.MANAGEMENT) -> ClientParameters:
        """What a rightful client of that role uses for the meter of that SAP."""
        credentials = next(each for each in self.identity.credentials(role, sap) if each.server_sap == sap)
        counters = self.counters.setdefault(sap, fresh_counters())
        identity = ClientIdentity(system_title=CLIENT_TITLE, counters=counters)
        return client_parameters(credentials, identity, timeout_s=ANSWER_S)

    async def session(self, sap: int, role: Role = Role.MANAGEMENT) -> MeterSession:
        """A session with the meter of that SAP; raises what `open_session` raises."""
        return await open_session(self.reactor, ENDPOINT, self.parameters(sap, role))

    def connect(self, sap: int, role: Role = Role.MANAGEMENT) -> Client:
        """The same, to be driven without waiting."""
        session = self.reactor.run(self.session(sap, role))
        return Client(self.reactor, session, self.reactor.lines[-1])

    @property
    def identity(self) -> FleetIdentity:
        """Titles and keys of the fleet."""
        return FleetIdentity(read_config(self.folder).seed)
