"""The running head-end: uvicorn serving the API inside Twisted's asyncio reactor, with an orderly start and end.

`make_service` is what the composition root runs. The only module here that knows Twisted's reactor and asyncio both.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Protocol

import uvicorn
from twisted.application.service import Service
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from dlms_objects.errors import LocalError, MeterPurseError
from dlms_objects.program_folder import host_and_port
from headend.api.application import make_application
from headend.books import register
from headend.config import HeadendConfig, InfluxConfig
from headend.database import Database
from headend.delivery.channels import make_channels
from headend.delivery.dispatcher import Dispatcher
from headend.influx.target import Target
from headend.points import set_wanted
from headend.root_key import RootKey

BACKLOG = 256
KEEP_ALIVE_S = 75

_log = Logger()


class AddressInUseError(LocalError):
    """The address of the HTTP server cannot be listened on; `listen` of the configuration names it."""


def make_service(config: HeadendConfig, reactor: AsyncioSelectorReactor) -> "HeadendService":
    """The head-end as a Twisted service, not yet started. `reactor` must be the asyncio reactor (else LocalError)."""
    if not isinstance(reactor, AsyncioSelectorReactor):
        raise LocalError(f"the head-end runs on Twisted's asyncio reactor, not on {type(reactor).__name__}")
    return HeadendService(config, reactor)


class HeadendEndedError(MeterPurseError):
    """The head-end ended by itself, by a fault; the log has the traceback. Whoever supervises it starts it again."""


class HeadendService(Service):
    """Opens socket and database when started, serves, and ends without breaking off work in flight."""

    def __init__(self, config: HeadendConfig, reactor: AsyncioSelectorReactor) -> None:
        """Nothing is opened before the start."""
        self._config = config
        self._reactor = reactor
        self._ready: Deferred[str] = Deferred()
        self._lost: Deferred[None] | None = None
        self._work: _Work | None = None

    def when_ready(self) -> "Deferred[str]":
        """Fires with the URL as soon as requests are served; to be asked once."""
        return self._ready

    def when_lost(self) -> "Deferred[None]":
        """Fails with HeadendEndedError when it was ready and ends without having been told to; to be asked once."""
        self._lost = Deferred()
        return self._lost

    def startService(self) -> None:
        """Listen and open all at once (AddressInUseError, DatabaseUnusableError, TokenUnreadableError), then serve."""
        super().startService()  # type: ignore[no-untyped-call]
        listening = _listening(self._config.listen)
        try:
            self._work = _Work(self._config, self._reactor, listening, on_serving=self._serving)
        except LocalError:
            listening.close()
            raise
        self._reactor.callLater(0, self._serve, self._work)

    def stopService(self) -> "Deferred[None]":
        """Stop listening, wait for the requests in flight and the writes behind them, close the database."""
        super().stopService()  # type: ignore[no-untyped-call]
        work, self._work = self._work, None
        if work is None:
            return succeed(None)
        work.stop()
        return work.ended

    def _serve(self, work: "_Work") -> None:
        Deferred.fromFuture(asyncio.ensure_future(work.run())).addErrback(self._failed).chainDeferred(work.ended)

    def _serving(self, url: str) -> None:
        _log.info("serving {url}", url=url)
        self._ready.callback(url)

    def _failed(self, failure: Failure) -> None:
        _log.failure("the head-end ended by a fault", failure=failure)
        error = HeadendEndedError(f"the head-end ended by a fault: {type(failure.value).__name__}: {failure.value}")
        if not self._ready.called:
            self._ready.errback(error)
        elif self._lost is not None:
            self._lost.errback(error)


class _Work:
    """What is open between start and stop: socket, database, server; `ended` fires when all are closed."""

    def __init__(
        self,
        config: HeadendConfig,
        reactor: AsyncioSelectorReactor,
        listening: socket.socket,
        *,
        on_serving: Callable[[str], None],
    ) -> None:
        self._listening = listening
        root_key = None if config.root_key_file is None else RootKey.load(config.root_key_file)
        self._database = Database(config.database, write_queue=config.write_queue)
        try:
            self._workers = _workers(config, self._database, reactor)
        except LocalError:
            self._database.close()
            raise
        for registration in config.meter:
            self._database.write_now(partial(register, registration=registration))
        application = make_application(
            self._database,
            maximum_body_octets=config.maximum_body_octets,
            recipients=config.recipient,
            root_key=root_key,
        )
        self.server = _Server(
            uvicorn.Config(
                application,
                lifespan="off",
                ws="none",
                log_config=None,
                log_level="critical",  # what fails is logged by the application itself
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=config.stop_timeout_s,
            ),
            on_serving=partial(on_serving, _url(listening)),
        )
        self.ended: Deferred[None] = Deferred()
        self._is_told = False

    async def run(self) -> None:
        """Serve until told to stop, then close everything; work that has begun is finished first.

        A server or a worker that ends before that ends all; its fault is raised when everything is closed.
        """
        working = [asyncio.ensure_future(worker.run()) for worker in self._workers]
        for each in working:
            each.add_done_callback(self._wind_down)
        try:
            await self.server.serve(sockets=[self._listening])
        finally:
            self._listening.close()
            self._wind_down()
            ends = await asyncio.gather(*working, return_exceptions=True)
            await asyncio.to_thread(self._database.close)
        for fault in ends:
            if fault is not None:
                raise fault
        if not self._is_told:
            raise RuntimeError("the HTTP server stopped by itself")

    def stop(self) -> None:
        """Begin to end: no new request, no new delivery; `ended` says when it is done."""
        self._is_told = True
        self._wind_down()

    def _wind_down(self, _ended: object = None) -> None:
        self.server.should_exit = True
        for worker in self._workers:
            worker.stop()


class _Worker(Protocol):
    """What runs beside the server: `run` until `stop` is called, finishing what is in hand."""

    async def run(self) -> None: ...

    def stop(self) -> None: ...


def _workers(config: HeadendConfig, database: Database, reactor: AsyncioSelectorReactor) -> list[_Worker]:
    """The deliveries that are configured."""
    database.write_now(partial(set_wanted, wanted=config.influx is not None))
    workers: list[_Worker] = []
    if config.recipient:
        workers.append(Dispatcher(config, database, make_channels(config, reactor, _now), _now))
    if config.influx is not None:
        workers.append(_influx_sink(config.influx, database))
    return workers


def _now() -> datetime:
    return datetime.now(UTC)


def _influx_sink(config: InfluxConfig, database: Database) -> _Worker:
    from headend.influx.sink import Sink, SinkLimits  # noqa: PLC0415 - only who asks for it pays for influxdb-client
    from headend.influx.writer import InfluxWriter  # noqa: PLC0415

    limits = SinkLimits(
        batch_points=config.batch_points,
        figures_every_s=config.figures_every_s,
        back_off_maximum_s=config.back_off_maximum_s,
    )
    writer = InfluxWriter(Target.of(config))
    return Sink(database, writer, limits, now=_now, random=Random())


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves signals to Twisted and says when it serves."""

    def __init__(self, config: uvicorn.Config, *, on_serving: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_serving = on_serving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._on_serving()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _listening(listen: str) -> socket.socket:
    """A socket that listens on `host:port`; AddressInUseError when it cannot."""
    host, port = host_and_port(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise AddressInUseError(f"cannot listen on {listen}: {error.strerror or error}") from error
    listening.setblocking(False)
    return listening
