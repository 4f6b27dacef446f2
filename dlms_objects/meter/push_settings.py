"""What a push setup is told: where pushes go, in which windows, how often they are tried; taken or refused whole.

Attributes 3 to 7 of class 40 version 0. A destination is text: `host:port`, or up to four of them separated by commas;
each gets every push. An empty one pushes nothing, as at the beginning. Imported by `push_keeper` and its object.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from enum import IntEnum
from zoneinfo import ZoneInfo

from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.moments import full_instant
from dlms_objects.program_folder import host_and_port
from dlms_objects.values import data as cosem
from dlms_objects.values.civil import civil_of
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.data import Data

MAXIMUM_DESTINATIONS = 4
MAXIMUM_WINDOWS = 16
SEND_DESTINATION, COMMUNICATION_WINDOW, START_INTERVAL, RETRIES, REPETITION_DELAY = range(3, 8)

_OPEN_DATE = b"\xff" * 5
_ANY_ZONE = ZoneInfo("UTC")  # to find out whether a date-time exists; which instant it is, is asked when it counts
_A_XDR_MESSAGE = 0


class TransportService(IntEnum):
    """The transports a push may take."""

    TCP = 0
    UDP = 1


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a push goes."""

    service: TransportService
    host: str
    port: int

    def __str__(self) -> str:
        """As people write it: `tcp host:port`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.service.name.lower()} {host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Window:
    """When pushes may leave: from one instant to another, or every day between two times (past midnight too)."""

    start: CosemDateTime
    end: CosemDateTime

    def __post_init__(self) -> None:
        """Refuse anything but two different times of day, or two full date-times (InvalidValueError)."""
        times = [_time_of_day(moment) for moment in (self.start, self.end)]
        if times == [None, None]:
            for moment in (self.start, self.end):
                full_instant(moment.octets, _ANY_ZONE)
        elif None in times or times[0] == times[1]:
            raise InvalidValueError("a communication window is two different times of day, or two full date-times")

    def is_open(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether the instant `now` lies in it; the end is excluded."""
        start, end = _time_of_day(self.start), _time_of_day(self.end)
        if start is None or end is None:
            return full_instant(self.start.octets, zone) <= now < full_instant(self.end.octets, zone)
        clock = civil_of(now, zone).time()
        return start <= clock < end if start < end else not end <= clock < start


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSettings:
    """The settings; intervals in seconds 0..65535, `retries` 0..255 after a failed attempt. No window: always open."""

    service: int = TransportService.TCP
    destination: bytes = b""
    windows: tuple[Window, ...] = ()
    start_interval_s: int = 0
    retries: int = 3
    repetition_delay_s: int = 60
    destinations: tuple[Destination, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Refuse a transport or destination that is none, and too many windows (InvalidValueError)."""
        object.__setattr__(self, "destinations", _destinations(self.service, self.destination))
        if len(self.windows) > MAXIMUM_WINDOWS:
            raise InvalidValueError(f"at most {MAXIMUM_WINDOWS} communication windows are kept")

    def is_open(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether pushes may leave at that instant."""
        return not self.windows or any(window.is_open(now, zone) for window in self.windows)

    def with_attribute(self, attribute: int, value: Data) -> "PushSettings":
        """The settings with one attribute replaced; InvalidValueError when it cannot be."""
        return _WRITERS[attribute](self, value)

    def attributes(self) -> Mapping[int, Data]:
        """Attributes 3 to 7 as typed data."""
        return {
            SEND_DESTINATION: cosem.structure(
                cosem.enum(self.service), cosem.octet_string(self.destination), cosem.enum(_A_XDR_MESSAGE)
            ),
            COMMUNICATION_WINDOW: cosem.array(
                cosem.structure(cosem.octet_string(window.start.octets), cosem.octet_string(window.end.octets))
                for window in self.windows
            ),
            START_INTERVAL: cosem.long_unsigned(self.start_interval_s),
            RETRIES: cosem.unsigned(self.retries),
            REPETITION_DELAY: cosem.long_unsigned(self.repetition_delay_s),
        }


def _with_destination(settings: PushSettings, value: Data) -> PushSettings:
    service, destination, message = (member.value for member in value.value)
    if message != _A_XDR_MESSAGE:
        raise InvalidValueError(f"pushes are A-XDR encoded APDUs (message {_A_XDR_MESSAGE}), not {message}")
    return replace(settings, service=service, destination=destination)


def _with_windows(settings: PushSettings, value: Data) -> PushSettings:
    windows = (Window(*(CosemDateTime(member.value) for member in element.value)) for element in value.value)
    return replace(settings, windows=tuple(windows))


_WRITERS: Mapping[int, Callable[[PushSettings, Data], PushSettings]] = {
    SEND_DESTINATION: _with_destination,
    COMMUNICATION_WINDOW: _with_windows,
    START_INTERVAL: lambda settings, value: replace(settings, start_interval_s=value.value),
    RETRIES: lambda settings, value: replace(settings, retries=value.value),
    REPETITION_DELAY: lambda settings, value: replace(settings, repetition_delay_s=value.value),
}


def _destinations(service: int, text: bytes) -> tuple[Destination, ...]:
    if service not in tuple(TransportService):
        raise InvalidValueError(f"pushes go by TCP (0) or UDP (1), not by transport service {service}")
    if not text:
        return ()
    try:
        parts = [host_and_port(part.strip()) for part in text.decode("ascii").split(",")]
    except ValueError as error:
        raise InvalidValueError(f"a destination is host:port, or some of them separated by commas: {error}") from None
    if len(parts) > MAXIMUM_DESTINATIONS or any(port == 0 for _host, port in parts):
        raise InvalidValueError(f"1 to {MAXIMUM_DESTINATIONS} destinations are wanted, with ports 1..65535")
    return tuple(dict.fromkeys(Destination(TransportService(service), host, port) for host, port in parts))


def _time_of_day(moment: CosemDateTime) -> time | None:
    """The time of a date-time whose date is wholly open; None for any other."""
    octets = moment.octets
    if octets[:5] != _OPEN_DATE or 0xFF in octets[5:8]:
        return None
    return time(*octets[5:8])
