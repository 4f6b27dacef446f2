"""The SET service in blocks: requests that carry a part of the value, and the responses that ask for the next.

`raw` is a part of the value's A-XDR octets, cut anywhere; with a list, of the values with their number before them
(`set.decode_values`). Block numbers are 0 .. 2^32 - 1 and start from 1. Only `set` and the associations import it.
"""

from dataclasses import dataclass
from typing import ClassVar

from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.invoke import (
    DEFAULT_INVOKE_ID_AND_PRIORITY,
    HEAD_OCTETS,
    Invoked,
    encode_head,
)
from dlms_objects.wire.lists import (
    ATTRIBUTE_WITH_SELECTION_OCTETS,
    AttributeWithSelection,
    decode_block_number,
    decode_datablock,
    decode_list,
    encode_block_number,
    encode_datablock,
    encode_list,
    read_access_result,
    read_attribute_with_selection,
)
from dlms_objects.wire.selection import SelectiveAccess

SET_REQUEST = 0xC1
SET_RESPONSE = 0xC5


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRequestWithFirstDatablock(Invoked):
    """Write one attribute, or a part of it, whose value follows in blocks; this is the first."""

    TAG: ClassVar[int] = SET_REQUEST
    attribute: AttributeDescriptor
    last: bool
    block_number: int
    raw: bytes
    selection: SelectiveAccess | None = None
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        attribute = AttributeWithSelection(attribute=self.attribute, selection=self.selection)
        return (
            encode_head(SET_REQUEST, 2, self.invoke_id_and_priority)
            + attribute.encode()
            + encode_datablock(self.block_number, self.raw, last=self.last)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRequestWithDatablock(Invoked):
    """A further block of the value, or of the values."""

    TAG: ClassVar[int] = SET_REQUEST
    last: bool
    block_number: int
    raw: bytes
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        block = encode_datablock(self.block_number, self.raw, last=self.last)
        return encode_head(SET_REQUEST, 3, self.invoke_id_and_priority) + block


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRequestWithListAndFirstDatablock(Invoked):
    """Write several attributes whose values follow in blocks; this is the first."""

    TAG: ClassVar[int] = SET_REQUEST
    attributes: tuple[AttributeWithSelection, ...]
    last: bool
    block_number: int
    raw: bytes
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        return (
            encode_head(SET_REQUEST, 5, self.invoke_id_and_priority)
            + encode_list(attribute.encode() for attribute in self.attributes)
            + encode_datablock(self.block_number, self.raw, last=self.last)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResponseDatablock(Invoked):
    """The block of that number has come; send the next."""

    TAG: ClassVar[int] = SET_RESPONSE
    block_number: int
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        return encode_head(SET_RESPONSE, 2, self.invoke_id_and_priority) + encode_block_number(self.block_number)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResponseLastDatablock(Invoked):
    """The last block has come, or the transfer ends here: whether the attribute was written."""

    TAG: ClassVar[int] = SET_RESPONSE
    result: DataAccessResult
    block_number: int
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        head = encode_head(SET_RESPONSE, 3, self.invoke_id_and_priority)
        return head + bytes((self.result,)) + encode_block_number(self.block_number)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResponseLastDatablockWithList(Invoked):
    """The last block has come, or the transfer ends here: whether each attribute was written."""

    TAG: ClassVar[int] = SET_RESPONSE
    results: tuple[DataAccessResult, ...]
    block_number: int
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        return (
            encode_head(SET_RESPONSE, 4, self.invoke_id_and_priority)
            + encode_list(bytes((result,)) for result in self.results)
            + encode_block_number(self.block_number)
        )


SetBlockRequest = SetRequestWithFirstDatablock | SetRequestWithDatablock | SetRequestWithListAndFirstDatablock
SetBlockResponse = SetResponseDatablock | SetResponseLastDatablock | SetResponseLastDatablockWithList


def decode_request(octets: bytes, type_: int, invoke_id_and_priority: int) -> SetBlockRequest:
    """A SET request that carries a block; MalformedError for another type."""
    if type_ == 2:
        attribute, offset = read_attribute_with_selection(octets, HEAD_OCTETS)
        last, block_number, raw = decode_datablock(octets, offset)
        return SetRequestWithFirstDatablock(
            attribute=attribute.attribute,
            last=last,
            block_number=block_number,
            raw=raw,
            selection=attribute.selection,
            invoke_id_and_priority=invoke_id_and_priority,
        )
    if type_ == 3:
        last, block_number, raw = decode_datablock(octets, HEAD_OCTETS)
        return SetRequestWithDatablock(
            last=last, block_number=block_number, raw=raw, invoke_id_and_priority=invoke_id_and_priority
        )
    if type_ == 5:
        attributes, offset = decode_list(
            octets, HEAD_OCTETS, read_attribute_with_selection, fewest=ATTRIBUTE_WITH_SELECTION_OCTETS
        )
        last, block_number, raw = decode_datablock(octets, offset)
        return SetRequestWithListAndFirstDatablock(
            attributes=attributes,
            last=last,
            block_number=block_number,
            raw=raw,
            invoke_id_and_priority=invoke_id_and_priority,
        )
    raise MalformedError(f"no SET request has the type {type_}")


def decode_response(octets: bytes, type_: int, invoke_id_and_priority: int) -> SetBlockResponse:
    """A SET response that answers a block; MalformedError for another type."""
    if type_ == 2:
        block_number = decode_block_number(octets, HEAD_OCTETS)
        return SetResponseDatablock(block_number=block_number, invoke_id_and_priority=invoke_id_and_priority)
    if type_ == 3:
        result, offset = read_access_result(octets, HEAD_OCTETS)
        block_number = decode_block_number(octets, offset)
        return SetResponseLastDatablock(
            result=result, block_number=block_number, invoke_id_and_priority=invoke_id_and_priority
        )
    if type_ == 4:
        results, offset = decode_list(octets, HEAD_OCTETS, read_access_result)
        block_number = decode_block_number(octets, offset)
        return SetResponseLastDatablockWithList(
            results=results, block_number=block_number, invoke_id_and_priority=invoke_id_and_priority
        )
    raise MalformedError(f"no SET response has the type {type_}")
