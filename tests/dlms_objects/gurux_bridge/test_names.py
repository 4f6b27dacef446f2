"""Every standard class has its names; what gurux names wrongly is right here; OBIS codes are described."""

import pytest
from gurux_dlms.enums import ObjectType
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.classes.catalogue import CATALOGUE, CLASSES
from dlms_objects.gurux_bridge.names import (
    class_name,
    description,
    descriptor_name,
    gurux_object,
    known_classes,
    names_of,
)
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor

CLOCK = LogicalName.parse("0.0.1.0.0.255")


def test_every_class_that_gurux_numbers_has_a_name() -> None:
    known = set(known_classes())
    assert {int(kind) for kind in ObjectType} - {0, 2} <= known
    assert {1, 3, 7, 8, 15, 20, 61, 64, 70, 111, 112, 113, 20101, 20102, 20103} <= known
    assert len(known) >= 75


def test_names_are_words_numbered_from_one() -> None:
    for class_id in known_classes():
        for version in range(4):
            names = names_of(class_id, version)
            assert names is not None
            assert names.name.strip() == names.name != ""
            for numbered in (names.attributes, names.methods):
                assert sorted(numbered) == list(range(1, len(numbered) + 1))
                assert all(name.replace("_", "").isalnum() for name in numbered.values())


def test_as_many_attributes_are_named_as_gurux_counts() -> None:
    few = {12}  # gurux has no names for the last two of Association SN, and nobody here has read them
    for class_id in set(known_classes()) - few:
        for version in range(4):
            item, names = gurux_object(class_id, version), names_of(class_id, version)
            if item is not None and class_id not in CLASSES:
                assert names is not None
                assert len(names.attributes) == item.getAttributeCount(), (class_id, version)


def test_the_security_setup_has_its_own_methods_and_not_the_clocks() -> None:
    names = names_of(64, 1)
    assert names is not None
    assert list(names.methods.values())[:2] == ["security_activate", "key_transfer"]
    assert len(names.methods) == 8
    older = names_of(64, 0)
    assert older is not None
    assert len(older.methods) == 2


def test_our_own_classes_are_named_as_they_are_declared() -> None:
    for class_id, declared in CLASSES.items():
        names = names_of(class_id, declared.version)
        assert names is not None
        for attribute in declared.attributes:
            assert names.attributes[attribute.number] == attribute.name
        for method in declared.methods:
            assert names.methods[method.number] == method.name


def test_an_unknown_class_has_no_names() -> None:
    assert names_of(4711) is None
    assert class_name(4711) == "class 4711"
    assert class_name(23) == "IEC HDLC setup"


@pytest.mark.parametrize(
    ("descriptor", "words"),
    [
        (AttributeDescriptor(8, CLOCK, 2), "Clock.time 0.0.1.0.0.255"),
        (MethodDescriptor(8, CLOCK, 6), "Clock.shift_time 0.0.1.0.0.255"),
        (AttributeDescriptor(20, CLOCK, 5), "Activity calendar.active_day_profile_table 0.0.1.0.0.255"),
        (AttributeDescriptor(40, CLOCK, 13), "Push setup.last_confirmation_date_time 0.0.1.0.0.255"),
        (AttributeDescriptor(8, CLOCK, 99), "8/0.0.1.0.0.255:99"),
        (MethodDescriptor(4711, CLOCK, 1), "4711/0.0.1.0.0.255.1"),
    ],
)
def test_a_descriptor_reads_by_name_or_by_number(
    descriptor: AttributeDescriptor | MethodDescriptor, words: str
) -> None:
    assert descriptor_name(descriptor) == words


@pytest.mark.parametrize(
    ("class_id", "name", "words"),
    [
        (1, "0.0.42.0.0.255", "COSEM Logical device name"),
        (3, "1.0.1.8.0.255", "Sum Li Active power+ (QI+QIV) Time integral 1 Rate 0 (0 is total)"),
        (3, "1.1.32.7.0.255", "Ch. 1 L1 Voltage Inst. value"),
        (20101, "0.0.128.0.0.255", "Purse"),
        (20102, "0.0.128.1.7.255", "Fee item 7"),
        (7, "0.0.99.128.0.255", "Purse journal"),
        (3, "255.255.255.255.255.255", ""),
        (4711, "1.0.1.8.0.255", ""),
    ],
)
def test_a_logical_name_is_described(class_id: int, name: str, words: str) -> None:
    assert description(class_id, LogicalName.parse(name)) == words


def test_every_object_of_our_meter_is_described() -> None:
    assert all(description(declared.interface.class_id, name) for name, declared in CATALOGUE.items())


@given(st.binary(min_size=6, max_size=6), st.integers(0, 65535))
def test_no_logical_name_of_any_class_raises(octets: bytes, class_id: int) -> None:
    assert isinstance(description(class_id, LogicalName(octets)), str)
