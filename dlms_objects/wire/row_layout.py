"""Row layouts: rows of fixed length, all alike, read by one `struct` instead of cell by cell.

A layout knows where the tags and lengths of a row stand (its skeleton) and where the contents. Whether every row of a
page has the skeleton is found by slices with the row's stride. `row_plan` uses it for profiles, `axdr` for any array
that turns out to be regular, `compact_array` for contents, which have no tags.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple

from dlms_objects.values.data import Data, DataType
from dlms_objects.wire.lengths import encode_length
from dlms_objects.wire.simple_types import FIXED_FORMATS, ONE_OCTET_VALUES

LAYOUTS_KEPT = 64
"""Layouts that are kept compiled; profiles of one system are far fewer."""


class Column(NamedTuple):
    """One column of a profile: its type and, for an octet-string, the number of its octets."""

    type: DataType
    length: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RowLayout:
    """How a row of those columns lies on the wire, its structure header first; `length` is in octets."""

    types: tuple[DataType, ...]
    length: int
    cells: struct.Struct
    skeleton: tuple[tuple[int, bytes], ...]

    def matches(self, rows: bytes, count: int) -> bool:
        """True when the octets are `count` rows of this layout and nothing else."""
        length = self.length
        if len(rows) != count * length:
            return False
        return all(rows[position::length] == octet * count for position, octet in self.skeleton)

    def typed_rows(self, rows: bytes) -> Iterator[Data]:
        """The rows as structures of typed values; the octets are rows of this layout (`matches`)."""
        return typed_structures(self.types, self.cells.iter_unpack(rows))


@lru_cache(maxsize=LAYOUTS_KEPT)
def layout_of(columns: tuple[Column, ...]) -> RowLayout | None:
    """The layout of rows of those columns; None where rows have no fixed length."""
    parts = [_cell_layout(column) for column in columns]
    fixed = [part for part in parts if part is not None]
    if len(fixed) != len(parts):
        return None
    head = bytes((DataType.STRUCTURE,)) + encode_length(len(columns))
    skeleton = list(enumerate(head))
    offset = len(head)
    for prefix, code in fixed:
        skeleton += enumerate(prefix, start=offset)
        offset += len(prefix) + struct.calcsize(">" + code)
    return RowLayout(
        types=tuple(column.type for column in columns),
        length=offset,
        cells=struct.Struct(f">{len(head)}x" + "".join(f"{len(prefix)}x{code}" for prefix, code in fixed)),
        skeleton=tuple((position, bytes((octet,))) for position, octet in skeleton),
    )


def typed_structures(types: Sequence[DataType], rows: Iterable[tuple[Any, ...]]) -> Iterator[Data]:
    """Structures of typed cells, one for each row of plain contents; at least one row, and as many types as cells."""
    columns = [typed_values(type_, column) for type_, column in zip(types, zip(*rows, strict=True), strict=True)]
    return map(_new, repeat(Data), zip(repeat(DataType.STRUCTURE), zip(*columns, strict=True)))


def typed_values(type_: DataType, contents: Iterable[Any]) -> Iterator[Data]:
    """Typed values of plain contents, all of one type."""
    shared = ONE_OCTET_VALUES.get(type_)
    if shared is not None:
        return map(shared.__getitem__, contents)
    return map(_new, repeat(Data), zip(repeat(type_), contents))


_new = tuple.__new__  # a Data in two thirds of the time of Data(), and without a frame


def _cell_layout(column: Column) -> tuple[bytes, str] | None:
    """The octets before a cell's content and the `struct` code of the content; None where cells vary in length."""
    tag = bytes((column.type,))
    if column.length is not None:
        return tag + encode_length(column.length), f"{column.length}s"
    code = FIXED_FORMATS.get(column.type)
    return None if code is None else (tag, code)
