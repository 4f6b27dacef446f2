"""One line that several stations share: who may speak, how long the line rests between two speakers, who hears.

Here: the lock on the line, turnaround, handing octets to all who listen. Not here: frames and links (`hdlc`,
`hdlc_server`, which import this). A line is any connection: a serial port, or TCP to a converter.
"""

from typing import Protocol as Interface

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure


class LineListener(Interface):
    """A station's driver on a line."""

    def heard(self, octets: bytes) -> None:
        """Octets came, from whomever."""

    def line_lost(self, reason: Failure) -> None:
        """The line is gone."""


class SharedLine(Protocol):
    """The connection. A request and its answer hold the line; so half duplex is kept among all stations."""

    def __init__(self, reactor: IReactorTime, *, turnaround_s: float = 0.0) -> None:
        """Between the last octet heard and the first one said the line rests for `turnaround_s` at least."""
        self._reactor = reactor
        self._turnaround_s = turnaround_s
        self._lock: DeferredLock = DeferredLock()
        self._listeners: list[LineListener] = []
        self._quiet_until_s = 0.0
        self._pending: list[IDelayedCall] = []

    @property
    def has_listeners(self) -> bool:
        """True while a station is on the line."""
        return bool(self._listeners)

    def attach(self, listener: LineListener) -> None:
        """Let it hear what comes."""
        self._listeners.append(listener)

    def detach(self, listener: LineListener) -> None:
        """Let it hear no more; the line is closed with the last one."""
        if listener in self._listeners:
            self._listeners.remove(listener)
            if not self._listeners and self.transport is not None:
                self.transport.loseConnection()

    def reserve(self) -> "Deferred[DeferredLock]":
        """Fires when the line is the caller's, who must `free` it."""
        return self._lock.acquire()

    def free(self, *, after_s: float = 0.0) -> None:
        """Leave the line to the next one, later where an answer may still come that nobody waits for."""
        if after_s > 0:
            self._reactor.callLater(after_s, self._lock.release)
        else:
            self._lock.release()

    def write(self, octets: bytes) -> None:
        """Say something, after the rest that the line needs."""
        self._pending = [call for call in self._pending if call.active()]
        delay_s = self._quiet_until_s - self._reactor.seconds()
        if delay_s > 0 or self._pending:
            self._pending.append(self._reactor.callLater(max(0.0, delay_s), self._write, octets))
        else:
            self._write(octets)

    def dataReceived(self, octets: bytes) -> None:  # noqa: N802 - Twisted's name
        """Hand octets to all who listen."""
        self._quiet_until_s = self._reactor.seconds() + self._turnaround_s
        for listener in tuple(self._listeners):
            listener.heard(octets)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 - Twisted's name
        """Tell all who listen."""
        self.transport = None
        for call in self._pending:
            if call.active():
                call.cancel()
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.line_lost(reason)

    def _write(self, octets: bytes) -> None:
        if self.transport is not None:
            self.transport.write(octets)
