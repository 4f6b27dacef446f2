"""Timers that survive a host clock set back: Twisted's go by the time of day, and would wait until it is the old one.

Without this a meter whose host was set back by a year makes no check for a year. Used by `running` for every service.
"""

from typing import Protocol

from twisted.internet.interfaces import IReactorTime

LOOK_S = 1.0
_JITTER_S = 0.1


class SteadyLoop(Protocol):
    """What is wanted of an asyncio loop: time that nobody sets, and a timer that goes by it."""

    def time(self) -> float:
        """Seconds since anything."""
        ...

    def call_later(self, delay: float, callback: "SteadyTimers") -> object:
        """Call back after so many of these seconds."""
        ...


class SteadyTimers:
    """Looks once a second whether the time of day went back, and then moves the timers of the reactor with it."""

    def __init__(self, reactor: IReactorTime, loop: SteadyLoop) -> None:
        """Begin to look; the reactor runs on that loop."""
        self._reactor = reactor
        self._loop = loop
        self._offset_s = reactor.seconds() - loop.time()
        loop.call_later(LOOK_S, self)

    def __call__(self) -> None:
        """One look."""
        offset_s = self._reactor.seconds() - self._loop.time()
        step_s, self._offset_s = offset_s - self._offset_s, offset_s
        if step_s < -_JITTER_S:
            for call in self._reactor.getDelayedCalls():
                call.delay(step_s)
        self._loop.call_later(LOOK_S, self)
