"""exception-response and confirmed-service-error: what the server could not do, to the octet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire import exception
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.exception import (
    ConfirmedServiceError,
    ExceptionResponse,
    ServiceError,
    ServiceErrorClass,
    StateError,
    decode_confirmed_service_error,
    decode_exception_response,
)
from tests.support.apdus import OCTET, U32
from tests.support.mutation import first_escape

plain_errors = st.sampled_from([error for error in ServiceError if error is not ServiceError.INVOCATION_COUNTER_ERROR])
exceptions = st.builds(
    ExceptionResponse, state_error=st.sampled_from(StateError), service_error=plain_errors
) | st.builds(
    ExceptionResponse,
    state_error=st.sampled_from(StateError),
    service_error=st.just(ServiceError.INVOCATION_COUNTER_ERROR),
    invocation_counter=U32,
)


@given(exceptions)
def test_an_exception_response_comes_back_as_it_went(apdu):
    assert decode_exception_response(apdu.encode()) == apdu


@given(
    st.builds(
        ConfirmedServiceError,
        service=st.integers(1, 19),
        error_class=st.sampled_from(ServiceErrorClass),
        error=OCTET,
    )
)
def test_a_confirmed_service_error_comes_back_as_it_went(apdu):
    assert decode_confirmed_service_error(apdu.encode()) == apdu


@pytest.mark.parametrize("counter", [0, 255, 256, 2**32 - 1])
def test_a_counter_of_any_size_takes_four_octets(counter):
    apdu = ExceptionResponse(
        state_error=StateError.SERVICE_NOT_ALLOWED,
        service_error=ServiceError.INVOCATION_COUNTER_ERROR,
        invocation_counter=counter,
    )
    assert apdu.encode() == b"\xd8\x01\x06" + counter.to_bytes(4, "big")


@pytest.mark.parametrize(
    ("service_error", "counter"), [(ServiceError.OTHER_REASON, 5), (ServiceError.INVOCATION_COUNTER_ERROR, None)]
)
def test_a_counter_belongs_to_its_own_error_alone(service_error, counter):
    with pytest.raises(InvalidValueError):
        ExceptionResponse(
            state_error=StateError.SERVICE_UNKNOWN, service_error=service_error, invocation_counter=counter
        )


def test_what_does_not_fit_is_not_sent():
    with pytest.raises(InvalidValueError):
        ExceptionResponse(
            state_error=StateError.SERVICE_NOT_ALLOWED,
            service_error=ServiceError.INVOCATION_COUNTER_ERROR,
            invocation_counter=2**32,
        ).encode()
    with pytest.raises(InvalidValueError):
        ConfirmedServiceError(service=256, error_class=ServiceErrorClass.ACCESS, error=0).encode()


@pytest.mark.parametrize(
    "octets",
    ["", "d8", "d801", "d80001", "d80301", "d80100", "d80107", "d8010200", "d80106", "d8010600000000ff", "0e0102"],
)
def test_an_exception_response_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_exception_response(bytes.fromhex(octets))


@pytest.mark.parametrize("octets", ["", "0e", "0e0106", "0e000601", "0e140601", "0e010801", "0e01060100", "d8010601"])
def test_a_confirmed_service_error_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_confirmed_service_error(bytes.fromhex(octets))


EXCEPTIONS = [bytes.fromhex("d80102"), bytes.fromhex("d8010600000101")]


def test_no_mutation_brings_anything_but_malformed():
    assert first_escape(decode_exception_response, EXCEPTIONS) is None
    assert first_escape(decode_confirmed_service_error, [bytes.fromhex("0e010601")]) is None


def test_the_mutations_find_a_decoder_that_does_not_check_the_length(monkeypatch):
    monkeypatch.setattr(exception, "unpack_exactly", lambda layout, octets: layout.unpack_from(octets))
    assert first_escape(decode_exception_response, EXCEPTIONS) is not None
