"""Security policies: how the APDUs of an association are protected, requests and responses each on their own.

Here: the protections and the policy as a value, and its numbers in versions 0 and 1 of the security setup. Not here:
ciphering (`security`) and who has which policy (`parameters`).

Decision: a policy is exact. What it names is sent, and nothing else is accepted: neither less nor more, so that one
APDU can never pass as the other kind. Policies with digital signatures are refused; nobody here signs.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from dlms_objects.errors import InvalidValueError


class Protection(IntEnum):
    """What is done to one APDU; the number is its part of the security control octet.

    ENCRYPTED alone keeps an APDU secret but not whole: whoever can alter it on its way is not noticed.
    """

    NONE = 0x00
    AUTHENTICATED = 0x10
    ENCRYPTED = 0x20
    AUTHENTICATED_ENCRYPTED = 0x30

    @property
    def is_encrypted(self) -> bool:
        """Whether the content is kept secret."""
        return bool(self & Protection.ENCRYPTED)


_REQUEST_BITS: Final = ((0x04, Protection.AUTHENTICATED), (0x08, Protection.ENCRYPTED))
_RESPONSE_BITS: Final = ((0x20, Protection.AUTHENTICATED), (0x40, Protection.ENCRYPTED))
_KNOWN_BITS: Final = 0x6C


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityPolicy:
    """The protection of what the client sends (`request`) and of what the server sends (`response`)."""

    request: Protection
    response: Protection

    NONE: ClassVar["SecurityPolicy"]
    AUTHENTICATED: ClassVar["SecurityPolicy"]
    ENCRYPTED: ClassVar["SecurityPolicy"]
    AUTHENTICATED_ENCRYPTED: ClassVar["SecurityPolicy"]

    @classmethod
    def both_ways(cls, protection: Protection) -> "SecurityPolicy":
        """The same protection in both directions."""
        return cls(request=protection, response=protection)

    @classmethod
    def of_version_0(cls, number: int) -> "SecurityPolicy":
        """The policy 0..3 of security setup version 0; InvalidValueError for any other number."""
        if not 0 <= number <= 3:
            raise InvalidValueError(f"security setup version 0 has the policies 0..3, not {number}")
        return cls.both_ways(Protection(number << 4))

    @classmethod
    def of_version_1(cls, bits: int) -> "SecurityPolicy":
        """The policy of security setup version 1: bits 2 and 3 requests, 5 and 6 responses (authenticated, encrypted).

        InvalidValueError for the bits of digital signatures (4, 7) and the reserved ones (0, 1).
        """
        if not 0 <= bits <= 0xFF or bits & ~_KNOWN_BITS:
            raise InvalidValueError(f"no policy of authentication and encryption has the bits {bits:#x}")
        return cls(request=_protection(bits, _REQUEST_BITS), response=_protection(bits, _RESPONSE_BITS))

    @property
    def version_1(self) -> int:
        """The bits of security setup version 1, 0..255."""
        request = sum(bit for bit, protection in _REQUEST_BITS if self.request & protection)
        return request + sum(bit for bit, protection in _RESPONSE_BITS if self.response & protection)

    @property
    def is_ciphered(self) -> bool:
        """Whether anything at all is protected; then the association's application context is a ciphered one."""
        return bool(self.request or self.response)


def _protection(bits: int, meanings: tuple[tuple[int, Protection], ...]) -> Protection:
    return Protection(sum(protection for bit, protection in meanings if bits & bit))


SecurityPolicy.NONE = SecurityPolicy.both_ways(Protection.NONE)
SecurityPolicy.AUTHENTICATED = SecurityPolicy.both_ways(Protection.AUTHENTICATED)
SecurityPolicy.ENCRYPTED = SecurityPolicy.both_ways(Protection.ENCRYPTED)
SecurityPolicy.AUTHENTICATED_ENCRYPTED = SecurityPolicy.both_ways(Protection.AUTHENTICATED_ENCRYPTED)
