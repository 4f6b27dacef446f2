"""Length fields, the same in A-XDR and in the definite form of BER; every decoder of this package imports them."""

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.errors import MalformedError

MAXIMUM_LENGTH = 2**32 - 1


def encode_length(length: int) -> bytes:
    """The shortest form of a length or count of 0 .. 2^32 - 1; InvalidValueError outside that range."""
    if 0 <= length < 0x80:
        return bytes((length,))
    if not 0 <= length <= MAXIMUM_LENGTH:
        raise InvalidValueError(f"a length is 0..{MAXIMUM_LENGTH}, not {length}")
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def decode_length(octets: bytes, offset: int) -> tuple[int, int]:
    """The length that starts at `offset`, and the offset after it.

    Forms longer than needed (81 05) are accepted, as the standard allows; the indefinite form (80), more than four
    octets and a field cut short are MalformedError.
    """
    try:
        first = octets[offset]
    except IndexError:
        raise MalformedError("the octets end before a length") from None
    offset += 1
    if first < 0x80:
        return first, offset
    size = first & 0x7F
    end = offset + size
    if not 1 <= size <= 4:
        raise MalformedError(f"a length field begins with {first:02X}; only 81..84 are long forms")
    if end > len(octets):
        raise MalformedError("the octets end inside a length")
    return int.from_bytes(octets[offset:end], "big"), end
