"""Class 20102 is the object model's table, and its named values are those of the money rules."""

import pytest

from dlms_objects.classes.fee_item_class import (
    AMOUNT_SOURCE,
    FEE_ITEM,
    FEE_ITEM_COUNT,
    FEE_KIND,
    PARAMETERS,
    SCHEDULE,
    fee_item_name,
)
from dlms_objects.purse.fee_item import MAXIMUM_ITEMS
from dlms_objects.purse.parameters import (
    MAXIMUM_LABEL_OCTETS,
    MAXIMUM_PAYEE_LENGTH,
    AmountSource,
    FeeKind,
)
from dlms_objects.purse.prompt import ItemState
from dlms_objects.purse.schedule import Frequency

ATTRIBUTES = {
    1: "logical_name",
    2: "parameters",
    3: "passive_parameters",
    4: "activation_time",
    5: "revision",
    6: "pending_amounts",
    7: "status",
}
METHODS = {1: "set_amount", 2: "cancel_amount", 3: "activate_passive", 4: "cancel_passive", 5: "delete"}


def test_attributes_and_methods_are_numbered_as_the_object_model_does():
    assert (FEE_ITEM.class_id, FEE_ITEM.version) == (20102, 0)
    assert {attribute.number: attribute.name for attribute in FEE_ITEM.attributes} == ATTRIBUTES
    assert {method.number: method.name for method in FEE_ITEM.methods} == METHODS


def test_there_is_an_object_for_every_item_the_rules_know():
    assert FEE_ITEM_COUNT == MAXIMUM_ITEMS == 32
    assert str(fee_item_name(32)) == "0.0.128.1.32.255"


def names_of(enumeration):
    return tuple(member.name.lower() for member in enumeration)


@pytest.mark.parametrize(
    ("leaf", "enumeration"),
    [
        (FEE_KIND, FeeKind),
        (AMOUNT_SOURCE, AmountSource),
        (dict(SCHEDULE.members)["frequency"], Frequency),
        (dict(FEE_ITEM.attribute("status").shape.members)["state"], ItemState),
    ],
    ids=["kind", "amount_source", "frequency", "state"],
)
def test_named_values_are_those_of_the_money_rules(leaf, enumeration):
    assert leaf.names == names_of(enumeration)


def test_limits_of_strings_are_those_of_the_money_rules():
    members = dict(PARAMETERS.members)
    assert (members["label"].length, members["payee"].length) == (MAXIMUM_LABEL_OCTETS, MAXIMUM_PAYEE_LENGTH)
