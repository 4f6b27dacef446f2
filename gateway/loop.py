"""A step repeated for ever: the shape that lines, the uplink and the heartbeat share.

The step says how long to wait before the next one. Time is passed in. Imported by `service.py` and `line.py`.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

log = Logger()

GRACE_S = 15.0


class Loop(Service):
    """Runs `step` at start and again after the seconds it returns; never two steps at a time.

    Stopping waits for the step under way, and breaks it off after `GRACE_S`: every step may be broken off at any point,
    as by a crash. This is the service seam: an exception nobody expected is logged with its
    traceback, and the loop goes on after `after_fault_s`.
    """

    def __init__(
        self, clock: IReactorTime, name: str, step: Callable[[], Coroutine[Any, Any, float]], *, after_fault_s: float
    ) -> None:
        """`name` is for the log and for `getServiceNamed`."""
        self.setName(name)  # type: ignore[no-untyped-call]
        self._clock = clock
        self._step = step
        self._after_fault_s = after_fault_s
        self._timer: IDelayedCall | None = None
        self._woken = False
        self._work: Deferred[float] | None = None
        self._idle: list[Deferred[None]] = []

    def startService(self) -> None:
        """Begin with a step at the next turn of the reactor."""
        super().startService()  # type: ignore[no-untyped-call]
        self._schedule(0)

    def stopService(self) -> Deferred[None]:
        """No further step; fires when the one under way is done or broken off."""
        super().stopService()  # type: ignore[no-untyped-call]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._work is None:
            return succeed(None)
        stopped: Deferred[None] = Deferred()
        self._idle.append(stopped)
        self._timer = self._clock.callLater(GRACE_S, self._work.cancel)
        return stopped

    def wake(self) -> None:
        """Take the next step now, or right after the one under way."""
        self._woken = True
        if self._work is None and self._timer is not None:
            self._timer.reset(0)

    def _schedule(self, delay_s: float) -> None:
        self._timer = self._clock.callLater(delay_s, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._woken = False
        self._work = work = Deferred.fromCoroutine(self._step())
        work.addErrback(self._fault).addCallback(self._end)

    def _fault(self, failure: Failure) -> float:
        if not self.running and failure.check(CancelledError):
            return self._after_fault_s
        log.failure("{name}: a step ended in a fault", failure, name=self.name)
        return self._after_fault_s

    def _end(self, delay_s: float) -> None:
        self._work = None
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None
        idle, self._idle = self._idle, []
        for stopped in idle:
            stopped.callback(None)
        if self.running:
            self._schedule(0 if self._woken else delay_s)
