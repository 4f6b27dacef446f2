"""Row layouts: rows of fixed length are known by their skeleton, and typed as the general codec types them."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.values.data import Data, DataType, long, octet_string, structure, unsigned
from dlms_objects.wire import axdr
from dlms_objects.wire.row_layout import LAYOUTS_KEPT, Column, layout_of, typed_structures, typed_values
from dlms_objects.wire.simple_types import FIXED_FORMATS
from tests.support.cosem_data import cells

COLUMNS = (Column(DataType.OCTET_STRING, 2), Column(DataType.LONG), Column(DataType.UNSIGNED))
ROWS = [structure(octet_string(b"ab"), long(-1), unsigned(7)), structure(octet_string(b"cd"), long(2), unsigned(0))]
OCTETS = b"".join(map(axdr.encode, ROWS))


def test_a_layout_knows_where_the_cells_stand():
    layout = layout_of(COLUMNS)
    assert layout.length == 2 + 4 + 3 + 2
    assert list(layout.cells.iter_unpack(OCTETS)) == [(b"ab", -1, 7), (b"cd", 2, 0)]
    assert layout.types == (DataType.OCTET_STRING, DataType.LONG, DataType.UNSIGNED)
    assert list(layout.typed_rows(OCTETS)) == ROWS


def test_rows_match_only_with_every_octet_of_the_skeleton_and_the_whole_count():
    layout = layout_of(COLUMNS)
    assert layout.matches(OCTETS, 2)
    assert not layout.matches(OCTETS, 1)
    assert not layout.matches(OCTETS[:-1], 2)
    for position, _octet in layout.skeleton:
        for row in range(2):
            broken = bytearray(OCTETS)
            broken[row * layout.length + position] ^= 1
            assert not layout.matches(bytes(broken), 2)
    careless = replace(layout, skeleton=())
    assert careless.matches(bytes(len(OCTETS)), 2)


@pytest.mark.parametrize(
    "type_",
    [DataType.NULL_DATA, DataType.UTF8_STRING, DataType.BIT_STRING, DataType.STRUCTURE, DataType.OCTET_STRING],
)
def test_a_column_without_a_fixed_length_makes_no_layout(type_):
    assert layout_of((Column(DataType.LONG), Column(type_))) is None


def test_layouts_are_compiled_once_and_not_kept_without_limit():
    assert layout_of(COLUMNS) is layout_of(tuple(list(COLUMNS)))
    for length in range(2 * LAYOUTS_KEPT):
        layout_of((Column(DataType.OCTET_STRING, length),))
    assert layout_of.cache_info().currsize == LAYOUTS_KEPT


@given(
    st.lists(st.sampled_from(sorted(FIXED_FORMATS)), min_size=1, max_size=5).flatmap(
        lambda types: st.lists(st.tuples(*(cells(type_) for type_ in types)), min_size=1, max_size=4)
    )
)
def test_typed_rows_are_those_of_the_general_codec(rows):
    wanted = [structure(*row) for row in rows]
    types = [cell.type for cell in rows[0]]
    assert list(typed_structures(types, [tuple(cell.value for cell in row) for row in rows])) == wanted
    layout = layout_of(tuple(map(Column, types)))
    octets = b"".join(map(axdr.encode, wanted))
    assert layout.matches(octets, len(rows))
    assert list(layout.typed_rows(octets)) == wanted


def test_typed_values_have_all_one_type():
    assert list(typed_values(DataType.INTEGER, [-1, 5])) == [Data(DataType.INTEGER, -1), Data(DataType.INTEGER, 5)]
    assert list(typed_values(DataType.LONG, [-1])) == [Data(DataType.LONG, -1)]
    assert list(typed_values(DataType.BOOLEAN, [True])) == [Data(DataType.BOOLEAN, True)]
