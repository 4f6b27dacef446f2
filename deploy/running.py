"""Running one service in the foreground: reactor, log, the `ready` line, signals and the exit code.

The reactor is Twisted's asyncio reactor on a loop of our own, so that an ASGI server can share it. Nothing here knows
which service it runs. Imported by `deploy/commands/` inside the commands that serve.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from twisted.application.service import IService
from twisted.internet import asyncioreactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from deploy.steady_timers import SteadyTimers
from deploy.supervision import Supervisor
from dlms_objects.errors import MeterPurseError

Reactor = asyncioreactor.AsyncioSelectorReactor

STOP_TIMEOUT_S = 30.0
"""How long a stopping service may take to finish the work in flight."""

_log = Logger()


class StopTimeoutError(MeterPurseError):
    """A service did not end its work in time after it was told to stop."""


def serve(
    make: Callable[[Reactor], IService],
    ready: Callable[[Any], "Deferred[str]"],
    lost: Callable[[Any], "Deferred[None]"] | None = None,
    alive: Callable[[Any], "Deferred[Any]"] | None = None,
    reload: Callable[[Any, Reactor], Coroutine[Any, Any, object]] | None = None,
) -> None:
    """Run the service that `make` makes until SIGTERM or SIGINT, then stop it in good order.

    `ready(service)` is asked after the start for a Deferred of the words after `ready` on stdout; when it fails, or the
    start does, the service is stopped and that error raised. `lost(service)` gives a Deferred that fails when the
    service ends by itself: then the process ends too, with that error, so that a supervisor starts it again.
    StopTimeoutError when stopping takes too long. Under systemd its manager is told (`supervision`); `alive(service)`
    gives a Deferred that fires when the service has got something done, and feeds the watchdog. On SIGHUP
    `reload(service, reactor)` is awaited, and what it returns is told; when it fails the service goes on as it was.
    A second SIGTERM or SIGINT ends the process at once.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)
    from twisted.internet import reactor  # noqa: PLC0415 - only now is it the one we want

    assert isinstance(reactor, Reactor)
    SteadyTimers(reactor, loop)
    run = _Run(reactor, make(reactor), ready, alive, reload)
    if lost is not None:
        lost(run.service).addErrback(run.abandon)
    reactor.callWhenRunning(run.start)
    reactor.addSystemEventTrigger("before", "shutdown", run.stop)
    reactor.run()  # type: ignore[no-untyped-call]
    if run.failure is not None:
        run.failure.raiseException()


class _Run:
    """One service from its start to its end; `failure` says what went wrong, if anything did."""

    def __init__(
        self,
        reactor: Reactor,
        service: IService,
        ready: Callable[[Any], "Deferred[str]"],
        alive: Callable[[Any], "Deferred[Any]"] | None,
        reload: Callable[[Any, Reactor], Coroutine[Any, Any, object]] | None,
    ) -> None:
        self.failure: Failure | None = None
        self._alive = alive
        self._reload = reload
        self._supervisor = Supervisor()
        self._reactor = reactor
        self.service = service
        self._ready = ready
        self._stopping = False

    def start(self) -> None:
        """Start the service and say when it is ready, or stop the reactor with what stood in the way."""
        Deferred.fromCoroutine(self._started()).addErrback(self.abandon)

    def stop(self) -> "Deferred[None]":
        """Stop the service, waiting for it as long as STOP_TIMEOUT_S."""
        _log.info("stopping")
        self._supervisor.stopping()
        self._stopping = True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        stopped = maybeDeferred(self.service.stopService)
        stopped.addTimeout(STOP_TIMEOUT_S, self._reactor, onTimeoutCancel=self._timed_out)
        return stopped.addErrback(self._fail)

    async def _started(self) -> None:
        self.service.privilegedStartService()
        self.service.startService()
        words = await self._ready(self.service)
        if self._reload is not None:
            signal.signal(signal.SIGHUP, lambda _number, _frame: self._reactor.callFromThread(self._take_in))
        sys.stdout.write(f"ready {words}\n")
        sys.stdout.flush()
        self._supervisor.ready(words)
        if self._alive is not None:
            self._supervisor.watch(self._reactor, partial(self._alive, self.service))

    def _take_in(self) -> None:
        if self._stopping or self._reload is None:
            return
        self._supervisor.reloading()
        reloaded = maybeDeferred(self._reload, self.service, self._reactor)
        reloaded.addCallbacks(str, self._not_reloaded).addCallback(self._ready_again)

    def _not_reloaded(self, failure: Failure) -> str:
        words = "not reloaded, the old configuration goes on: " + str(failure.value).replace("\n", "; ")
        if failure.check(MeterPurseError):
            _log.error("{words}", words=words)
        else:
            _log.failure("{words}", failure, words=words)
        return words

    def _ready_again(self, words: str) -> None:
        if not self._stopping:
            self._supervisor.ready(words)

    def abandon(self, failure: Failure) -> None:
        """Keep what went wrong and stop the reactor, unless it is stopping anyway."""
        if not self._stopping:  # what a stop interrupts on its way to ready is no failure
            self._fail(failure)
            self._reactor.stop()

    def _fail(self, failure: Failure) -> None:
        self.failure = self.failure or failure

    def _timed_out(self, result: object, timeout_s: float) -> object:
        raise StopTimeoutError(f"still at work {timeout_s:.0f} s after being told to stop; ended by force")
