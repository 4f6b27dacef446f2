"""What is read is shown as tables where it is one, as lines otherwise; a scaler that may not be read is no obstacle."""

from typing import Any

import pytest

from deploy.reading import Reading, lines_of, names_of_entry, read_attribute, rows_of
from dlms_objects.errors import RefusedError
from dlms_objects.values import data as cosem
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.wire import axdr
from tests.support.twisted_testing import result_of, started

REGISTER = AttributeDescriptor(3, LogicalName.parse("1.0.1.8.0.255"), 2)
SCALER_UNIT = AttributeDescriptor(3, REGISTER.logical_name, 3)
VALUE = axdr.encode(cosem.double_long(1005))
WH = axdr.encode(cosem.structure(cosem.integer(-3), cosem.enum(30)))


class Client:
    """Answers from a table; what is not in it is refused."""

    def __init__(self, answers: dict[AttributeDescriptor, bytes]) -> None:
        self.answers = answers

    async def read(self, attribute: AttributeDescriptor) -> bytes:
        if attribute not in self.answers:
            raise RefusedError("read-write-denied")
        return self.answers[attribute]


def read(answers: dict[AttributeDescriptor, bytes], attribute: AttributeDescriptor = REGISTER) -> Reading:
    client: Any = Client(answers)
    reading: Reading = result_of(started(read_attribute(client, attribute)))
    return reading


def test_a_register_is_read_with_its_unit() -> None:
    reading = read({REGISTER: VALUE, SCALER_UNIT: WH})
    assert (reading.view(), reading.plain()) == ("1.005 Wh", 1005)
    assert reading.name() == "Register.value 1.0.1.8.0.255"


def test_a_scaler_that_may_not_be_read_leaves_the_number() -> None:
    assert read({REGISTER: VALUE}).view() == 1005


def test_an_attribute_that_may_not_be_read_is_refused() -> None:
    with pytest.raises(RefusedError):
        read({SCALER_UNIT: WH})


def test_rows_alike_and_flat_are_a_table() -> None:
    assert rows_of([{"a": 1, "b": None}, {"a": 2, "b": "x"}]) == (["a", "b"], [["1", "-"], ["2", "x"]])
    for shown in ([], {}, 5, [1], [{"a": 1}, {"b": 1}], [{"a": [1]}], [{"a": 1}, [1]]):
        assert rows_of(shown) is None


def test_anything_else_is_lines() -> None:
    shown = {"a": 1, "b": {"c": None, "d": [1, {"e": "x"}]}, "f": []}
    assert list(lines_of(shown)) == ["a: 1", "b:", "  c: -", "  d:", "    - 1", "    -", "      e: x", "f:"]
    assert list(lines_of("text")) == ["text"]
    assert list(lines_of(None)) == ["-"]


def test_an_entry_of_an_object_list_has_its_class_and_its_description() -> None:
    entry = {"class_id": 8, "version": 0, "logical_name": "0.0.1.0.0.255"}
    assert names_of_entry(entry) == ("Clock", "Clock object #1")
    assert names_of_entry(entry | {"class_id": 4711}) == ("class 4711", "")
