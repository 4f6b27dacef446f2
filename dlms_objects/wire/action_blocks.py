"""The ACTION service in blocks (pblocks): parts of parameters and of responses, and the requests for the next part.

`raw` of a request is a part of the parameters' A-XDR octets, cut anywhere; with a list, of all parameters with their
number before them (`set.decode_values`). `raw` of a response is a part of what stands after the invoke-id-and-priority
of the response it replaces: an Action-Response-With-Optional-Data, or a list of them (`action.decode_single_response`,
`action.decode_responses`), as the jDLMS server sends it; gurux-dlms 1.0.203 takes the bare return value there. Block
numbers are 0 .. 2^32 - 1 and start from 1. Only `action` and the associations import it.
"""

from dataclasses import dataclass
from typing import ClassVar

from dlms_objects.values.logical_name import MethodDescriptor
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.invoke import (
    DEFAULT_INVOKE_ID_AND_PRIORITY,
    DESCRIPTOR_OCTETS,
    HEAD_OCTETS,
    Invoked,
    decode_method,
    encode_descriptor,
    encode_head,
)
from dlms_objects.wire.lists import (
    decode_block_number,
    decode_datablock,
    decode_list,
    encode_block_number,
    encode_datablock,
    encode_list,
)

ACTION_REQUEST = 0xC3
ACTION_RESPONSE = 0xC7


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequestNextPblock(Invoked):
    """Ask for the block of the response after `block_number`, the last one that was received."""

    TAG: ClassVar[int] = ACTION_REQUEST
    block_number: int
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        return encode_head(ACTION_REQUEST, 2, self.invoke_id_and_priority) + encode_block_number(self.block_number)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequestWithFirstPblock(Invoked):
    """Invoke one method whose parameters follow in blocks; this is the first."""

    TAG: ClassVar[int] = ACTION_REQUEST
    method: MethodDescriptor
    last: bool
    block_number: int
    raw: bytes
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        return (
            encode_head(ACTION_REQUEST, 4, self.invoke_id_and_priority)
            + encode_descriptor(self.method)
            + encode_datablock(self.block_number, self.raw, last=self.last)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequestWithListAndFirstPblock(Invoked):
    """Invoke several methods whose parameters follow in blocks; this is the first."""

    TAG: ClassVar[int] = ACTION_REQUEST
    methods: tuple[MethodDescriptor, ...]
    last: bool
    block_number: int
    raw: bytes
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        return (
            encode_head(ACTION_REQUEST, 5, self.invoke_id_and_priority)
            + encode_list(map(encode_descriptor, self.methods))
            + encode_datablock(self.block_number, self.raw, last=self.last)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequestWithPblock(Invoked):
    """A further block of the parameters."""

    TAG: ClassVar[int] = ACTION_REQUEST
    last: bool
    block_number: int
    raw: bytes
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        block = encode_datablock(self.block_number, self.raw, last=self.last)
        return encode_head(ACTION_REQUEST, 6, self.invoke_id_and_priority) + block


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResponseWithPblock(Invoked):
    """One block of the response."""

    TAG: ClassVar[int] = ACTION_RESPONSE
    last: bool
    block_number: int
    raw: bytes
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        block = encode_datablock(self.block_number, self.raw, last=self.last)
        return encode_head(ACTION_RESPONSE, 2, self.invoke_id_and_priority) + block


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResponseNextPblock(Invoked):
    """The block of the parameters of that number has come; send the next."""

    TAG: ClassVar[int] = ACTION_RESPONSE
    block_number: int
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        return encode_head(ACTION_RESPONSE, 4, self.invoke_id_and_priority) + encode_block_number(self.block_number)


ActionBlockRequest = (
    ActionRequestNextPblock
    | ActionRequestWithFirstPblock
    | ActionRequestWithListAndFirstPblock
    | ActionRequestWithPblock
)
ActionBlockResponse = ActionResponseWithPblock | ActionResponseNextPblock


def decode_request(octets: bytes, type_: int, invoke_id_and_priority: int) -> ActionBlockRequest:
    """An ACTION request that carries or asks for a block; MalformedError for another type."""
    if type_ == 2:
        block_number = decode_block_number(octets, HEAD_OCTETS)
        return ActionRequestNextPblock(block_number=block_number, invoke_id_and_priority=invoke_id_and_priority)
    if type_ == 4:
        method, offset = decode_method(octets, HEAD_OCTETS)
        last, block_number, raw = decode_datablock(octets, offset)
        return ActionRequestWithFirstPblock(
            method=method,
            last=last,
            block_number=block_number,
            raw=raw,
            invoke_id_and_priority=invoke_id_and_priority,
        )
    if type_ == 5:
        methods, offset = decode_list(octets, HEAD_OCTETS, decode_method, fewest=DESCRIPTOR_OCTETS)
        last, block_number, raw = decode_datablock(octets, offset)
        return ActionRequestWithListAndFirstPblock(
            methods=methods,
            last=last,
            block_number=block_number,
            raw=raw,
            invoke_id_and_priority=invoke_id_and_priority,
        )
    if type_ == 6:
        last, block_number, raw = decode_datablock(octets, HEAD_OCTETS)
        return ActionRequestWithPblock(
            last=last, block_number=block_number, raw=raw, invoke_id_and_priority=invoke_id_and_priority
        )
    raise MalformedError(f"no ACTION request has the type {type_}")


def decode_response(octets: bytes, type_: int, invoke_id_and_priority: int) -> ActionBlockResponse:
    """An ACTION response that carries or asks for a block; MalformedError for another type."""
    if type_ == 2:
        last, block_number, raw = decode_datablock(octets, HEAD_OCTETS)
        return ActionResponseWithPblock(
            last=last, block_number=block_number, raw=raw, invoke_id_and_priority=invoke_id_and_priority
        )
    if type_ == 4:
        block_number = decode_block_number(octets, HEAD_OCTETS)
        return ActionResponseNextPblock(block_number=block_number, invoke_id_and_priority=invoke_id_and_priority)
    raise MalformedError(f"no ACTION response has the type {type_}")
