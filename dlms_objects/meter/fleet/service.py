"""The fleet's service: it opens the stores, powers the meters up, listens on one port, ticks, and takes up faults.

Imported by the command line and the benchmark.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IReactorTime
from twisted.internet.task import Cooperator, LoopingCall, SchedulerStopped
from twisted.logger import Logger

from dlms_objects.errors import LocalError
from dlms_objects.meter.database import MeterDatabase
from dlms_objects.meter.device_objects import device_name
from dlms_objects.meter.fleet.checks import FleetChecks
from dlms_objects.meter.fleet.config import FaultsConfig, FleetConfig
from dlms_objects.meter.fleet.connection import FleetFactory
from dlms_objects.meter.fleet.faults import Faults
from dlms_objects.meter.fleet.hosted_meter import CONNECTIONS_OF_A_METER, HostedMeter, Surroundings
from dlms_objects.meter.fleet.identity import FleetIdentity
from dlms_objects.meter.fleet.setup import store_files
from dlms_objects.meter.listening import listen_on
from dlms_objects.meter.ways import Ways

TICK_S = 0.1
FAULTS_S = 0.5  # between two looks at faults.toml
BACKLOG = 4096
CATCH_UP_ROUNDS = 10

log = Logger()


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """While millions of objects come to stay, looking for garbage among them takes longer than making them."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class FaultsFile:
    """`faults.toml`, which may change while the fleet runs; `load` reads it, LocalError for one that is wrong."""

    def __init__(self, path: Path, load: Callable[[], FaultsConfig]) -> None:
        """It is read at once."""
        self._path = path
        self._load = load
        self._seen = self._state()
        self.faults = Faults(load())

    def look(self) -> None:
        """Take up what has changed; what is wrong is told, and the faults stay as they were."""
        seen = self._state()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self.faults.use(self._load())
        except LocalError as error:
            log.error("the faults stay as they were: {error}", error=error)
            return
        log.info("faults: {faults}", faults=self.faults.config.model_dump(mode="json", exclude_defaults=True))

    def _state(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


class FleetService(Service):
    """Runs a fleet."""

    def __init__(self, config: FleetConfig, faults: FaultsFile, reactor: IReactorTime) -> None:
        """Nothing is opened before the start."""
        super().__init__()
        self._config = config
        self._faults = faults
        self._reactor = reactor
        self._ready: Deferred[str] = Deferred()
        self._resources = ExitStack()
        self._port: IListeningPort | None = None
        self._loops: list[LoopingCall] = []
        self.hosts: list[HostedMeter] = []
        self.checks = FleetChecks(self.hosts)
        self.factory: FleetFactory | None = None
        self._cooperator = Cooperator(scheduler=lambda call: reactor.callLater(0, call))

    def when_ready(self) -> Deferred[str]:
        """Fires with the endpoint and the number of meters, or AddressInUseError or StorageError."""
        return self._ready

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Open the stores, power the meters up, listen."""
        super().startService()  # type: ignore[no-untyped-call]
        Deferred.fromCoroutine(self._start()).addCallbacks(self._ready.callback, self._ready.errback)

    def stopService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """Stop listening, drop the connections (after what was written), close the stores."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())

    def summary(self) -> list[str]:
        """What the fleet did, a line each: connections, checks, faults."""
        connections = Counter[str]() if self.factory is None else self.factory.counts
        return [
            f"connections: {_listed(connections)}",
            f"checks: {_listed(self.checks.counts)}; at most {self.checks.worst_delay_s:.3f} s late",
            f"faults: {_listed(self._faults.faults.counts)}",
        ]

    async def _start(self) -> str:
        config = self._config
        surroundings = Surroundings(
            reactor=self._reactor, seed=config.seed, clock=config.clock, inactivity_s=config.inactivity_s
        )
        with _without_garbage_collection():
            for path, numbers in store_files(config.store, config.stores, config.meters):
                database = MeterDatabase.open(path)
                self._resources.callback(database.close)
                for number_in_file, number in enumerate(numbers, start=1):
                    host = HostedMeter(number, database, number_in_file, surroundings)
                    host.power_up()
                    self.hosts.append(host)
        await self._catch_up()
        meters = {host.sap: host for host in self.hosts}
        self.factory = FleetFactory(self._reactor, meters, self._faults.faults, config.maximum_connections)
        self._repeat(self._tick, TICK_S)
        self._repeat(self._faults.look, FAULTS_S)
        self._port, endpoint = await listen_on(self._reactor, config.listen, self.factory, BACKLOG)
        self._show_ways(int(endpoint.rpartition(":")[2]))
        return f"{endpoint} {len(self.hosts)} meters"

    def _show_ways(self, port: int) -> None:
        """Let every meter show where the fleet listens, and all its meters as the logical devices there."""
        identity = FleetIdentity(self._config.seed)
        ways = Ways(
            devices=lambda: [
                (host.sap, device_name(identity.title(number))) for number, host in enumerate(self.hosts, start=1)
            ],
            port=port,
            connections=CONNECTIONS_OF_A_METER,
            inactivity_s=self._config.inactivity_s,
        )
        for host in self.hosts:
            host.show(ways)

    async def _catch_up(self) -> None:
        """Make the checks that came due while the last meters were powered up, before anyone looks."""
        for _ in range(CATCH_UP_ROUNDS):
            began_s = self._reactor.seconds()
            await self._tick()
            if self._reactor.seconds() - began_s < TICK_S:
                break
        self.checks.worst_delay_s = 0.0

    def _repeat(self, work: Callable[[], Any], every_s: float) -> None:
        loop = LoopingCall(work)
        loop.clock = self._reactor
        loop.start(every_s, now=False)
        self._loops.append(loop)

    def _tick(self) -> Deferred[Any]:
        made = self._cooperator.coiterate(self.checks.make(self._reactor.seconds()))
        return made.addErrback(lambda failure: failure.trap(SchedulerStopped))  # what a stop breaks off is no failure

    async def _stop(self) -> None:
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)
        for loop in self._loops:
            if loop.running:
                loop.stop()
        self._cooperator.stop()
        if self.factory is not None:
            await self.factory.open.drop_all()
        for host in self.hosts:
            host.stop()
        self._resources.close()


def _listed(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{what} {count}" for what, count in sorted(counts.items())) or "none"
