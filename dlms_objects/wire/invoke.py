"""What the APDUs share: the invoke-id-and-priority octet, descriptors, presence octets, packing that refuses by name.

Only modules of this package import it.
"""

import struct
from enum import IntEnum
from typing import TypeVar

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.selection import SelectiveAccess, decode_selection

Result = TypeVar("Result", bound=IntEnum)

DEFAULT_INVOKE_ID_AND_PRIORITY = 0xC1
"""Invoke id 1, confirmed, high priority."""

HEAD_OCTETS = 3
"""Tag, type and invoke-id-and-priority, with which every GET, SET and ACTION begins."""

# tag, type, invoke-id-and-priority, class_id, logical_name, attribute or method (a signed octet)
_REQUEST = struct.Struct(">BBBH6sb")
_HEAD = struct.Struct(">BBB")
_DESCRIPTOR = struct.Struct(">H6sb")
DESCRIPTOR_OCTETS = _DESCRIPTOR.size


class Invoked:
    """The parts of the invoke-id-and-priority octet of an APDU; mixed into each of them."""

    __slots__ = ()
    invoke_id_and_priority: int

    @property
    def invoke_id(self) -> int:
        """0..15: which request a response answers."""
        return self.invoke_id_and_priority & 0x0F

    @property
    def is_confirmed(self) -> bool:
        """True when an answer is wanted (service class, bit 6)."""
        return bool(self.invoke_id_and_priority & 0x40)

    @property
    def has_high_priority(self) -> bool:
        """True for high priority (bit 7)."""
        return bool(self.invoke_id_and_priority & 0x80)


def encode_request(
    tag: int,
    invoke_id_and_priority: int,
    descriptor: AttributeDescriptor | MethodDescriptor,
) -> bytes:
    """The head of a request of type normal, up to its descriptor; InvalidValueError when a number does not fit."""
    index = descriptor.attribute if isinstance(descriptor, AttributeDescriptor) else descriptor.method
    try:
        return _REQUEST.pack(tag, 1, invoke_id_and_priority, descriptor.class_id, descriptor.logical_name.octets, index)
    except struct.error as error:
        raise InvalidValueError(f"does not fit a request: {invoke_id_and_priority}, {descriptor}") from error


def decode_request(octets: bytes) -> tuple[int, int, LogicalName, int, int]:
    """invoke_id_and_priority, class_id, logical name, attribute or method, and the offset of what follows."""
    try:
        _tag, _type, invoke_id_and_priority, class_id, logical_name, index = _REQUEST.unpack_from(octets)
    except struct.error:
        raise MalformedError("the octets end inside a request") from None
    return invoke_id_and_priority, class_id, LogicalName(logical_name), index, _REQUEST.size


def encode_head(tag: int, type_: int, invoke_id_and_priority: int) -> bytes:
    """The three octets every GET, SET and ACTION begins with."""
    return pack(_HEAD, tag, type_, invoke_id_and_priority)


def decode_head(octets: bytes, tag: int) -> tuple[int, int]:
    """The type and the invoke-id-and-priority of a GET, SET or ACTION of that tag; MalformedError for another APDU."""
    if len(octets) < HEAD_OCTETS or octets[0] != tag:
        raise MalformedError(f"an APDU with the tag {tag:02X} wanted, not {octets[:3].hex() or 'nothing'}")
    return octets[1], octets[2]


def encode_descriptor(descriptor: AttributeDescriptor | MethodDescriptor) -> bytes:
    """Nine octets: class_id, logical name, attribute or method; InvalidValueError when a number does not fit."""
    index = descriptor.attribute if isinstance(descriptor, AttributeDescriptor) else descriptor.method
    return pack(_DESCRIPTOR, descriptor.class_id, descriptor.logical_name.octets, index)


def decode_attribute(octets: bytes, offset: int) -> tuple[AttributeDescriptor, int]:
    """The attribute descriptor that starts at `offset`, and the offset after it."""
    class_id, logical_name, attribute = _unpack_descriptor(octets, offset)
    return AttributeDescriptor(class_id, LogicalName(logical_name), attribute), offset + DESCRIPTOR_OCTETS


def decode_method(octets: bytes, offset: int) -> tuple[MethodDescriptor, int]:
    """The method descriptor that starts at `offset`, and the offset after it."""
    class_id, logical_name, method = _unpack_descriptor(octets, offset)
    return MethodDescriptor(class_id, LogicalName(logical_name), method), offset + DESCRIPTOR_OCTETS


def _unpack_descriptor(octets: bytes, offset: int) -> tuple[int, bytes, int]:
    try:
        class_id, logical_name, index = _DESCRIPTOR.unpack_from(octets, offset)
    except struct.error:
        raise MalformedError("the octets end inside a descriptor") from None
    return class_id, logical_name, index


def encode_selection(selection: SelectiveAccess | None) -> bytes:
    """The optional selection of a descriptor with its presence octet."""
    return b"\x00" if selection is None else b"\x01" + selection.encode()


def decode_optional_selection(octets: bytes, offset: int) -> tuple[SelectiveAccess | None, int]:
    """The optional selection that starts at `offset` with its presence octet, and the offset after it."""
    if decode_presence(octets, offset):
        return decode_selection(octets, offset + 1)
    return None, offset + 1


def decode_presence(octets: bytes, offset: int) -> bool:
    """A presence octet: 00 absent, 01 present; MalformedError for any other."""
    presence = octets[offset : offset + 1]
    if presence not in (b"\x00", b"\x01"):
        raise MalformedError(f"a presence octet is 00 or 01, not {presence.hex() or 'missing'}")
    return presence == b"\x01"


def check_tag(octets: bytes, tag: int) -> None:
    """Refuse octets that do not begin with that tag (MalformedError)."""
    if octets[:1] != bytes((tag,)):
        raise MalformedError(f"an APDU with the tag {tag:02X} wanted, not {octets[:1].hex() or 'nothing'}")


def pack(layout: struct.Struct, *numbers: object) -> bytes:
    """`layout.pack`; InvalidValueError when a number does not fit its field."""
    try:
        return layout.pack(*numbers)
    except struct.error as error:
        raise InvalidValueError(f"does not fit its APDU: {numbers}") from error


def check_end(octets: bytes, offset: int) -> None:
    """Refuse octets left over after the last part of an APDU (MalformedError)."""
    if offset != len(octets):
        raise MalformedError(f"{len(octets) - offset} octets are left over after an APDU")


def unpack_exactly(layout: struct.Struct, octets: bytes) -> tuple[int, ...]:
    """`layout.unpack` of the whole APDU; MalformedError when it is shorter or longer."""
    if len(octets) != layout.size:
        raise MalformedError(f"this APDU is {layout.size} octets, not {len(octets)}")
    return layout.unpack(octets)


def result_of(results: type[Result], code: int) -> Result:
    """The data-access-result or action-result of that code; MalformedError for a code without meaning."""
    try:
        return results(code)
    except ValueError:
        raise MalformedError(f"no {results.__name__} has the code {code}") from None
