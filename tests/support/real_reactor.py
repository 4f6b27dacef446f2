"""A reactor of its own for one test, with real sockets on loopback; nothing global is used, so it also proves that."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from twisted.internet.selectreactor import SelectReactor
from twisted.python.failure import Failure

from tests.support.twisted_testing import started

T = TypeVar("T")

LONGEST_S = 20.0


def run_for_real(work: Callable[[Any], Awaitable[T]]) -> T:
    """Run `work(reactor)` to its end in a fresh reactor; its result, or what it raised; AssertionError after 20 s."""
    reactor = SelectReactor()
    results: list[Any] = []

    def end(result: Any) -> None:
        results.append(result)
        reactor.stop()

    def begin() -> None:
        started(work(reactor)).addTimeout(LONGEST_S, reactor).addBoth(end)

    reactor.callWhenRunning(begin)
    reactor.run(installSignalHandlers=False)
    (result,) = results
    if isinstance(result, Failure):
        result.raiseException()
    value: T = result
    return value
