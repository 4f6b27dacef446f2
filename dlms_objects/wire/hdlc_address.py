"""Addresses of HDLC stations: one, two or four octets, with an upper part (logical device) and a lower part (physical).

Here: the value, its octets, the reserved numbers. Not here: frames. Imported by `hdlc_*` modules and by `transport`.
Source of numbers and forms: IEC 62056-46 as in the DLMS UA Green Book and gurux-dlms 1.0.203.
"""

from dataclasses import dataclass, field
from typing import Final, Self

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.errors import MalformedError

ALL_STATIONS_SHORT: Final = 0x7F
ALL_STATIONS_LONG: Final = 0x3FFF
_SEVEN_BITS: Final = 0x7F
_FORMS: Final = (1, 2, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class HdlcAddress:
    """`upper` is the logical device of a server or the SAP of a client; `lower` the physical device, None in one octet.

    Parts are 0..127 in one and two octets, 0..16383 in four. InvalidValueError when a part does not fit.
    """

    upper: int
    lower: int | None = None
    octet_count: int = 1
    octets: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the parts and keep the octets, which every frame needs."""
        count, parts = self.octet_count, [self.upper]
        if self.lower is not None:
            parts.append(self.lower)
        if count not in _FORMS or (count == 1) is not (self.lower is None):
            raise InvalidValueError(f"one octet holds no lower part, two and four do; not {count} with {self.lower}")
        limit = ALL_STATIONS_LONG if count == 4 else ALL_STATIONS_SHORT
        if not all(0 <= part <= limit for part in parts):
            raise InvalidValueError(f"the parts of an address of {count} octets are 0..{limit}, not {parts}")
        septets = [septet for part in parts for septet in ((part >> 7, part & _SEVEN_BITS) if count == 4 else (part,))]
        octets = bytes(septet << 1 for septet in septets[:-1]) + bytes((septets[-1] << 1 | 1,))
        object.__setattr__(self, "octets", octets)

    @classmethod
    def client(cls, sap: int) -> Self:
        """A client: always one octet."""
        return cls(upper=sap)

    @classmethod
    def server(cls, logical: int, physical: int | None = None) -> Self:
        """A server in the shortest form that holds it."""
        if physical is None:
            return cls(upper=logical)
        return cls(upper=logical, lower=physical, octet_count=2 if max(logical, physical) <= ALL_STATIONS_SHORT else 4)

    @property
    def is_broadcast(self) -> bool:
        """True when all stations are meant, by either part."""
        everybody = ALL_STATIONS_LONG if self.octet_count == 4 else ALL_STATIONS_SHORT
        return everybody in (self.upper, self.lower)

    def is_same_station(self, other: "HdlcAddress") -> bool:
        """True for the same parts, in whatever number of octets."""
        return self.upper == other.upper and self.lower == other.lower

    def __str__(self) -> str:
        """Logical and physical part, as in `1/17`."""
        return str(self.upper) if self.lower is None else f"{self.upper}/{self.lower}"


def address_of(octets: bytes) -> HdlcAddress:
    """The address of exactly those octets; MalformedError when the last of them, and no other, is not the end."""
    count = len(octets)
    if count not in _FORMS or [octet & 1 for octet in octets] != [0] * (count - 1) + [1]:
        raise MalformedError(f"not an HDLC address: {octets.hex()}")
    septets = [octet >> 1 for octet in octets]
    if count == 4:
        return HdlcAddress(upper=septets[0] << 7 | septets[1], lower=septets[2] << 7 | septets[3], octet_count=4)
    return HdlcAddress(upper=septets[0], lower=septets[1] if count == 2 else None, octet_count=count)
