"""Ciphered APDUs from outside: envelopes come back as they went; those of real meters open to what they say."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire import axdr
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.ciphered import (
    DED_TAGS,
    GLO_TAGS,
    PLAIN_TAGS,
    GeneralDedCiphering,
    GeneralGloCiphering,
    ServiceCiphering,
    decode_general_ded_ciphering,
    decode_general_glo_ciphering,
    decode_service_ciphering,
)
from dlms_objects.wire.errors import MalformedError
from tests.support.mutation import first_escape
from tests.support.vectors import information_of, load, parts

contents = st.binary(min_size=5, max_size=300)
titles = st.binary(min_size=8, max_size=8) | st.just(b"")
CONTENT = bytes.fromhex("30000000ff") + b"ciphered"
GLO = GeneralGloCiphering(system_title=b"MPR00001", content=CONTENT)
DED = GeneralDedCiphering(system_title=b"", content=CONTENT)
SERVICE = ServiceCiphering(tag=0xC8, content=CONTENT)
DECODERS = {
    GeneralGloCiphering: decode_general_glo_ciphering,
    GeneralDedCiphering: decode_general_ded_ciphering,
    ServiceCiphering: decode_service_ciphering,
}


@given(
    st.builds(GeneralGloCiphering, system_title=titles, content=contents)
    | st.builds(GeneralDedCiphering, system_title=titles, content=contents)
    | st.builds(ServiceCiphering, tag=st.sampled_from(sorted(PLAIN_TAGS)), content=contents)
)
def test_an_envelope_comes_back_as_it_went(apdu):
    assert DECODERS[type(apdu)](apdu.encode()) == apdu
    assert (apdu.security_control, apdu.invocation_counter) == (
        apdu.content[0],
        int.from_bytes(apdu.content[1:5], "big"),
    )


def test_the_octets_are_those_of_the_standard():
    assert GLO.encode().hex() == "db08" + b"MPR00001".hex() + "0d" + CONTENT.hex()
    assert DED.encode().hex() == "dc00" + "0d" + CONTENT.hex()
    assert SERVICE.encode().hex() == "c80d" + CONTENT.hex()
    assert (GLO.security_control, GLO.invocation_counter) == (0x30, 255)


def test_each_service_has_one_global_and_one_dedicated_tag():
    assert GLO_TAGS.keys() == DED_TAGS.keys()
    assert len(PLAIN_TAGS) == 2 * len(GLO_TAGS)
    for tags in (GLO_TAGS, DED_TAGS):
        assert all(PLAIN_TAGS[tag] == plain for plain, tag in tags.items())


def gathered(vector):
    """The ciphered APDU of a vector: bare, in one frame, or in general blocks of several."""
    (first, *rest) = parts(vector)
    if first[0] != 0x7E:
        return first
    if not rest:
        return information_of(first)
    return b"".join(decode_apdu(information_of(frame)).block for frame in (first, *rest))


PUSHES = [
    *load("hdlc", valid=True, classes={"general-glo-ciphering"}),
    *load("ciphered", valid=True, classes={"general-glo-ciphering"}),
]


@pytest.mark.parametrize("vector", PUSHES, ids=lambda vector: vector["id"])
def test_a_push_of_a_real_meter_is_enveloped_as_it_says_and_opens_to_what_it_says(vector):
    octets, wanted = gathered(vector), vector["expect"]
    envelope = decode_apdu(octets)
    assert envelope.encode() == octets
    assert envelope.system_title.hex() == wanted["system_title"]
    assert f"{envelope.security_control:02x}" == wanted["security_control"]
    assert envelope.invocation_counter == wanted["invocation_counter"]
    plain = opened(envelope, vector["keys"])
    assert plain.hex() == wanted["plain_apdu"]
    notification = decode_apdu(plain)
    assert notification.encode() == plain
    body = axdr.decode(notification.body)
    assert f"structure[{len(body.value)}]" == wanted["body"]
    assert axdr.encode(body) == notification.body


def opened(envelope, keys):
    """The plain APDU, by a GCM that shares nothing with ours: encryption in counter mode, and the tag made anew."""
    cipher = AESGCM(bytes.fromhex(keys["ek"]))
    nonce = envelope.system_title + envelope.content[1:5]
    if envelope.security_control == 0x20:
        return cipher.encrypt(nonce, envelope.content[5:], None)[:-16]
    body, tag = envelope.content[5:-12], envelope.content[-12:]
    plain = cipher.encrypt(nonce, body, None)[:-16]
    assert cipher.encrypt(nonce, plain, b"\x30" + bytes.fromhex(keys["ak"]))[-16:-4] == tag
    return plain


def test_a_wrapped_key_of_a_public_vector_is_what_its_master_key_makes():
    (vector,) = load("ciphered", valid=True, classes={"key-wrap"})
    (octets,) = parts(vector)
    key, nonce = (bytes.fromhex(vector["expect"][name]) for name in ("key_data", "iv"))
    # The comment that the vector was taken from misprints the manufacturer FLO (8f19, as its own code has it) as 8f15.
    nonce = nonce.replace(b"\x8f\x15", b"\x8f\x19")
    wrapped = AESGCM(bytes.fromhex(vector["keys"]["master"])).encrypt(nonce, key, None)
    assert (octets[:-8], octets[-8:]) == (wrapped[:-16], wrapped[-16:-8])


@pytest.mark.parametrize("apdu", [GLO, DED, SERVICE], ids=lambda apdu: type(apdu).__name__)
def test_an_envelope_cut_anywhere_or_too_long_is_malformed(apdu):
    octets = apdu.encode()
    for broken in [*(octets[:end] for end in range(len(octets))), octets + b"\x00", b"\x30" + octets[1:]]:
        with pytest.raises(MalformedError):
            DECODERS[type(apdu)](broken)


@pytest.mark.parametrize("octets", ["db07" + "00" * 7 + "0500000000ff", "db0804", "dc0004300000ff", "c80430000000"])
def test_a_title_or_a_content_of_a_wrong_length_is_malformed(octets):
    with pytest.raises(MalformedError):
        decode_apdu(bytes.fromhex(octets))


def test_an_envelope_that_could_not_be_read_cannot_be_made():
    for kind in (GeneralGloCiphering, GeneralDedCiphering):
        with pytest.raises(InvalidValueError):
            kind(system_title=b"short", content=CONTENT)
        with pytest.raises(InvalidValueError):
            kind(system_title=b"", content=b"\x30\x00\x00\x00")
    with pytest.raises(InvalidValueError):
        ServiceCiphering(tag=0xC0, content=CONTENT)
    with pytest.raises(InvalidValueError):
        ServiceCiphering(tag=0xC8, content=b"")


def test_no_mutation_brings_anything_but_malformed():
    for apdu in (GLO, DED, SERVICE):
        assert first_escape(DECODERS[type(apdu)], [apdu.encode()]) is None


def test_the_mutations_find_a_decoder_that_does_not_judge_the_title(monkeypatch):
    monkeypatch.setattr("dlms_objects.wire.ciphered._TITLE_OCTETS", range(256))
    monkeypatch.setattr(
        "dlms_objects.wire.ciphered.take", lambda octets, length, offset: (octets[offset + length - 1], 1)
    )
    assert first_escape(decode_general_glo_ciphering, [GLO.encode()]) is not None
