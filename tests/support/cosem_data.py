"""Hypothesis strategies for typed COSEM data, whole values and pages of rows."""

from hypothesis import strategies as st

from dlms_objects.values.compact_array import CompactArray, TypeDescription
from dlms_objects.values.data import NULL, WHOLE_NUMBER_RANGES, Data, DataType

FLOAT32 = st.floats(width=32, allow_nan=False)


def whole_numbers() -> st.SearchStrategy[Data]:
    """Every integer type over its whole range."""
    return st.one_of(*(cells(type_) for type_ in WHOLE_NUMBER_RANGES))


def cells(type_: DataType, length: int = 4) -> st.SearchStrategy[Data]:
    """Values of one type that is not a container; octet-strings have `length` octets."""
    if type_ in WHOLE_NUMBER_RANGES:
        low, high = WHOLE_NUMBER_RANGES[type_]
        return st.integers(low, high).map(lambda number: Data(type_, number))
    contents: dict[DataType, st.SearchStrategy[object]] = {
        DataType.NULL_DATA: st.none(),
        DataType.DONT_CARE: st.none(),
        DataType.BOOLEAN: st.booleans(),
        DataType.BIT_STRING: st.text("01", max_size=40),
        DataType.OCTET_STRING: st.binary(min_size=length, max_size=length),
        DataType.VISIBLE_STRING: st.text(st.characters(max_codepoint=0x7F), max_size=200),
        DataType.UTF8_STRING: st.text(max_size=100),
        DataType.FLOAT32: FLOAT32,
        DataType.FLOAT64: st.floats(allow_nan=False),
        DataType.DATE_TIME: st.binary(min_size=12, max_size=12),
        DataType.DATE: st.binary(min_size=5, max_size=5),
        DataType.TIME: st.binary(min_size=4, max_size=4),
    }
    return contents[type_].map(lambda content: Data(type_, content))


SIMPLE_TYPES = [
    type_ for type_ in DataType if type_ not in (DataType.ARRAY, DataType.STRUCTURE, DataType.COMPACT_ARRAY)
]

simple = st.sampled_from(SIMPLE_TYPES).flatmap(lambda type_: cells(type_, 5))
"""Values that hold no other value."""

TAKING_OCTETS = [type_ for type_ in SIMPLE_TYPES if type_ not in (DataType.NULL_DATA, DataType.DONT_CARE)]

descriptions: st.SearchStrategy[TypeDescription] = st.recursive(
    st.sampled_from(TAKING_OCTETS).map(TypeDescription),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(lambda members: TypeDescription(DataType.STRUCTURE, tuple(members)))
        | st.builds(
            lambda member, elements: TypeDescription(DataType.ARRAY, (member,), elements), inner, st.integers(1, 3)
        )
    ),
    max_leaves=5,
)
"""What the elements of a compact-array may be."""


def described(description: TypeDescription) -> st.SearchStrategy[Data]:
    """Values of exactly that type."""
    if description.type is DataType.STRUCTURE:
        members = st.tuples(*map(described, description.members))
    elif description.type is DataType.ARRAY:
        members = st.tuples(*map(described, description.members * description.elements))
    else:
        return cells(description.type, 5)
    return members.map(lambda inner: Data(description.type, inner))


compact_arrays = descriptions.flatmap(
    lambda description: st.lists(described(description), max_size=4).map(
        lambda elements: Data(DataType.COMPACT_ARRAY, CompactArray(description, tuple(elements)))
    )
)
"""Compact-arrays of anything, empty ones included."""

values = st.recursive(
    simple | compact_arrays | st.binary(max_size=300).map(lambda octets: Data(DataType.OCTET_STRING, octets)),
    lambda inner: st.lists(inner, max_size=5).flatmap(
        lambda members: st.sampled_from((DataType.ARRAY, DataType.STRUCTURE)).map(
            lambda type_: Data(type_, tuple(members))
        )
    ),
    max_leaves=12,
)
"""Any value, containers in containers included."""


@st.composite
def tables(draw: st.DrawFn, *, departing: bool) -> Data:
    """An array of structures of the same columns; `departing` leaves cells out as null-data or changes their type."""
    types = draw(st.lists(st.sampled_from(SIMPLE_TYPES), min_size=1, max_size=6))
    rows = draw(st.integers(1, 6))
    table = [[draw(cells(type_)) for type_ in types] for _ in range(rows)]
    if departing:
        for _ in range(draw(st.integers(1, 3))):
            row, column = draw(st.integers(0, rows - 1)), draw(st.integers(0, len(types) - 1))
            table[row][column] = draw(st.just(NULL) | simple | values)
    return Data(DataType.ARRAY, tuple(Data(DataType.STRUCTURE, tuple(row)) for row in table))
