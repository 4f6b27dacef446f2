"""The standard classes carry the standard's ids, versions and attribute numbers."""

import pytest
from gurux_dlms.enums import ObjectType
from gurux_dlms.objects import (
    GXDLMSClock,
    GXDLMSData,
    GXDLMSProfileGeneric,
    GXDLMSRegister,
)

from dlms_objects.classes.interface import InterfaceClass
from dlms_objects.classes.shape import LOGICAL_NAME
from dlms_objects.classes.standard import (
    ASSOCIATION_LN,
    CAPTURE_OBJECT,
    CLOCK,
    DATA,
    PROFILE_GENERIC,
    REGISTER,
    SECURITY_SETUP,
)

STANDARD = {
    DATA: (ObjectType.DATA, 0, 2),
    REGISTER: (ObjectType.REGISTER, 0, 3),
    PROFILE_GENERIC: (ObjectType.PROFILE_GENERIC, 1, 8),
    CLOCK: (ObjectType.CLOCK, 0, 9),
    ASSOCIATION_LN: (ObjectType.ASSOCIATION_LOGICAL_NAME, 2, 11),
    SECURITY_SETUP: (ObjectType.SECURITY_SETUP, 1, 6),
}


@pytest.mark.parametrize("interface", STANDARD, ids=lambda interface: interface.name)
def test_id_version_and_number_of_attributes_are_the_standards(interface: InterfaceClass):
    object_type, version, attributes = STANDARD[interface]
    assert (interface.class_id, interface.version) == (int(object_type), version)
    assert [attribute.number for attribute in interface.attributes] == list(range(1, attributes + 1))
    assert interface.attribute(1).shape is LOGICAL_NAME


@pytest.mark.parametrize(
    ("interface", "gurux"),
    [(DATA, GXDLMSData), (REGISTER, GXDLMSRegister), (PROFILE_GENERIC, GXDLMSProfileGeneric), (CLOCK, GXDLMSClock)],
    ids=["Data", "Register", "Profile generic", "Clock"],
)
def test_gurux_counts_the_same_attributes(interface, gurux):
    assert gurux().getAttributeCount() == len(interface.attributes)


def test_only_values_that_an_object_chooses_itself_have_no_shape():
    free = {(interface.name, a.name) for interface in STANDARD for a in interface.attributes if a.shape is None}
    assert free == {("Data", "value"), ("Register", "value"), ("Profile generic", "buffer")}


def test_methods_are_those_the_meter_serves():
    assert {(interface.name, m.number, m.name) for interface in STANDARD for m in interface.methods} == {
        ("Clock", 6, "shift_time"),
        ("Association LN", 1, "reply_to_HLS_authentication"),
        ("Security setup", 1, "security_activate"),
        ("Security setup", 2, "key_transfer"),
    }


def test_a_capture_object_has_the_standards_four_members():
    names = [name for name, _shape in CAPTURE_OBJECT.members]
    assert names == ["class_id", "logical_name", "attribute_index", "data_index"]
