"""What an HDLC link is told at the start and what two stations agree on in SNRM and UA.

Here: limits both ways with their octets and the negotiation, times, retry limits. Not here: who sends when (the links).
Imported by the links and by whoever makes them. The parameter group is as in the DLMS UA Green Book and gurux-dlms.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Self

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.hdlc_address import HdlcAddress

DEFAULT_INFORMATION_OCTETS: Final = 128
LARGEST_INFORMATION_OCTETS: Final = 2030
LARGEST_WINDOW: Final = 7

_FORMAT_AND_GROUP: Final = b"\x81\x80"
_INFORMATION_SENT, _INFORMATION_RECEIVED, _WINDOW_SENT, _WINDOW_RECEIVED = 5, 6, 7, 8
_WIDEST_NUMBER_OCTETS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLimits:
    """What one station can do or, after negotiation, may do. InvalidValueError when a number is out of range.

    `information_sent` and `information_received`: octets in one frame, 1..2030; `window_sent` and `window_received`:
    frames in one turn, 1..7. The defaults are those of the standard, which hold for a parameter that is not negotiated.
    """

    information_sent: int = DEFAULT_INFORMATION_OCTETS
    information_received: int = DEFAULT_INFORMATION_OCTETS
    window_sent: int = 1
    window_received: int = 1

    def __post_init__(self) -> None:
        """Check the ranges."""
        informations, windows = (self.information_sent, self.information_received), self._windows
        if not all(1 <= octets <= LARGEST_INFORMATION_OCTETS for octets in informations):
            raise InvalidValueError(f"an information field is 1..{LARGEST_INFORMATION_OCTETS} octets: {informations}")
        if not all(1 <= frames <= LARGEST_WINDOW for frames in windows):
            raise InvalidValueError(f"a window is 1..{LARGEST_WINDOW} frames: {windows}")

    @property
    def _windows(self) -> tuple[int, int]:
        return self.window_sent, self.window_received

    def encode(self) -> bytes:
        """The information field of SNRM and UA; the standard's defaults are spelled out too, as meters do."""
        parameters = (
            _number(_INFORMATION_SENT, self.information_sent, 1 if self.information_sent <= 0xFF else 2)
            + _number(_INFORMATION_RECEIVED, self.information_received, 1 if self.information_received <= 0xFF else 2)
            + _number(_WINDOW_SENT, self.window_sent, _WIDEST_NUMBER_OCTETS)
            + _number(_WINDOW_RECEIVED, self.window_received, _WIDEST_NUMBER_OCTETS)
        )
        return _FORMAT_AND_GROUP + bytes((len(parameters),)) + parameters

    def agreed(self, peer: "LinkLimits") -> Self:
        """What we may do with a peer of those limits: what one side sends, the other must be able to receive."""
        return type(self)(
            information_sent=min(self.information_sent, peer.information_received),
            information_received=min(self.information_received, peer.information_sent),
            window_sent=min(self.window_sent, peer.window_received),
            window_received=min(self.window_received, peer.window_sent),
        )


def decode_limits(octets: bytes) -> LinkLimits:
    """The limits in SNRM or UA, as the station that sent them names them; MalformedError when they are broken.

    No octets: the defaults. Parameters of other numbers are skipped; a number above our range means its largest value.
    """
    if not octets:
        return LinkLimits()
    if octets[:2] != _FORMAT_AND_GROUP or octets[2:3] != bytes((len(octets) - 3 & 0xFF,)):
        raise MalformedError(f"not the parameters of an HDLC link: {octets.hex()}")
    numbers: dict[int, int] = {}
    position = 3
    while position < len(octets):
        end = position + 2 + (octets[position + 1] if position + 1 < len(octets) else len(octets))
        value = octets[position + 2 : end]
        if end > len(octets) or not 1 <= len(value) <= _WIDEST_NUMBER_OCTETS:
            raise MalformedError(f"a parameter of an HDLC link is broken: {octets.hex()}")
        numbers[octets[position]] = int.from_bytes(value, "big")
        position = end
    try:
        return LinkLimits(
            information_sent=_octets(numbers, _INFORMATION_SENT),
            information_received=_octets(numbers, _INFORMATION_RECEIVED),
            window_sent=min(numbers.get(_WINDOW_SENT, 1), LARGEST_WINDOW),
            window_received=min(numbers.get(_WINDOW_RECEIVED, 1), LARGEST_WINDOW),
        )
    except InvalidValueError as error:
        raise MalformedError(f"a parameter of an HDLC link is zero: {octets.hex()}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTimes:
    """Time-outs and retry limits of a link, in seconds. InvalidValueError when one of them is not above zero.

    `response_s`: how long a client waits for an answer, beside the time its own octets take (`octet_s` each, 0 where
    the line is not slow). `retries`: how often it says the same again. `pause_s`: between two questions to a server
    that has no answer yet, at most `pauses` of them in a row. `inter_octet_s`: how long a frame may stop before it is
    given up. `answer_s`: how long a server's application may think before the turn is handed back; less than the
    client's `response_s`. `inactivity_s`: the silence after which a server forgets its client.
    """

    response_s: float = 5.0
    octet_s: float = 0.0
    retries: int = 3
    pause_s: float = 0.2
    pauses: int = 300
    inter_octet_s: float = 0.5
    answer_s: float = 2.0
    inactivity_s: float = 120.0

    def __post_init__(self) -> None:
        """Check that no wait is endless or none."""
        waits = (self.response_s, self.pause_s, self.inter_octet_s, self.answer_s, self.inactivity_s)
        if min(waits) <= 0 or self.octet_s < 0 or self.retries < 0 or self.pauses < 0:
            raise InvalidValueError(f"a time or a limit of an HDLC link is out of range: {self}")

    def response_after(self, octets: bytes) -> timedelta:
        """How long to wait for the answer to those octets."""
        return timedelta(seconds=self.response_s + self.octet_s * len(octets))


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkParameters:
    """One side of a link: our own address, what we can do, times, and the longest APDU we put together.

    `peer` is the server of a client; a server learns its client from the SNRM and leaves it None.
    """

    own: HdlcAddress
    peer: HdlcAddress | None = None
    limits: LinkLimits = LinkLimits(
        information_sent=LARGEST_INFORMATION_OCTETS,
        information_received=LARGEST_INFORMATION_OCTETS,
        window_sent=LARGEST_WINDOW,
        window_received=LARGEST_WINDOW,
    )
    times: LinkTimes = field(default_factory=LinkTimes)
    maximum_apdu_octets: int = 65535


def _number(parameter: int, value: int, octet_count: int) -> bytes:
    return bytes((parameter, octet_count)) + value.to_bytes(octet_count, "big")


def _octets(numbers: dict[int, int], parameter: int) -> int:
    return min(numbers.get(parameter, DEFAULT_INFORMATION_OCTETS), LARGEST_INFORMATION_OCTETS)
