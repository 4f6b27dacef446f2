"""The connections that are open: counted, and closed all together. For the factories of a meter and of a fleet."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred, succeed


class Droppable(Protocol):
    """A connection that can be told to end."""

    def drop(self) -> None:
        """Close after what was written."""


C = TypeVar("C", bound=Droppable)


class OpenConnections(Generic[C]):
    """Which connections are open."""

    def __init__(self) -> None:
        """None yet."""
        self._open: set[C] = set()
        self._all_gone: Deferred[None] | None = None

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    def __iter__(self) -> Iterator[C]:
        """Those that are open now, whatever opens or ends meanwhile."""
        return iter(list(self._open))

    def opened(self, connection: C) -> None:
        """A connection tells that it is open."""
        self._open.add(connection)

    def closed(self, connection: C) -> None:
        """A connection tells that it is gone."""
        self._open.discard(connection)
        if self._all_gone is not None and not self._open:
            gone, self._all_gone = self._all_gone, None
            gone.callback(None)

    def drop_all(self) -> Deferred[None]:
        """Tell every connection to end; fires when all are gone."""
        if not self._open:
            return succeed(None)
        self._all_gone = gone = Deferred[None]()
        for connection in self:
            connection.drop()
        return gone
