"""The ways to a meter as it shows them: the logical devices behind its address, its HDLC line and its TCP port.

What is shown is what the services really opened; they tell it with `Ways`. Imported by `meter` and the services.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.cosem_object import ReadOnlyObject
from dlms_objects.transport.endpoints import HdlcStation
from dlms_objects.values import data as cosem
from dlms_objects.values.data import Data
from dlms_objects.wire.hdlc_parameters import LinkLimits, LinkTimes

SPEEDS = (300, 600, 1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200)
"""The speeds of an IEC HDLC setup in bit/s, by their place in the enumeration."""
USUAL_SPEED = 9600
NO_ADDRESS = 0
SMALLEST_SEGMENT_OCTETS = 536
"""What every host of IPv4 takes (RFC 9293); the system agrees on more with each peer."""

LogicalDevices = Callable[[], Iterable[tuple[int, bytes]]]
"""The SAP and the name of each logical device behind an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What is open: TCP port, connections at most, seconds until a silent client is dropped, the first HDLC line.

    `devices` are the logical devices behind the address.
    """

    devices: LogicalDevices
    port: int = 0
    connections: int = 0
    inactivity_s: float = 0
    station: HdlcStation | None = None

    def with_station(self, station: HdlcStation | None) -> "Ways":
        """The same with an HDLC line, unless one came before."""
        return self if self.station is not None else replace(self, station=station)


def sap_assignment(ways: Callable[[], Ways]) -> ReadOnlyObject:
    """The SAP assignment (class 17)."""
    return ReadOnlyObject(
        {
            2: lambda _requester: cosem.array(
                cosem.structure(cosem.long_unsigned(sap), cosem.octet_string(name)) for sap, name in ways().devices()
            )
        }
    )


def hdlc_setup(ways: Callable[[], Ways]) -> ReadOnlyObject:
    """The IEC HDLC setup (class 23) of the first HDLC line; without one, the usual values and no device address."""

    def limits() -> LinkLimits:
        station = ways().station
        return LinkLimits() if station is None else station.limits

    def times() -> LinkTimes:
        station = ways().station
        return LinkTimes() if station is None else station.times(0)

    return ReadOnlyObject(
        {
            2: lambda _requester: _comm_speed(ways().station),
            3: lambda _requester: cosem.unsigned(limits().window_sent),
            4: lambda _requester: cosem.unsigned(limits().window_received),
            5: lambda _requester: cosem.long_unsigned(limits().information_sent),
            6: lambda _requester: cosem.long_unsigned(limits().information_received),
            7: lambda _requester: cosem.long_unsigned(_whole(times().inter_octet_s * 1000, "milliseconds")),
            8: lambda _requester: cosem.long_unsigned(_whole(times().inactivity_s, "seconds")),
            9: lambda _requester: cosem.long_unsigned(_address(ways().station)),
        }
    )


def tcp_udp_setup(ways: Callable[[], Ways]) -> ReadOnlyObject:
    """The TCP-UDP setup (class 41): the port that was opened; there is no IP setup to refer to."""
    return ReadOnlyObject(
        {
            2: lambda _requester: cosem.long_unsigned(ways().port),
            3: lambda _requester: cosem.octet_string(bytes(6)),
            4: lambda _requester: cosem.long_unsigned(SMALLEST_SEGMENT_OCTETS),
            5: lambda _requester: cosem.unsigned(ways().connections),
            6: lambda _requester: cosem.long_unsigned(_whole(ways().inactivity_s, "seconds")),
        }
    )


def _comm_speed(station: HdlcStation | None) -> Data:
    serial = None if station is None else station.serial
    speed = USUAL_SPEED if serial is None else serial.baudrate
    if speed not in SPEEDS:
        raise InvalidValueError(f"an IEC HDLC setup knows no speed of {speed} bit/s")
    return cosem.enum(SPEEDS.index(speed))


def _address(station: HdlcStation | None) -> int:
    return NO_ADDRESS if station is None or station.physical is None else station.physical


def _whole(value: float, unit: str) -> int:
    """The value as a whole number; InvalidValueError where it is none."""
    if value != int(value):
        raise InvalidValueError(f"{value:g} is no whole number of {unit}")
    return int(value)
