"""Selective access: the selection that travels with a descriptor, and the two of a profile's buffer.

What a selector means depends on the class it is sent to, so requests carry `SelectiveAccess` as it came; a profile
reads it with `profile_selection`.
"""

import struct
from dataclasses import dataclass

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.data import Data, DataType
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.wire import axdr
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lengths import encode_length

BY_RANGE = 1
BY_ENTRY = 2

# structure { from_entry u32, to_entry u32, from_selected_value u16, to_selected_value u16 }
_ENTRY = struct.Struct(">HBIBIBHBH")
_ENTRY_TYPES = (
    DataType.DOUBLE_LONG_UNSIGNED,
    DataType.DOUBLE_LONG_UNSIGNED,
    DataType.LONG_UNSIGNED,
    DataType.LONG_UNSIGNED,
)
# structure { class_id u16, logical_name octet-string(6), attribute_index i8, data_index u16 }
_CAPTURE = struct.Struct(">HBHH6sBbBH")
_CAPTURE_TYPES = (DataType.LONG_UNSIGNED, DataType.OCTET_STRING, DataType.INTEGER, DataType.LONG_UNSIGNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectiveAccess:
    """An access-selector (0..255) and its parameters: one value, as raw A-XDR octets."""

    selector: int
    parameters: bytes

    def encode(self) -> bytes:
        """The selector octet and the parameters; InvalidValueError for a selector over 255."""
        if not 0 <= self.selector <= 0xFF:
            raise InvalidValueError(f"an access-selector is 0..255, not {self.selector}")
        return bytes((self.selector,)) + self.parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDescriptor:
    """The rows and the columns of a profile by their numbers: both count from 1, and a `to` of 0 is the last."""

    from_entry: int
    to_entry: int = 0
    from_selected_value: int = 1
    to_selected_value: int = 0

    def selective_access(self) -> SelectiveAccess:
        """The selection to send (selector 2); InvalidValueError when a number does not fit."""
        try:
            parameters = _ENTRY.pack(
                0x0204, 6, self.from_entry, 6, self.to_entry, 18, self.from_selected_value, 18, self.to_selected_value
            )
        except struct.error as error:
            raise InvalidValueError(f"an entry descriptor holds two u32 and two u16: {self!r}") from error
        return SelectiveAccess(selector=BY_ENTRY, parameters=parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureObject:
    """A column of a profile: class id, logical name, attribute index (-128..127), data index (0: all of it)."""

    class_id: int
    logical_name: LogicalName
    attribute: int
    data_index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeDescriptor:
    """The rows whose `restricting_object` lies in `from_value`..`to_value`; no `selected_values` means every column."""

    restricting_object: CaptureObject
    from_value: Data
    to_value: Data
    selected_values: tuple[CaptureObject, ...] = ()

    def selective_access(self) -> SelectiveAccess:
        """The selection to send (selector 1); InvalidValueError when a part does not fit its type."""
        parameters = b"".join(
            (
                b"\x02\x04",
                _encode_capture_object(self.restricting_object),
                axdr.encode(self.from_value),
                axdr.encode(self.to_value),
                b"\x01",
                encode_length(len(self.selected_values)),
                *map(_encode_capture_object, self.selected_values),
            )
        )
        return SelectiveAccess(selector=BY_RANGE, parameters=parameters)


def decode_selection(octets: bytes, offset: int) -> tuple[SelectiveAccess, int]:
    """The selective-access-descriptor that starts at `offset`, and the offset after it; MalformedError without one."""
    if offset >= len(octets):
        raise MalformedError("the octets end before an access-selector")
    _parameters, end = axdr.decode_prefix(octets, offset + 1)
    return SelectiveAccess(selector=octets[offset], parameters=octets[offset + 1 : end]), end


def profile_selection(selection: SelectiveAccess) -> EntryDescriptor | RangeDescriptor:
    """The selection as class 7 (profile generic) reads it; MalformedError when it is neither form to the type."""
    if selection.selector == BY_ENTRY:
        return _entry_descriptor(selection.parameters)
    if selection.selector == BY_RANGE:
        return _range_descriptor(selection.parameters)
    raise MalformedError(f"a profile has no access-selector {selection.selector}")


def _entry_descriptor(parameters: bytes) -> EntryDescriptor:
    members = _members(axdr.decode(parameters), DataType.STRUCTURE)
    if tuple(member.type for member in members) != _ENTRY_TYPES:
        raise MalformedError(f"not an entry descriptor: {parameters.hex()}")
    from_entry, to_entry, from_selected_value, to_selected_value = (member.value for member in members)
    return EntryDescriptor(
        from_entry=from_entry,
        to_entry=to_entry,
        from_selected_value=from_selected_value,
        to_selected_value=to_selected_value,
    )


def _range_descriptor(parameters: bytes) -> RangeDescriptor:
    members = _members(axdr.decode(parameters), DataType.STRUCTURE)
    if len(members) != 4:
        raise MalformedError(f"a range descriptor has 4 members, not {len(members)}")
    return RangeDescriptor(
        restricting_object=_capture_object(members[0]),
        from_value=members[1],
        to_value=members[2],
        selected_values=tuple(_capture_object(column) for column in _members(members[3], DataType.ARRAY)),
    )


def _members(value: Data, type_: DataType) -> tuple[Data, ...]:
    if value.type is not type_:
        raise MalformedError(f"{type_.name.lower()} wanted, not {value.type.name.lower()}")
    members: tuple[Data, ...] = value.value
    return members


def _capture_object(value: Data) -> CaptureObject:
    members = _members(value, DataType.STRUCTURE)
    if tuple(member.type for member in members) != _CAPTURE_TYPES:
        raise MalformedError(f"not a capture object: {value!r}")
    class_id, logical_name, attribute, data_index = (member.value for member in members)
    if len(logical_name) != 6:
        raise MalformedError(f"a logical name is 6 octets, not {len(logical_name)}")
    return CaptureObject(
        class_id=class_id, logical_name=LogicalName(logical_name), attribute=attribute, data_index=data_index
    )


def _encode_capture_object(column: CaptureObject) -> bytes:
    try:
        return _CAPTURE.pack(
            0x0204, 18, column.class_id, 0x0906, column.logical_name.octets, 15, column.attribute, 18, column.data_index
        )
    except struct.error as error:
        raise InvalidValueError(f"a capture object does not fit its types: {column!r}") from error
