"""The courier is what the object model says: a batch, a limit of rows, one method that answers."""

from dlms_objects.classes.courier_class import COURIER, COURIER_NAME
from dlms_objects.classes.shape import from_plain
from dlms_objects.wire import axdr


def test_the_courier_is_class_20103_with_its_attributes_in_order() -> None:
    assert (COURIER.class_id, COURIER.version, str(COURIER_NAME)) == (20103, 0, "0.0.128.2.0.255")
    assert [attribute.name for attribute in COURIER.attributes] == ["logical_name", "batch", "max_rows"]


def test_an_instruction_travels_as_an_octet_string() -> None:
    deliver = COURIER.method("deliver")
    assert deliver.number == 1
    assert deliver.result is not None
    assert axdr.encode(from_plain(deliver.parameter, "db01")) == bytes.fromhex("0902db01")
