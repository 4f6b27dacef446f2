"""ACSE: the four APDUs that open and close an association (AARQ, AARE, RLRQ, RLRE), in strict BER.

Application contexts and mechanisms are the COSEM object identifiers 2.16.756.5.8.1.x and .2.x; another identifier is
kept as its octets, so that a server can answer it by name. `user_information` is the initiate APDU as it came, plain or
ciphered. Strict means: definite lengths, fields in ascending order, each once, nothing left over. Fields that nothing
here uses (called titles, invocation ids, implementation information) are checked for their frame and passed over.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import ClassVar, TypeVar

from dlms_objects.wire.ber import field, fields_of, inner, only, optional
from dlms_objects.wire.errors import MalformedError

AARQ = 0x60
AARE = 0x61
RLRQ = 0x62
RLRE = 0x63

_CONTEXT_PREFIX = bytes.fromhex("608574050801")
_MECHANISM_PREFIX = bytes.fromhex("608574050802")
_AUTHENTICATION = b"\x07\x80"  # a bit-string of one bit, seven unused: the authentication functional unit


class ApplicationContext(IntEnum):
    """How objects are referred to, and whether APDUs are ciphered."""

    LN = 1
    SN = 2
    LN_CIPHERED = 3
    SN_CIPHERED = 4


class Mechanism(IntEnum):
    """The authentication mechanisms."""

    NONE = 0
    LLS = 1
    HLS = 2
    HLS_MD5 = 3
    HLS_SHA1 = 4
    HLS_GMAC = 5
    HLS_SHA256 = 6
    HLS_ECDSA = 7


class AssociationResult(IntEnum):
    """Whether the server accepted the association."""

    ACCEPTED = 0
    REJECTED_PERMANENT = 1
    REJECTED_TRANSIENT = 2


class UserDiagnostic(Enum):
    """Why, as the acse-service-user says it."""

    NULL = 0
    NO_REASON_GIVEN = 1
    APPLICATION_CONTEXT_NAME_NOT_SUPPORTED = 2
    CALLING_AP_TITLE_NOT_RECOGNIZED = 3
    CALLING_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 4
    CALLING_AE_QUALIFIER_NOT_RECOGNIZED = 5
    CALLING_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 6
    CALLED_AP_TITLE_NOT_RECOGNIZED = 7
    CALLED_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 8
    CALLED_AE_QUALIFIER_NOT_RECOGNIZED = 9
    CALLED_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 10
    AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED = 11
    AUTHENTICATION_MECHANISM_NAME_REQUIRED = 12
    AUTHENTICATION_FAILURE = 13
    AUTHENTICATION_REQUIRED = 14


class ProviderDiagnostic(Enum):
    """Why, as the acse-service-provider says it."""

    NULL = 0
    NO_REASON_GIVEN = 1
    NO_COMMON_ACSE_VERSION = 2


class ReleaseReason(IntEnum):
    """Why an association is released; 1 is `urgent` in a request and `not finished` in a response."""

    NORMAL = 0
    URGENT_OR_NOT_FINISHED = 1
    USER_DEFINED = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Aarq:
    """The client asks for an association.

    `calling_ap_title` is the client's system title as it came (8 octets when it is one); `calling_authentication_value`
    the password (LLS) or the challenge (HLS); `calling_ae_qualifier` the client's certificate.
    """

    TAG: ClassVar[int] = AARQ
    application_context: ApplicationContext | bytes
    calling_ap_title: bytes | None = None
    calling_ae_qualifier: bytes | None = None
    sender_acse_requirements: bool = False
    mechanism: Mechanism | bytes | None = None
    calling_authentication_value: bytes | None = None
    user_information: bytes | None = None

    def encode(self) -> bytes:
        """The APDU."""
        return field(
            AARQ,
            _encode_context(self.application_context)
            + optional(0xA6, 0x04, self.calling_ap_title)
            + optional(0xA7, 0x04, self.calling_ae_qualifier)
            + (field(0x8A, _AUTHENTICATION) if self.sender_acse_requirements else b"")
            + _encode_mechanism(0x8B, self.mechanism)
            + optional(0xAC, 0x80, self.calling_authentication_value)
            + optional(0xBE, 0x04, self.user_information),
        )

    def __repr__(self) -> str:
        """Everything but the authentication value, which is a password in LLS."""
        return (
            f"Aarq(application_context={self.application_context!r}, calling_ap_title={self.calling_ap_title!r}, "
            f"mechanism={self.mechanism!r})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Aare:
    """The server's answer; `responding_authentication_value` is its challenge (HLS)."""

    TAG: ClassVar[int] = AARE
    application_context: ApplicationContext | bytes
    result: AssociationResult
    diagnostic: UserDiagnostic | ProviderDiagnostic
    responding_ap_title: bytes | None = None
    responding_ae_qualifier: bytes | None = None
    responder_acse_requirements: bool = False
    mechanism: Mechanism | bytes | None = None
    responding_authentication_value: bytes | None = None
    user_information: bytes | None = None

    def encode(self) -> bytes:
        """The APDU."""
        choice = 0xA1 if isinstance(self.diagnostic, UserDiagnostic) else 0xA2
        return field(
            AARE,
            _encode_context(self.application_context)
            + field(0xA2, field(0x02, bytes((self.result,))))
            + field(0xA3, field(choice, field(0x02, bytes((self.diagnostic.value,)))))
            + optional(0xA4, 0x04, self.responding_ap_title)
            + optional(0xA5, 0x04, self.responding_ae_qualifier)
            + (field(0x88, _AUTHENTICATION) if self.responder_acse_requirements else b"")
            + _encode_mechanism(0x89, self.mechanism)
            + optional(0xAA, 0x80, self.responding_authentication_value)
            + optional(0xBE, 0x04, self.user_information),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rlrq:
    """The client releases the association."""

    TAG: ClassVar[int] = RLRQ
    reason: ReleaseReason | None = None
    user_information: bytes | None = None

    def encode(self) -> bytes:
        """The APDU."""
        return _encode_release(RLRQ, self.reason, self.user_information)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rlre:
    """The server has released the association."""

    TAG: ClassVar[int] = RLRE
    reason: ReleaseReason | None = None
    user_information: bytes | None = None

    def encode(self) -> bytes:
        """The APDU."""
        return _encode_release(RLRE, self.reason, self.user_information)


def decode_aarq(octets: bytes) -> Aarq:
    """An AARQ; MalformedError for anything else."""
    fields = fields_of(octets, AARQ, _AARQ_TAGS)
    return Aarq(
        application_context=_decode_context(fields),
        calling_ap_title=inner(fields, 0xA6, 0x04),
        calling_ae_qualifier=inner(fields, 0xA7, 0x04),
        sender_acse_requirements=_decode_requirements(fields.get(0x8A)),
        mechanism=_decode_mechanism(fields.get(0x8B)),
        calling_authentication_value=inner(fields, 0xAC, 0x80),
        user_information=inner(fields, 0xBE, 0x04),
    )


def decode_aare(octets: bytes) -> Aare:
    """An AARE; MalformedError for anything else."""
    fields = fields_of(octets, AARE, _AARE_TAGS)
    return Aare(
        application_context=_decode_context(fields),
        result=_enumerated(AssociationResult, _required(inner(fields, 0xA2, 0x02), "result")),
        diagnostic=_decode_diagnostic(_required(fields.get(0xA3), "result-source-diagnostic")),
        responding_ap_title=inner(fields, 0xA4, 0x04),
        responding_ae_qualifier=inner(fields, 0xA5, 0x04),
        responder_acse_requirements=_decode_requirements(fields.get(0x88)),
        mechanism=_decode_mechanism(fields.get(0x89)),
        responding_authentication_value=inner(fields, 0xAA, 0x80),
        user_information=inner(fields, 0xBE, 0x04),
    )


def decode_rlrq(octets: bytes) -> Rlrq:
    """An RLRQ; MalformedError for anything else."""
    reason, user_information = _decode_release(octets, RLRQ)
    return Rlrq(reason=reason, user_information=user_information)


def decode_rlre(octets: bytes) -> Rlre:
    """An RLRE; MalformedError for anything else."""
    reason, user_information = _decode_release(octets, RLRE)
    return Rlre(reason=reason, user_information=user_information)


# The context-specific tags of each APDU in the order of its fields; what is not read by a decoder is passed over.
_AARQ_TAGS = (
    *(0x80, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9),
    *(0x8A, 0x8B, 0xAC, 0x9D, 0xBE),
)
_AARE_TAGS = (0x80, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0x88, 0x89, 0xAA, 0x9D, 0xBE)
_RELEASE_TAGS = (0x80, 0xBE)

# Object identifiers with a meaning here; any other is kept as its octets.
_CONTEXTS = {_CONTEXT_PREFIX + bytes((context,)): context for context in ApplicationContext}
_MECHANISMS = {_MECHANISM_PREFIX + bytes((mechanism,)): mechanism for mechanism in Mechanism}

Code = TypeVar("Code", bound=Enum)


def _encode_context(context: ApplicationContext | bytes) -> bytes:
    identifier = context if isinstance(context, bytes) else _CONTEXT_PREFIX + bytes((context,))
    return field(0xA1, field(0x06, identifier))


def _encode_mechanism(tag: int, mechanism: Mechanism | bytes | None) -> bytes:
    if mechanism is None:
        return b""
    return field(tag, mechanism if isinstance(mechanism, bytes) else _MECHANISM_PREFIX + bytes((mechanism,)))


def _encode_release(tag: int, reason: ReleaseReason | None, user_information: bytes | None) -> bytes:
    octets = b"" if reason is None else field(0x80, bytes((reason,)))
    return field(tag, octets + optional(0xBE, 0x04, user_information))


def _required(content: bytes | None, name: str) -> bytes:
    if content is None:
        raise MalformedError(f"the field {name} is missing")
    return content


def _enumerated(codes: type[Code], content: bytes) -> Code:
    """The member of that number; the number is a BER INTEGER of one octet."""
    number = content[0] if len(content) == 1 else None
    try:
        return codes(number)
    except ValueError:
        raise MalformedError(f"no {codes.__name__} is {content[:8].hex()}") from None


def _decode_context(fields: dict[int, bytes]) -> ApplicationContext | bytes:
    identifier = _required(inner(fields, 0xA1, 0x06), "application-context-name")
    return _CONTEXTS.get(identifier, identifier)


def _decode_mechanism(identifier: bytes | None) -> Mechanism | bytes | None:
    return None if identifier is None else _MECHANISMS.get(identifier, identifier)


def _decode_requirements(content: bytes | None) -> bool:
    """True when the bit-string's first bit, the authentication functional unit, is set."""
    if content is None:
        return False
    if len(content) != 2 or content[0] > 7:
        raise MalformedError(f"not an ACSE-requirements bit-string: {content[:8].hex()}")
    return bool(content[1] & 0x80)


def _decode_diagnostic(content: bytes) -> UserDiagnostic | ProviderDiagnostic:
    if content[:1] == b"\xa1":
        return _enumerated(UserDiagnostic, only(only(content, 0xA1), 0x02))
    return _enumerated(ProviderDiagnostic, only(only(content, 0xA2), 0x02))


def _decode_release(octets: bytes, tag: int) -> tuple[ReleaseReason | None, bytes | None]:
    fields = fields_of(octets, tag, _RELEASE_TAGS)
    reason = fields.get(0x80)
    return (
        None if reason is None else _enumerated(ReleaseReason, reason),
        inner(fields, 0xBE, 0x04),
    )
