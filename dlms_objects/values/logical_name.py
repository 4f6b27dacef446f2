"""Logical names (OBIS codes), and the descriptors of attributes and methods that are addressed by them."""

from dataclasses import dataclass
from typing import Self

from dlms_objects.errors import InvalidValueError


@dataclass(frozen=True, slots=True, order=True)
class LogicalName:
    """A COSEM logical name: six value groups A.B.C.D.E.F, each 0..255."""

    octets: bytes

    def __post_init__(self) -> None:
        """Refuse anything but six octets (InvalidValueError)."""
        if type(self.octets) is not bytes or len(self.octets) != 6:
            raise InvalidValueError(f"a logical name is 6 octets, not {self.octets!r}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1.0.1.8.0.255` (or the OBIS form `1-0:1.8.0.255`); InvalidValueError for anything else."""
        groups = text.strip().replace("-", ".").replace(":", ".").replace("*", ".").split(".")
        if len(groups) != 6 or not all(_is_group(group) for group in groups):
            raise InvalidValueError(f"not a logical name (six numbers 0..255 joined by dots): {text!r}")
        return cls(bytes(int(group) for group in groups))

    def __str__(self) -> str:
        """The dotted form, `0.0.1.0.0.255`."""
        return ".".join(str(group) for group in self.octets)

    def __repr__(self) -> str:
        """Short enough for logs."""
        return f"LogicalName({str(self)!r})"


def _is_group(text: str) -> bool:
    return len(text) <= 3 and text.isascii() and text.isdigit() and int(text) <= 255


@dataclass(frozen=True, slots=True)
class AttributeDescriptor:
    """One attribute of one COSEM object (cosem-attribute-descriptor); attribute 1..127, 0 for all."""

    class_id: int
    logical_name: LogicalName
    attribute: int

    def __str__(self) -> str:
        """`class_id/logical_name:attribute`, as the command line prints it."""
        return f"{self.class_id}/{self.logical_name}:{self.attribute}"


@dataclass(frozen=True, slots=True)
class MethodDescriptor:
    """One method of one COSEM object (cosem-method-descriptor); method 1..127."""

    class_id: int
    logical_name: LogicalName
    method: int

    def __str__(self) -> str:
        """`class_id/logical_name.method`."""
        return f"{self.class_id}/{self.logical_name}.{self.method}"
