"""The pusher: sends what `push_keeper` takes up to every destination, by TCP or UDP, and tries again what failed.

One lane per destination, so that one that is down holds up no other; a lane is looked after at every tick of the meter.
A lane's queue has a limit: what does not fit is dropped, oldest first, as the log says; nobody's books depend on it.
Over TCP an attempt is one connection with everything that waits; over UDP, where nothing tells of a loss, one datagram
each. Imported by `service`.
"""

import random
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import DatagramProtocol, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.meter.push_keeper import PushKeeper
from dlms_objects.meter.push_settings import Destination, TransportService

MAXIMUM_QUEUE: Final = 256
CONNECT_S: Final = 10.0
DELIVERY_S: Final = 30.0  # after which an attempt has failed, connection and all

log = Logger()


class Pusher:
    """The lanes of one meter. `reactor` is Twisted's, or a test's."""

    def __init__(self, reactor: Any, keeper: PushKeeper) -> None:
        """Nothing is sent before the first `poke`."""
        self._reactor = reactor
        self._keeper = keeper
        self._lanes: dict[Destination, _Lane] = {}

    def poke(self, now: datetime) -> None:
        """Take up what is new and send what may be sent at the meter's time `now`."""
        destinations = self._keeper.settings.destinations
        if not destinations and not self._lanes:
            return
        for gone in set(self._lanes) - set(destinations):
            self._lanes.pop(gone).stop()
        try:
            notifications = self._keeper.take_up(now)
        except LocalError as error:
            log.error("what is new could not be read for a push: {error}", error=error)
            return
        is_open = self._keeper.is_open(now)
        for destination in destinations:
            lane = self._lanes.setdefault(destination, _Lane(self._reactor, self._keeper, destination))
            lane.offer(notifications)
            if is_open:
                lane.send()

    def stop(self) -> None:
        """Give up what waits and what is on its way."""
        for lane in self._lanes.values():
            lane.stop()
        self._lanes.clear()


class _Lane:
    """What one destination is still to be told."""

    def __init__(self, reactor: Any, keeper: PushKeeper, destination: Destination) -> None:
        self._reactor = reactor
        self._keeper = keeper
        self._destination = destination
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._last = 0
        self._failures = 0
        self._not_before_s = 0.0
        self._attempt: Deferred[None] | None = None

    def offer(self, notifications: Sequence[bytes]) -> None:
        if notifications and not self._waiting:
            self._not_before_s = self._reactor.seconds() + random.uniform(0, self._keeper.settings.start_interval_s)
        for notification in notifications:
            self._last += 1
            self._waiting.append((self._last, notification))
        dropped = len(self._waiting) - MAXIMUM_QUEUE
        if dropped > 0:
            for _ in range(dropped):
                self._waiting.popleft()
            log.warn("{count} pushes to {to} were dropped: too many wait", count=dropped, to=str(self._destination))

    def send(self) -> None:
        if self._attempt is not None or not self._waiting or self._reactor.seconds() < self._not_before_s:
            return
        last = self._waiting[-1][0]
        try:
            frames = [self._keeper.seal(notification) for _number, notification in self._waiting]
        except (LocalError, InvalidValueError) as error:
            self._failed(Failure(error), last)
            return
        self._attempt = attempt = _deliver(self._reactor, self._destination, frames)
        attempt.addTimeout(DELIVERY_S, self._reactor)
        attempt.addCallbacks(self._sent, self._failed, callbackArgs=(last,), errbackArgs=(last,))

    def stop(self) -> None:
        self._waiting.clear()
        if self._attempt is not None:
            self._attempt.cancel()

    def _sent(self, _nothing: None, last: int) -> None:
        self._attempt = None
        self._failures = 0
        self._forget(last)

    def _failed(self, failure: Failure, last: int) -> None:
        self._attempt = None
        if not self._waiting:
            return  # stopped
        self._failures += 1
        settings = self._keeper.settings
        to, why = str(self._destination), failure.getErrorMessage()
        if self._failures > settings.retries:
            log.warn("a push to {to} is given up after {n} attempts: {why}", to=to, n=self._failures, why=why)
            self._failures = 0
            self._forget(last)
            return
        self._not_before_s = self._reactor.seconds() + settings.repetition_delay_s
        log.info("a push to {to} failed, again in {s} s: {why}", to=to, s=settings.repetition_delay_s, why=why)

    def _forget(self, last: int) -> None:
        while self._waiting and self._waiting[0][0] <= last:
            self._waiting.popleft()


def _deliver(reactor: Any, destination: Destination, frames: Sequence[bytes]) -> Deferred[None]:
    """Fires when all was handed over (TCP: written and the connection closed in good order), or with why not."""
    if destination.service is TransportService.UDP:
        return _send_datagrams(reactor, destination, frames)
    kind = TCP6ClientEndpoint if ":" in destination.host else TCP4ClientEndpoint
    endpoint = kind(reactor, destination.host, destination.port, timeout=CONNECT_S)
    connected: Deferred[_Delivery] = connectProtocol(endpoint, _Delivery(b"".join(frames)))
    return connected.addCallback(lambda delivery: delivery.done)


class _Delivery(Protocol):
    """Writes, and closes once all is written; what the peer says is not read."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.done: Deferred[None] = Deferred(lambda _cancelled: self._abort())

    def connectionMade(self) -> None:
        self.transport.write(self._octets)  # type: ignore[union-attr]
        self.transport.loseConnection()  # type: ignore[union-attr]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.done.called:
            if reason.check(ConnectionDone):
                self.done.callback(None)
            else:
                self.done.errback(reason)

    def _abort(self) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]


def _send_datagrams(reactor: Any, destination: Destination, frames: Sequence[bytes]) -> Deferred[None]:
    def send(address: str) -> None:
        port = reactor.listenUDP(0, DatagramProtocol(), interface="::" if ":" in address else "")
        for frame in frames:
            port.write(frame, (address, destination.port))
        port.stopListening()

    host = destination.host
    resolved = succeed(host) if ":" in host else reactor.resolve(host)
    return resolved.addCallback(send)
