"""The swapped-in cipher gives gurux's own octets and, unlike gurux's own, refuses an altered APDU."""

from typing import Any

import pytest
from gurux_dlms.AesGcmParameter import AesGcmParameter
from gurux_dlms.enums import Security
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.GXDLMSChippering import GXDLMSChippering

from tests.support.gurux_cipher import TagError, openssl

TITLE = b"MPR\x00\x00\x00\x00\x01"
KEY, AUTHENTICATION_KEY = bytes(range(60, 76)), bytes(range(90, 106))
GLO_GET_RESPONSE, GENERAL_GLO = 0xCC, 0xDB
PLAIN = b"\xc4\x01\xc1\x00\x06\x00\x01\xe2\x40"


def parameters(tag: int = GLO_GET_RESPONSE) -> Any:
    made = AesGcmParameter(tag, bytearray(TITLE), bytearray(KEY), bytearray(AUTHENTICATION_KEY))
    made.security = Security.AUTHENTICATION_ENCRYPTION
    made.invocationCounter = 77
    return made


def ciphered(tag: int = GLO_GET_RESPONSE) -> bytes:
    return bytes(GXDLMSChippering.encryptAesGcm(parameters(tag), bytearray(PLAIN)))


def opened(octets: bytes) -> bytes:
    return bytes(GXDLMSChippering.decryptAesGcm(None, parameters(), GXByteBuffer(octets)))


@pytest.mark.parametrize("tag", [GLO_GET_RESPONSE, GENERAL_GLO])
def test_the_octets_are_those_of_gurux_itself(tag: int) -> None:
    own = ciphered(tag)
    with openssl():
        assert ciphered(tag) == own
        assert opened(own) == PLAIN
    assert opened(own) == PLAIN


def test_every_flipped_bit_is_refused_within_the_block_and_only_there() -> None:
    apdu = ciphered()
    first = apdu.index(b"\x30") + 5
    for bit in range(first * 8, len(apdu) * 8):
        altered = bytearray(apdu)
        altered[bit // 8] ^= 0x80 >> bit % 8
        with openssl(), pytest.raises(TagError):
            opened(bytes(altered))
    assert opened(apdu[:-1] + bytes((apdu[-1] ^ 1,))) == PLAIN  # why this module exists
