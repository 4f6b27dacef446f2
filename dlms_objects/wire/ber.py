"""BER as ACSE uses it: fields of one-octet tags and definite lengths, strictly read; only `acse` imports it."""

from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lengths import decode_length, encode_length


def field(tag: int, content: bytes) -> bytes:
    """One field: tag, shortest length, content."""
    return bytes((tag,)) + encode_length(len(content)) + content


def optional(tag: int, inner_tag: int, content: bytes | None) -> bytes:
    """A field that holds one inner field, or nothing when there is no content."""
    return b"" if content is None else field(tag, field(inner_tag, content))


def read(octets: bytes, offset: int) -> tuple[int, bytes, int]:
    """The tag and content of the field that starts at `offset`, and the offset after it; MalformedError without one."""
    start = offset + 2
    length = octets[offset + 1] if start <= len(octets) else 0x80
    if length >= 0x80:  # the short form, by far the most common, is read without a call
        length, start = decode_length(octets, offset + 1)
    end = start + length
    if end > len(octets):
        raise MalformedError(f"the octets end inside the field {octets[offset]:02X}")
    return octets[offset], octets[start:end], end


def only(octets: bytes, tag: int) -> bytes:
    """The content of the one field of that tag that the octets are; MalformedError for anything else."""
    if len(octets) >= 2 and octets[0] == tag and octets[1] == len(octets) - 2 < 0x80:
        return octets[2:]
    found, content, end = read(octets, 0)
    if found != tag or end != len(octets):
        raise MalformedError(f"one field {tag:02X} wanted, not {octets[:8].hex()}")
    return content


def fields_of(octets: bytes, tag: int, order: tuple[int, ...]) -> dict[int, bytes]:
    """The fields of an APDU, each once and in the order of their tags."""
    content = only(octets, tag)
    fields: dict[int, bytes] = {}
    offset, position = 0, 0
    while offset < len(content):
        found, value, offset = read(content, offset)
        try:
            position = order.index(found, position) + 1
        except ValueError:
            raise MalformedError(f"the field {found:02X} does not belong there in the APDU {tag:02X}") from None
        fields[found] = value
    return fields


def inner(fields: dict[int, bytes], tag: int, inner_tag: int) -> bytes | None:
    """The content of the field inside an optional field."""
    content = fields.get(tag)
    return None if content is None else only(content, inner_tag)
