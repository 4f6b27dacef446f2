"""The SET service: requests and responses of type normal and with a list. Values stay raw A-XDR octets.

The types that carry blocks are in `set_blocks`.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire import set_blocks
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.invoke import (
    DEFAULT_INVOKE_ID_AND_PRIORITY,
    HEAD_OCTETS,
    Invoked,
    decode_head,
    decode_optional_selection,
    decode_request,
    encode_head,
    encode_request,
    encode_selection,
    pack,
    result_of,
    unpack_exactly,
)
from dlms_objects.wire.lists import (
    ATTRIBUTE_WITH_SELECTION_OCTETS,
    AttributeWithSelection,
    decode_list,
    decode_whole_list,
    encode_list,
    read_access_result,
    read_attribute_with_selection,
    read_value,
)
from dlms_objects.wire.selection import SelectiveAccess
from dlms_objects.wire.set_blocks import SET_REQUEST, SET_RESPONSE, SetBlockRequest, SetBlockResponse

_NORMAL = struct.Struct(">BBBB")  # tag, type, invoke-id-and-priority, data-access-result


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRequestNormal(Invoked):
    """Write one attribute, or the part of it that `selection` names; `value` is raw A-XDR octets."""

    TAG: ClassVar[int] = SET_REQUEST
    attribute: AttributeDescriptor
    value: bytes
    selection: SelectiveAccess | None = None
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        head = encode_request(SET_REQUEST, self.invoke_id_and_priority, self.attribute)
        return head + encode_selection(self.selection) + self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRequestWithList(Invoked):
    """Write several attributes at once: one value (raw A-XDR octets) for each, in their order."""

    TAG: ClassVar[int] = SET_REQUEST
    attributes: tuple[AttributeWithSelection, ...]
    values: tuple[bytes, ...]
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def __post_init__(self) -> None:
        """Refuse another number of values than of attributes (InvalidValueError)."""
        if len(self.attributes) != len(self.values):
            raise InvalidValueError(f"{len(self.values)} values for {len(self.attributes)} attributes")

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        attributes = encode_list(attribute.encode() for attribute in self.attributes)
        return encode_head(SET_REQUEST, 4, self.invoke_id_and_priority) + attributes + encode_list(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResponseNormal(Invoked):
    """Whether the attribute was written."""

    TAG: ClassVar[int] = SET_RESPONSE
    result: DataAccessResult
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        return pack(_NORMAL, SET_RESPONSE, 1, self.invoke_id_and_priority, self.result)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResponseWithList(Invoked):
    """Whether each attribute of a request with a list was written, in its order."""

    TAG: ClassVar[int] = SET_RESPONSE
    results: tuple[DataAccessResult, ...]
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        results = encode_list(bytes((result,)) for result in self.results)
        return encode_head(SET_RESPONSE, 5, self.invoke_id_and_priority) + results


SetRequest = SetRequestNormal | SetRequestWithList | SetBlockRequest
SetResponse = SetResponseNormal | SetResponseWithList | SetBlockResponse


def decode_values(octets: bytes, offset: int = 0) -> tuple[bytes, ...]:
    """The values from `offset` to the last octet, as when the blocks of a list are joined; else MalformedError."""
    return decode_whole_list(octets, offset, read_value)


def decode_set_request(octets: bytes) -> SetRequest:
    """A SET request of any type; MalformedError otherwise."""
    type_, invoke_id_and_priority = decode_head(octets, SET_REQUEST)
    if type_ == 1:
        return _decode_normal_request(octets)
    if type_ == 4:
        attributes, offset = decode_list(
            octets, HEAD_OCTETS, read_attribute_with_selection, fewest=ATTRIBUTE_WITH_SELECTION_OCTETS
        )
        values = decode_values(octets, offset)
        if len(values) != len(attributes):
            raise MalformedError(f"{len(values)} values for {len(attributes)} attributes")
        return SetRequestWithList(attributes=attributes, values=values, invoke_id_and_priority=invoke_id_and_priority)
    return set_blocks.decode_request(octets, type_, invoke_id_and_priority)


def decode_set_response(octets: bytes) -> SetResponse:
    """A SET response of any type; MalformedError otherwise."""
    type_, invoke_id_and_priority = decode_head(octets, SET_RESPONSE)
    if type_ == 1:
        *_head, code = unpack_exactly(_NORMAL, octets)
        result = result_of(DataAccessResult, code)
        return SetResponseNormal(result=result, invoke_id_and_priority=invoke_id_and_priority)
    if type_ == 5:
        results = decode_whole_list(octets, HEAD_OCTETS, read_access_result)
        return SetResponseWithList(results=results, invoke_id_and_priority=invoke_id_and_priority)
    return set_blocks.decode_response(octets, type_, invoke_id_and_priority)


def _decode_normal_request(octets: bytes) -> SetRequestNormal:
    invoke_id_and_priority, class_id, logical_name, attribute, offset = decode_request(octets)
    selection, offset = decode_optional_selection(octets, offset)
    if offset == len(octets):
        raise MalformedError("a SET request without a value")
    return SetRequestNormal(
        attribute=AttributeDescriptor(class_id, logical_name, attribute),
        value=octets[offset:],
        selection=selection,
        invoke_id_and_priority=invoke_id_and_priority,
    )
