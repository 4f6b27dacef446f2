"""The symmetric keys of an association and the security suite they belong to; keys never appear in any text.

Here: suites, the length of their keys, the value that holds a pair of them. Not here: what is done with keys
(`security`), how they are replaced (`key_wrap`). Imported by `security`, `parameters` and by who keeps keys.

The public-key half of suites 1 and 2 (signatures, key agreement) is not spoken; their AES-GCM half is.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dlms_objects.errors import InvalidValueError


class SecuritySuite(IntEnum):
    """A security suite; the number is its part of the security control octet."""

    SUITE_0 = 0
    """AES-GCM-128, AES-128 key wrap."""
    SUITE_1 = 1
    """AES-GCM-128, AES-128 key wrap."""
    SUITE_2 = 2
    """AES-GCM-256, AES-256 key wrap."""

    @property
    def key_octets(self) -> int:
        """The length of every symmetric key of the suite, the master key's too."""
        return 32 if self is SecuritySuite.SUITE_2 else 16


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CipherKeys:
    """The two keys of an association, each as long as its suite wants (else InvalidValueError), and the cipher object.

    `global_unicast_encryption_key` is the key of every AES-GCM call; in the keys of a dedicated ciphering the dedicated
    key takes its place.
    """

    global_unicast_encryption_key: bytes
    authentication_key: bytes
    suite: SecuritySuite = SecuritySuite.SUITE_0
    cipher: AESGCM = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Check lengths (the message never holds a key) and make the cipher."""
        octets = self.suite.key_octets
        for name in ("global_unicast_encryption_key", "authentication_key"):
            key = getattr(self, name)
            if type(key) is not bytes or len(key) != octets:
                raise InvalidValueError(f"{name} is {octets} octets in suite {self.suite.value}")
        object.__setattr__(self, "cipher", AESGCM(self.global_unicast_encryption_key))

    def __repr__(self) -> str:
        """Without the keys."""
        return "CipherKeys(...)"

    def for_dedicated(self, dedicated_key: bytes) -> "CipherKeys":
        """The keys of a dedicated ciphering; InvalidValueError for a key of another length, or one of these two."""
        if any(
            compare_digest(dedicated_key, key) for key in (self.global_unicast_encryption_key, self.authentication_key)
        ):
            raise InvalidValueError("a dedicated key is not one of the global keys")
        return CipherKeys(
            global_unicast_encryption_key=dedicated_key, authentication_key=self.authentication_key, suite=self.suite
        )


def key_name(encryption_key: bytes) -> str:
    """A name for an encryption key that tells nothing about it: 16 hexadecimal digits of a digest.

    Counters are kept under it, so that they restart with a new key, and go on when an old one comes back.
    """
    return sha256(b"MeterPurse key name" + encryption_key).hexdigest()[:16]
