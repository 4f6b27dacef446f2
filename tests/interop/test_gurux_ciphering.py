"""Our ciphering beside gurux-dlms's own AES-GCM, which shares nothing with ours: the same octets in every form."""

from types import SimpleNamespace
from typing import Any

import pytest
from gurux_dlms.AesGcmParameter import AesGcmParameter
from gurux_dlms.CountType import CountType
from gurux_dlms.enums import Authentication, Security
from gurux_dlms.GXDLMSChippering import GXDLMSChippering
from gurux_dlms.GXSecure import GXSecure

from dlms_objects.wire.acse import Mechanism
from dlms_objects.wire.cipher_keys import SecuritySuite
from dlms_objects.wire.ciphered import GENERAL_DED_CIPHERING, GENERAL_GLO_CIPHERING
from dlms_objects.wire.handshake import Handshake
from dlms_objects.wire.policy import Protection, SecurityPolicy
from tests.support.associations import GATEWAY, METER
from tests.support.contexts import CHALLENGE, DEDICATED, GET, keys_of, sender, with_dedicated

CIPHERING = [Protection.AUTHENTICATED, Protection.ENCRYPTED, Protection.AUTHENTICATED_ENCRYPTED]
COUNTER, SECRET = 0x01020304, b"a secret of 16 o"


def gurux_parameter(suite: SecuritySuite, tag: int, key: bytes, protection: Protection) -> Any:
    """What gurux is told."""
    parameter = AesGcmParameter(tag, GATEWAY.octets, key, keys_of(suite).authentication_key)
    parameter.security, parameter.securitySuite = Security(protection), suite.value
    parameter.invocationCounter = COUNTER
    return parameter


@pytest.mark.parametrize("suite", SecuritySuite)
@pytest.mark.parametrize("protection", CIPHERING)
@pytest.mark.parametrize("tag", [0xC8, 0xD0, GENERAL_GLO_CIPHERING, GENERAL_DED_CIPHERING])
@pytest.mark.parametrize("plain", [GET, GET * 12], ids=["short", "long"])
def test_an_apdu_is_ciphered_to_gurux_s_octets(
    suite: SecuritySuite, protection: Protection, tag: int, plain: bytes
) -> None:
    keys, dedicated = keys_of(suite), DEDICATED * (suite.key_octets // 16)
    key = dedicated if tag in (0xD0, GENERAL_DED_CIPHERING) else keys.global_unicast_encryption_key
    context = with_dedicated(sender(SecurityPolicy.both_ways(protection), COUNTER, keys=keys).bound_to(METER))
    parameter = gurux_parameter(suite, tag, key, protection)
    assert context.protect(tag, plain) == bytes(GXDLMSChippering.encryptAesGcm(parameter, bytearray(plain)))


@pytest.mark.parametrize("suite", SecuritySuite)
def test_a_gmac_is_gurux_s_gmac(suite: SecuritySuite) -> None:
    keys = keys_of(suite)
    parameter = gurux_parameter(suite, 0, keys.global_unicast_encryption_key, Protection.AUTHENTICATED)
    parameter.type_ = CountType.TAG
    tag = bytes(GXDLMSChippering.encryptAesGcm(parameter, bytearray(CHALLENGE)))
    assert sender(first=COUNTER, keys=keys).gmac(CHALLENGE) == bytes((0x10 | suite,)) + COUNTER.to_bytes(4, "big") + tag


@pytest.mark.parametrize(
    ("mechanism", "authentication"),
    [
        (Mechanism.HLS_MD5, Authentication.HIGH_MD5),
        (Mechanism.HLS_SHA1, Authentication.HIGH_SHA1),
        (Mechanism.HLS_SHA256, Authentication.HIGH_SHA256),
    ],
)
def test_a_hashed_proof_is_gurux_s_proof(mechanism: Mechanism, authentication: Authentication) -> None:
    client_challenge, server_challenge = CHALLENGE, CHALLENGE[::-1]
    ours = Handshake(
        mechanism=mechanism,
        client_challenge=client_challenge,
        server_challenge=server_challenge,
        secret=SECRET,
        client_title=GATEWAY,
        server_title=METER,
    )
    settings = SimpleNamespace(authentication=authentication)
    secret = SECRET
    if authentication == Authentication.HIGH_SHA256:  # as its client and server put it together
        secret = SECRET + GATEWAY.octets + METER.octets + server_challenge + client_challenge
    theirs = bytes(GXSecure.secure(settings, None, 0, bytearray(server_challenge), bytearray(secret)))
    assert ours.client_proof()[2:] == theirs
