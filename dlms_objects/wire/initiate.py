"""The xDLMS initiate request and response: what client and server agree on before the first service.

They travel, plain or ciphered, as the user-information of AARQ and AARE.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.conformance import CONFORMANCE_BITS, Conformance
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.invoke import check_tag, decode_presence, pack
from dlms_objects.wire.lengths import decode_length, encode_length

INITIATE_REQUEST = 0x01
INITIATE_RESPONSE = 0x08
DLMS_VERSION = 6
VAA_NAME_LN = 0x0007
"""The VAA name of logical-name referencing."""

_CONFORMANCE_HEAD = b"\x5f\x1f\x04\x00"  # [APPLICATION 31], 4 octets, no unused bits
_SHORT_CONFORMANCE_HEAD = b"\x5f\x04\x00"  # accepted when received: the tag on one octet, as older peers send it
_OCTET = struct.Struct(">B")
_SIGNED_OCTET = struct.Struct(">b")
_U16 = struct.Struct(">H")
_RESPONSE_END = struct.Struct(">HH")  # server-max-receive-pdu-size, vaa-name


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateRequest:
    """What the client proposes; `max_pdu_size` is the longest APDU it takes, in octets (0: no limit), 0..65535."""

    TAG: ClassVar[int] = INITIATE_REQUEST
    conformance: Conformance
    max_pdu_size: int
    dedicated_key: bytes | None = None
    response_allowed: bool = True
    quality_of_service: int | None = None
    dlms_version: int = DLMS_VERSION

    def encode(self) -> bytes:
        """The octets; InvalidValueError when a number does not fit its field."""
        key = self.dedicated_key
        return b"".join(
            (
                b"\x01\x00" if key is None else b"\x01\x01" + encode_length(len(key)) + key,
                b"\x00" if self.response_allowed else b"\x01\x00",
                _encode_quality(self.quality_of_service),
                pack(_OCTET, self.dlms_version),
                _encode_conformance(self.conformance),
                pack(_U16, self.max_pdu_size),
            )
        )

    def __repr__(self) -> str:
        """Everything but the dedicated key, which is a secret."""
        key = "present" if self.dedicated_key is not None else "absent"
        return (
            f"InitiateRequest(conformance={self.conformance!r}, max_pdu_size={self.max_pdu_size}, "
            f"dedicated_key {key}, dlms_version={self.dlms_version})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateResponse:
    """What the server agrees to; `max_pdu_size` is the longest APDU it takes, in octets (0: no limit), 0..65535."""

    TAG: ClassVar[int] = INITIATE_RESPONSE
    conformance: Conformance
    max_pdu_size: int
    quality_of_service: int | None = None
    dlms_version: int = DLMS_VERSION
    vaa_name: int = VAA_NAME_LN

    def encode(self) -> bytes:
        """The octets; InvalidValueError when a number does not fit its field."""
        return b"".join(
            (
                b"\x08",
                _encode_quality(self.quality_of_service),
                pack(_OCTET, self.dlms_version),
                _encode_conformance(self.conformance),
                pack(_RESPONSE_END, self.max_pdu_size, self.vaa_name),
            )
        )


def decode_initiate_request(octets: bytes) -> InitiateRequest:
    """An initiate request; MalformedError for anything else."""
    check_tag(octets, INITIATE_REQUEST)
    dedicated_key, offset = _decode_key(octets, 1)
    response_allowed, offset = _decode_response_allowed(octets, offset)
    quality_of_service, offset = _decode_quality(octets, offset)
    version, conformance, rest = _decode_conformance(octets, offset)
    if len(rest) != _U16.size:
        raise MalformedError(f"an initiate request ends in 2 octets, not {len(rest)}")
    return InitiateRequest(
        conformance=conformance,
        max_pdu_size=_U16.unpack(rest)[0],
        dedicated_key=dedicated_key,
        response_allowed=response_allowed,
        quality_of_service=quality_of_service,
        dlms_version=version,
    )


def decode_initiate_response(octets: bytes) -> InitiateResponse:
    """An initiate response; MalformedError for anything else."""
    check_tag(octets, INITIATE_RESPONSE)
    quality_of_service, offset = _decode_quality(octets, 1)
    version, conformance, rest = _decode_conformance(octets, offset)
    if len(rest) != _RESPONSE_END.size:
        raise MalformedError(f"an initiate response ends in 4 octets, not {len(rest)}")
    max_pdu_size, vaa_name = _RESPONSE_END.unpack(rest)
    return InitiateResponse(
        conformance=conformance,
        max_pdu_size=max_pdu_size,
        quality_of_service=quality_of_service,
        dlms_version=version,
        vaa_name=vaa_name,
    )


def _decode_key(octets: bytes, offset: int) -> tuple[bytes | None, int]:
    if not decode_presence(octets, offset):
        return None, offset + 1
    length, offset = decode_length(octets, offset + 1)
    end = offset + length
    if end > len(octets):
        raise MalformedError("the octets end inside a dedicated key")
    return octets[offset:end], end


def _decode_response_allowed(octets: bytes, offset: int) -> tuple[bool, int]:
    """A boolean that is true when it is left out."""
    if not decode_presence(octets, offset):
        return True, offset + 1
    return octets[offset + 1 : offset + 2] != b"\x00", offset + 2


def _encode_quality(quality_of_service: int | None) -> bytes:
    return b"\x00" if quality_of_service is None else b"\x01" + pack(_SIGNED_OCTET, quality_of_service)


def _decode_quality(octets: bytes, offset: int) -> tuple[int | None, int]:
    if not decode_presence(octets, offset):
        return None, offset + 1
    return int.from_bytes(octets[offset + 1 : offset + 2], "big", signed=True), offset + 2


def _encode_conformance(conformance: Conformance) -> bytes:
    if not 0 <= conformance < 1 << CONFORMANCE_BITS:
        raise InvalidValueError(f"a conformance block has {CONFORMANCE_BITS} bits, not {conformance:#x}")
    return _CONFORMANCE_HEAD + conformance.to_bytes(3, "big")


def _decode_conformance(octets: bytes, offset: int) -> tuple[int, Conformance, bytes]:
    """The dlms-version before the conformance block, the block, and the octets after it."""
    version, rest = octets[offset : offset + 1], octets[offset + 1 :]
    for head in (_CONFORMANCE_HEAD, _SHORT_CONFORMANCE_HEAD):
        if rest.startswith(head) and len(rest) >= len(head) + 3:
            end = len(head) + 3
            return version[0], Conformance(int.from_bytes(rest[len(head) : end], "big")), rest[end:]
    raise MalformedError(f"no conformance block where it belongs: {rest[:4].hex()}")
