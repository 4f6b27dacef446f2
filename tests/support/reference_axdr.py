"""A second A-XDR decoder, as plain as can be: what the fuzz targets hold our own against. Slow, and shares no code."""

import struct

from dlms_objects.values.compact_array import CompactArray, TypeDescription
from dlms_objects.values.data import Data, DataType

DEPTH = 16
VALUES_PER_OCTET = 8
_FORMATS = dict.fromkeys((3,), "?") | {5: "i", 6: "I", 13: "b", 15: "b", 16: "h", 17: "B", 18: "H", 20: "q", 21: "Q"}
_FORMATS |= {22: "B", 23: "f", 24: "d", 28: "b", 29: "h", 30: "i", 31: "B", 32: "H", 33: "I"}
_FORMATS |= {25: "12s", 26: "5s", 27: "4s"}


class Refused(ValueError):  # noqa: N818 - a verdict, not an error of ours
    """The octets are not one value."""


def read_whole(octets: bytes) -> Data:
    """The one value that the octets are; Refused otherwise."""
    reader = _Reader(octets)
    value = reader.value(0)
    if reader.left:
        raise Refused("left over")
    return value


class _Reader:
    def __init__(self, octets: bytes) -> None:
        self.octets, self.place = octets, 0

    @property
    def left(self) -> int:
        return len(self.octets) - self.place

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise Refused("cut short")
        self.place += count
        return self.octets[self.place - count : self.place]

    def length(self) -> int:
        first = self.take(1)[0]
        if first < 128:
            return first
        if not 1 <= first - 128 <= 4:
            raise Refused("length")
        return int.from_bytes(self.take(first - 128), "big")

    def value(self, depth: int) -> Data:
        tag = self.take(1)[0]
        if tag in (1, 2):
            if depth == DEPTH:
                raise Refused("depth")
            count = self.length()
            if count > self.left:
                raise Refused("count")
            return Data(DataType(tag), tuple(self.value(depth + 1) for _ in range(count)))
        if tag == 19:
            return Data(DataType.COMPACT_ARRAY, self.compact(depth + 1))
        return Data(_type(tag), self.content(tag))

    def content(self, tag: int) -> object:
        if tag in _FORMATS:
            layout = ">" + _FORMATS[tag]
            return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]
        if tag in (0, 255):
            return None
        length = self.length()
        if tag == 4:
            bits = "".join(f"{octet:08b}" for octet in self.take(-(-length // 8)))
            return bits[:length]
        octets = self.take(length)
        try:
            return octets if tag == 9 else octets.decode({10: "ascii", 12: "utf-8"}[tag])
        except UnicodeDecodeError as error:
            raise Refused("text") from error

    def compact(self, depth: int) -> CompactArray:
        if depth > DEPTH:
            raise Refused("depth")
        description = self.description(depth)
        contents = _Reader(self.take(self.length()))
        fewest, values = _weigh(description)
        if contents.left and (not fewest or values > VALUES_PER_OCTET * fewest):
            raise Refused("flood")
        elements: list[Data] = []
        while contents.left:
            elements.append(contents.described(description))
        return CompactArray(description, tuple(elements))

    def description(self, depth: int) -> TypeDescription:
        tag = self.take(1)[0]
        if tag not in (1, 2):
            return TypeDescription(_type(tag))
        if depth == DEPTH:
            raise Refused("depth")
        if tag == 1:
            count = int.from_bytes(self.take(2), "big")
            return TypeDescription(DataType.ARRAY, (self.description(depth + 1),), count)
        count = self.length()
        if count > self.left:
            raise Refused("count")
        return TypeDescription(DataType.STRUCTURE, tuple(self.description(depth + 1) for _ in range(count)))

    def described(self, description: TypeDescription) -> Data:
        if description.type not in (DataType.ARRAY, DataType.STRUCTURE):
            return Data(description.type, self.content(description.type))
        if _weigh(description)[0] > self.left:
            raise Refused("cut short")
        times = description.elements if description.type is DataType.ARRAY else 1
        members = (self.described(member) for _ in range(times) for member in description.members)
        return Data(description.type, tuple(members))


def _weigh(description: TypeDescription) -> tuple[int, int]:
    """The fewest octets of an element, and its values."""
    if description.type in (DataType.ARRAY, DataType.STRUCTURE):
        weights = list(map(_weigh, description.members))
        times = description.elements if description.type is DataType.ARRAY else 1
        return times * sum(octets for octets, _ in weights), 1 + times * sum(values for _, values in weights)
    if description.type in (DataType.NULL_DATA, DataType.DONT_CARE):
        return 0, 1
    return struct.calcsize(">" + _FORMATS[description.type]) if description.type in _FORMATS else 1, 1


def _type(tag: int) -> DataType:
    if tag in (1, 2, 19) or tag not in set(DataType):
        raise Refused("tag")
    return DataType(tag)
