"""What is put right about gurux is still wrong or missing there: an entry that gurux has caught up with goes."""

from gurux_dlms.enums import ObjectType

from dlms_objects.gurux_bridge.missing_names import CLASS_NAMES, MISSING_CLASSES, attributes_added, methods_of
from dlms_objects.gurux_bridge.names import gurux_object


def test_the_missing_classes_have_no_object_in_gurux() -> None:
    assert all(gurux_object(class_id) is None for class_id in MISSING_CLASSES)


def test_the_class_names_are_not_what_gurux_says() -> None:
    for class_id, name in CLASS_NAMES.items():
        assert ObjectType(class_id).name.replace("_", " ").capitalize() != name


def test_the_attributes_added_are_those_gurux_counts_and_does_not_name() -> None:
    for class_id in (15, 72):
        for version in range(3):
            item = gurux_object(class_id, version)
            unnamed = range(len(item.getNames()) + 1, item.getAttributeCount() + 1)
            assert list(attributes_added(class_id, version)) == list(unnamed)
    assert attributes_added(3, 0) == {}


def test_gurux_still_gives_the_security_setup_the_methods_of_the_clock() -> None:
    assert gurux_object(64).getMethodNames() == gurux_object(8).getMethodNames()
    assert methods_of(64, 1, ("adjust_to_quarter",))[0] == "security_activate"
    assert methods_of(124, 0, ()) == ("reset",)
    assert methods_of(9, 0, ("execute",)) == ("execute",)
    assert len(methods_of(15, 1, tuple("abcdef"))) == 4
