"""Class 20101 is the object model's table, and its named values are those of the money rules."""

import pytest

from dlms_objects.classes.purse_class import (
    ENTRY_KIND,
    EVENT_LOG_NAME,
    EVENT_ROW,
    JOURNAL_NAME,
    JOURNAL_ROW,
    OUTCOME,
    PURSE,
    PURSE_NAME,
    SETTINGS,
)
from dlms_objects.classes.shape import conforms
from dlms_objects.purse.entry import Entry, EntryKind, JournalHead
from dlms_objects.purse.outcome import OutcomeCode
from dlms_objects.purse.state import InsufficientPolicy
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.wire import axdr

ATTRIBUTES = {
    1: "logical_name",
    2: "balance",
    3: "currency",
    4: "settings",
    5: "journal_head",
    6: "acknowledged",
    7: "status",
    8: "last_entry",
    9: "last_event",
}
METHODS = {1: "top_up", 2: "reverse", 3: "adjust", 4: "acknowledge", 5: "check_now"}


def test_attributes_and_methods_are_numbered_as_the_object_model_does():
    assert (PURSE.class_id, PURSE.version) == (20101, 0)
    assert {attribute.number: attribute.name for attribute in PURSE.attributes} == ATTRIBUTES
    assert {method.number: method.name for method in PURSE.methods} == METHODS


def test_logical_names_are_those_of_the_object_model():
    assert [str(name) for name in (PURSE_NAME, JOURNAL_NAME, EVENT_LOG_NAME)] == [
        "0.0.128.0.0.255",
        "0.0.99.128.0.255",
        "0.0.99.98.0.255",
    ]


def names_of(enumeration):
    return tuple(member.name.lower() for member in enumeration)


def test_named_values_are_those_of_the_money_rules():
    assert OUTCOME.names == names_of(OutcomeCode)
    assert ENTRY_KIND.names == ("none", *names_of(EntryKind))
    assert dict(SETTINGS.members)["insufficient_policy"].names == names_of(InsufficientPolicy)


@pytest.mark.parametrize("kind", EntryKind)
def test_a_journal_row_as_it_rests_has_the_declared_shape(kind):
    entry = Entry.chained(
        JournalHead(sequence=0, digest=bytes(16)), time=CosemDateTime.NOT_SPECIFIED, kind=kind, amount=1, balance=1
    )
    assert conforms(JOURNAL_ROW, axdr.decode(entry.row()))
    assert [name for name, _shape in JOURNAL_ROW.members][:2] == ["time", "sequence"]


def test_an_event_row_has_the_six_columns_of_the_object_model():
    assert [name for name, _shape in EVENT_ROW.members] == ["time", "number", "code", "fee_item", "value", "due"]
