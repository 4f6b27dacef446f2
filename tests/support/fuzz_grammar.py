"""Octets that are almost right: grammars of A-XDR, APDUs, ACSE and the wrapper for the fuzz targets.

Each function draws from dice alone. Most of what they make is whole; some has a length that lies, a count too many, a
tag that there is not, or a part too few.
"""

from collections.abc import Callable
from random import Random

from dlms_objects.values.data import DataType
from dlms_objects.wire.lengths import encode_length
from dlms_objects.wire.simple_types import FIXED_FORMATS, FIXED_LENGTHS, NUMBER_FORMATS, SIMPLE_TYPES

_SIMPLE = sorted(SIMPLE_TYPES)
_OCTETS_OF = {"b": 1, "B": 1, "?": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8, "f": 4, "d": 8}
_LIE = 0.02
_DESCRIPTOR = bytes.fromhex("00080000010000ff02")

Part = Callable[[Random], bytes]


def length(dice: Random, number: int) -> bytes:
    """A length field: mostly right, sometimes longer than needed, sometimes a lie."""
    choice = dice.random()
    if choice < _LIE:
        return dice.choice((encode_length(number + 1), b"\x80", b"\x84\xff\xff\xff\xff", b"\x85\x00", b"\x82\x40\x00"))
    if choice < 3 * _LIE:
        return b"\x82" + number.to_bytes(2, "big")
    return encode_length(number)


def value(dice: Random, depth: int = 0) -> bytes:
    """One value in A-XDR."""
    choice = dice.random()
    if choice < _LIE:
        return bytes((dice.choice((7, 8, 11, 14, 34, 254)),)) + dice.randbytes(4)
    if choice < 0.25 and depth < 4:
        count = dice.randint(0, 4)
        members = b"".join(value(dice, depth + 1) for _ in range(count))
        return bytes((dice.choice((1, 2)),)) + length(dice, count) + members
    if choice < 0.32:
        return compact_array(dice)
    if choice < 0.34:
        return b"\x02\x01" * dice.choice((1, 15, 16, 17, 18, 40)) + b"\x00"
    type_ = dice.choice(_SIMPLE)
    return bytes((type_,)) + content(dice, type_)


def content(dice: Random, type_: DataType) -> bytes:
    """The content of a simple type."""
    if type_ in NUMBER_FORMATS or type_ is DataType.BOOLEAN:
        return dice.randbytes(_OCTETS_OF[FIXED_FORMATS[type_]])
    if type_ in FIXED_LENGTHS:
        return dice.randbytes(FIXED_LENGTHS[type_])
    if type_ is DataType.BIT_STRING:
        bits = dice.randint(0, 40)
        return length(dice, bits) + dice.randbytes((bits + 7) // 8)
    if type_ in (DataType.NULL_DATA, DataType.DONT_CARE):
        return b""
    size = dice.choice((0, 1, 6, 12, 130))
    octets = b"a" * size if type_ is not DataType.OCTET_STRING and dice.random() > _LIE else dice.randbytes(size)
    return length(dice, size) + octets


def compact_array(dice: Random) -> bytes:
    """A compact-array: a description of a few members, and contents of a few elements."""
    description, write = _described(dice, 0)
    contents = b"".join(write() for _ in range(dice.randint(0, 5)))
    if dice.random() < _LIE:
        contents += b"\x00"
    return b"\x13" + description + length(dice, len(contents)) + contents


def _described(dice: Random, depth: int) -> tuple[bytes, Callable[[], bytes]]:
    """The octets of a type description, and what writes one value of it."""
    choice = dice.random()
    if choice < 0.35 and depth < 4:
        members = [_described(dice, depth + 1) for _ in range(dice.randint(0 if dice.random() < 0.1 else 1, 4))]
        octets = b"\x02" + length(dice, len(members)) + b"".join(member for member, _ in members)
        return octets, lambda: b"".join(write() for _, write in members)
    if choice < 0.5 and depth < 4:
        member, write = _described(dice, depth + 1)
        count = dice.choice((0, 1, 2, 3, 0xFFFF)) if dice.random() < 0.2 else dice.randint(1, 3)
        return b"\x01" + count.to_bytes(2, "big") + member, lambda: b"".join(write() for _ in range(min(count, 9)))
    type_ = dice.choice(_SIMPLE)
    return bytes((type_,)), lambda: content(dice, type_)


def page(dice: Random) -> bytes:
    """An array of rows, mostly all alike."""
    types = [dice.choice(_SIMPLE) for _ in range(dice.randint(1, 6))]
    count = dice.choice((0, 1, 3, 4, 5, 40))
    if dice.random() < 0.7:
        types = [type_ for type_ in types if type_ in FIXED_FORMATS] or [DataType.LONG]
    rows = []
    for _ in range(count):
        cells = [bytes((type_,)) + content(dice, type_) for type_ in types]
        if dice.random() < _LIE:
            cells[dice.randrange(len(cells))] = value(dice, 3)
        rows.append(b"\x02" + encode_length(len(types)) + b"".join(cells))
    return b"\x01" + length(dice, count) + b"".join(rows)


def selection(dice: Random) -> bytes:
    """A selective-access-descriptor: of the profile's two forms, or any."""
    column = b"\x02\x04\x12\x00\x08\x09\x06\x00\x00\x01\x00\x00\xff\x0f\x02\x12\x00\x00"
    choice = dice.random()
    if choice < 0.4:
        count = dice.randint(0, 3)
        columns = b"\x01" + length(dice, count) + column * count
        return b"\x01\x02\x04" + column + value(dice, 3) + value(dice, 3) + columns
    if choice < 0.8:
        return b"\x02\x02\x04\x06" + dice.randbytes(4) + b"\x06" + dice.randbytes(4) + b"\x12\x00\x01\x12\x00\x00"
    return dice.randbytes(1) + value(dice)


def apdu(dice: Random) -> bytes:
    """An xDLMS APDU: the parts of one of its kinds, one after the other."""
    head, parts = dice.choice(_APDUS)
    octets = [bytes.fromhex(head), *(part(dice) for part in parts)]
    if dice.random() < _LIE:
        octets.pop()
    return b"".join(octets)


def acse(dice: Random) -> bytes:
    """An ACSE APDU: fields in their order, with contents that fit or do not."""
    tag, fields = dice.choice(_ACSE)
    octets = b"".join(
        bytes((field,)) + length(dice, len(inner)) + inner
        for field in fields
        if dice.random() < 0.7
        for inner in (_field(dice, field),)
    )
    return bytes((tag,)) + length(dice, len(octets)) + octets


def stream(dice: Random) -> bytes:
    """What a wrapper may receive: frames joined, cut, or with noise between them."""
    octets = b""
    for _ in range(dice.randint(0, 4)):
        inner = dice.randbytes(dice.choice((0, 1, 20, 300)))
        octets += b"\x00\x01\x00\x01\x00\x10" + len(inner).to_bytes(2, "big") + inner
    return octets + dice.randbytes(dice.choice((0, 0, 1, 7, 8)))


def _field(dice: Random, tag: int) -> bytes:
    """The content of one ACSE field."""
    if tag in _OBJECT_IDENTIFIERS:
        identifier = bytes.fromhex("608574050801") + dice.randbytes(1)
        return identifier if tag in (0x89, 0x8B) else b"\x06" + length(dice, 7) + identifier
    if tag in (0x8A, 0x88):
        return dice.choice((b"\x07\x80", b"\x07\x00", b"\x08\x80", b""))
    if tag == 0xA2:
        return b"\x02\x01" + dice.choice((b"\x00", b"\x01", b"\x02", b"\x07"))
    if tag == 0xA3:
        return dice.choice((b"\xa1", b"\xa2")) + b"\x03\x02\x01" + bytes((dice.randint(0, 16),))
    if tag == 0x80:
        return dice.choice((b"\x00", b"\x01", b"\x1e", b"\x02\x84", b""))
    inner = dice.randbytes(dice.choice((0, 8, 16)))
    return dice.choice((b"\x04", b"\x80")) + length(dice, len(inner)) + inner


def _octets(count: int) -> Part:
    return lambda dice: dice.randbytes(count)


def _counted(item: Part) -> Part:
    def write(dice: Random) -> bytes:
        count = dice.randint(0, 3)
        return length(dice, count) + b"".join(item(dice) for _ in range(count))

    return write


def _descriptor(_dice: Random) -> bytes:
    return _DESCRIPTOR


def _attribute(dice: Random) -> bytes:
    return _DESCRIPTOR + (b"\x00" if dice.random() < 0.6 else b"\x01" + selection(dice))


def _result(dice: Random) -> bytes:
    return b"\x01" + dice.choice((b"\x00", b"\x03", b"\xfa", b"\x05")) if dice.random() < 0.3 else b"\x00" + value(dice)


def _response(dice: Random) -> bytes:
    return dice.choice((b"\x00", b"\x03", b"\x11")) + (b"\x00" if dice.random() < 0.5 else b"\x01" + _result(dice))


def _block(dice: Random) -> bytes:
    raw = dice.randbytes(dice.choice((0, 5, 200)))
    return dice.choice((b"\x00", b"\x01")) + dice.randbytes(4) + length(dice, len(raw)) + raw


def _date_time(dice: Random) -> bytes:
    return dice.choice((b"\x00", b"\x0c" + bytes(12), b"\x09\x0c" + bytes(12), b"\x05" + bytes(5)))


def _presence(part: Part) -> Part:
    return lambda dice: b"\x00" if dice.random() < 0.5 else dice.choice((b"\x01", b"\x01", b"\x02")) + part(dice)


def _specification(dice: Random) -> bytes:
    choice = dice.randint(0, 6)
    return bytes((choice,)) + _DESCRIPTOR + (selection(dice) if choice > 3 else b"")


def _sized(count: int) -> Part:
    def write(dice: Random) -> bytes:
        octets = dice.randbytes(dice.choice((count, count + 12, 3)))
        return length(dice, len(octets)) + octets

    return write


def _code(dice: Random) -> bytes:
    return bytes((dice.choice((0, 1, 3, 5, 19, 250)),))


_IIP = _octets(1)
_NUMBER = _octets(4)
_APDUS: list[tuple[str, tuple[Part, ...]]] = [
    ("c001", (_IIP, _attribute)),
    ("c002", (_IIP, _NUMBER)),
    ("c003", (_IIP, _counted(_attribute))),
    ("c401", (_IIP, _result)),
    ("c402", (_IIP, _octets(1), _NUMBER, lambda dice: b"\x00" + _sized(20)(dice))),
    ("c402", (_IIP, _octets(1), _NUMBER, lambda dice: b"\x01" + _code(dice))),
    ("c403", (_IIP, _counted(_result))),
    ("c101", (_IIP, _attribute, value)),
    ("c102", (_IIP, _attribute, _block)),
    ("c103", (_IIP, _block)),
    ("c104", (_IIP, _counted(_attribute), _counted(value))),
    ("c105", (_IIP, _counted(_attribute), _block)),
    ("c501", (_IIP, _code)),
    ("c502", (_IIP, _NUMBER)),
    ("c503", (_IIP, _code, _NUMBER)),
    ("c504", (_IIP, _counted(_code), _NUMBER)),
    ("c505", (_IIP, _counted(_code))),
    ("c301", (_IIP, _descriptor, _presence(value))),
    ("c302", (_IIP, _NUMBER)),
    ("c303", (_IIP, _counted(_descriptor), _counted(value))),
    ("c304", (_IIP, _descriptor, _block)),
    ("c305", (_IIP, _counted(_descriptor), _block)),
    ("c306", (_IIP, _block)),
    ("c701", (_IIP, _response)),
    ("c702", (_IIP, _block)),
    ("c703", (_IIP, _counted(_response))),
    ("c704", (_IIP, _NUMBER)),
    ("d9", (_NUMBER, _date_time, _counted(_specification), _counted(value))),
    ("da", (_NUMBER, _date_time, _presence(_counted(_specification)), _counted(value), _counted(_octets(2)))),
    ("0f", (_NUMBER, _date_time, value)),
    ("c2", (_presence(_date_time), _descriptor, value)),
    ("e0", (_octets(5), _sized(30))),
    ("db", (_sized(8), _sized(20))),
    ("dc", (_sized(8), _sized(20))),
    ("c8", (_sized(20),)),
    ("d8", (_octets(1), _octets(1))),
    ("d80106", (_NUMBER,)),
    ("0e", (_code, _code, _code)),
    ("01", (_presence(_sized(16)), _presence(_octets(1)), _presence(_octets(1)), _octets(1), _octets(9))),
    ("0100000006" + "5f1f0400", (_octets(5),)),
    ("0800065f1f0400", (_octets(7),)),
]
_OBJECT_IDENTIFIERS = (0xA1, 0x89, 0x8B)
_ACSE = [
    (0x60, (0x80, 0xA1, 0xA2, 0xA6, 0xA7, 0x8A, 0x8B, 0xAC, 0xBE)),
    (0x61, (0x80, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0x88, 0x89, 0xAA, 0xBE)),
    (0x62, (0x80, 0xBE)),
    (0x63, (0x80, 0xBE)),
]
