"""Driving coroutines and Deferreds in tests: without a reactor as far as they go, or under a real one of their own."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet import defer, task
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


def started(awaitable: Awaitable[T]) -> Deferred[T]:
    """A coroutine under way, as a Deferred; a Deferred is returned as it is."""
    if isinstance(awaitable, Deferred):
        return awaitable

    async def run() -> T:
        return await awaitable

    return Deferred.fromCoroutine(run())


def result_of(awaitable: Awaitable[T]) -> T:
    """The result of what can finish without time or I/O; raises what it raised; AssertionError if it still waits."""
    results: list[Any] = []
    started(awaitable).addBoth(results.append)
    assert results, "it still waits"
    if isinstance(results[0], Failure):
        results[0].raiseException()
    result: T = results[0]
    return result


def has_result(deferred: Deferred[Any]) -> bool:
    """True when a Deferred has fired and waits for nothing."""
    return bool(deferred.called) and not deferred.paused


def advance_until(clock: task.Clock, met: Callable[[], bool], *, step_s: float = 0.1, limit_s: float = 3600.0) -> None:
    """Let the clock go on in steps until the condition is met; AssertionError after `limit_s`."""
    end_s = clock.seconds() + limit_s
    while not met():
        assert clock.seconds() < end_s, f"not met within {limit_s:g} s"
        clock.advance(step_s)


def run_in_reactor(work: Callable[[AsyncioSelectorReactor], Coroutine[Any, Any, T]], *, limit_s: float = 30.0) -> T:
    """Run a coroutine function under a real reactor of its own (never the global one) and give its result."""
    loop = asyncio.new_event_loop()
    reactor = AsyncioSelectorReactor(loop)
    results: list[Any] = []

    def begin() -> None:
        done = Deferred.fromCoroutine(work(reactor)).addTimeout(limit_s, reactor)
        done.addBoth(results.append).addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run(installSignalHandlers=False)
    loop.close()
    result: Deferred[T] = defer.fail(results[0]) if isinstance(results[0], Failure) else defer.succeed(results[0])
    return result_of(result)
