r"""Endpoints of meters as text, and the lines that several of them share.

    tcp:HOST:PORT  udp:HOST:PORT                           the wrapper; what else Twisted knows works too
    hdlc+tcp:HOST:PORT[:OPTION=VALUE]...                   HDLC behind a converter, or as some meters speak it
    hdlc+serial:DEVICE[:baudrate=9600]...[:OPTION=VALUE]... HDLC on a serial port; RS-485 with several meters too
    hdlc+optical:DEVICE[:OPTION=VALUE]...                  a serial port with an optical head: mode E first

Options of HDLC: `physical` (address, 0..16383), `octets` (of the server's address: 1, 2 or 4), `information` (octets
in a frame, 1..2030), `window` (1..7), `turnaround` (milliseconds). Of mode E: `device` (address), `fastest` (baud rate
character). A colon in a host or device is written `\:`. Meters whose endpoints name the same line share it.
Imported by the client; who opens sessions with several meters keeps one `Endpoints`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from twisted.internet.endpoints import clientFromString
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint

from dlms_objects.errors import InvalidValueError
from dlms_objects.program_folder import did_you_mean, host_and_port
from dlms_objects.transport.hdlc import HdlcLine, Pushed
from dlms_objects.transport.optical import OpticalEndpoint
from dlms_objects.transport.serial import PREFIX, SerialEndpoint, SerialSettings, serial_settings
from dlms_objects.transport.udp import UdpEndpoint
from dlms_objects.wire.hdlc_address import HdlcAddress
from dlms_objects.wire.hdlc_parameters import (
    LARGEST_INFORMATION_OCTETS,
    LARGEST_WINDOW,
    LinkLimits,
    LinkParameters,
    LinkTimes,
)
from dlms_objects.wire.mode_e import OpeningParameters

UDP: Final = "udp"
_HDLC: Final = "hdlc+"
_TCP, _SERIAL, _OPTICAL = (f"{_HDLC}{kind}" for kind in ("tcp", "serial", "optical"))
_PART: Final = re.compile(r"(?:[^\\:]|\\.)+")
_NUMBERS: Final[Mapping[str, tuple[int, int]]] = {
    "physical": (0, 16383),
    "octets": (1, 4),
    "information": (1, LARGEST_INFORMATION_OCTETS),
    "window": (1, LARGEST_WINDOW),
    "turnaround": (0, 10_000),
}
_TEXTS: Final = ("device", "fastest")


@dataclass(frozen=True, slots=True, kw_only=True)
class HdlcStation:
    """A meter on an HDLC line: the line, as text without the options of the station, and these options."""

    kind: str
    line: str
    physical: int | None = None
    octets: int = 0
    information: int = LARGEST_INFORMATION_OCTETS
    window: int = LARGEST_WINDOW
    turnaround: int = 0
    opening: OpeningParameters = field(default_factory=OpeningParameters)

    @property
    def serial(self) -> SerialSettings | None:
        """The settings of the port; None over TCP."""
        return None if self.kind == _TCP else serial_settings(f"{PREFIX}{self.line}")

    @property
    def is_optical(self) -> bool:
        """Whether mode E comes before HDLC."""
        return self.kind == _OPTICAL

    @property
    def limits(self) -> LinkLimits:
        """What the station can do, both ways."""
        return LinkLimits(
            information_sent=self.information,
            information_received=self.information,
            window_sent=self.window,
            window_received=self.window,
        )

    def times(self, answer_s: float) -> LinkTimes:
        """Time-outs of a client that waits so long for an answer: it asks again several times until then."""
        serial, usual = self.serial, LinkTimes()
        response_s = max(answer_s / (usual.retries + 1), usual.answer_s * 1.25)
        return LinkTimes(response_s=response_s, octet_s=0.0 if serial is None else serial.octet_s)

    def server_address(self, server_sap: int) -> HdlcAddress:
        """The meter's address, in as many octets as asked for, or as few as hold it; InvalidValueError."""
        if not self.octets:
            return HdlcAddress.server(server_sap, self.physical)
        physical = self.physical if self.octets == 1 else self.physical or 0
        return HdlcAddress(upper=server_sap, lower=physical, octet_count=self.octets)

    def link(self, client_sap: int, server_sap: int, answer_s: float) -> LinkParameters:
        """What a client's link to it is told; InvalidValueError for SAPs that HDLC cannot address."""
        return LinkParameters(
            own=HdlcAddress.client(client_sap),
            peer=self.server_address(server_sap),
            limits=self.limits,
            times=self.times(answer_s),
        )


def hdlc_station(text: str) -> HdlcStation | None:
    """What an endpoint says of a meter on an HDLC line; None for one without. InvalidValueError says what is bad."""
    kind, _, rest = text.partition(":")
    if not kind.startswith(_HDLC):
        return None
    if kind not in (_TCP, _SERIAL, _OPTICAL):
        near = did_you_mean(kind, (_TCP, _SERIAL, _OPTICAL))
        raise InvalidValueError(f"{text}: HDLC runs over {_TCP}, {_SERIAL} or {_OPTICAL}{near}")
    line: list[str] = []
    numbers: dict[str, int] = {}
    texts: dict[str, str] = {}
    for part in _PART.findall(rest):
        name, _, value = part.partition("=")
        if name in _NUMBERS:
            numbers[name] = _number(text, name, value)
        elif name in _TEXTS and kind == _OPTICAL:
            texts[name] = value
        else:
            line.append(part)
    opening = OpeningParameters(device_address=texts.get("device", ""), fastest=texts.get("fastest", "6"))
    station = HdlcStation(kind=kind, line=":".join(line), opening=opening, **numbers)
    if station.serial is None:
        _host_and_port(text, station.line)
    station.server_address(1)
    return station


def check_endpoint(text: str) -> None:
    """InvalidValueError when text is no endpoint of a meter over wrapper or HDLC."""
    kind, _, rest = text.partition(":")
    if hdlc_station(text) is not None:
        return
    if kind not in ("tcp", UDP):
        kinds = f"udp:host:port, {_TCP}:, {_SERIAL}: or {_OPTICAL}:..."
        near = did_you_mean(kind, ("tcp", UDP, _TCP, _SERIAL, _OPTICAL))
        raise InvalidValueError(f"an endpoint is tcp:host:port, {kinds}, not {text!r}{near}")
    _, port = _host_and_port(text, rest)
    if port == 0:
        raise InvalidValueError(f"{text}: a port is 1..65535")


class Endpoints:
    """Endpoints by their text; meters that share a line share it here."""

    def __init__(self, reactor: IReactorTime, pushed: Pushed = lambda _source, _destination, _apdu: None) -> None:
        """`pushed` hears what meters on HDLC lines send unasked."""
        self._reactor = reactor
        self._pushed = pushed
        self._lines: dict[str, HdlcLine] = {}

    def to(self, text: str, *, client_sap: int, server_sap: int, answer_s: float) -> IStreamClientEndpoint:
        """The endpoint of a meter; InvalidValueError for text that is none. `answer_s`: how long an answer may take."""
        station = hdlc_station(text)
        if station is not None:
            return self._line(station).station(station.link(client_sap, server_sap, answer_s))
        kind, _, rest = text.partition(":")
        if kind == UDP:
            return UdpEndpoint(self._reactor, *_host_and_port(text, rest))
        try:
            endpoint: IStreamClientEndpoint = clientFromString(self._reactor, text)
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidValueError(f"{text!r} is no endpoint such as tcp:127.0.0.1:4059") from error
        return endpoint

    def _line(self, station: HdlcStation) -> HdlcLine:
        key = f"{station.kind}:{station.line}"
        if key not in self._lines:
            self._lines[key] = HdlcLine(
                self._reactor,
                self._endpoint(station),
                turnaround_s=station.turnaround / 1000,
                pushed=self._pushed,
            )
        return self._lines[key]

    def _endpoint(self, station: HdlcStation) -> IStreamClientEndpoint:
        if station.serial is None:
            endpoint: IStreamClientEndpoint = clientFromString(self._reactor, f"tcp:{station.line}")
            return endpoint
        port: Any = SerialEndpoint(self._reactor, station.serial)  # type: ignore[arg-type]  # any reactor with files
        return OpticalEndpoint(self._reactor, port, station.opening) if station.is_optical else port


def _number(text: str, name: str, value: str) -> int:
    low, high = _NUMBERS[name]
    if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
        raise InvalidValueError(f"{text}: {name} is a number {low}..{high}, not {value!r}")
    return int(value)


def _host_and_port(text: str, rest: str) -> tuple[str, int]:
    parts = _PART.findall(rest)
    try:
        if len(parts) != 2 or ":".join(parts) != rest:
            raise ValueError("host:port is wanted, colons of an IPv6 address written \\:")
        return host_and_port(rest.replace("\\:", ":"))
    except ValueError as error:
        raise InvalidValueError(f"{text}: {error}") from None
