"""Running one service in the foreground: reactor, log, the `ready` line, signals and the exit code.

The reactor is Twisted's asyncio reactor on a loop of our own, so that an ASGI server can share it. Nothing here knows
which service it runs. Imported by `deploy/commands/` inside the commands that serve.
"""

import asyncio
import sys
from collections.abc import Callable
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
) -> None:
    """Run the service that `make` makes until SIGTERM or SIGINT, then stop it in good order.

    `ready(service)` is asked after the start for a Deferred of the words after `ready` on stdout; when it fails, or the
    start does, the service is stopped and that error raised. `lost(service)` gives a Deferred that fails when the
    service ends by itself: then the process ends too, with that error, so that a supervisor starts it again.
    StopTimeoutError when stopping takes too long. Under systemd its manager is told (`supervision`); `alive(service)`
    gives a Deferred that fires when the service has got something done, and feeds the watchdog.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)
    from twisted.internet import reactor  # noqa: PLC0415 - only now is it the one we want

    assert isinstance(reactor, Reactor)
    SteadyTimers(reactor, loop)
    run = _Run(reactor, make(reactor), ready, alive)
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
    ) -> None:
        self.failure: Failure | None = None
        self._alive = alive
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
        stopped = maybeDeferred(self.service.stopService)
        stopped.addTimeout(STOP_TIMEOUT_S, self._reactor, onTimeoutCancel=self._timed_out)
        return stopped.addErrback(self._fail)

    async def _started(self) -> None:
        self.service.privilegedStartService()
        self.service.startService()
        words = await self._ready(self.service)
        sys.stdout.write(f"ready {words}\n")
        sys.stdout.flush()
        self._supervisor.ready(words)
        if self._alive is not None:
            self._supervisor.watch(self._reactor, partial(self._alive, self.service))

    def abandon(self, failure: Failure) -> None:
        """Keep what went wrong and stop the reactor, unless it is stopping anyway."""
        if not self._stopping:  # what a stop interrupts on its way to ready is no failure
            self._fail(failure)
            self._reactor.stop()

    def _fail(self, failure: Failure) -> None:
        self.failure = self.failure or failure

    def _timed_out(self, result: object, timeout_s: float) -> object:
        raise StopTimeoutError(f"still at work {timeout_s:.0f} s after being told to stop; ended by force")
