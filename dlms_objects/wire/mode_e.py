"""The opening of IEC 62056-21 mode E, both roles, sans-I/O: how an optical port gets from 300 baud to HDLC.

    client  /?!               at 300 baud, 7E1
    server  /XXXZ\\2 name      Z is the fastest rate it can do, \\2 says that it speaks HDLC
    client  ACK 2 Z 2         with the rate that is to be
    server  ACK 2 Z 2         some servers say nothing here; then both go on at that rate, 8N1

Here: the lines, their order, limits and time-outs. Not here: HDLC, the serial port. Imported by `transport`.
Source: IEC 62056-21 annex E as in the DLMS UA Green Book, and what gurux-dlms clients do on a line.
"""

import re
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, auto
from typing import Final

from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.wire.events import SendOctets

BAUD_RATES: Final = {"0": 300, "1": 600, "2": 1200, "3": 2400, "4": 4800, "5": 9600, "6": 19200}
"""The rate that each baud rate character means."""
FASTEST: Final = "6"
MAXIMUM_LINE_OCTETS: Final = 64

_END: Final = b"\r\n"
_WITHOUT_PARITY: Final = bytes(octet & 0x7F for octet in range(256))  # where the port cannot strip the parity bit
_SIGN_ON: Final = re.compile(rb"/\?([0-9A-Za-z ]{0,32})!\Z")
_IDENTIFICATION: Final = re.compile(rb"/([A-Za-z]{3})(.)((?:\\[ -~])*)([ -.0-~]{0,16})\Z")
_CHOICE: Final = re.compile(rb"\x06([0-9])([0-9A-Z])([0-9])\Z")
_HDLC: Final = b"2"
_SPEAKS_HDLC: Final = b"\\2"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMode:
    """How the serial port is to be set: `parity` is E or N, one stop bit always."""

    baud: int
    data_bits: int
    parity: str


OPENING_MODE: Final = LineMode(baud=300, data_bits=7, parity="E")


class OpeningFailure(IntEnum):
    """Why there is no HDLC on this line."""

    NO_ANSWER = auto()
    NOT_MODE_E = auto()
    """The server identifies itself, without the mark of HDLC or with a rate we do not know."""


@dataclass(frozen=True, slots=True)
class SetLine:
    """Set the port like this, after what was sent has gone."""

    mode: LineMode


@dataclass(frozen=True, slots=True)
class Identified:
    """Client: who answers: three letters of the manufacturer, and a name."""

    manufacturer: str
    name: str


@dataclass(frozen=True, slots=True)
class Opened:
    """HDLC begins now; SetLine came before."""


@dataclass(frozen=True, slots=True)
class OpeningFailed:
    """Client: given up."""

    failure: OpeningFailure


OpeningEvent = SendOctets | SetLine | Identified | Opened | OpeningFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningParameters:
    """Either role. InvalidValueError when a rate is unknown or an address has other than digits and letters.

    `device_address` is sent with the sign-on, or is who we are; `fastest` is the baud rate character of our limit;
    `answer_s` and `attempts` limit the wait for each line; `confirmation_s` is how long a client waits for the echo of
    its choice. A server names itself by `manufacturer` (three letters) and `name` (16 characters at most).
    """

    device_address: str = ""
    fastest: str = FASTEST
    answer_s: float = 2.5
    confirmation_s: float = 1.5
    attempts: int = 3
    manufacturer: str = "MPR"
    name: str = "MeterPurse"

    def __post_init__(self) -> None:
        """Check that the lines can be said."""
        sign_on = f"/?{self.device_address}!".encode()  # what is not ASCII does not match
        identification = f"/{self.manufacturer}{self.fastest}\\2{self.name}".encode()
        if self.fastest not in BAUD_RATES or not _SIGN_ON.match(sign_on) or not _IDENTIFICATION.match(identification):
            raise InvalidValueError(f"not the parameters of a mode E opening: {self}")
        if min(self.answer_s, self.confirmation_s, self.attempts) <= 0:
            raise InvalidValueError("the waits and the attempts of a mode E opening are above zero")


class OpeningState(IntEnum):
    """Where the opening stands; a server knows no CONFIRMING and no FAILED."""

    IDLE = auto()
    """Client: not begun. Server: waits for a sign-on."""
    IDENTIFYING = auto()
    """Client: waits for the identification. Server: has sent it and waits for the choice."""
    CONFIRMING = auto()
    OPEN = auto()
    FAILED = auto()


class _Opening(ABC):
    """Lines out of octets, events, the deadline."""

    def __init__(self, parameters: OpeningParameters) -> None:
        self._parameters = parameters
        self._state = OpeningState.IDLE
        self._held = b""
        self._events: deque[OpeningEvent] = deque()
        self._deadline: datetime | None = None

    @property
    def state(self) -> OpeningState:
        """Where the opening stands."""
        return self._state

    def receive_data(self, octets: bytes, now: datetime) -> None:
        """Take octets as they came; what follows the opening is not ours and is dropped."""
        *lines, held = (self._held + octets.translate(_WITHOUT_PARITY)).split(_END)
        self._held = held[-MAXIMUM_LINE_OCTETS:]
        for line in lines:
            self._take(line[-MAXIMUM_LINE_OCTETS:], now)

    def next_event(self) -> OpeningEvent | None:
        """The next event, or None when octets or time are needed first."""
        return self._events.popleft() if self._events else None

    def next_timeout(self) -> datetime | None:
        """When to call `handle_timeout`; None while nothing is awaited."""
        return self._deadline

    def handle_timeout(self, now: datetime) -> None:
        """Act on what is overdue; otherwise nothing happens."""
        if self._deadline is not None and now >= self._deadline:
            self._late(now)

    @abstractmethod
    def _take(self, line: bytes, now: datetime) -> None:
        """One line without its end; noise may stand before it."""

    @abstractmethod
    def _late(self, now: datetime) -> None:
        """The deadline has passed."""

    def _say(self, line: bytes) -> None:
        self._events.append(SendOctets(line + _END))

    def _enter(self, state: OpeningState, now: datetime, wait_s: float = 0) -> None:
        self._state = state
        self._deadline = now + timedelta(seconds=wait_s) if wait_s else None

    def _begin_hdlc(self, rate: str, now: datetime) -> None:
        self._events.append(SetLine(LineMode(baud=BAUD_RATES[rate], data_bits=8, parity="N")))
        self._events.append(Opened())
        self._enter(OpeningState.OPEN, now)


class OpeningClient(_Opening):
    """The client: `start`, then octets and time in, events out, until Opened or OpeningFailed."""

    def __init__(self, parameters: OpeningParameters) -> None:
        """Nothing is sent before `start`."""
        super().__init__(parameters)
        self._attempts = 0
        self._rate = FASTEST

    def start(self, now: datetime) -> None:
        """Sign on; LocalError when that was done before."""
        if self._state is not OpeningState.IDLE:
            raise LocalError("this opening has begun already")
        self._events.append(SetLine(OPENING_MODE))
        self._sign_on(now)

    def _sign_on(self, now: datetime) -> None:
        self._attempts += 1
        self._say(f"/?{self._parameters.device_address}!".encode())
        self._enter(OpeningState.IDENTIFYING, now, self._parameters.answer_s)

    def _take(self, line: bytes, now: datetime) -> None:
        if self._state is OpeningState.IDENTIFYING:
            found = _IDENTIFICATION.search(line)
            if found is not None:  # otherwise noise, or an optical head that gives back what we sent
                self._take_identification(found, now)
        elif self._state is OpeningState.CONFIRMING and line.endswith(self._choice()):
            self._begin_hdlc(self._rate, now)

    def _take_identification(self, found: re.Match[bytes], now: datetime) -> None:
        manufacturer, rate, marks, name = (part.decode("ascii") for part in found.groups())
        self._events.append(Identified(manufacturer, name))
        if rate not in BAUD_RATES or _SPEAKS_HDLC.decode() not in marks:
            self._fail(OpeningFailure.NOT_MODE_E, now)
            return
        self._rate = min(rate, self._parameters.fastest)
        self._say(self._choice())
        self._enter(OpeningState.CONFIRMING, now, self._parameters.confirmation_s)

    def _choice(self) -> bytes:
        return b"\x06%b%b%b" % (_HDLC, self._rate.encode(), _HDLC)

    def _late(self, now: datetime) -> None:
        if self._state is OpeningState.CONFIRMING:
            self._begin_hdlc(self._rate, now)
        elif self._attempts < self._parameters.attempts:
            self._sign_on(now)
        else:
            self._fail(OpeningFailure.NO_ANSWER, now)

    def _fail(self, failure: OpeningFailure, now: datetime) -> None:
        self._events.append(OpeningFailed(failure))
        self._enter(OpeningState.FAILED, now)


class OpeningServer(_Opening):
    """The server: it waits for a sign-on; after Opened it is done, and a new one waits for the next client."""

    def __init__(self, parameters: OpeningParameters) -> None:
        """The port is to be set as the first event says."""
        super().__init__(parameters)
        self._events.append(SetLine(OPENING_MODE))

    def _take(self, line: bytes, now: datetime) -> None:
        if self._state is OpeningState.OPEN:
            return
        signed_on = _SIGN_ON.search(line)
        if signed_on is not None:
            if self._is_for_us(signed_on[1].decode("ascii")):
                parameters = self._parameters
                self._say(f"/{parameters.manufacturer}{parameters.fastest}\\2{parameters.name}".encode())
                self._enter(OpeningState.IDENTIFYING, now, parameters.answer_s)
            return
        chosen = _CHOICE.search(line)
        if chosen is not None and self._state is OpeningState.IDENTIFYING:
            self._take_choice(chosen, now)

    def _is_for_us(self, device_address: str) -> bool:
        """Zeros at the front mean nothing; no address means whoever is there."""
        return not device_address or device_address.lstrip("0") == self._parameters.device_address.lstrip("0")

    def _take_choice(self, chosen: re.Match[bytes], now: datetime) -> None:
        protocol, rate, mode = chosen.groups()
        if (protocol, mode) != (_HDLC, _HDLC) or not "0" <= rate.decode() <= self._parameters.fastest:
            self._enter(OpeningState.IDLE, now)  # another mode: not spoken here
            return
        self._say(chosen[0])
        self._begin_hdlc(rate.decode(), now)

    def _late(self, now: datetime) -> None:
        self._enter(OpeningState.IDLE, now)
