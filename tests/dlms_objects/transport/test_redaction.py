"""No secret of a plain APDU is left in what is shown, wherever it stands; everything else is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.transport.redaction import MASK, Redactor, redacted, redacted_hex
from dlms_objects.values import data as cosem
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.results import ActionResult
from dlms_objects.wire import axdr
from dlms_objects.wire.access import AccessAction, AccessRequest, AccessResponse, AccessResult, AccessService
from dlms_objects.wire.acse import Aarq, ApplicationContext, Mechanism
from dlms_objects.wire.action import ActionRequestNormal, ActionRequestWithList, ActionResponseNormal
from dlms_objects.wire.apdu import Apdu
from dlms_objects.wire.ciphered import GeneralGloCiphering, ServiceCiphering
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.general_block import GeneralBlockTransfer
from dlms_objects.wire.get import GetRequestNormal, GetRequestWithList, GetResponseBlock, GetResponseNormal
from dlms_objects.wire.initiate import InitiateRequest
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.set import SetRequestNormal, SetRequestWithList
from tests.support.associations import AUTHENTICATION_KEY, ENCRYPTION_KEY, MANAGEMENT, PASSWORD, RESIDENT, World

SECRET = b"a secret of ours"
VALUE = axdr.encode(cosem.octet_string(SECRET))
ASSOCIATION = LogicalName.parse("0.0.40.0.0.255")
HIDDEN = AttributeDescriptor(15, ASSOCIATION, 7)
OPEN = AttributeDescriptor(15, ASSOCIATION, 8)
REPLY_TO_HLS = MethodDescriptor(15, ASSOCIATION, 1)
CHANGE_SECRET = MethodDescriptor(15, ASSOCIATION, 2)
KEY_TRANSFER = MethodDescriptor(64, LogicalName.parse("0.0.43.0.3.255"), 2)
SHIFT_TIME = MethodDescriptor(8, LogicalName.parse("0.0.1.0.0.255"), 6)
INITIATE = InitiateRequest(conformance=Conformance.GET, max_pdu_size=1024, dedicated_key=SECRET)


def aarq(**members: Any) -> Aarq:
    return Aarq(application_context=ApplicationContext.LN, **members)


CARRYING: list[list[Apdu]] = [
    [aarq(mechanism=Mechanism.LLS, calling_authentication_value=SECRET)],
    [aarq(mechanism=b"\x01\x02", calling_authentication_value=SECRET)],
    [aarq(calling_authentication_value=SECRET)],
    [aarq(user_information=INITIATE.encode())],
    [aarq(user_information=ServiceCiphering(tag=0x21, content=b"\x10\x00\x00\x00\x01" + INITIATE.encode()).encode())],
    [INITIATE],
    [SetRequestNormal(attribute=HIDDEN, value=VALUE)],
    [SetRequestWithList(attributes=(AttributeWithSelection(attribute=HIDDEN),), values=(VALUE,))],
    [GetRequestNormal(attribute=HIDDEN), GetResponseNormal(result=VALUE)],
    [GetRequestNormal(attribute=HIDDEN), GetResponseBlock(last=True, block_number=1, result=VALUE)],
    [
        GetRequestWithList(
            attributes=(AttributeWithSelection(attribute=OPEN), AttributeWithSelection(attribute=HIDDEN))
        ),
        GetResponseNormal(result=VALUE),
    ],
    [ActionRequestNormal(method=REPLY_TO_HLS, parameters=VALUE)],
    [
        ActionRequestNormal(method=REPLY_TO_HLS, parameters=b"\x00"),
        ActionResponseNormal(result=ActionResult.SUCCESS, value=VALUE),
    ],
    [ActionRequestNormal(method=CHANGE_SECRET, parameters=VALUE)],
    [ActionRequestNormal(method=KEY_TRANSFER, parameters=VALUE)],
    [ActionRequestWithList(methods=(SHIFT_TIME, KEY_TRANSFER), parameters=(b"\x00", VALUE))],
    [AccessRequest(specifications=(AccessAction(method=KEY_TRANSFER),), values=(VALUE,))],
    [
        AccessRequest(specifications=(AccessAction(method=REPLY_TO_HLS),), values=(b"\x00",)),
        AccessResponse(
            values=(VALUE,), results=(AccessResult(service=AccessService.ACTION, result=ActionResult.SUCCESS),)
        ),
    ],
    [GeneralBlockTransfer(last=True, block_number=1, block=VALUE)],
    [ServiceCiphering(tag=0xCB, content=b"\x10\x00\x00\x00\x01" + VALUE)],
    [GeneralGloCiphering(system_title=bytes(8), content=b"\x10\x00\x00\x00\x01" + VALUE)],
]


def shown(redactor: Redactor, octets: bytes) -> tuple[bytes, str]:
    ranges = redactor.ranges_of(octets)
    return redacted(octets, ranges), redacted_hex(octets, ranges)


@pytest.mark.parametrize("session", CARRYING)
def test_a_secret_is_taken_out_wherever_it_travels(session: list[Apdu]) -> None:
    redactor = Redactor()
    assert SECRET in session[-1].encode()
    for apdu in session:
        octets, hexadecimal = shown(redactor, apdu.encode())
        assert SECRET not in octets
        assert SECRET.hex().upper() not in hexadecimal
        assert len(octets) == len(apdu.encode()) == len(hexadecimal) // 2
    assert MASK in hexadecimal


SHOWN: list[list[Apdu]] = [
    [aarq(mechanism=Mechanism.HLS_GMAC, calling_authentication_value=bytes(16))],
    [SetRequestNormal(attribute=OPEN, value=VALUE)],
    [GetRequestNormal(attribute=HIDDEN), GetRequestNormal(attribute=OPEN), GetResponseNormal(result=VALUE)],
    [ActionRequestNormal(method=SHIFT_TIME, parameters=VALUE)],
    [ServiceCiphering(tag=0xCB, content=b"\x30\x00\x00\x00\x01" + VALUE)],
]


@pytest.mark.parametrize("session", SHOWN)
def test_what_is_no_secret_is_shown_whole(session: list[Apdu]) -> None:
    redactor = Redactor()
    for apdu in session:
        octets = apdu.encode()
        result = shown(redactor, octets)
    assert result == (octets, octets.hex().upper())


def test_the_clients_own_secrets_are_taken_out_of_anything() -> None:
    world = World()
    for sap, secret in ((MANAGEMENT, ENCRYPTION_KEY), (MANAGEMENT, AUTHENTICATION_KEY), (RESIDENT, PASSWORD)):
        redactor = Redactor.of_client(world.parameters_for(sap))
        for octets in (b"junk" + secret + secret, GetResponseNormal(result=b"\x09\x10" + secret).encode()):
            assert secret not in shown(redactor, octets)[0]


def test_a_secret_that_is_learnt_later_is_taken_out_from_then_on() -> None:
    redactor = Redactor()
    assert SECRET in shown(redactor, SECRET)[0]
    redactor.hide(SECRET)
    assert SECRET not in shown(redactor, SECRET)[0]


def test_after_a_question_for_a_secret_an_answer_that_is_none_is_taken_out_too() -> None:
    redactor = Redactor()
    redactor.ranges_of(GetRequestNormal(attribute=HIDDEN).encode())
    assert SECRET not in shown(redactor, b"\xc4\x09\xc1" + VALUE)[0]


@given(st.binary(max_size=80))
def test_junk_never_raises(octets: bytes) -> None:
    assert len(shown(Redactor([b"\x00"]), octets)[0]) == len(octets)
