"""ACSE: the four APDUs come back as they went, agree with gurux-dlms, and are read strictly."""

import pytest
from gurux_dlms.enums import Authentication, InterfaceType, Security
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.secure import GXDLMSSecureClient
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.wire import acse
from dlms_objects.wire.acse import (
    Aare,
    Aarq,
    ApplicationContext,
    AssociationResult,
    Mechanism,
    ProviderDiagnostic,
    ReleaseReason,
    Rlre,
    Rlrq,
    UserDiagnostic,
    decode_aare,
    decode_aarq,
    decode_rlre,
    decode_rlrq,
)
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.initiate import InitiateResponse, decode_initiate_request
from dlms_objects.wire.wrapper import Wrapper
from tests.support.mutation import first_escape

OTHER_IDENTIFIER = bytes.fromhex("2b0601040182")
contexts = st.sampled_from(ApplicationContext) | st.just(OTHER_IDENTIFIER)
mechanisms = st.none() | st.sampled_from(Mechanism) | st.just(OTHER_IDENTIFIER)
optional_octets = st.none() | st.binary(max_size=200)
aarqs = st.builds(
    Aarq,
    application_context=contexts,
    calling_ap_title=optional_octets,
    calling_ae_qualifier=optional_octets,
    sender_acse_requirements=st.booleans(),
    mechanism=mechanisms,
    calling_authentication_value=optional_octets,
    user_information=optional_octets,
)
aares = st.builds(
    Aare,
    application_context=contexts,
    result=st.sampled_from(AssociationResult),
    diagnostic=st.sampled_from(UserDiagnostic) | st.sampled_from(ProviderDiagnostic),
    responding_ap_title=optional_octets,
    responding_ae_qualifier=optional_octets,
    responder_acse_requirements=st.booleans(),
    mechanism=mechanisms,
    responding_authentication_value=optional_octets,
    user_information=optional_octets,
)
reasons = st.none() | st.sampled_from(ReleaseReason)


@given(aarqs)
def test_an_aarq_comes_back_as_it_went(apdu):
    assert decode_aarq(apdu.encode()) == apdu


@given(aares)
def test_an_aare_comes_back_as_it_went(apdu):
    assert decode_aare(apdu.encode()) == apdu


@given(reasons, optional_octets)
def test_a_release_comes_back_as_it_went(reason, user_information):
    request = Rlrq(reason=reason, user_information=user_information)
    response = Rlre(reason=reason, user_information=user_information)
    assert decode_rlrq(request.encode()) == request
    assert decode_rlre(response.encode()) == response


INITIATE = bytes.fromhex("01000000065f1f0400007e1f04b0")
AARQ_PLAIN = bytes.fromhex("601da109060760857405080101be10040e") + INITIATE
AARQ_LLS = bytes.fromhex(
    "6036a1090607608574050801018a0207808b0760857405080201ac0a80083132333435363738be10040e" + INITIATE.hex()
)
AARE_REFUSED = bytes.fromhex("6117a109060760857405080101a203020101a305a10302010d")


def test_the_octets_are_those_of_the_green_books_examples():
    assert Aarq(application_context=ApplicationContext.LN, user_information=INITIATE).encode() == AARQ_PLAIN
    lls = Aarq(
        application_context=ApplicationContext.LN,
        sender_acse_requirements=True,
        mechanism=Mechanism.LLS,
        calling_authentication_value=b"12345678",
        user_information=INITIATE,
    )
    assert lls.encode() == AARQ_LLS
    refused = Aare(
        application_context=ApplicationContext.LN,
        result=AssociationResult.REJECTED_PERMANENT,
        diagnostic=UserDiagnostic.AUTHENTICATION_FAILURE,
    )
    assert refused.encode() == AARE_REFUSED
    assert Rlrq(reason=ReleaseReason.NORMAL).encode().hex() == "6203800100"
    assert Rlre().encode().hex() == "6300"


def gurux_client(authentication):
    client = GXDLMSSecureClient(True, 16, 1, authentication, "12345678", InterfaceType.WRAPPER)
    if authentication is Authentication.HIGH_GMAC:
        client.ciphering.security = Security.AUTHENTICATION_ENCRYPTION
        client.ciphering.systemTitle = bytearray(b"GRX\x00\x00\x00\x00\x02")
        client.ciphering.blockCipherKey = bytearray(range(16))
        client.ciphering.authenticationKey = bytearray(range(16, 32))
    return client


@pytest.mark.parametrize(
    ("authentication", "context", "mechanism"),
    [
        (Authentication.NONE, ApplicationContext.LN, None),
        (Authentication.LOW, ApplicationContext.LN, Mechanism.LLS),
        (Authentication.HIGH_GMAC, ApplicationContext.LN_CIPHERED, Mechanism.HLS_GMAC),
    ],
)
def test_the_aarq_of_a_gurux_client_is_read_and_written_back_exactly(authentication, context, mechanism):
    client = gurux_client(authentication)
    (request,) = client.aarqRequest()
    (frame,) = Wrapper().receive(bytes(request))
    aarq = decode_aarq(frame.apdu)
    assert (frame.source, frame.destination) == (16, 1)
    assert (aarq.application_context, aarq.mechanism) == (context, mechanism)
    assert aarq.sender_acse_requirements == (mechanism is not None)
    if mechanism is Mechanism.LLS:
        assert aarq.calling_authentication_value == b"12345678"
    if context is ApplicationContext.LN_CIPHERED:
        assert aarq.calling_ap_title == b"GRX\x00\x00\x00\x00\x02"
        assert len(aarq.calling_authentication_value) >= 8
        assert aarq.user_information[0] == 0x21  # glo-initiate-request
    else:
        assert decode_initiate_request(aarq.user_information).dlms_version == 6
    assert aarq.encode() == frame.apdu


AGREED = InitiateResponse(
    conformance=Conformance.GET | Conformance.SET | Conformance.ACTION | Conformance.SELECTIVE_ACCESS, max_pdu_size=1024
)


def test_a_gurux_client_reads_our_acceptance():
    client = gurux_client(Authentication.LOW)
    client.aarqRequest()
    aare = Aare(
        application_context=ApplicationContext.LN,
        result=AssociationResult.ACCEPTED,
        diagnostic=UserDiagnostic.NULL,
        user_information=AGREED.encode(),
    )
    client.parseAareResponse(GXByteBuffer(aare.encode()))
    assert not client.isAuthenticationRequired
    assert client.settings.maxPduSize == 1024
    assert client.negotiatedConformance.bit_count() == 4


def test_a_gurux_client_reads_our_challenge():
    client = gurux_client(Authentication.HIGH)
    client.aarqRequest()
    aare = Aare(
        application_context=ApplicationContext.LN,
        result=AssociationResult.ACCEPTED,
        diagnostic=UserDiagnostic.AUTHENTICATION_REQUIRED,
        responding_ap_title=b"MPR00001",
        responder_acse_requirements=True,
        mechanism=Mechanism.HLS,
        responding_authentication_value=b"challenge of 24 octets..",
        user_information=AGREED.encode(),
    )
    client.parseAareResponse(GXByteBuffer(aare.encode()))
    assert client.isAuthenticationRequired
    assert bytes(client.settings.getStoCChallenge()) == b"challenge of 24 octets.."
    assert bytes(client.settings.sourceSystemTitle) == b"MPR00001"


def test_a_gurux_client_reads_our_refusal():
    client = gurux_client(Authentication.LOW)
    client.aarqRequest()
    with pytest.raises(Exception, match=r"(?i)authentication"):
        client.parseAareResponse(GXByteBuffer(AARE_REFUSED))


def test_fields_that_nothing_uses_are_passed_over():
    called = bytes.fromhex("80020780") + bytes.fromhex("a109060760857405080101") + bytes.fromhex("a403020101a803020105")
    apdu = b"\x60" + bytes((len(called),)) + called
    assert decode_aarq(apdu) == Aarq(application_context=ApplicationContext.LN)


def test_an_acse_requirement_other_than_authentication_is_none():
    octets = AARQ_LLS.replace(b"\x8a\x02\x07\x80", b"\x8a\x02\x07\x00")
    assert not decode_aarq(octets).sender_acse_requirements


def test_a_number_that_names_no_context_keeps_its_identifier():
    octets = AARQ_PLAIN.replace(bytes.fromhex("60857405080101"), bytes.fromhex("60857405080163"))
    assert decode_aarq(octets).application_context == bytes.fromhex("60857405080163")


def test_a_user_and_a_provider_diagnostic_of_the_same_number_differ():
    user, provider = (
        Aare(application_context=ApplicationContext.LN, result=AssociationResult.ACCEPTED, diagnostic=diagnostic)
        for diagnostic in (UserDiagnostic.NO_REASON_GIVEN, ProviderDiagnostic.NO_REASON_GIVEN)
    )
    assert user != provider
    assert user.encode() != provider.encode()


def test_the_password_of_an_aarq_is_never_shown():
    assert "12345678" not in repr(decode_aarq(AARQ_LLS))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a109060760857405080101", ""),  # no context: the length is mended below
        ("a1090607", "a1090407"),
        ("8a020780", "8a020880"),
        ("8a020780", "8a0180"),
        ("ac0a8008", "ac0a8108"),
        ("ac0a8008", "ac0a8007"),
        ("be10040e", "be10040d"),
        ("be10040e", "be800000"),
        ("8a020780", "8c020780"),
    ],
)
def test_an_aarq_that_is_none_is_malformed(old, new):
    content = AARQ_LLS[2:].hex().replace(old, new, 1)
    octets = b"\x60" + bytes((len(content) // 2,)) + bytes.fromhex(content)
    with pytest.raises(MalformedError):
        decode_aarq(octets)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x61",
        AARQ_LLS,
        AARE_REFUSED + b"\x00",
        AARE_REFUSED[:-1],
        bytes.fromhex("6110a109060760857405080101a203020101"),
        bytes.fromhex("6112a109060760857405080101a305a10302010d"),
        AARE_REFUSED.replace(b"\xa2\x03\x02\x01\x01", b"\xa2\x03\x02\x01\x03"),
        AARE_REFUSED.replace(b"\xa1\x03\x02\x01\x0d", b"\xa1\x03\x02\x01\x0f"),
        AARE_REFUSED.replace(b"\xa1\x03\x02\x01\x0d", b"\xa2\x03\x02\x01\x0d"),
        AARE_REFUSED.replace(b"\xa1\x03\x02\x01\x0d", b"\xa3\x03\x02\x01\x01"),
        bytes.fromhex("6118a109060760857405080101a20402020001a305a10302010d"),
    ],
)
def test_an_aare_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_aare(octets)


@pytest.mark.parametrize("octets", ["", "62", "6201", "6203800102", "6202be00", "620480010000", "6300"])
def test_an_rlrq_that_is_none_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_rlrq(bytes.fromhex(octets))


AARES = [
    AARE_REFUSED,
    Aare(
        application_context=ApplicationContext.LN_CIPHERED,
        result=AssociationResult.ACCEPTED,
        diagnostic=ProviderDiagnostic.NULL,
        responding_ap_title=b"MPR00001",
        responding_ae_qualifier=b"certificate",
        responder_acse_requirements=True,
        mechanism=Mechanism.HLS_GMAC,
        responding_authentication_value=bytes(16),
        user_information=AGREED.encode(),
    ).encode(),
]


def test_no_mutation_brings_anything_but_malformed():
    assert first_escape(decode_aarq, [AARQ_PLAIN, AARQ_LLS]) is None
    assert first_escape(decode_aare, AARES) is None
    assert first_escape(decode_rlrq, [b"\x62\x00", b"\x62\x03\x80\x01\x00"], count=1000) is None
    assert first_escape(decode_rlre, [b"\x63\x00", b"\x63\x03\x80\x01\x00"], count=1000) is None


def test_the_mutations_find_a_decoder_that_does_not_check_its_fields_are_there(monkeypatch):
    monkeypatch.setattr(acse, "_required", lambda content, _name: content)
    assert first_escape(decode_aare, AARES) is not None


def test_the_mutations_find_a_decoder_whose_length_check_was_removed(monkeypatch):
    def careless(octets, offset):
        first = octets[offset]
        size = first & 0x7F if first > 0x7F else 0
        length = int.from_bytes(octets[offset + 1 : offset + 1 + size], "big") if size else first
        return length, offset + 1 + size

    monkeypatch.setattr("dlms_objects.wire.ber.decode_length", careless)
    assert first_escape(decode_aarq, [AARQ_PLAIN, AARQ_LLS]) is not None
