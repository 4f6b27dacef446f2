"""The ACCESS service: reads, writes and methods together in one request. Values stay raw A-XDR octets.

A request holds specifications (what) and values (with what; null-data for a read), a response values and results, each
list in the order of the request and of its length.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import AttributeDescriptor, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.invoke import (
    DESCRIPTOR_OCTETS,
    check_end,
    check_tag,
    decode_attribute,
    decode_method,
    decode_presence,
    encode_descriptor,
    result_of,
)
from dlms_objects.wire.lists import decode_list, encode_list, read_value
from dlms_objects.wire.notification import LongInvoked, check_date_time, decode_long_head, encode_long_head
from dlms_objects.wire.selection import SelectiveAccess, decode_selection
from dlms_objects.wire.simple_types import take

ACCESS_REQUEST = 0xD9
ACCESS_RESPONSE = 0xDA

_GET, _SET, _ACTION, _GET_WITH_SELECTION, _SET_WITH_SELECTION = range(1, 6)


class AccessService(IntEnum):
    """What a result of a response is the result of."""

    GET = 1
    SET = 2
    ACTION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessGet:
    """Read one attribute, or the part of it that `selection` names."""

    attribute: AttributeDescriptor
    selection: SelectiveAccess | None = None

    def encode(self) -> bytes:
        """The access-request-specification."""
        return _encode_specification(_GET, _GET_WITH_SELECTION, self.attribute, self.selection)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSet:
    """Write one attribute, or the part of it that `selection` names."""

    attribute: AttributeDescriptor
    selection: SelectiveAccess | None = None

    def encode(self) -> bytes:
        """The access-request-specification."""
        return _encode_specification(_SET, _SET_WITH_SELECTION, self.attribute, self.selection)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessAction:
    """Invoke one method."""

    method: MethodDescriptor

    def encode(self) -> bytes:
        """The access-request-specification."""
        return bytes((_ACTION,)) + encode_descriptor(self.method)


AccessSpecification = AccessGet | AccessSet | AccessAction


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessResult:
    """What became of one specification: an action-result for ACTION, a data-access-result otherwise."""

    service: AccessService
    result: DataAccessResult | ActionResult

    def __post_init__(self) -> None:
        """Refuse a result of the other kind (InvalidValueError)."""
        if isinstance(self.result, ActionResult) != (self.service is AccessService.ACTION):
            raise InvalidValueError(f"{self.service.name} has no result {self.result!r}")

    def encode(self) -> bytes:
        """The access-response-specification."""
        return bytes((self.service, self.result))


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest(LongInvoked):
    """Do what the specifications say, in their order; `date_time` the 12 octets of a COSEM date-time, or None."""

    TAG: ClassVar[int] = ACCESS_REQUEST
    specifications: tuple[AccessSpecification, ...]
    values: tuple[bytes, ...]
    date_time: bytes | None = None
    long_invoke_id_and_priority: int = 0

    def __post_init__(self) -> None:
        """Refuse another number of values than of specifications, or a wrong date-time (InvalidValueError)."""
        check_date_time(self.date_time)
        if len(self.values) != len(self.specifications):
            raise InvalidValueError(f"{len(self.values)} values for {len(self.specifications)} specifications")

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        head = encode_long_head(self.long_invoke_id_and_priority, self.date_time)
        return b"\xd9" + head + _encode_specifications(self.specifications) + encode_list(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessResponse(LongInvoked):
    """A value (null-data where there is none) and a result for each specification of the request.

    `specifications` repeats the request's when it asked for a self-descriptive response, and is None otherwise.
    """

    TAG: ClassVar[int] = ACCESS_RESPONSE
    values: tuple[bytes, ...]
    results: tuple[AccessResult, ...]
    specifications: tuple[AccessSpecification, ...] | None = None
    date_time: bytes | None = None
    long_invoke_id_and_priority: int = 0

    def __post_init__(self) -> None:
        """Refuse another number of values than of results, or a wrong date-time (InvalidValueError)."""
        check_date_time(self.date_time)
        if len(self.values) != len(self.results):
            raise InvalidValueError(f"{len(self.values)} values for {len(self.results)} results")

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        specifications = self.specifications
        return b"".join(
            (
                b"\xda",
                encode_long_head(self.long_invoke_id_and_priority, self.date_time),
                b"\x00" if specifications is None else b"\x01" + _encode_specifications(specifications),
                encode_list(self.values),
                encode_list(result.encode() for result in self.results),
            )
        )


def decode_access_request(octets: bytes) -> AccessRequest:
    """An ACCESS request; MalformedError for anything else."""
    check_tag(octets, ACCESS_REQUEST)
    long_invoke_id_and_priority, date_time, offset = decode_long_head(octets)
    specifications, offset = _decode_specifications(octets, offset)
    values, offset = decode_list(octets, offset, read_value)
    check_end(octets, offset)
    if len(values) != len(specifications):
        raise MalformedError(f"{len(values)} values for {len(specifications)} specifications")
    return AccessRequest(
        specifications=specifications,
        values=values,
        date_time=date_time,
        long_invoke_id_and_priority=long_invoke_id_and_priority,
    )


def decode_access_response(octets: bytes) -> AccessResponse:
    """An ACCESS response; MalformedError for anything else."""
    check_tag(octets, ACCESS_RESPONSE)
    long_invoke_id_and_priority, date_time, offset = decode_long_head(octets)
    specifications = None
    is_present, offset = decode_presence(octets, offset), offset + 1
    if is_present:
        specifications, offset = _decode_specifications(octets, offset)
    values, offset = decode_list(octets, offset, read_value)
    results, offset = decode_list(octets, offset, _read_result, fewest=2)
    check_end(octets, offset)
    if len(values) != len(results):
        raise MalformedError(f"{len(values)} values for {len(results)} results")
    return AccessResponse(
        values=values,
        results=results,
        specifications=specifications,
        date_time=date_time,
        long_invoke_id_and_priority=long_invoke_id_and_priority,
    )


def _encode_specification(
    plain: int, selective: int, attribute: AttributeDescriptor, selection: SelectiveAccess | None
) -> bytes:
    if selection is None:
        return bytes((plain,)) + encode_descriptor(attribute)
    return bytes((selective,)) + encode_descriptor(attribute) + selection.encode()


def _encode_specifications(specifications: tuple[AccessSpecification, ...]) -> bytes:
    return encode_list(specification.encode() for specification in specifications)


def _decode_specifications(octets: bytes, offset: int) -> tuple[tuple[AccessSpecification, ...], int]:
    return decode_list(octets, offset, _read_specification, fewest=DESCRIPTOR_OCTETS + 1)


def _read_specification(octets: bytes, offset: int) -> tuple[AccessSpecification, int]:
    (choice,), offset = take(octets, 1, offset)
    if choice == _ACTION:
        method, offset = decode_method(octets, offset)
        return AccessAction(method=method), offset
    if choice not in (_GET, _SET, _GET_WITH_SELECTION, _SET_WITH_SELECTION):
        raise MalformedError(f"no access-request-specification has the number {choice}")
    attribute, offset = decode_attribute(octets, offset)
    selection = None
    if choice in (_GET_WITH_SELECTION, _SET_WITH_SELECTION):
        selection, offset = decode_selection(octets, offset)
    kind = AccessGet if choice in (_GET, _GET_WITH_SELECTION) else AccessSet
    return kind(attribute=attribute, selection=selection), offset


def _read_result(octets: bytes, offset: int) -> tuple[AccessResult, int]:
    (choice, code), offset = take(octets, 2, offset)
    service = result_of(AccessService, choice)
    if service is AccessService.ACTION:
        return AccessResult(service=service, result=result_of(ActionResult, code)), offset
    return AccessResult(service=service, result=result_of(DataAccessResult, code)), offset
