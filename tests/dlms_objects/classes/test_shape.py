"""Shapes check, show and build typed data without losing anything."""

import pytest

from dlms_objects.classes.fee_item_class import PARAMETERS
from dlms_objects.classes.purse_class import EVENT_ROW, JOURNAL_ROW, SETTINGS
from dlms_objects.classes.shape import (
    DATE,
    DATE_TIME,
    IDENTIFIER,
    LOGICAL_NAME,
    TIME,
    Array,
    Leaf,
    Nullable,
    Structure,
    conforms,
    from_plain,
    plain_data,
    to_plain,
)
from dlms_objects.errors import InvalidValueError
from dlms_objects.values import data as cosem
from dlms_objects.values.data import DataType

PAIR = Structure((("count", Leaf(DataType.UNSIGNED)), ("name", Leaf(DataType.VISIBLE_STRING, 4, at_most=True))))

PLAIN_VALUES = [
    (Leaf(DataType.LONG64), -(2**63)),
    (Leaf(DataType.BOOLEAN), True),
    (Leaf(DataType.BIT_STRING, 4), "0110"),
    (Leaf(DataType.UTF8_STRING), "水费"),
    (Leaf(DataType.OCTET_STRING), "00ff"),
    (Leaf(DataType.ENUM, names=("off", "on")), "on"),
    (Leaf(DataType.ENUM, names=("off", "on")), 7),
    (LOGICAL_NAME, "0.0.128.0.0.255"),
    (DATE_TIME, "2026-01-01T00:10:00"),
    (DATE_TIME, "2026-01-01T00:10:00+08:00"),
    (DATE_TIME, "2026-01-01T00:10:00-03:30"),
    (DATE_TIME, None),
    (DATE, "2026-02-28"),
    (DATE, None),
    (TIME, "23:50:00"),
    (IDENTIFIER, "00" * 16),
    (Nullable(PAIR), None),
    (Nullable(PAIR), {"count": 1, "name": "x"}),
    (Array(PAIR), [{"count": 1, "name": "x"}, {"count": 255, "name": ""}]),
]


@pytest.mark.parametrize(("shape", "plain"), PLAIN_VALUES)
def test_plain_values_come_back_as_they_went_in(shape, plain):
    value = from_plain(shape, plain)
    assert conforms(shape, value)
    assert to_plain(shape, value) == plain


WRONG_PLAIN = [
    (Leaf(DataType.UNSIGNED), 256, "unsigned holds 0..255"),
    (Leaf(DataType.UNSIGNED), 1.0, "unsigned holds 0..255"),
    (Leaf(DataType.BOOLEAN), 1, "True or False"),
    (Leaf(DataType.OCTET_STRING), "0g", "hex"),
    (Leaf(DataType.ENUM, names=("off", "on")), "of", "one of off, on"),
    (Leaf(DataType.FLOAT32), 1.0, "cannot be given"),
    (Leaf(DataType.UTF8_STRING), 5, "value: text is wanted, not 5"),
    (Leaf(DataType.VISIBLE_STRING), None, "text is wanted, not None"),
    (Leaf(DataType.OCTET_STRING), [1], "text is wanted"),
    (Leaf(DataType.BIT_STRING, 4), 1010, "text is wanted"),
    (LOGICAL_NAME, 5, "text is wanted"),
    (LOGICAL_NAME, None, "not a logical name"),
    (DATE_TIME, 20260101, "text is wanted"),
    (TIME, None, "value: "),
    (IDENTIFIER, "00", "16 long is wanted"),
    (PAIR, {"count": 1}, "exactly the members count, name"),
    (PAIR, [1, "x"], "exactly the members count, name"),
    (PAIR, {"count": 1, "name": "12345"}, "value.name: at most 4 long"),
    (Array(PAIR), {"count": 1}, "a list is wanted"),
    (Array(PAIR), [{"count": 999, "name": ""}], "value[0].count"),
    (DATE, "2026-02-30", "value: "),
]


@pytest.mark.parametrize(("shape", "plain", "words"), WRONG_PLAIN)
def test_a_wrong_plain_value_is_refused_and_the_place_named(shape, plain, words):
    with pytest.raises(InvalidValueError) as refusal:
        from_plain(shape, plain)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        (Leaf(DataType.UNSIGNED), cosem.integer(1)),
        (IDENTIFIER, cosem.octet_string(bytes(15))),
        (PAIR, cosem.structure(cosem.unsigned(1))),
        (PAIR, cosem.structure(cosem.unsigned(1), cosem.visible_string("12345"))),
        (Array(PAIR), cosem.structure()),
        (Nullable(PAIR), cosem.unsigned(1)),
    ],
)
def test_data_of_another_shape_does_not_conform_and_is_not_shown(shape, value):
    assert not conforms(shape, value)
    with pytest.raises(InvalidValueError):
        to_plain(shape, value)


def test_data_without_a_shape_is_shown_as_lists_and_hexadecimal():
    value = cosem.array([cosem.structure(cosem.unsigned(1), cosem.octet_string(b"\xab"), cosem.NULL)])
    assert plain_data(value) == [[1, "ab", None]]


def test_the_contract_structures_have_the_number_of_columns_the_object_model_gives():
    assert [len(shape.members) for shape in (JOURNAL_ROW, EVENT_ROW, SETTINGS, PARAMETERS)] == [10, 6, 9, 9]
