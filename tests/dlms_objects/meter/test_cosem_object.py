"""Objects that only compute: what they answer, and that nothing else can be done with them."""

import pytest

from dlms_objects.classes.catalogue import Role
from dlms_objects.classes.shape import conforms
from dlms_objects.classes.standard import CAPTURE_OBJECT
from dlms_objects.meter.cosem_object import (
    AccessRefusedError,
    ActionRefusedError,
    ReadOnlyObject,
    capture_object,
    constant,
)
from dlms_objects.values import data as cosem
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire.selection import EntryDescriptor

NAME = LogicalName.parse("0.0.96.1.0.255")


@pytest.fixture
def requester(world):
    return world.requester(Role.MANAGEMENT)


@pytest.fixture
def lamp():
    return ReadOnlyObject({2: constant(cosem.unsigned(7)), 3: lambda r: cosem.long_unsigned(r.max_pdu)})


def test_an_attribute_is_computed_for_who_asks(lamp, requester):
    assert lamp.get(2, None, requester) == cosem.unsigned(7)
    assert lamp.get(3, None, requester) == cosem.long_unsigned(65535)


def test_everything_else_is_refused_with_the_standards_result(lamp, requester):
    with pytest.raises(AccessRefusedError) as absent:
        lamp.get(4, None, requester)
    with pytest.raises(AccessRefusedError) as selected:
        lamp.get(2, EntryDescriptor(from_entry=1).selective_access(), requester)
    with pytest.raises(AccessRefusedError) as written:
        lamp.set(2, cosem.unsigned(8), requester)
    with pytest.raises(ActionRefusedError) as invoked:
        lamp.invoke(1, cosem.integer(0), requester)
    assert absent.value.result is DataAccessResult.OBJECT_UNDEFINED
    assert selected.value.result is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    assert written.value.result is DataAccessResult.READ_WRITE_DENIED
    assert invoked.value.result is ActionResult.READ_WRITE_DENIED


def test_a_capture_object_has_its_declared_shape():
    assert conforms(CAPTURE_OBJECT, capture_object(20101, NAME, 8, 10))
