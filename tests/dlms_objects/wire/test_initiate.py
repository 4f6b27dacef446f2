"""The initiate APDUs: proposals and agreements come back as they went; the dedicated key stays unseen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire import initiate
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.initiate import (
    InitiateRequest,
    InitiateResponse,
    decode_initiate_request,
    decode_initiate_response,
)
from tests.support.apdus import OCTET, U16
from tests.support.mutation import first_escape

conformances = st.integers(0, 2**24 - 1).map(Conformance)
qualities = st.none() | st.integers(-128, 127)
requests = st.builds(
    InitiateRequest,
    conformance=conformances,
    max_pdu_size=U16,
    dedicated_key=st.none() | st.binary(max_size=200),
    response_allowed=st.booleans(),
    quality_of_service=qualities,
    dlms_version=OCTET,
)
responses = st.builds(
    InitiateResponse,
    conformance=conformances,
    max_pdu_size=U16,
    quality_of_service=qualities,
    dlms_version=OCTET,
    vaa_name=U16,
)
REQUEST = bytes.fromhex("01000000065f1f0400007e1f04b0")
RESPONSE = bytes.fromhex("0800065f1f040000501f01f40007")


@given(requests)
def test_a_request_comes_back_as_it_went(apdu):
    assert decode_initiate_request(apdu.encode()) == apdu


@given(responses)
def test_a_response_comes_back_as_it_went(apdu):
    assert decode_initiate_response(apdu.encode()) == apdu


def test_the_octets_are_those_of_the_standards_examples():
    request = InitiateRequest(conformance=Conformance(0x007E1F), max_pdu_size=1200)
    assert request.encode() == REQUEST
    response = InitiateResponse(conformance=Conformance(0x00501F), max_pdu_size=500)
    assert response.encode() == RESPONSE


def test_a_conformance_tag_of_one_octet_is_read_and_written_in_two():
    old = REQUEST.replace(b"\x5f\x1f\x04", b"\x5f\x04")
    assert decode_initiate_request(old).encode() == REQUEST
    assert decode_initiate_response(RESPONSE.replace(b"\x5f\x1f\x04", b"\x5f\x04")).encode() == RESPONSE


def test_the_dedicated_key_is_never_shown():
    key = bytes(range(16))
    shown = repr(InitiateRequest(conformance=Conformance.GET, max_pdu_size=0, dedicated_key=key))
    assert repr(key) not in shown
    assert key.hex() not in shown
    assert "dedicated_key present" in shown
    assert "dedicated_key absent" in repr(InitiateRequest(conformance=Conformance.GET, max_pdu_size=0))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        RESPONSE,
        REQUEST[:-1],
        REQUEST + b"\x00",
        b"\x01\x02" + REQUEST[2:],
        b"\x01\x01\x10" + bytes(15),
        b"\x01\x00\x01",
        b"\x01\x00\x00\x01",
        REQUEST.replace(b"\x5f\x1f\x04\x00", b"\x5f\x1f\x04\x01"),
        REQUEST.replace(b"\x5f\x1f\x04\x00", b"\x5f\x1f\x03\x00"),
    ],
)
def test_a_request_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_initiate_request(octets)


@pytest.mark.parametrize(
    "octets", [b"", REQUEST, RESPONSE[:-1], RESPONSE + b"\x00", b"\x08\x02" + RESPONSE[2:], RESPONSE[:8]]
)
def test_a_response_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_initiate_response(octets)


@pytest.mark.parametrize(
    "apdu",
    [
        InitiateRequest(conformance=Conformance.GET, max_pdu_size=0x10000),
        InitiateRequest(conformance=Conformance(1 << 24), max_pdu_size=1),
        InitiateRequest(conformance=Conformance.GET, max_pdu_size=1, quality_of_service=128),
        InitiateResponse(conformance=Conformance.GET, max_pdu_size=1, dlms_version=256),
    ],
)
def test_what_does_not_fit_is_not_sent(apdu):
    with pytest.raises(InvalidValueError):
        apdu.encode()


REQUESTS = [
    REQUEST,
    InitiateRequest(
        conformance=Conformance.GET,
        max_pdu_size=1,
        dedicated_key=bytes(16),
        response_allowed=False,
        quality_of_service=1,
    ).encode(),
]


def test_no_mutation_brings_anything_but_malformed():
    assert first_escape(decode_initiate_request, REQUESTS) is None
    assert first_escape(decode_initiate_response, [RESPONSE]) is None


def test_the_mutations_find_a_decoder_that_does_not_check_the_conformance_block(monkeypatch):
    def careless(octets, offset):
        return octets[offset], Conformance(int.from_bytes(octets[offset + 5 : offset + 8], "big")), octets[offset + 8 :]

    monkeypatch.setattr(initiate, "_decode_conformance", careless)
    assert first_escape(decode_initiate_request, REQUESTS) is not None
