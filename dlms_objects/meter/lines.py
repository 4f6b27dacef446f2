"""The lines beside TCP that the meters of a process listen on: UDP, and HDLC lines that several of them may share.

Meters that name the same line stand on it together, each with its own address. Lines are opened once every meter has
been added. Imported by the meter's service.
"""

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import CannotListenError, ConnectError

from dlms_objects.classes.catalogue import SERVER_SAP
from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.meter.listening import AddressInUseError, listen_on
from dlms_objects.transport.line_host import PortHost, Stations, StationsFactory
from dlms_objects.transport.serial import SerialEndpoint
from dlms_objects.transport.udp import UdpServer
from dlms_objects.wire.hdlc_parameters import LinkParameters

if TYPE_CHECKING:
    from twisted.internet.interfaces import IListeningPort

    from dlms_objects.meter.connection import MeterFactory
    from dlms_objects.meter.line_config import LineConfig
    from dlms_objects.transport.endpoints import HdlcStation

MAXIMUM_CONVERTERS = 32  # TCP connections to one HDLC line


class LineError(LocalError):
    """A line cannot be used; the text says which and why."""


class Lines:
    """All lines of one process."""

    def __init__(self, reactor: Any) -> None:
        """None yet."""
        self._reactor = reactor
        self._stations: dict[str, tuple[HdlcStation, Stations]] = {}
        self._udp: list[tuple[LineConfig, MeterFactory]] = []
        self._ports: list[IListeningPort] = []
        self._hosts: list[PortHost] = []
        self._converters: list[StationsFactory] = []

    def add(self, line: "LineConfig", factory: "MeterFactory") -> None:
        """A meter on a line; `factory` makes its connections. LineError when its place is taken."""
        station = line.station
        if station is None:
            self._udp.append((line, factory))
            return
        first, stations = self._stations.setdefault(
            station.line, (station, Stations(self._reactor, turnaround_s=station.turnaround / 1000))
        )
        if (first.kind, first.turnaround) != (station.kind, station.turnaround):
            raise LineError(f"{line.endpoint}: another meter uses this line in another way")
        if first is not station and station.is_optical:
            raise LineError(f"{line.endpoint}: an optical port is for one meter")
        try:
            stations.add(_parameters(station), factory)
        except InvalidValueError as error:
            raise LineError(f"{line.endpoint}: {error}") from None

    async def open(self) -> None:
        """Open every line; LineError or AddressInUseError for the first that cannot be had."""
        for line, factory in self._udp:
            host, port = line.udp
            try:
                self._ports.append(self._reactor.listenUDP(port, UdpServer(factory), interface=host))
            except CannotListenError as error:
                raise AddressInUseError(f"cannot listen on {line.endpoint}: {error.socketError}") from error
        for station, stations in self._stations.values():
            await self._open(station, stations)

    async def _open(self, station: "HdlcStation", stations: Stations) -> None:
        if station.serial is None:
            converters = StationsFactory(stations, MAXIMUM_CONVERTERS)
            self._converters.append(converters)
            port, _ = await listen_on(self._reactor, station.line.replace("\\:", ":"), converters)
            self._ports.append(port)
            return
        endpoint = SerialEndpoint(self._reactor, station.serial)
        host = PortHost(self._reactor, endpoint, stations, station.opening if station.is_optical else None)
        self._hosts.append(host)
        try:
            await host.start()
        except ConnectError as error:
            raise LineError(f"{station.kind}:{station.line}: {error.args[0] if error.args else error}") from error

    def close(self) -> "Deferred[Any]":
        """Close every line; fires when nothing is listened on any more."""
        for host in self._hosts:
            host.stop()
        for converters in self._converters:
            converters.close_all()
        ports, self._ports = self._ports, []
        return gatherResults([maybeDeferred(port.stopListening) for port in ports])


def _parameters(station: "HdlcStation") -> LinkParameters:
    return LinkParameters(own=station.server_address(SERVER_SAP), limits=station.limits, times=station.times(0))
