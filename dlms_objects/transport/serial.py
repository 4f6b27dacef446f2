"""Serial ports as endpoints: `serial:/dev/ttyUSB0:baudrate=9600:parity=N`, which Twisted has no string for.

Here: the string, the settings, opening the port, changing its mode. Not here: what is said on it (`shared_line`).
Imported by whoever connects to a meter, or serves one, by an endpoint string.
"""

import contextlib
import re
import termios
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from serial import SerialException
from twisted.internet import defer
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory, IReactorCore, IStreamClientEndpoint
from twisted.internet.serialport import SerialPort
from zope.interface import implementer

from dlms_objects.errors import InvalidValueError
from dlms_objects.program_folder import did_you_mean

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from dlms_objects.wire.mode_e import LineMode

PREFIX: Final = "serial:"

_PART: Final = re.compile(r"(?:[^\\:]|\\.)+")
_PARITIES: Final = ("N", "E", "O")
_NUMBERS: Final = ("baudrate", "bytesize", "stopbits")
_BITS_OF_START_AND_PARITY: Final = 2
_CANNOT: Final = (SerialException, termios.error, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialSettings:
    """How a port is opened; the names are pyserial's. InvalidValueError when a number has no meaning."""

    device: str
    baudrate: int = 9600
    bytesize: int = 8
    parity: str = "N"
    stopbits: int = 1

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not self.device or self.baudrate <= 0 or self.bytesize not in (7, 8):
            raise InvalidValueError(f"not a serial port: {self}")
        if self.parity not in _PARITIES or self.stopbits not in (1, 2):
            raise InvalidValueError(f"not a serial port: {self}")

    @property
    def octet_s(self) -> float:
        """How long one octet takes, for `LinkTimes.octet_s`."""
        return (self.bytesize + self.stopbits + _BITS_OF_START_AND_PARITY - (self.parity == "N")) / self.baudrate


def serial_settings(text: str) -> SerialSettings:
    r"""The settings of `serial:DEVICE[:NAME=VALUE]...`; a colon in the device is written `\:`, as in Twisted's strings.

    InvalidValueError for another form, an unknown name or a value that is none.
    """
    device, *options = _PART.findall(text.removeprefix(PREFIX)) or [""]
    values: dict[str, Any] = {"device": device.replace("\\", "")}
    for option in options:
        name, _, value = option.partition("=")
        if name in _NUMBERS and value.isascii() and value.isdigit():
            values[name] = int(value)
        elif name == "parity":
            values[name] = value.upper()
        else:
            near = did_you_mean(name, (*_NUMBERS, "parity"))
            raise InvalidValueError(
                f"{text}: {option!r} is none of baudrate, bytesize, parity, stopbits with a value{near}"
            )
    return SerialSettings(**values)


def set_mode(port: SerialPort, mode: "LineMode") -> bool:
    """Set an open port as a mode E opening asks; what was written before must have gone.

    False when the port can do the rate, but not seven bits and parity, as some adapters: it is 8N1 then, and whoever
    writes makes the parity.
    """
    line = port._serial
    line.baudrate = mode.baud
    try:
        line.bytesize = mode.data_bits
        line.parity = mode.parity
    except _CANNOT:
        with contextlib.suppress(*_CANNOT):
            line.parity = "N"
        line.bytesize = 8
        line.parity = "N"
        return False
    return True


@implementer(IAddress)
@dataclass(frozen=True, slots=True)
class SerialAddress:
    """The address of a serial port, for factories and logs."""

    device: str


@implementer(IStreamClientEndpoint)
class SerialEndpoint:
    """Opens the port; a serial line has no other side that would have to accept."""

    def __init__(self, reactor: IReactorCore, settings: SerialSettings) -> None:
        """The port is opened by `connect`, once per call."""
        self._reactor = reactor
        self._settings = settings

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":  # noqa: N803 - Twisted's name
        """The protocol on the open port; ConnectError when the port cannot be had."""
        settings = self._settings
        protocol = protocolFactory.buildProtocol(SerialAddress(settings.device))
        if protocol is None:
            return defer.fail(ConnectError(string=f"{settings.device}: no protocol for it"))
        try:
            SerialPort(
                protocol,
                settings.device,
                self._reactor,
                baudrate=settings.baudrate,
                bytesize=settings.bytesize,
                parity=settings.parity,
                stopbits=settings.stopbits,
            )
        except (SerialException, OSError) as error:
            return defer.fail(ConnectError(string=f"{settings.device}: {error}"))
        return defer.succeed(protocol)
