"""System titles: the eight octets that name one DLMS system and make its nonces its own."""

from dataclasses import dataclass
from typing import Self

from dlms_objects.errors import InvalidValueError


@dataclass(frozen=True, slots=True, order=True)
class SystemTitle:
    """Eight octets: a three-letter manufacturer code and five octets that are unique to the system."""

    octets: bytes

    def __post_init__(self) -> None:
        """Refuse anything but eight octets (InvalidValueError)."""
        if type(self.octets) is not bytes or len(self.octets) != 8:
            raise InvalidValueError(f"a system title is 8 octets, not {self.octets!r}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read 16 hexadecimal digits; InvalidValueError for anything else."""
        try:
            octets = bytes.fromhex(text)
        except ValueError:
            octets = b""
        if len(octets) != 8 or len(text) != 16:
            raise InvalidValueError(f"not a system title (16 hexadecimal digits): {text!r}")
        return cls(octets)

    def __str__(self) -> str:
        """Sixteen hexadecimal digits in upper case."""
        return self.octets.hex().upper()
