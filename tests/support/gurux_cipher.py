"""OpenSSL in place of gurux-dlms's own AES-GCM, swapped in at run time: gurux 1.0.203 never verifies a tag.

Tests and the benchmark only. Two class methods of gurux are replaced and put back; nothing of the installed package
changes. Suite 0: the authenticated encryption of APDUs and the GMAC of HLS 5; anything else is left to gurux.
"""

import contextlib
from collections.abc import Iterator
from hmac import compare_digest
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from gurux_dlms.CountType import CountType
from gurux_dlms.enums import Command, Security
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.GXDLMSChippering import GXDLMSChippering
from gurux_dlms.internal._GXCommon import _GXCommon

TAG_OCTETS: Final = 12
_GENERAL: Final = (Command.GENERAL_GLO_CIPHERING, Command.GENERAL_DED_CIPHERING)
_OWN: Final = (GXDLMSChippering.encryptAesGcm.__func__, GXDLMSChippering.decryptAesGcm.__func__)
_CIPHERS: dict[bytes, AESGCM] = {}


class TagError(Exception):
    """The tag of a ciphered APDU is not the one its octets and keys give."""


@contextlib.contextmanager
def openssl() -> Iterator[None]:
    """Within the block gurux ciphers with OpenSSL and verifies tags (TagError); after it, gurux is as shipped."""
    GXDLMSChippering.encryptAesGcm = classmethod(_encrypt)
    GXDLMSChippering.decryptAesGcm = classmethod(_decrypt)
    try:
        yield
    finally:
        GXDLMSChippering.encryptAesGcm = classmethod(_OWN[0])
        GXDLMSChippering.decryptAesGcm = classmethod(_OWN[1])


def _cipher(key: bytes) -> AESGCM:
    if key not in _CIPHERS:
        _CIPHERS[key] = AESGCM(key)
    return _CIPHERS[key]


def _encrypt(cls: type, parameters: Any, plain: Any) -> Any:
    """In place of gurux's `encryptAesGcm`: the ciphered APDU with its envelope, or the bare tag of a GMAC."""
    octets = bytes(plain.array() if isinstance(plain, GXByteBuffer) else plain)
    cipher = _cipher(bytes(parameters.blockCipherKey))
    counter = parameters.invocationCounter.to_bytes(4, "big")
    nonce = bytes(parameters.systemTitle) + counter
    control = bytes((parameters.security | parameters.securitySuite,))
    associated = control + bytes(parameters.authenticationKey)
    if parameters.security == Security.AUTHENTICATION and parameters.type_ == CountType.TAG:
        parameters.countTag = bytearray(cipher.encrypt(nonce, b"", associated + octets)[:TAG_OCTETS])
        return parameters.countTag
    if parameters.security != Security.AUTHENTICATION_ENCRYPTION or parameters.type_ != CountType.PACKET:
        return _OWN[0](cls, parameters, plain)
    body = control + counter + cipher.encrypt(nonce, octets, associated)[: TAG_OCTETS - 16]
    envelope = GXByteBuffer()
    envelope.setUInt8(parameters.tag)
    if parameters.tag in _GENERAL:
        envelope.setUInt8(len(parameters.systemTitle))
        envelope.set(parameters.systemTitle)
    _GXCommon.setObjectCount(len(body), envelope)
    envelope.set(body)
    return envelope.array()


def _decrypt(cls: type, settings: Any, parameters: Any, received: Any) -> Any:
    """In place of gurux's `decryptAesGcm`: the plain APDU, after its tag was verified."""
    octets, start = bytes(received.array()), received.position
    offset = start + 1
    if octets[start] in _GENERAL:
        parameters.systemTitle = bytearray(octets[offset + 1 : offset + 1 + octets[offset]])
        offset += 1 + octets[offset]
    offset += 1 if octets[offset] < 0x80 else 1 + (octets[offset] & 0x7F)
    if octets[offset] != Security.AUTHENTICATION_ENCRYPTION:
        return _OWN[1](cls, settings, parameters, received)
    parameters.security = Security.AUTHENTICATION_ENCRYPTION
    parameters.invocationCounter = int.from_bytes(octets[offset + 1 : offset + 5], "big")
    nonce = bytes(parameters.systemTitle) + octets[offset + 1 : offset + 5]
    associated = octets[offset : offset + 1] + bytes(parameters.authenticationKey)
    cipher = _cipher(bytes(parameters.blockCipherKey))
    plain = cipher.encrypt(nonce, octets[offset + 5 : -TAG_OCTETS], None)[:-16]
    if not compare_digest(cipher.encrypt(nonce, plain, associated)[-16 : TAG_OCTETS - 16], octets[-TAG_OCTETS:]):
        raise TagError
    received.position = len(received)
    return bytearray(plain)
