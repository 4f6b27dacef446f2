"""The meter's service: it opens the store, listens on TCP and ticks; the connections do the talking.

Imported by the command line and the demo.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IListeningPort, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from dlms_objects.meter.clock import MeterClock
from dlms_objects.meter.clock_watch import ClockWatch
from dlms_objects.meter.config import COURIER_KEY_NAME, MeterConfig, VirtualClockConfig, first_keys, load_keys
from dlms_objects.meter.connection import MeterFactory
from dlms_objects.meter.consumption import SeededConsumption
from dlms_objects.meter.courier_keeper import head_end_value
from dlms_objects.meter.lines import Lines
from dlms_objects.meter.listening import PanelAddressInUseError, listen_on
from dlms_objects.meter.meter import Meter
from dlms_objects.meter.meter_keys import MeterKeys
from dlms_objects.meter.panel import Panel
from dlms_objects.meter.panel_pin import PinHash
from dlms_objects.meter.panel_site import panel_site
from dlms_objects.meter.pusher import Pusher
from dlms_objects.meter.store import MeterStore
from dlms_objects.transport.credentials import CredentialsError, load_courier_credentials
from dlms_objects.transport.udp import for_udp
from dlms_objects.wire.parameters import ServerParameters

TICK_S = 1.0
FAST_TICK_S = 0.02  # of a virtual clock that runs faster than real time

log = Logger()


def make_service(
    configs: Sequence[MeterConfig], reactor: IReactorTime, steady_s: Callable[[], float] | None = None
) -> "MetersService":
    """The service of the meters of one process; their stores are opened when it starts.

    `steady_s` reads a clock that nobody sets, to notice when the reactor's is; None: the reactor's is such a one.
    """
    return MetersService(configs, reactor, steady_s or reactor.seconds)


class MetersService(MultiService):
    """Runs the meters of one process, and the lines that they may share."""

    def __init__(self, configs: Sequence[MeterConfig], reactor: IReactorTime, steady_s: Callable[[], float]) -> None:
        """Nothing is opened before the start."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._lines = Lines(reactor)
        self._meters = [MeterService(config, reactor, steady_s, self._lines) for config in configs]
        self._ready: Deferred[str] = Deferred()
        for meter in self._meters:
            meter.setServiceParent(self)  # type: ignore[no-untyped-call]

    def when_ready(self) -> Deferred[str]:
        """Fires with the words of each meter, once all are ready and the lines are open, or with what stood in the way.

        What `MeterService.when_ready` names, LineError, or AddressInUseError of a line.
        """
        return self._ready

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Start every meter, then open the lines."""
        super().startService()  # type: ignore[no-untyped-call]
        Deferred.fromCoroutine(self._start()).addCallbacks(self._ready.callback, self._ready.errback)

    def stopService(self) -> "Deferred[Any]":  # noqa: N802 - Twisted's name
        """Close the lines, then stop every meter."""
        return self._lines.close().addCallback(lambda _: MultiService.stopService(self))

    async def _start(self) -> str:
        words = [await meter.when_ready() for meter in self._meters]
        await self._lines.open()
        return ", ".join(words)


class MeterService(Service):
    """Runs one meter: opens its store, listens, ticks, answers."""

    def __init__(self, config: MeterConfig, reactor: IReactorTime, steady_s: Callable[[], float], lines: Lines) -> None:
        """Nothing is opened before the start; it puts itself on `lines`, which are opened and closed by others."""
        super().__init__()
        self._lines = lines
        self._steady_s = steady_s
        self._config = config
        self._reactor = reactor
        self._ready: Deferred[str] = Deferred()
        self._meter: Meter | None = None
        self._ports: list[IListeningPort] = []
        self._tick: LoopingCall | None = None
        self._factories: list[MeterFactory] = []
        self._pusher: Pusher | None = None

    def when_ready(self) -> Deferred[str]:
        """Fires with the endpoint to reach the meter at and its system title, or with what stood in the way.

        AddressInUseError, PanelAddressInUseError, LineError, StorageError, CredentialsError, or InvalidValueError for a
        file of the panel's PIN that holds none.
        """
        return self._ready

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Open the store, make the first check, listen."""
        super().startService()  # type: ignore[no-untyped-call]
        Deferred.fromCoroutine(self._start()).addCallbacks(self._ready.callback, self._ready.errback)

    async def _start(self) -> str:
        self._meter = meter = build_meter(self._config, self._reactor.seconds())
        meter.start(self._reactor.seconds())
        self._pusher = Pusher(self._reactor, meter.pushes)
        watch = ClockWatch(self._steady_s, self._reactor.seconds())
        self._tick = LoopingCall(self._advance, meter, self._pusher, watch)
        self._tick.clock = self._reactor
        self._tick.start(FAST_TICK_S if meter.clock.rate > 1 else TICK_S, now=False)
        config = self._config
        remote = meter.server_parameters(config.inactivity_s)
        local = meter.server_parameters(config.inactivity_s, is_local=True)
        factory = self._new_factory(meter, remote)
        await self._serve_panel(meter)
        port, endpoint = await listen_on(self._reactor, config.listen, factory)
        self._ports.append(port)
        meter.ways = replace(
            meter.ways,
            port=int(endpoint.rpartition(":")[2]),
            connections=config.maximum_connections,
            inactivity_s=config.inactivity_s,
        )
        for line in config.line:
            parameters = local if line.is_local else remote
            self._lines.add(line, self._new_factory(meter, for_udp(parameters) if line.station is None else parameters))
            meter.ways = meter.ways.with_station(line.station)
        return f"{endpoint} {meter.system_title}"

    async def _serve_panel(self, meter: Meter) -> None:
        config = self._config.panel
        if config is not None:
            site = panel_site(Panel(meter, PinHash.load(config.pin), self._reactor.seconds), self._reactor)
            port, _ = await listen_on(self._reactor, config.listen, site, in_use=PanelAddressInUseError)
            self._ports.append(port)

    def _new_factory(self, meter: Meter, parameters: ServerParameters) -> MeterFactory:
        factory = MeterFactory(self._reactor, meter, parameters, self._config.maximum_connections)
        self._factories.append(factory)
        return factory

    async def _stop(self) -> None:
        await gatherResults([maybeDeferred(port.stopListening) for port in self._ports])
        if self._tick is not None and self._tick.running:
            self._tick.stop()
        if self._pusher is not None:
            self._pusher.stop()
        await gatherResults([factory.drop_all() for factory in self._factories])
        if self._meter is not None:
            self._meter.close()

    def stopService(self) -> Deferred[None]:  # noqa: N802 - Twisted's name
        """Stop listening, drop the connections (after what was written), close the store."""
        super().stopService()  # type: ignore[no-untyped-call]
        return Deferred.fromCoroutine(self._stop())

    def _advance(self, meter: Meter, pusher: Pusher, watch: ClockWatch) -> None:
        """One tick; an error nobody foresaw is logged, and the next tick tries again."""
        try:
            real_s = self._reactor.seconds()
            step = watch.step(real_s, meter.clock.rate)
            if step is not None:
                meter.host_clock_stepped(real_s, step)
            pusher.poke(meter.advance(real_s))
        except Exception:  # noqa: BLE001 - the seam: one failed check must not end all further ones
            log.failure("a check failed")


def build_meter(config: MeterConfig, real_s: float) -> Meter:
    """Open the store and put the meter together, with its saved clock running on (at the configured rate).

    StorageError; CredentialsError when the keys are not those of the store's meter.
    """
    credentials = load_keys(config.keys)
    store = MeterStore.open(config.store)
    try:
        title = store.state().title
        if any(of_role.system_title != title for of_role in credentials.values()):
            raise CredentialsError(f"{config.keys}: not the keys of {title}, the meter in {config.store}")
        clock = running_clock(store.clock(), config.clock, real_s)
        consumption = SeededConsumption(config.consumption.seed, config.consumption.kwh_per_year)
        policy = None if config.supply is None else config.supply.policy()
        return Meter(store, clock, consumption, _keys(store, config.keys), policy)
    except BaseException:
        store.close()
        raise


def _keys(store: MeterStore, folder: Path) -> MeterKeys:
    """The store's keys; at the first start those in the folder become the meter's own."""
    keys = store.keys()
    if keys is None:
        keys = first_keys(folder)
        store.keep(head_end_value(load_courier_credentials(folder / COURIER_KEY_NAME).head_end_title), [])
        store.save_keys(keys, [])
    return keys


def running_clock(saved: MeterClock | None, wanted: VirtualClockConfig | None, real_s: float) -> MeterClock:
    """The saved clock at the configured rate; at the first start the configured one, or the real time."""
    rate = 1.0 if wanted is None else wanted.rate
    if saved is not None:
        return saved if saved.rate == rate else saved.at_rate(rate, real_s)
    if wanted is not None:
        return MeterClock(epoch_s=real_s, start=wanted.start.astimezone(UTC), rate=rate)
    return MeterClock.real()
