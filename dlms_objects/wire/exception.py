"""The two APDUs that say a request was not served at all: exception-response and confirmed-service-error."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.invoke import check_tag, pack, result_of, unpack_exactly

CONFIRMED_SERVICE_ERROR = 0x0E
EXCEPTION_RESPONSE = 0xD8

_EXCEPTION = struct.Struct(">BBB")  # tag, state-error, service-error
_EXCEPTION_WITH_COUNTER = struct.Struct(">BBBI")
_SERVICE_ERROR = struct.Struct(">BBBB")  # tag, service, error class, error


class StateError(IntEnum):
    """What the server's state did not allow."""

    SERVICE_NOT_ALLOWED = 1
    SERVICE_UNKNOWN = 2


class ServiceError(IntEnum):
    """Why the service was not performed."""

    OPERATION_NOT_POSSIBLE = 1
    SERVICE_NOT_SUPPORTED = 2
    OTHER_REASON = 3
    PDU_TOO_LONG = 4
    DECIPHERING_ERROR = 5
    INVOCATION_COUNTER_ERROR = 6


class ServiceErrorClass(IntEnum):
    """The kind of error in a confirmed-service-error; each has its own list of errors."""

    APPLICATION_REFERENCE = 0
    HARDWARE_RESOURCE = 1
    VDE_STATE_ERROR = 2
    SERVICE = 3
    DEFINITION = 4
    ACCESS = 5
    INITIATE = 6
    LOAD_DATA_SET = 7
    TASK = 9
    OTHER = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionResponse:
    """The server's answer to an APDU it will not serve.

    `invocation_counter` (0 .. 2^32 - 1) is there exactly when `service_error` is INVOCATION_COUNTER_ERROR: the lowest
    counter the server would accept.
    """

    TAG: ClassVar[int] = EXCEPTION_RESPONSE
    state_error: StateError
    service_error: ServiceError
    invocation_counter: int | None = None

    def __post_init__(self) -> None:
        """Refuse a counter without its error, and the error without its counter (InvalidValueError)."""
        if (self.invocation_counter is None) == (self.service_error is ServiceError.INVOCATION_COUNTER_ERROR):
            raise InvalidValueError("an invocation counter belongs to invocation-counter-error and to nothing else")

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when the counter does not fit four octets."""
        if self.invocation_counter is None:
            return pack(_EXCEPTION, EXCEPTION_RESPONSE, self.state_error, self.service_error)
        return pack(
            _EXCEPTION_WITH_COUNTER,
            EXCEPTION_RESPONSE,
            self.state_error,
            self.service_error,
            self.invocation_counter,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedServiceError:
    """The server's answer to a confirmed service that failed.

    `service` is 1..19 (1 is the initiate service), `error` 0..255 in the list of its class.
    """

    TAG: ClassVar[int] = CONFIRMED_SERVICE_ERROR
    service: int
    error_class: ServiceErrorClass
    error: int

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its octet."""
        return pack(_SERVICE_ERROR, CONFIRMED_SERVICE_ERROR, self.service, self.error_class, self.error)


def decode_exception_response(octets: bytes) -> ExceptionResponse:
    """An exception-response; MalformedError for anything else."""
    check_tag(octets, EXCEPTION_RESPONSE)
    if octets[2:3] == bytes((ServiceError.INVOCATION_COUNTER_ERROR,)):
        _tag, state_error, service_error, invocation_counter = unpack_exactly(_EXCEPTION_WITH_COUNTER, octets)
        return ExceptionResponse(
            state_error=result_of(StateError, state_error),
            service_error=result_of(ServiceError, service_error),
            invocation_counter=invocation_counter,
        )
    _tag, state_error, service_error = unpack_exactly(_EXCEPTION, octets)
    return ExceptionResponse(
        state_error=result_of(StateError, state_error), service_error=result_of(ServiceError, service_error)
    )


def decode_confirmed_service_error(octets: bytes) -> ConfirmedServiceError:
    """A confirmed-service-error; MalformedError for anything else."""
    check_tag(octets, CONFIRMED_SERVICE_ERROR)
    _tag, service, error_class, error = unpack_exactly(_SERVICE_ERROR, octets)
    if not 1 <= service <= 19:
        raise MalformedError(f"no confirmed service has the number {service}")
    return ConfirmedServiceError(service=service, error_class=result_of(ServiceErrorClass, error_class), error=error)
