"""One question to a meter from a command line: run a coroutine under the reactor, and hand out what it brought."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from deploy.purse_client import MeterAddress, PurseClient, purse_of

T = TypeVar("T")


def ask(address: MeterAddress, question: Callable[[PurseClient], Awaitable[T]]) -> T:
    """Open a session, ask, release; what the question returns or raises. Once a process: a reactor runs only once."""

    async def asked(reactor: IReactorTime) -> T:
        async with purse_of(reactor, address) as purse:
            return await question(purse)

    return run_once(asked)


def run_once(work: Callable[[IReactorTime], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine under the reactor to its end; what it returns or raises. Once a process."""
    from twisted.internet import reactor  # noqa: PLC0415 - installed when it is first wanted, and then only once

    ended: list[T | Failure] = []

    def start() -> None:
        working: Deferred[T] = Deferred.fromCoroutine(work(reactor))
        working.addBoth(ended.append)
        working.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(start)
    reactor.run()
    if not ended:
        raise KeyboardInterrupt
    outcome = ended[0]
    if isinstance(outcome, Failure):
        outcome.raiseException()
    return outcome
