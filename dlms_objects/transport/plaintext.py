"""What is inside ciphered APDUs, for a trace that was asked for it: opened, but neither judged nor counted.

The engine decides what is trusted; this only looks, also at what the engine refuses. Imported by `trace`.
"""

from hmac import compare_digest

from dlms_objects.wire.cipher_keys import CipherKeys
from dlms_objects.wire.ciphered import DED_TAGS, GeneralDedCiphering, GeneralGloCiphering, ServiceCiphering

AUTHENTICATED, ENCRYPTED, SUITE_MASK = 0x10, 0x20, 0x0F
TAG_OCTETS = 12
_HEAD_OCTETS = 5


Envelope = ServiceCiphering | GeneralGloCiphering | GeneralDedCiphering


def is_dedicated(apdu: Envelope) -> bool:
    """Whether it is ciphered with the dedicated key of its association."""
    return isinstance(apdu, GeneralDedCiphering) or (
        isinstance(apdu, ServiceCiphering) and apdu.tag in DED_TAGS.values()
    )


def opened(apdu: Envelope, keys: CipherKeys, title: bytes | None) -> tuple[bytes, bool] | None:
    """The plain APDU and whether its tag is genuine; None where the sender is not known, or another key was used.

    `title` is the sender's system title, 8 octets, for envelopes that lack it; a broadcast has a key of its own, and
    what is compressed stays closed.
    """
    sender = getattr(apdu, "system_title", b"") or title
    control = apdu.security_control
    if not sender or control & ~(AUTHENTICATED | ENCRYPTED | SUITE_MASK):
        return None
    nonce = sender + apdu.content[1:_HEAD_OCTETS]
    body = apdu.content[_HEAD_OCTETS:]
    body, tag = (body[:-TAG_OCTETS], body[-TAG_OCTETS:]) if control & AUTHENTICATED else (body, b"")
    plain = keys.cipher.encrypt(nonce, body, None)[:-16] if control & ENCRYPTED else body
    associated = bytes((control,)) + keys.authentication_key
    if control & ENCRYPTED:
        computed = keys.cipher.encrypt(nonce, plain, associated)[-16:]
    else:
        computed = keys.cipher.encrypt(nonce, b"", associated + plain)
    return plain, compare_digest(computed[:TAG_OCTETS], tag)
