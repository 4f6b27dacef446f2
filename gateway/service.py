"""The gateway as a Twisted service: composition of store, writer, lines, uplink and heartbeat.

The reactor is passed in and is the only clock (`reactor.seconds()` is unix time). Imported by `deploy/` alone.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, DeferredLock, gatherResults, succeed
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

from dlms_objects.errors import InvalidValueError, LocalError, MeterPurseError
from dlms_objects.transport.credentials import KeyFiles, MeterCredentials
from gateway import exchange
from gateway.back_off import BackOff
from gateway.commands.desk import CommandDesk
from gateway.config import GatewayConfig, MeterSection
from gateway.headend_client import Headend, HeadendClient
from gateway.line import Line
from gateway.loop import Loop
from gateway.meters import AFTER_FAULT_S, LineLimits, Meters, command_credentials, meter_credentials
from gateway.pushes import Pushes
from gateway.readings import ReadingDesk
from gateway.records import BatchLimits
from gateway.reload import Changes, Settings, changes
from gateway.status import outbox_figures
from gateway.store import Store
from gateway.uplink import Uplink, UplinkLimits
from gateway.watch import Watch
from gateway.writer import Writer

POLL_MARGIN_S = 5

log = Logger()


class GatewayService(MultiService):
    """Lines, uplink and heartbeat over one outbox; `make_service` builds it."""

    def __init__(self, settings: Settings, reactor: Any, *, headend: HeadendClient, store: Store) -> None:
        """Take over the store and the client: both are closed when the service has stopped."""
        super().__init__()  # type: ignore[no-untyped-call]
        config = settings.config
        self._config = config
        self._settings = settings
        self._reloading = DeferredLock()
        self._reactor = reactor
        self._headend = headend
        self._store = store
        self._pool = ThreadPool(1, 1, name="outbox")
        self.writer = Writer(store, partial(deferToThreadPool, reactor, self._pool))
        listen = None if config.push is None else config.push.listen
        self.pushes = Pushes(reactor, listen)
        self._add(self.pushes)
        self.uplink = Uplink(headend, self.writer, _uplink_limits(config), clock=reactor, random=Random())
        self.upload_loop = Loop(reactor, "uplink", self.uplink.step, after_fault_s=AFTER_FAULT_S)
        self._add(self.upload_loop)
        self.readings = ReadingDesk(
            headend,
            self.writer,
            read_every_s=config.collection.read_every_s,
            upload_every_s=config.headend.upload_every_s,
            now_s=lambda: int(reactor.seconds()),
        )
        self._add(Loop(reactor, "readings", self.readings.step, after_fault_s=AFTER_FAULT_S))
        self.meters = Meters(
            reactor,
            config.system_title,
            LineLimits.of(config),
            store=store,
            writer=self.writer,
            pushes=self.pushes,
            read=self.readings.read,
            collected=self.upload_loop.wake,
            command_finished=self._report_soon,
        )
        self._add(self.meters)
        self.commands = self._command_desk()
        self._report_loop = Loop(reactor, "reports", self.commands.report, after_fault_s=AFTER_FAULT_S)
        self._add(self._report_loop)
        if config.headend.commands:
            self._add(Loop(reactor, "commands", self.commands.poll, after_fault_s=AFTER_FAULT_S))
        heartbeat = Heartbeat(headend, self.writer, config, reactor, self.figures)
        self._add(Loop(reactor, "heartbeat", heartbeat.step, after_fault_s=AFTER_FAULT_S))
        self.watch: Watch | None = None
        if config.http is not None:
            self.watch = Watch(
                reactor,
                config.http.listen,
                self.writer,
                self.figures,
                lambda: self.uplink.failing_s,
                maximum_rows=config.outbox.maximum_rows,
                ready_limit_s=config.http.ready_limit_s,
            )
            self._add(self.watch)
        for meter, keys, for_commands in settings.meters().values():
            self.add_meter(meter, keys, for_commands)

    @property
    def lines(self) -> list[Line]:
        """The lines of all meters."""
        return self.meters.lines

    def add_meter(
        self, meter: MeterSection, credentials: MeterCredentials, for_commands: MeterCredentials | None = None
    ) -> None:
        """Collect from one more meter, also while running; LocalError when it is here already.

        Commands are carried out with the keys `for_commands`, and refused without.
        """
        self.meters.add(meter, credentials, for_commands)

    def remove_meter(self, name: str) -> "Deferred[None]":
        """Collect from it no more; fires when its session in flight has ended. LocalError when it is not here."""
        return Deferred.fromCoroutine(self.meters.remove(name))

    async def reload(self, wanted: Settings) -> Changes:
        """Go on with other settings, as far as a running gateway can; returns when it does.

        Sessions in flight of meters that leave or change end first; one reload after the other.
        """
        async with self._reloading:
            done = changes(self._settings, wanted)
            try:
                await self._change_meters(done)
            finally:
                self._settings = done.running.only(self.meters.names)
        log.info("reloaded: {changes}", changes=done)
        return done

    async def _change_meters(self, done: Changes) -> None:
        leaving = set(self.meters.names) if done.new_limits else {*done.removed, *done.changed}
        coming = (leaving | set(done.added)) - set(done.removed)
        await gatherResults([self.remove_meter(name) for name in leaving])
        if not self.running:
            return
        if done.new_limits:
            self.meters.limit(LineLimits.of(done.running.config))
        for name, (meter, keys, for_commands) in done.running.meters().items():
            if name in coming:
                self.add_meter(meter, keys, for_commands)

    def when_ready(self) -> "Deferred[str]":
        """Fires with what a person wants to know at the start; a gateway is at work as soon as it is started."""
        return succeed(f"{len(self.lines)} meters, head-end {self._config.headend.url}")

    def is_alive(self) -> "Deferred[None]":
        """Fires when the writer has answered: with that the reactor turns and the outbox's thread works."""
        return self.writer.run(lambda _connection: None)

    def figures(self) -> dict[str, int]:
        """What is known without the outbox: meters whose last session failed, sessions, uploads failed in a row."""
        return {
            "lines": len(self.lines),
            "lines_failing": sum(line.failures > 0 for line in self.lines),
            "sessions": sum(line.sessions_begun for line in self.lines),
            "sessions_failed": sum(line.sessions_failed for line in self.lines),
            "upload_failures": self.uplink.failures,
            "command_poll_failures": self.commands.poll_failures,
        }

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Start the writer's thread, then the loops."""
        self._pool.start()
        super().startService()  # type: ignore[no-untyped-call]
        log.info(
            "gateway {title}: {lines} meters, outbox {path}, head-end {url}",
            title=self._config.system_title,
            lines=len(self.lines),
            path=str(self._config.outbox.path),
            url=self._config.headend.url,
        )

    def stopService(self) -> "Deferred[None]":  # noqa: N802 - Twisted's name
        """Fires when the work in flight is done and the outbox is closed."""
        return Deferred.fromCoroutine(self._stop())

    def _command_desk(self) -> CommandDesk:
        collection = self._config.collection
        return CommandDesk(
            self._headend,
            self.writer,
            clock=self._reactor,
            wait_s=_poll_wait_s(self._config),
            new_back_off=partial(BackOff, collection.back_off_first_s, collection.back_off_maximum_s, Random()),
            refusal=self.meters.refusal,
            is_settled=lambda: not self._reloading.locked,
            wake=self.meters.wake_commands,
            report_soon=self._report_soon,
        )

    def _add(self, part: Service) -> None:
        part.setServiceParent(self)

    def _report_soon(self) -> None:
        self._report_loop.wake()

    async def _stop(self) -> None:
        self.commands.stop()
        await super().stopService()  # type: ignore[no-untyped-call]
        await self._headend.close()
        self._pool.stop()
        self._store.close()


class Heartbeat:
    """Tells the head-end how the gateway is; a heartbeat that is lost is not repeated."""

    def __init__(
        self,
        headend: Headend,
        writer: Writer,
        config: GatewayConfig,
        reactor: Any,
        figures: Callable[[], dict[str, int]],
    ) -> None:
        """`figures` adds what the outbox does not know."""
        self._headend = headend
        self._writer = writer
        self._config = config
        self._reactor = reactor
        self._figures = figures

    async def step(self) -> float:
        """One heartbeat; the seconds to wait before the next."""
        limits = {"maximum_rows": self._config.outbox.maximum_rows, "now_s": int(self._reactor.seconds())}
        try:
            figures = await self._writer.run(lambda connection: outbox_figures(connection, **limits))
            document = {"system_title": str(self._config.system_title), **figures.document(), **self._figures()}
            await self._headend.request("PUT", exchange.STATUS_PATH, json.dumps(document).encode())
        except MeterPurseError as error:
            log.debug("no heartbeat: {error}", error=error)
        return self._config.headend.heartbeat_every_s


def make_service(config: GatewayConfig, reactor: Any) -> GatewayService:
    """The gateway of this configuration, ready to start; LocalError says which file cannot be used and why.

    `gateway.check.problems` names all such mistakes at once and with their places; call it first.
    """
    token = read_token(config.headend.token_file)
    settings = read_settings(config)
    store = Store(config.outbox.path)
    headend = HeadendClient(
        reactor, config.headend.url, token, timeout_s=config.headend.timeout_s, compress=config.headend.gzip
    )
    return GatewayService(settings, reactor, headend=headend, store=store)


def read_settings(config: GatewayConfig) -> Settings:
    """The configuration with the keys in its meters' files, which may take a while; LocalError as `make_service`."""
    key_files = KeyFiles()
    credentials = {meter.name: meter_credentials(meter, key_files) for meter in config.meter}
    commanding = {meter.name: command_credentials(meter, key_files) for meter in config.meter}
    return Settings(
        config=config,
        credentials=credentials,
        command_credentials={name: keys for name, keys in commanding.items() if keys is not None},
    )


def read_token(path: Path) -> str:
    """The bearer token in a file: one line of printable ASCII; LocalError otherwise, never with the token in it."""
    try:
        token = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise LocalError(f"{path}: cannot read the token: {getattr(error, 'strerror', None) or 'not text'}") from None
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidValueError(f"{path}: a token is one line of printable ASCII without spaces")
    return token


def _poll_wait_s(config: GatewayConfig) -> int:
    """How long a poll may be held open: its answer still has to arrive before the deadline of a request."""
    return max(0, min(config.headend.commands_wait_s, int(config.headend.timeout_s - POLL_MARGIN_S)))


def _uplink_limits(config: GatewayConfig) -> UplinkLimits:
    return UplinkLimits(
        batches=BatchLimits(batch_rows=config.headend.batch_rows, request_rows=config.headend.request_rows),
        upload_every_s=config.headend.upload_every_s,
        back_off_first_s=config.collection.back_off_first_s,
        back_off_maximum_s=config.collection.back_off_maximum_s,
    )
