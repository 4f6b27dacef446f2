"""What service APDUs hold in lists: descriptors with selections, values, results; and the block of SET and ACTION.

Values stay raw A-XDR octets; they are decoded only to find where they end. The GET, SET, ACTION and ACCESS modules
import it, and who joins or cuts the blocks of a list.
"""

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire import axdr
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.invoke import (
    DESCRIPTOR_OCTETS,
    check_end,
    decode_attribute,
    decode_optional_selection,
    encode_descriptor,
    encode_selection,
    pack,
    result_of,
)
from dlms_objects.wire.lengths import decode_length, encode_length
from dlms_objects.wire.selection import SelectiveAccess

Item = TypeVar("Item")
Reader = Callable[[bytes, int], tuple[Item, int]]
"""What reads one item at an offset, and says the offset after it."""

ATTRIBUTE_WITH_SELECTION_OCTETS = DESCRIPTOR_OCTETS + 1
"""The fewest octets of an attribute with its optional selection."""

_BLOCK = struct.Struct(">?I")  # last-block, block-number
_BLOCK_NUMBER = struct.Struct(">I")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeWithSelection:
    """One attribute of a list, or the part of it that `selection` names."""

    attribute: AttributeDescriptor
    selection: SelectiveAccess | None = None

    def encode(self) -> bytes:
        """The descriptor, and the selection with its presence octet."""
        return encode_descriptor(self.attribute) + encode_selection(self.selection)


def encode_list(items: Iterable[bytes]) -> bytes:
    """The number of items, and the items one after the other."""
    parts = list(items)
    return encode_length(len(parts)) + b"".join(parts)


def decode_list(octets: bytes, offset: int, read: Reader[Item], *, fewest: int = 1) -> tuple[tuple[Item, ...], int]:
    """The list that starts at `offset`, and the offset after it; an item is at least `fewest` octets long."""
    count, offset = decode_length(octets, offset)
    if count * fewest > len(octets) - offset:
        raise MalformedError(f"{count} items are announced and {len(octets) - offset} octets are left")
    items = []
    for _ in range(count):
        item, offset = read(octets, offset)
        items.append(item)
    return tuple(items), offset


def decode_whole_list(octets: bytes, offset: int, read: Reader[Item], *, fewest: int = 1) -> tuple[Item, ...]:
    """The list from `offset` to the last octet."""
    items, end = decode_list(octets, offset, read, fewest=fewest)
    check_end(octets, end)
    return items


def read_attribute_with_selection(octets: bytes, offset: int) -> tuple[AttributeWithSelection, int]:
    """One attribute of a list."""
    attribute, offset = decode_attribute(octets, offset)
    selection, offset = decode_optional_selection(octets, offset)
    return AttributeWithSelection(attribute=attribute, selection=selection), offset


def read_value(octets: bytes, offset: int) -> tuple[bytes, int]:
    """The raw octets of one value."""
    _value, end = axdr.decode_prefix(octets, offset)
    return octets[offset:end], end


def encode_result(result: bytes | DataAccessResult) -> bytes:
    """A Get-Data-Result: 00 and a value, or 01 and a data-access-result."""
    return bytes((1, result)) if isinstance(result, DataAccessResult) else b"\x00" + result


def read_result(octets: bytes, offset: int) -> tuple[bytes | DataAccessResult, int]:
    """One Get-Data-Result of a list."""
    choice = octets[offset : offset + 1]
    if choice == b"\x00":
        return read_value(octets, offset + 1)
    if choice == b"\x01":
        return read_access_result(octets, offset + 1)
    raise MalformedError(f"neither a value nor a data-access-result: {choice.hex() or 'nothing'}")


def read_access_result(octets: bytes, offset: int) -> tuple[DataAccessResult, int]:
    """One data-access-result."""
    if offset >= len(octets):
        raise MalformedError("the octets end before a data-access-result")
    return result_of(DataAccessResult, octets[offset]), offset + 1


def encode_datablock(block_number: int, raw: bytes, *, last: bool) -> bytes:
    """A DataBlock-SA; InvalidValueError when the number does not fit 32 bits."""
    return pack(_BLOCK, last, block_number) + encode_length(len(raw)) + raw


def decode_datablock(octets: bytes, offset: int) -> tuple[bool, int, bytes]:
    """last, block number and raw octets of the DataBlock-SA from `offset` to the last octet."""
    try:
        last, block_number = _BLOCK.unpack_from(octets, offset)
    except struct.error:
        raise MalformedError("the octets end inside the head of a block") from None
    length, start = decode_length(octets, offset + _BLOCK.size)
    if length != len(octets) - start:
        raise MalformedError(f"a block of {length} octets is announced, {len(octets) - start} follow")
    return last, block_number, octets[start:]


def decode_block_number(octets: bytes, offset: int) -> int:
    """The block number from `offset` to the last octet."""
    if len(octets) - offset != _BLOCK_NUMBER.size:
        raise MalformedError(f"a block number is {_BLOCK_NUMBER.size} octets, not {len(octets) - offset}")
    number: int
    (number,) = _BLOCK_NUMBER.unpack_from(octets, offset)
    return number


def encode_block_number(block_number: int) -> bytes:
    """Four octets; InvalidValueError when the number does not fit."""
    return pack(_BLOCK_NUMBER, block_number)
