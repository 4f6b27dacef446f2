"""The GET service: requests and responses of every type. Values stay raw A-XDR octets.

`invoke_id_and_priority` is the octet as it travels; block numbers are 0 .. 2^32 - 1 and start from 1.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar

from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.invoke import (
    DEFAULT_INVOKE_ID_AND_PRIORITY,
    HEAD_OCTETS,
    Invoked,
    check_end,
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
from dlms_objects.wire.lengths import decode_length, encode_length
from dlms_objects.wire.lists import (
    ATTRIBUTE_WITH_SELECTION_OCTETS,
    AttributeWithSelection,
    decode_whole_list,
    encode_list,
    encode_result,
    read_attribute_with_selection,
    read_result,
)
from dlms_objects.wire.selection import SelectiveAccess

GET_REQUEST = 0xC0
GET_RESPONSE = 0xC4

_NEXT = struct.Struct(">BBBI")  # tag, type, invoke-id-and-priority, block-number
_NORMAL = struct.Struct(">BBBB")  # tag, type, invoke-id-and-priority, choice (0 data, 1 data-access-result)
_BLOCK = struct.Struct(">BBBBIB")  # tag, type, invoke-id-and-priority, last-block, block-number, choice


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRequestNormal(Invoked):
    """Read one attribute, or the part of it that `selection` names."""

    TAG: ClassVar[int] = GET_REQUEST
    attribute: AttributeDescriptor
    selection: SelectiveAccess | None = None
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        return encode_request(GET_REQUEST, self.invoke_id_and_priority, self.attribute) + encode_selection(
            self.selection
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRequestNext(Invoked):
    """Ask for the block after `block_number`, the last one that was received."""

    TAG: ClassVar[int] = GET_REQUEST
    block_number: int
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        return pack(_NEXT, GET_REQUEST, 2, self.invoke_id_and_priority, self.block_number)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRequestWithList(Invoked):
    """Read several attributes at once."""

    TAG: ClassVar[int] = GET_REQUEST
    attributes: tuple[AttributeWithSelection, ...]
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        attributes = encode_list(attribute.encode() for attribute in self.attributes)
        return encode_head(GET_REQUEST, 3, self.invoke_id_and_priority) + attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class GetResponseNormal(Invoked):
    """The attribute's value (raw A-XDR octets), or why there is none."""

    TAG: ClassVar[int] = GET_RESPONSE
    result: bytes | DataAccessResult
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        result = self.result
        if isinstance(result, DataAccessResult):
            return pack(_NORMAL, GET_RESPONSE, 1, self.invoke_id_and_priority, 1) + bytes((result,))
        return pack(_NORMAL, GET_RESPONSE, 1, self.invoke_id_and_priority, 0) + result


@dataclass(frozen=True, slots=True, kw_only=True)
class GetResponseBlock(Invoked):
    """One block of the value's octets (with the value's A-XDR cut anywhere), or why the transfer ends."""

    TAG: ClassVar[int] = GET_RESPONSE
    last: bool
    block_number: int
    result: bytes | DataAccessResult
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        result = self.result
        refused = isinstance(result, DataAccessResult)
        head = pack(_BLOCK, GET_RESPONSE, 2, self.invoke_id_and_priority, self.last, self.block_number, refused)
        if isinstance(result, DataAccessResult):
            return head + bytes((result,))
        return head + encode_length(len(result)) + result


@dataclass(frozen=True, slots=True, kw_only=True)
class GetResponseWithList(Invoked):
    """A value (raw A-XDR octets), or why there is none, for each attribute of a request with a list, in its order."""

    TAG: ClassVar[int] = GET_RESPONSE
    results: tuple[bytes | DataAccessResult, ...]
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        return encode_head(GET_RESPONSE, 3, self.invoke_id_and_priority) + encode_get_results(self.results)


GetRequest = GetRequestNormal | GetRequestNext | GetRequestWithList
GetResponse = GetResponseNormal | GetResponseBlock | GetResponseWithList


def encode_get_results(results: tuple[bytes | DataAccessResult, ...]) -> bytes:
    """The results of a response with a list: what travels in blocks when they do not fit one APDU."""
    return encode_list(map(encode_result, results))


def decode_get_results(octets: bytes, offset: int = 0) -> tuple[bytes | DataAccessResult, ...]:
    """The results from `offset` to the last octet, as when the blocks of a list are joined; else MalformedError."""
    return decode_whole_list(octets, offset, read_result, fewest=2)


def decode_get_request(octets: bytes) -> GetRequest:
    """A GET request of any type; MalformedError otherwise."""
    type_, invoke_id_and_priority = decode_head(octets, GET_REQUEST)
    if type_ == 1:
        _invoke, class_id, logical_name, attribute, offset = decode_request(octets)
        selection, offset = decode_optional_selection(octets, offset)
        check_end(octets, offset)
        return GetRequestNormal(
            attribute=AttributeDescriptor(class_id, logical_name, attribute),
            selection=selection,
            invoke_id_and_priority=invoke_id_and_priority,
        )
    if type_ == 2:
        *_head, block_number = unpack_exactly(_NEXT, octets)
        return GetRequestNext(block_number=block_number, invoke_id_and_priority=invoke_id_and_priority)
    if type_ == 3:
        attributes = decode_whole_list(
            octets, HEAD_OCTETS, read_attribute_with_selection, fewest=ATTRIBUTE_WITH_SELECTION_OCTETS
        )
        return GetRequestWithList(attributes=attributes, invoke_id_and_priority=invoke_id_and_priority)
    raise MalformedError(f"no GET request has the type {type_}")


def decode_get_response(octets: bytes) -> GetResponse:
    """A GET response of any type; MalformedError otherwise."""
    type_, invoke_id_and_priority = decode_head(octets, GET_RESPONSE)
    if type_ == 1 and len(octets) > _NORMAL.size:
        result = _result(octets[HEAD_OCTETS], octets[_NORMAL.size :])
        return GetResponseNormal(result=result, invoke_id_and_priority=invoke_id_and_priority)
    if type_ == 2 and len(octets) > _BLOCK.size:
        *_head, last, block_number, choice = _BLOCK.unpack_from(octets)
        offset = _BLOCK.size
        if choice == 0:
            length, offset = decode_length(octets, offset)
            if length != len(octets) - offset:
                raise MalformedError(f"a block of {length} octets is announced, {len(octets) - offset} follow")
        return GetResponseBlock(
            last=last != 0,
            block_number=block_number,
            result=_result(choice, octets[offset:]),
            invoke_id_and_priority=invoke_id_and_priority,
        )
    if type_ == 3:
        results = decode_get_results(octets, HEAD_OCTETS)
        return GetResponseWithList(results=results, invoke_id_and_priority=invoke_id_and_priority)
    raise MalformedError(f"no such GET response: type {type_}, {len(octets)} octets")


def _result(choice: int, octets: bytes) -> bytes | DataAccessResult:
    if choice == 0:
        return octets
    if choice == 1 and len(octets) == 1:
        return result_of(DataAccessResult, octets[0])
    raise MalformedError(f"neither a value nor a data-access-result: choice {choice}, {len(octets)} octets")
