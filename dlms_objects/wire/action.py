"""The ACTION service: requests and responses of type normal and with a list. Values stay raw A-XDR octets.

The types that carry blocks are in `action_blocks`.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import action_blocks
from dlms_objects.wire.action_blocks import ACTION_REQUEST, ACTION_RESPONSE, ActionBlockRequest, ActionBlockResponse
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.invoke import (
    DEFAULT_INVOKE_ID_AND_PRIORITY,
    DESCRIPTOR_OCTETS,
    HEAD_OCTETS,
    Invoked,
    check_end,
    decode_head,
    decode_method,
    decode_presence,
    decode_request,
    encode_descriptor,
    encode_head,
    encode_request,
    pack,
    result_of,
)
from dlms_objects.wire.lists import (
    decode_list,
    decode_whole_list,
    encode_list,
    encode_result,
    read_result,
    read_value,
)

_NORMAL = struct.Struct(">BBBB")  # tag, type, invoke-id-and-priority, action-result


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequestNormal(Invoked):
    """Invoke one method; `parameters` is raw A-XDR octets, or None when the method takes none."""

    TAG: ClassVar[int] = ACTION_REQUEST
    method: MethodDescriptor
    parameters: bytes | None = None
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        head = encode_request(ACTION_REQUEST, self.invoke_id_and_priority, self.method)
        return head + (b"\x00" if self.parameters is None else b"\x01" + self.parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRequestWithList(Invoked):
    """Invoke several methods in turn: one value (raw A-XDR octets, 00 for none) of parameters for each."""

    TAG: ClassVar[int] = ACTION_REQUEST
    methods: tuple[MethodDescriptor, ...]
    parameters: tuple[bytes, ...]
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def __post_init__(self) -> None:
        """Refuse another number of parameters than of methods (InvalidValueError)."""
        if len(self.methods) != len(self.parameters):
            raise InvalidValueError(f"{len(self.parameters)} parameters for {len(self.methods)} methods")

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        methods = encode_list(map(encode_descriptor, self.methods))
        return encode_head(ACTION_REQUEST, 3, self.invoke_id_and_priority) + methods + encode_list(self.parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResponseNormal(Invoked):
    """Whether the method was carried out, and what it returned.

    `value` is raw A-XDR octets, or why the return value cannot be had, or None when the method returns nothing.
    """

    TAG: ClassVar[int] = ACTION_RESPONSE
    result: ActionResult
    value: bytes | DataAccessResult | None = None
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        head = pack(_NORMAL, ACTION_RESPONSE, 1, self.invoke_id_and_priority, self.result)
        return head + _encode_optional_result(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResponseWithOptionalData:
    """Whether one method of a list was carried out, and what it returned; as in ActionResponseNormal."""

    result: ActionResult
    value: bytes | DataAccessResult | None = None

    def encode(self) -> bytes:
        """The octets: one item of a response with a list, or what a single response in blocks is made of."""
        return bytes((self.result,)) + _encode_optional_result(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResponseWithList(Invoked):
    """What became of each method of a request with a list, in its order."""

    TAG: ClassVar[int] = ACTION_RESPONSE
    responses: tuple[ActionResponseWithOptionalData, ...]
    invoke_id_and_priority: int = DEFAULT_INVOKE_ID_AND_PRIORITY

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        return encode_head(ACTION_RESPONSE, 3, self.invoke_id_and_priority) + encode_responses(self.responses)


ActionRequest = ActionRequestNormal | ActionRequestWithList | ActionBlockRequest
ActionResponse = ActionResponseNormal | ActionResponseWithList | ActionBlockResponse


def encode_responses(responses: tuple[ActionResponseWithOptionalData, ...]) -> bytes:
    """The responses of a response with a list: what travels in blocks when they do not fit one APDU."""
    return encode_list(response.encode() for response in responses)


def decode_responses(octets: bytes, offset: int = 0) -> tuple[ActionResponseWithOptionalData, ...]:
    """The responses from `offset` to the last octet, as when the blocks of a list are joined; else MalformedError."""
    return decode_whole_list(octets, offset, _read_response, fewest=2)


def decode_single_response(octets: bytes) -> ActionResponseWithOptionalData:
    """The one response that joined blocks are; MalformedError otherwise."""
    response, end = _read_response(octets, 0)
    check_end(octets, end)
    return response


def decode_action_request(octets: bytes) -> ActionRequest:
    """An ACTION request of any type; MalformedError otherwise."""
    type_, invoke_id_and_priority = decode_head(octets, ACTION_REQUEST)
    if type_ == 1:
        _invoke, class_id, logical_name, method, offset = decode_request(octets)
        return ActionRequestNormal(
            method=MethodDescriptor(class_id, logical_name, method),
            parameters=_optional(octets, offset),
            invoke_id_and_priority=invoke_id_and_priority,
        )
    if type_ == 3:
        methods, offset = decode_list(octets, HEAD_OCTETS, decode_method, fewest=DESCRIPTOR_OCTETS)
        parameters = decode_whole_list(octets, offset, read_value)
        if len(parameters) != len(methods):
            raise MalformedError(f"{len(parameters)} parameters for {len(methods)} methods")
        return ActionRequestWithList(
            methods=methods, parameters=parameters, invoke_id_and_priority=invoke_id_and_priority
        )
    return action_blocks.decode_request(octets, type_, invoke_id_and_priority)


def decode_action_response(octets: bytes) -> ActionResponse:
    """An ACTION response of any type; MalformedError otherwise."""
    type_, invoke_id_and_priority = decode_head(octets, ACTION_RESPONSE)
    if type_ == 1 and len(octets) >= _NORMAL.size:
        return ActionResponseNormal(
            result=result_of(ActionResult, octets[HEAD_OCTETS]),
            value=_return_value(_optional(octets, _NORMAL.size)),
            invoke_id_and_priority=invoke_id_and_priority,
        )
    if type_ == 3:
        responses = decode_responses(octets, HEAD_OCTETS)
        return ActionResponseWithList(responses=responses, invoke_id_and_priority=invoke_id_and_priority)
    return action_blocks.decode_response(octets, type_, invoke_id_and_priority)


def _encode_optional_result(value: bytes | DataAccessResult | None) -> bytes:
    return b"\x00" if value is None else b"\x01" + encode_result(value)


def _read_response(octets: bytes, offset: int) -> tuple[ActionResponseWithOptionalData, int]:
    result, value = octets[offset : offset + 1], None
    if not result:
        raise MalformedError("the octets end before an action-result")
    is_present, offset = decode_presence(octets, offset + 1), offset + 2
    if is_present:
        value, offset = read_result(octets, offset)
    return ActionResponseWithOptionalData(result=result_of(ActionResult, result[0]), value=value), offset


def _optional(octets: bytes, offset: int) -> bytes | None:
    """What follows a presence octet, to the end of the APDU: at least one octet, or none at all."""
    present, rest = decode_presence(octets, offset), octets[offset + 1 :]
    if present != bool(rest):
        raise MalformedError(f"{len(rest)} octets follow the presence octet {int(present):02d}")
    return rest if present else None


def _return_value(octets: bytes | None) -> bytes | DataAccessResult | None:
    """The Get-Data-Result of a response: 00 and a value, or 01 and a data-access-result."""
    if octets is None:
        return None
    if octets[0] == 0 and len(octets) > 1:
        return octets[1:]
    if octets[0] == 1 and len(octets) == 2:
        return result_of(DataAccessResult, octets[1])
    raise MalformedError(f"neither a return value nor a data-access-result: {octets[:2].hex()}, {len(octets)} octets")
