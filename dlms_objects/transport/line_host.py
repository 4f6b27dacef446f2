"""A line that meters serve HDLC on: a serial port, an optical port, or TCP connections of converters.

Here: stations put on each line as it comes up, the port opened again when it was lost, mode E before HDLC. Not here:
links (`hdlc_server`), the opening itself (`wire.mode_e`). Imported by whoever serves meters.
"""

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IAddress, IDelayedCall, IProtocolFactory, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from dlms_objects.errors import InvalidValueError
from dlms_objects.transport.hdlc_server import HdlcServer
from dlms_objects.transport.optical import OpeningDriver, PortSetter
from dlms_objects.transport.serial import set_mode
from dlms_objects.transport.shared_line import SharedLine
from dlms_objects.wire.hdlc_parameters import LinkParameters
from dlms_objects.wire.mode_e import OpeningParameters, OpeningServer

FIRST_RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 60.0
REST_S: Final = 5.0  # without a link, after which an optical port waits for the next sign-on

log = Logger()


class Stations:
    """The meters on one line, each with an address of its own."""

    def __init__(self, reactor: IReactorTime, *, turnaround_s: float) -> None:
        """Nobody yet; the line rests for `turnaround_s` before it is spoken on."""
        self._reactor = reactor
        self._turnaround_s = turnaround_s
        self._stations: list[tuple[LinkParameters, IProtocolFactory]] = []

    def add(self, parameters: LinkParameters, factory: IProtocolFactory) -> None:
        """One more meter; InvalidValueError when its address is taken."""
        if any(parameters.own.is_same_station(taken.own) for taken, _ in self._stations):
            raise InvalidValueError(f"another meter on the line has the HDLC address {parameters.own}")
        self._stations.append((parameters, factory))

    def on_new_line(self) -> tuple[SharedLine, list[HdlcServer]]:
        """A protocol for a line that has just come up, with every meter on it."""
        line = SharedLine(self._reactor, turnaround_s=self._turnaround_s)
        return line, [HdlcServer(self._reactor, line, parameters, factory) for parameters, factory in self._stations]


class StationsFactory(Factory):
    """For listening on TCP: each connection is a line with every meter on it. At most `limit` are open at a time."""

    noisy = False

    def __init__(self, stations: Stations, limit: int) -> None:
        """`stations` may still grow."""
        self._stations = stations
        self._limit = limit
        self._open: set[SharedLine] = set()

    def buildProtocol(self, addr: IAddress | None) -> SharedLine | None:  # noqa: N802 - Twisted's name
        """A line, or None when there are too many; the log tells of it."""
        if len(self._open) >= self._limit:
            log.warn("a connection from {peer} was closed: {limit} lines are open", peer=str(addr), limit=self._limit)
            return None
        line, _servers = self._stations.on_new_line()
        self._open.add(line)
        line.attach(_OnLost(lambda _reason: self._open.discard(line)))
        return line

    def close_all(self) -> None:
        """Close every line after what was written."""
        for line in list(self._open):
            if line.transport is not None:
                line.transport.loseConnection()


class _OnLost:
    """A listener that only hears that its line was lost."""

    def __init__(self, lost: Callable[[Failure], None]) -> None:
        self.line_lost = lost

    def heard(self, octets: bytes) -> None:
        """The stations hear it too."""


class PortHost:
    """A serial port that is kept open: its stations speak HDLC on it, after mode E where there is an opening."""

    def __init__(
        self,
        reactor: Any,
        port: IStreamClientEndpoint,
        stations: Stations,
        opening: OpeningParameters | None = None,
        *,
        set_port: PortSetter = set_mode,
    ) -> None:
        """`port` opens the port; nothing is opened before `start`."""
        self._reactor = reactor
        self._endpoint = port
        self._stations = stations
        self._opening = opening
        self._set_port = set_port
        self._wait_s = FIRST_RETRY_S
        self._retry: IDelayedCall | None = None
        self._port: Any = None
        self._serving: Deferred[None] = succeed(None)
        self._is_stopped = False

    async def start(self) -> None:
        """Open the port; ConnectError when that cannot be. One that is lost later is opened again for ever."""
        if self._opening is None:
            line = self._new_line()[0]
            await self._endpoint.connect(Factory.forProtocol(lambda: line))
            self._port = line.transport
        else:
            driver = self._new_opening(self._opening)
            await self._endpoint.connect(Factory.forProtocol(lambda: driver))
            self._port = driver.transport
            self._serving = Deferred.fromCoroutine(self._serve_clients(driver, self._opening))
            self._serving.addErrback(self._broken)
        self._wait_s = FIRST_RETRY_S

    def stop(self) -> None:
        """Close the port, and open it no more."""
        self._is_stopped = True
        if self._retry is not None and self._retry.active():
            self._retry.cancel()
        self._serving.cancel()
        if self._port is not None:
            self._port.loseConnection()

    async def _serve_clients(self, driver: OpeningDriver, opening: OpeningParameters) -> None:
        """Sign-on, HDLC, and when nobody has a link any more the next sign-on; ConnectError when the port is lost."""
        port = self._port
        while True:
            await driver.run()
            line, servers = self._new_line()
            _hand_over(port, line)
            line.dataReceived(driver.early)
            await deferLater(self._reactor, REST_S)
            while any(server.is_open for server in servers):
                await deferLater(self._reactor, REST_S)
            if line.transport is None:
                return  # it was lost, as `_lost` has heard
            line.transport = None  # the port is not the line's to close
            driver = self._new_opening(opening)
            _hand_over(port, driver)

    def _new_line(self) -> tuple[SharedLine, list[HdlcServer]]:
        line, servers = self._stations.on_new_line()
        line.attach(_OnLost(self._lost))
        return line, servers

    def _new_opening(self, opening: OpeningParameters) -> OpeningDriver:
        return OpeningDriver(self._reactor, OpeningServer(opening), self._set_port)

    def _broken(self, failure: Failure) -> None:
        """The port was lost during an opening, or we stopped."""
        if failure.check(CancelledError) is None:
            self._lost(failure)

    def _lost(self, reason: Failure) -> None:
        self._port = None
        if not self._is_stopped:
            log.warn("a line was lost: {why}", why=reason.getErrorMessage())
            self._again_later()

    def _again_later(self) -> None:
        self._retry = self._reactor.callLater(self._wait_s, self._again)
        self._wait_s = min(2 * self._wait_s, LONGEST_RETRY_S)

    def _again(self) -> None:
        Deferred.fromCoroutine(self.start()).addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        failure.trap(ConnectError)
        self._again_later()


def _hand_over(port: Any, protocol: "SharedLine | OpeningDriver") -> None:
    port.protocol = protocol
    protocol.makeConnection(port)  # type: ignore[no-untyped-call]
