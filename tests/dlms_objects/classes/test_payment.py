"""The payment classes have the numbers and types that gurux-dlms gives them."""

import pytest
from gurux_dlms.objects import GXDLMSAccount, GXDLMSCharge, GXDLMSCredit

from dlms_objects.classes.payment import ACCOUNT, CHARGE, CREDIT
from dlms_objects.classes.shape import Array, Leaf, Structure

GURUX = {ACCOUNT: GXDLMSAccount, CREDIT: GXDLMSCredit, CHARGE: GXDLMSCharge}
DISPUTED = {(CREDIT, "period"), (CHARGE, "last_collection_time")}
"""Sources differ on octet-string or date-time; a peer accepts both."""


def tag(shape):
    match shape:
        case Leaf():
            return shape.type
        case Array():
            return 1
        case Structure():
            return 2


@pytest.mark.parametrize("interface", GURUX, ids=lambda interface: interface.name)
def test_attributes_are_as_many_and_of_the_types_that_gurux_knows(interface):
    known = GURUX[interface]()
    assert len(interface.attributes) == known.getAttributeCount()
    for attribute in interface.attributes[1:]:
        if (interface, attribute.name) not in DISPUTED:
            assert tag(attribute.shape) == int(known.getDataType(attribute.number)), attribute.name


def test_no_method_is_declared_for_they_are_views():
    assert all(interface.methods == () for interface in GURUX)
