"""What drives an HDLC link on a shared line under Twisted: octets and time in, octets out, one timer.

Here: what both roles share. Not here: what their events mean (`hdlc`, `hdlc_server`, which import this).
"""

from abc import ABC, abstractmethod
from datetime import UTC, datetime

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from dlms_objects.transport.shared_line import SharedLine
from dlms_objects.wire.hdlc_client import ClientLink
from dlms_objects.wire.hdlc_events import LinkEvent
from dlms_objects.wire.hdlc_server import ServerLink


class LinkDriver(ABC):
    """One link on one line."""

    def __init__(self, reactor: IReactorTime, line: SharedLine, link: ClientLink | ServerLink) -> None:
        """The line is heard from now on."""
        self._reactor = reactor
        self._line = line
        self._link = link
        self._timer: IDelayedCall | None = None
        self._is_over = False
        line.attach(self)

    def heard(self, octets: bytes) -> None:
        """Feed the link and act on what it makes of the octets."""
        self._link.receive_data(octets, self._now())
        self._act()

    def line_lost(self, reason: Failure) -> None:
        """The line is gone, and the link with it."""
        self._stop()
        self._lost(reason)

    @abstractmethod
    def _take(self, event: LinkEvent) -> None:
        """One event of the link."""

    @abstractmethod
    def _lost(self, reason: Failure) -> None:
        """There is no line any more."""

    @abstractmethod
    def _rest(self) -> None:
        """The link has no event left."""

    def _act(self) -> None:
        while not self._is_over and (event := self._link.next_event()) is not None:
            self._take(event)
        if not self._is_over:
            self._rest()
            self._watch()

    def _watch(self) -> None:
        """Keep one timer at the link's deadline, which may come nearer when a frame stops half way."""
        due = self._link.next_timeout()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None and not self._is_over:
            self._timer = self._reactor.callLater(
                max(0.0, due.timestamp() - self._reactor.seconds()), self._time_passed
            )

    def _time_passed(self) -> None:
        self._timer = None
        self._link.handle_timeout(self._now())
        self._act()

    def _stop(self) -> None:
        """No more of this link."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._line.detach(self)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._reactor.seconds(), UTC)
