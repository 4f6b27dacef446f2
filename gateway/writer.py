"""The one writer of the outbox: operations that wait together are committed together, off the reactor's thread.

A durable commit costs a disk flush, whatever it holds; with many lines at work one flush serves all that arrived
meanwhile. What waits is bounded by its callers: a line or the uplink has at most one operation here at a time.
No SQL here. Imported by the collector, the uplink and the service.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from dlms_objects.errors import MeterPurseError
from gateway.store import Operation

T = TypeVar("T")
Results = list[Any]


class Transactions(Protocol):
    """What the writer asks of a store (`Store.transact`)."""

    def transact(self, operations: Sequence[Operation[Any]]) -> Results:
        """Run the operations in one durable transaction; each one's result or error."""
        ...


InThread = Callable[[Callable[[Sequence[Operation[Any]]], Results], Sequence[Operation[Any]]], Deferred[Results]]


class Writer:
    """Runs operations on the store in order of arrival, a group at a time.

    `in_thread(function, operations)` calls the function where it may block and gives a Deferred of its result; in the
    daemon this is a thread of its own, in tests it may run at once.
    """

    def __init__(self, store: Transactions, in_thread: InThread) -> None:
        """Nothing runs before the first operation is handed in."""
        self._store = store
        self._in_thread = in_thread
        self._waiting: list[tuple[Operation[Any], Deferred[Any]]] = []
        self._busy = False

    def run(self, operation: Operation[T]) -> Deferred[T]:
        """The result of the operation once it is durable; its error when it was undone.

        Cancelling the Deferred stops waiting for the result, not the operation.
        """
        answer: Deferred[T] = Deferred()
        self._waiting.append((operation, answer))
        if not self._busy:
            self._begin()
        return answer

    def _begin(self) -> None:
        group, self._waiting = self._waiting, []
        self._busy = True
        work = self._in_thread(self._store.transact, [operation for operation, _ in group])
        work.addBoth(self._finish, [answer for _, answer in group])

    def _finish(self, results: Results | Failure, answers: list[Deferred[Any]]) -> None:
        self._busy = False
        if self._waiting:
            self._begin()
        for index, answer in enumerate(answers):
            result = results if isinstance(results, Failure) else results[index]
            if isinstance(result, Failure | MeterPurseError):
                answer.errback(result)
            else:
                answer.callback(result)
