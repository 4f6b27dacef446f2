"""Interface classes number their attributes as declared."""

import pytest

from dlms_objects.classes.interface import Method, interface_class
from dlms_objects.classes.shape import Leaf
from dlms_objects.errors import InvalidValueError
from dlms_objects.values.data import DataType

NUMBER = Leaf(DataType.UNSIGNED)
LAMP = interface_class(9000, 2, "Lamp", (("colour", NUMBER), ("hours", None)), Method(3, "blink", NUMBER))


def test_attributes_are_numbered_from_the_logical_name():
    assert [(a.number, a.name) for a in LAMP.attributes] == [(1, "logical_name"), (2, "colour"), (3, "hours")]


def test_attributes_and_methods_are_found_by_number_and_by_name():
    assert LAMP.attribute(3) is LAMP.attribute("hours")
    assert LAMP.method(3) is LAMP.method("blink")


@pytest.mark.parametrize("look_up", [lambda: LAMP.attribute(4), lambda: LAMP.method("shine")])
def test_what_is_not_declared_is_not_found(look_up):
    with pytest.raises(InvalidValueError, match="Lamp has no"):
        look_up()
