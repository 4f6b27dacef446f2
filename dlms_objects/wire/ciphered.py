"""Ciphered APDUs from outside: their tags and their envelope. Nothing is opened here: keys and GCM are `security`'s.

Associations take ciphered APDUs straight to `security`; who only looks at them (traces, general block transfer,
notifications of systems not yet known) decodes the envelope.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.invoke import check_tag
from dlms_objects.wire.lengths import decode_length, encode_length
from dlms_objects.wire.simple_types import take

GENERAL_GLO_CIPHERING: Final = 0xDB
GENERAL_DED_CIPHERING: Final = 0xDC

GLO_TAGS: Final = {
    0x01: 0x21,  # initiate-request
    0x08: 0x28,  # initiate-response
    0x0E: 0x2E,  # confirmed-service-error
    0xC0: 0xC8,  # get-request
    0xC1: 0xC9,  # set-request
    0xC2: 0xCA,  # event-notification-request
    0xC3: 0xCB,  # action-request
    0xC4: 0xCC,  # get-response
    0xC5: 0xCD,  # set-response
    0xC7: 0xCF,  # action-response
}
"""Tag of a plain APDU -> tag of its ciphering with the global key (as in gurux-dlms 1.0.203 Command).

ACCESS, notifications of data and general block transfer have none: they travel in a general ciphering.
"""

DED_TAGS: Final = {
    0x01: 0x41,
    0x08: 0x48,
    0x0E: 0x4E,
    0xC0: 0xD0,
    0xC1: 0xD1,
    0xC2: 0xD2,
    0xC3: 0xD3,
    0xC4: 0xD4,
    0xC5: 0xD5,
    0xC7: 0xD7,
}
"""Tag of a plain APDU -> tag of its ciphering with the dedicated key (as in gurux-dlms 1.0.203 Command)."""

PLAIN_TAGS: Final = {tag: plain for tags in (GLO_TAGS, DED_TAGS) for plain, tag in tags.items()}
"""Tag of a service-specific ciphering -> tag of the plain APDU inside."""

_LEAST_OCTETS = 5
_TITLE_OCTETS = (0, 8)


class Enveloped:
    """The parts of a ciphered content that are not ciphered; mixed into each envelope."""

    __slots__ = ()
    content: bytes

    @property
    def security_control(self) -> int:
        """What was done: the suite in bits 0-3, 10 authentication, 20 encryption, 40 broadcast key, 80 compression."""
        return self.content[0]

    @property
    def invocation_counter(self) -> int:
        """0 .. 2^32 - 1."""
        return int.from_bytes(self.content[1:5], "big")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCiphering(Enveloped):
    """An APDU in its service-specific ciphering (glo- or ded-): `tag` is a key of PLAIN_TAGS."""

    tag: int
    content: bytes

    def __post_init__(self) -> None:
        """Refuse another tag, or a content without its header (InvalidValueError)."""
        if self.tag not in PLAIN_TAGS:
            raise InvalidValueError(f"no service has the ciphered tag {self.tag:#x}")
        _check_content(self.content)

    def encode(self) -> bytes:
        """The APDU."""
        return bytes((self.tag,)) + encode_length(len(self.content)) + self.content


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralGloCiphering(Enveloped):
    """Any APDU ciphered with the global key; `system_title` is the sender's, 8 octets, or none."""

    TAG: ClassVar[int] = GENERAL_GLO_CIPHERING
    system_title: bytes
    content: bytes

    def __post_init__(self) -> None:
        """Refuse another length of the title, or a content without its header (InvalidValueError)."""
        _check_title(self.system_title)
        _check_content(self.content)

    def encode(self) -> bytes:
        """The APDU."""
        return _encode_general(GENERAL_GLO_CIPHERING, self.system_title, self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralDedCiphering(Enveloped):
    """Any APDU ciphered with the dedicated key; `system_title` is the sender's, 8 octets, or none."""

    TAG: ClassVar[int] = GENERAL_DED_CIPHERING
    system_title: bytes
    content: bytes

    def __post_init__(self) -> None:
        """Refuse another length of the title, or a content without its header (InvalidValueError)."""
        _check_title(self.system_title)
        _check_content(self.content)

    def encode(self) -> bytes:
        """The APDU."""
        return _encode_general(GENERAL_DED_CIPHERING, self.system_title, self.content)


def decode_service_ciphering(octets: bytes) -> ServiceCiphering:
    """A glo- or ded-ciphering of one service; MalformedError for anything else."""
    if octets[:1] not in _SERVICE_TAGS:
        raise MalformedError(f"no service-specific ciphering begins with {octets[:1].hex() or 'nothing'}")
    return ServiceCiphering(tag=octets[0], content=_content(octets, 1))


def decode_general_glo_ciphering(octets: bytes) -> GeneralGloCiphering:
    """A general-glo-ciphering; MalformedError for anything else."""
    title, content = _decode_general(octets, GENERAL_GLO_CIPHERING)
    return GeneralGloCiphering(system_title=title, content=content)


def decode_general_ded_ciphering(octets: bytes) -> GeneralDedCiphering:
    """A general-ded-ciphering; MalformedError for anything else."""
    title, content = _decode_general(octets, GENERAL_DED_CIPHERING)
    return GeneralDedCiphering(system_title=title, content=content)


_SERVICE_TAGS = frozenset(bytes((tag,)) for tag in PLAIN_TAGS)


def _check_title(title: bytes) -> None:
    if len(title) not in _TITLE_OCTETS:
        raise InvalidValueError(f"a system title is 8 octets or none, not {len(title)}")


def _check_content(content: bytes) -> None:
    if len(content) < _LEAST_OCTETS:
        raise InvalidValueError("a ciphered content begins with a security control octet and a counter of four octets")


def _encode_general(tag: int, title: bytes, content: bytes) -> bytes:
    return bytes((tag, len(title))) + title + encode_length(len(content)) + content


def _decode_general(octets: bytes, tag: int) -> tuple[bytes, bytes]:
    check_tag(octets, tag)
    length, offset = decode_length(octets, 1)
    if length not in _TITLE_OCTETS:
        raise MalformedError(f"a system title is 8 octets or none, not {length}")
    title, offset = take(octets, length, offset)
    return title, _content(octets, offset)


def _content(octets: bytes, offset: int) -> bytes:
    length, offset = decode_length(octets, offset)
    if length != len(octets) - offset or length < _LEAST_OCTETS:
        raise MalformedError(f"a ciphered content of {length} octets is announced, {len(octets) - offset} follow")
    return octets[offset:]
