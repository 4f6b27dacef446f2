"""Row plans: the buffer of a profile, decoded or cut a page at a time. The hot path of collection; it knows no profile.

A plan is compiled once from the column types of a profile. Where every row has the plan's layout (`row_layout`), all
rows are read by one `struct`; where a row departs, or the page is a compact-array, the general codec reads the page and
gives the same values.
"""

from collections.abc import Sequence
from typing import Any, Self

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.data import Data, DataType
from dlms_objects.wire import axdr
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lengths import decode_length
from dlms_objects.wire.row_layout import Column, layout_of

__all__ = ["Column", "RowPlan"]

_ARRAY = bytes((DataType.ARRAY,))
_COMPACT_ARRAY = bytes((DataType.COMPACT_ARRAY,))
_PAGES = (DataType.ARRAY, DataType.COMPACT_ARRAY)


class RowPlan:
    """How the rows of one profile lie on the wire.

    Values are those of `Data.value`, with a structure or array inside a row as a tuple of such values. Columns of
    strings, bit-strings, containers or null-data have no fixed place: such a plan always takes the general codec.
    """

    __slots__ = ("_layout", "columns", "row_length")

    def __init__(self, columns: Sequence[Column]) -> None:
        """Compile; InvalidValueError for an octet-string column without a length, or a length on another type.

        `row_length` is the octets of a row with its structure header, or None where rows have no fixed length.
        """
        for column in columns:
            if (column.type is DataType.OCTET_STRING) != (column.length is not None):
                raise InvalidValueError(f"an octet-string column has a length and no other has one: {column!r}")
        self.columns = tuple(columns)
        self._layout = layout_of(self.columns)
        self.row_length = None if self._layout is None else self._layout.length

    @classmethod
    def from_row(cls, row: bytes) -> Self:
        """The plan of the profile that this row (one structure in A-XDR) belongs to; MalformedError when it is none."""
        value = axdr.decode(row)
        if value.type is not DataType.STRUCTURE:
            raise MalformedError(f"a row is a structure, not {value.type.name.lower()}")
        return cls([axdr.column_of(cell) for cell in value.value])

    def decode(self, octets: bytes | bytearray | memoryview) -> list[tuple[Any, ...]]:
        """The rows of an `array of structure`, or of a compact-array of them, a tuple of plain values each.

        MalformedError when the octets are not one such array, or a row has not as many columns as the plan.
        """
        octets = bytes(octets)
        rows, layout = self._regular_rows(octets), self._layout
        if rows is not None and layout is not None:
            return list(layout.cells.iter_unpack(rows))
        page = axdr.decode(octets)
        if page.type not in _PAGES:
            raise MalformedError(f"a page of rows is an array, not {page.type.name.lower()}")
        return [self._plain_row(row) for row in page.value]

    def split(self, octets: bytes | bytearray | memoryview) -> list[bytes]:
        """The same rows as raw A-XDR octets each, checked as `decode` checks them, not decoded.

        Rows of a compact-array have no octets of their own and come in the form they have in an array.
        """
        octets = bytes(octets)
        rows, length = self._regular_rows(octets), self.row_length
        if rows is not None and length is not None:
            return [rows[offset : offset + length] for offset in range(0, len(rows), length)]
        if octets[:1] == _COMPACT_ARRAY:
            self.decode(octets)
            return [axdr.encode(row) for row in axdr.decode(octets).value]
        count, offset = _array_head(octets)
        cut: list[bytes] = []
        for _ in range(count):
            row, end = axdr.decode_prefix(octets, offset, depth=1)
            self._plain_row(row)
            cut.append(octets[offset:end])
            offset = end
        if offset != len(octets):
            raise MalformedError(f"{len(octets) - offset} octets are left over after the last row")
        return cut

    def _regular_rows(self, octets: bytes) -> bytes | None:
        """The octets of all rows when each has the plan's layout and nothing is left over; None otherwise."""
        layout = self._layout
        if layout is None or octets[:1] != _ARRAY:
            return None
        count, offset = decode_length(octets, 1)
        rows = octets[offset:]
        return rows if layout.matches(rows, count) else None

    def _plain_row(self, row: Data) -> tuple[Any, ...]:
        if row.type is not DataType.STRUCTURE or len(row.value) != len(self.columns):
            raise MalformedError(f"a row of this profile is a structure of {len(self.columns)} columns")
        return tuple(_plain(cell) for cell in row.value)


def _array_head(octets: bytes) -> tuple[int, int]:
    """The number of elements an array announces, and the offset of the first."""
    if octets[:1] != _ARRAY:
        raise MalformedError(f"a page of rows is an array, not {octets[:1].hex() or 'nothing'}")
    return decode_length(octets, 1)


def _plain(value: Data) -> Any:
    """The Python value of one cell, containers as tuples."""
    if value.type is DataType.STRUCTURE or value.type in _PAGES:
        return tuple(_plain(member) for member in value.value)
    return value.value
