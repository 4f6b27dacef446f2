"""The keys of one meter as a value: those of each association, LLS secrets, the master key that wraps replacements.

Here: what may stand beside what, and how a transfer changes them, all of it or nothing. Not here: where they are kept
(`store`), who may change them (`security_setup_object`). Imported by the store and the keeper of keys.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from hmac import compare_digest
from types import MappingProxyType

from dlms_objects.errors import InvalidValueError
from dlms_objects.transport.credentials import EXAMPLE_KEYS, check_secret
from dlms_objects.wire.cipher_keys import CipherKeys, SecuritySuite
from dlms_objects.wire.key_wrap import unwrap_key

SUITE = SecuritySuite.SUITE_0


class KeyId(IntEnum):
    """Which key a key_transfer replaces; there is no broadcast key here."""

    GLOBAL_UNICAST_ENCRYPTION_KEY = 0
    AUTHENTICATION_KEY = 2
    MASTER_KEY = 3


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MeterKeys:
    """The keys by client SAP, the LLS secrets (8..64 octets) by client SAP, and the master key.

    InvalidValueError for a key of another length, a published example key, or one that already has another use: with a
    shared encryption key two associations would share nonces.
    """

    associations: Mapping[int, CipherKeys]
    master_key: bytes
    secrets: Mapping[int, bytes] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        """Check what belongs together; the message never holds a key."""
        if len(self.master_key) != SUITE.key_octets:
            raise InvalidValueError(f"a master key is {SUITE.key_octets} octets")
        keys = [self.master_key]
        for of_one in self.associations.values():
            keys += (of_one.global_unicast_encryption_key, of_one.authentication_key)
        for secret in self.secrets.values():
            check_secret(secret)
            keys.append(secret)
        for number, key in enumerate(keys):
            if key in EXAMPLE_KEYS:
                raise InvalidValueError("a published example key; make a random one")
            if any(compare_digest(key, other) for other in keys[:number]):
                raise InvalidValueError("two keys of the meter are the same")

    def with_secret(self, client_sap: int, secret: bytes) -> "MeterKeys":
        """The keys with another LLS secret of that association; InvalidValueError for one that cannot be."""
        if client_sap not in self.secrets:
            raise InvalidValueError("this association has no secret")
        return replace(self, secrets={**self.secrets, client_sap: secret})

    def transferred(self, client_sap: int, transfers: Iterable[tuple[int, bytes]]) -> "MeterKeys":
        """The keys after a key_transfer of (key id, wrapped key) to that association.

        InvalidValueError for an association without keys, a key id twice or that is none, or keys that cannot be;
        KeyUnwrapError for one that the master key in force did not wrap.
        """
        current = self.associations.get(client_sap)
        if current is None:
            raise InvalidValueError("this association has no keys")
        new: dict[KeyId, bytes] = {}
        for number, wrapped in transfers:
            if number not in set(KeyId) or number in new:
                raise InvalidValueError(f"no key has the id {number}, or it comes twice")
            new[KeyId(number)] = unwrap_key(self.master_key, wrapped)
        changed = CipherKeys(
            global_unicast_encryption_key=new.get(
                KeyId.GLOBAL_UNICAST_ENCRYPTION_KEY, current.global_unicast_encryption_key
            ),
            authentication_key=new.get(KeyId.AUTHENTICATION_KEY, current.authentication_key),
        )
        return replace(
            self,
            associations={**self.associations, client_sap: changed},
            master_key=new.get(KeyId.MASTER_KEY, self.master_key),
        )
