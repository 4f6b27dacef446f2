"""Pages of journal rows read at once: the columns of all rows by one compiled layout, their form by slices.

A page is well formed exactly when `Entry.from_row` takes each of its rows, but no entry is made of any. Imported by
`chain` and by whoever takes in many rows.
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple, Self

from dlms_objects.purse.entry import ROW_LENGTH, EntryKind, JournalHead


class RowColumns(NamedTuple):
    """The columns of a row that books are kept by; amounts in minor units."""

    sequence: int
    kind: int
    fee_item: int
    amount: int
    balance: int
    revision: int
    digest: bytes


_CELLS = struct.Struct(">16xxIxBxB14xxqxq18xxI2x16s")
_SKELETON = tuple(
    (start + offset, octets[offset : offset + 1])
    for start, octets in (
        (0, b"\x02\x0a\x09\x0c"),
        (16, b"\x06"),
        (21, b"\x16"),
        (23, b"\x11"),
        (25, b"\x09\x0c"),
        (39, b"\x14"),
        (48, b"\x14"),
        (57, b"\x09\x10"),
        (75, b"\x06"),
        (80, b"\x09\x10"),
    )
    for offset in range(len(octets))
)
_KIND = 22
_KINDS = bytes(EntryKind)
_TIMES = (4, 27)  # where the twelve octets of the time begin, and those of the due time
_TIME_OCTETS = tuple(
    (offset, bytes(allowed))
    for offset, allowed in (
        (2, [*range(1, 13), 0xFD, 0xFE, 0xFF]),
        (3, [*range(1, 32), *range(0xE0, 0x100)]),
        (4, [*range(1, 8), 0xFF]),
        (5, [*range(24), 0xFF]),
        (6, [*range(60), 0xFF]),
        (7, [*range(60), 0xFF]),
        (8, [*range(100), 0xFF]),
    )
)
"""What each octet of a COSEM date-time may be: month, day of month, day of week, hour, minute, second, hundredths."""
_DEVIATION = 9
_LARGEST_DEVIATION = 840
_NO_DEVIATION = 0x8000


@dataclass(frozen=True, slots=True)
class RowPage:
    """So many rows of 98 octets, and the columns of each."""

    rows: bytes
    columns: tuple[RowColumns, ...]

    @classmethod
    def of(cls, rows: bytes) -> Self | None:
        """Read a page; None unless every row is a journal row. `Entry.from_row` says what is wrong with which."""
        count, rest = divmod(len(rows), ROW_LENGTH)
        if rest or not _is_well_formed(rows, count):
            return None
        return cls(rows, tuple(map(RowColumns._make, _CELLS.iter_unpack(rows))))

    def from_row(self, number: int) -> Self:
        """The page without its first `number` rows."""
        return self if number == 0 else type(self)(self.rows[number * ROW_LENGTH :], self.columns[number:])

    @property
    def head(self) -> JournalHead:
        """The journal head that the last row makes; there must be one."""
        last = self.columns[-1]
        return JournalHead(sequence=last.sequence, digest=last.digest)

    def row(self, index: int) -> bytes:
        """The octets of one row."""
        return self.rows[index * ROW_LENGTH : (index + 1) * ROW_LENGTH]


def _is_well_formed(rows: bytes, count: int) -> bool:
    return (
        all(rows[position::ROW_LENGTH] == octet * count for position, octet in _SKELETON)
        and not rows[_KIND::ROW_LENGTH].translate(None, _KINDS)
        and all(_are_times(rows, start) for start in _TIMES)
    )


def _are_times(rows: bytes, start: int) -> bool:
    for offset, allowed in _TIME_OCTETS:
        if rows[start + offset :: ROW_LENGTH].translate(None, allowed):
            return False
    high, low = rows[start + _DEVIATION :: ROW_LENGTH], rows[start + _DEVIATION + 1 :: ROW_LENGTH]
    return all(map(_is_deviation, set(zip(high, low, strict=True))))


def _is_deviation(octets: tuple[int, int]) -> bool:
    value = octets[0] << 8 | octets[1]
    signed = value - 0x10000 if value & 0x8000 else value
    return value == _NO_DEVIATION or -_LARGEST_DEVIATION <= signed <= _LARGEST_DEVIATION
