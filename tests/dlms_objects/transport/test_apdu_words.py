"""Every APDU reads as one line: service, what it is about by name, result; octets that are none are told as such."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.transport.apdu_words import apdu_in_words, declared_name, octets_in_words
from dlms_objects.values import data as cosem
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import axdr
from dlms_objects.wire.access import AccessAction, AccessGet, AccessRequest, AccessResponse, AccessResult, AccessService
from dlms_objects.wire.acse import (
    Aare,
    Aarq,
    ApplicationContext,
    AssociationResult,
    Mechanism,
    ReleaseReason,
    Rlrq,
    UserDiagnostic,
)
from dlms_objects.wire.action import ActionRequestNormal, ActionResponseNormal
from dlms_objects.wire.apdu import Apdu
from dlms_objects.wire.ciphered import GeneralDedCiphering, GeneralGloCiphering, ServiceCiphering
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.exception import ExceptionResponse, ServiceError, StateError
from dlms_objects.wire.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseBlock,
    GetResponseNormal,
    GetResponseWithList,
)
from dlms_objects.wire.initiate import InitiateRequest
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.notification import DataNotification
from dlms_objects.wire.selection import EntryDescriptor
from dlms_objects.wire.set import SetRequestNormal, SetResponseNormal

BALANCE = AttributeDescriptor(20101, LogicalName.parse("0.0.128.0.0.255"), 2)
TOP_UP = MethodDescriptor(20101, LogicalName.parse("0.0.128.0.0.255"), 1)
REGISTER = AttributeDescriptor(3, LogicalName.parse("1.0.1.8.0.255"), 2)
TITLE = b"MPR\x00\x00\x00\x00\x01"
CONTENT = bytes.fromhex("3000000007") + bytes(20)
FIVE = axdr.encode(cosem.long64(5))

CASES: list[tuple[Apdu, str]] = [
    (GetRequestNormal(attribute=BALANCE), "get-request-normal #1, Purse.balance 0.0.128.0.0.255"),
    (
        GetRequestNormal(attribute=REGISTER, selection=EntryDescriptor(from_entry=1).selective_access()),
        "get-request-normal #1, Register.value 1.0.1.8.0.255, selective access 2",
    ),
    (GetRequestNext(block_number=3), "get-request-next #1, block 3"),
    (
        GetRequestWithList(
            attributes=(AttributeWithSelection(attribute=BALANCE), AttributeWithSelection(attribute=REGISTER))
        ),
        "get-request-with-list #1, Purse.balance 0.0.128.0.0.255; Register.value 1.0.1.8.0.255",
    ),
    (GetResponseNormal(result=FIVE), "get-response-normal #1, 5"),
    (GetResponseNormal(result=DataAccessResult.OBJECT_UNDEFINED), "get-response-normal #1, object-undefined"),
    (
        GetResponseBlock(last=True, block_number=2, result=b"\x01\x02"),
        "get-response-block #1, the last, block 2, 2 octets",
    ),
    (
        GetResponseWithList(results=(FIVE, DataAccessResult.READ_WRITE_DENIED)),
        "get-response-with-list #1, 5; read-write-denied",
    ),
    (SetRequestNormal(attribute=BALANCE, value=FIVE), "set-request-normal #1, Purse.balance 0.0.128.0.0.255, 5"),
    (SetResponseNormal(result=DataAccessResult.SUCCESS), "set-response-normal #1, success"),
    (
        ActionRequestNormal(method=TOP_UP, parameters=FIVE),
        "action-request-normal #1, Purse.top_up 0.0.128.0.0.255, 5",
    ),
    (
        ActionResponseNormal(result=ActionResult.SUCCESS, value=FIVE),
        "action-response-normal #1, success, 5",
    ),
    (
        AccessRequest(
            specifications=(AccessGet(attribute=BALANCE), AccessAction(method=TOP_UP)), values=(b"\x00", FIVE)
        ),
        "access-request, access-get Purse.balance 0.0.128.0.0.255; access-action Purse.top_up 0.0.128.0.0.255, None; 5",
    ),
    (
        AccessResponse(
            values=(FIVE,), results=(AccessResult(service=AccessService.GET, result=DataAccessResult.SUCCESS),)
        ),
        "access-response, 5, success",
    ),
    (DataNotification(body=FIVE), "data-notification, 5"),
    (
        ExceptionResponse(
            state_error=StateError.SERVICE_NOT_ALLOWED,
            service_error=ServiceError.INVOCATION_COUNTER_ERROR,
            invocation_counter=9,
        ),
        "exception-response, service-not-allowed, invocation-counter-error, counter 9",
    ),
    (Rlrq(reason=ReleaseReason.NORMAL), "rlrq, normal"),
    (
        Aarq(
            application_context=ApplicationContext.LN,
            calling_ap_title=TITLE,
            mechanism=Mechanism.HLS_GMAC,
            calling_authentication_value=bytes(16),
            user_information=InitiateRequest(conformance=Conformance.GET, max_pdu_size=1024).encode(),
        ),
        "aarq, ln, system title 4D50520000000001, hls-gmac, authentication value of 16 octets, "
        "with initiate-request, conformance get, max pdu 1024",
    ),
    (
        Aare(
            application_context=b"\x01\x02",
            result=AssociationResult.REJECTED_PERMANENT,
            diagnostic=UserDiagnostic.AUTHENTICATION_FAILURE,
        ),
        "aare, unknown 0102, rejected-permanent, authentication-failure",
    ),
    (
        ServiceCiphering(tag=0xC8, content=CONTENT),
        "glo-get-request (C8), system title 4D50520000000001, security control 30, counter 7, 25 octets",
    ),
    (
        ServiceCiphering(tag=0xD7, content=CONTENT),
        "ded-action-response (D7), system title 4D50520000000001, security control 30, counter 7, 25 octets",
    ),
    (
        GeneralGloCiphering(system_title=b"XYZ\x00\x00\x00\x00\x09", content=CONTENT),
        "general-glo-ciphering (DB), system title 58595A0000000009, security control 30, counter 7, 25 octets",
    ),
    (
        GeneralDedCiphering(system_title=b"", content=CONTENT),
        "general-ded-ciphering (DC), system title 4D50520000000001, security control 30, counter 7, 25 octets",
    ),
]


@pytest.mark.parametrize(("apdu", "words"), CASES, ids=[type(apdu).__name__ for apdu, _ in CASES])
def test_an_apdu_reads_as_one_line(apdu: Apdu, words: str) -> None:
    assert apdu_in_words(apdu, title=TITLE) == words


def test_a_value_is_shown_whole_up_to_a_limit_and_then_by_its_length() -> None:
    long = axdr.encode(cosem.octet_string(bytes(150)))
    assert apdu_in_words(GetResponseNormal(result=long)).endswith("000…")
    longer = axdr.encode(cosem.octet_string(bytes(300)))
    assert apdu_in_words(GetResponseNormal(result=longer)).endswith(f", {len(longer)} octets")


def test_a_sender_that_is_not_known_is_told() -> None:
    assert "system title unknown" in apdu_in_words(ServiceCiphering(tag=0xC8, content=CONTENT))


@pytest.mark.parametrize(
    ("descriptor", "words"),
    [
        (AttributeDescriptor(3, REGISTER.logical_name, 3), "Register.scaler_unit 1.0.1.8.0.255"),
        (AttributeDescriptor(3, REGISTER.logical_name, 99), "3/1.0.1.8.0.255:99"),
        (AttributeDescriptor(20, REGISTER.logical_name, 2), "20/1.0.1.8.0.255:2"),
        (MethodDescriptor(3, REGISTER.logical_name, 1), "3/1.0.1.8.0.255.1"),
    ],
)
def test_what_is_not_declared_here_reads_by_its_numbers(
    descriptor: AttributeDescriptor | MethodDescriptor, words: str
) -> None:
    assert declared_name(descriptor) == words


def test_better_names_may_be_handed_in() -> None:
    assert apdu_in_words(GetRequestNormal(attribute=REGISTER), lambda _descriptor: "energy").endswith(", energy")


@given(st.binary(max_size=60) | st.sampled_from([apdu.encode() for apdu, _ in CASES]).map(lambda octets: octets[:-1]))
def test_octets_that_are_no_apdu_never_raise(octets: bytes) -> None:
    assert octets_in_words(octets)


def test_octets_that_are_no_apdu_are_told_as_such() -> None:
    assert octets_in_words(b"\xff\xff").startswith("not an APDU known here: ")
