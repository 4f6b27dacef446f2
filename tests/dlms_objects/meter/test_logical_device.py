"""The access table, enumerated: every role, object, attribute and method; and what a wrong request is answered."""

import gc
from dataclasses import replace

import pytest

from dlms_objects.classes.catalogue import CATALOGUE, CLOCK_NAME, SERIAL_NUMBER, Role
from dlms_objects.classes.fee_item_class import FEE_ITEM, fee_item_name
from dlms_objects.classes.purse_class import JOURNAL_NAME, PURSE, PURSE_NAME
from dlms_objects.classes.shape import conforms
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter import logical_device
from dlms_objects.meter.account_objects import FeeItemObject, PurseObject
from dlms_objects.meter.cosem_object import AccessRefusedError, ReadOnlyObject
from dlms_objects.meter.logical_device import LogicalDevice
from dlms_objects.meter.profile_objects import ProfileObject
from dlms_objects.meter.store import StorageError
from dlms_objects.values import data as cosem
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import axdr
from dlms_objects.wire.selection import EntryDescriptor
from tests.conftest import ACCESSES
from tests.support.access_matrix import Matrix, sample

UNKNOWN = LogicalName.parse("9.9.9.9.9.9")


@pytest.fixture(params=Role, ids=str)
def requester(request, world):
    return world.requester(request.param)


@pytest.fixture
def manager(world):
    return world.requester(Role.MANAGEMENT)


def test_every_role_may_do_exactly_what_the_catalogue_grants(world, requester, record_property):
    matrix = Matrix(world.meter.device, requester)
    assert matrix.deviations() == []
    assert matrix.tried > 1000
    record_property(ACCESSES, matrix.tried)


def test_what_is_not_in_the_catalogue_is_denied_to_every_role(world, requester):
    matrix = Matrix(world.meter.device, requester)
    assert matrix.strangers() == []
    assert matrix.tried > 10_000


@pytest.mark.parametrize(
    ("role", "right", "number", "found"),
    [
        (Role.RESIDENT, "call", 2, "call"),
        (Role.READER, "write", 2, "set"),
        (Role.PUBLIC, "read", 7, "get"),
    ],
)
def test_a_device_that_grants_one_right_too_many_is_caught(world, monkeypatch, role, right, number, found):
    """The deliberate fault: of all rights of all roles, one of one fee item."""
    name = fee_item_name(7)
    declared = CATALOGUE[name]
    rights = declared.rights_of(role)
    more = replace(rights, **{right: getattr(rights, right) | {number}})
    faulty = {**CATALOGUE, name: replace(declared, rights={**declared.rights, role: more})}
    monkeypatch.setattr(logical_device, "CATALOGUE", faulty)
    (deviation,) = Matrix(world.meter.device, world.requester(role)).deviations()
    assert deviation.startswith(found)
    assert str(name) in deviation


def test_a_device_that_takes_an_object_under_any_class_is_caught(world, monkeypatch):
    monkeypatch.setattr(logical_device, "_declaration", lambda _class_id, name: CATALOGUE.get(name) or undefined())
    found = Matrix(world.meter.device, world.requester(Role.READER)).strangers()
    assert any(str(PURSE_NAME) in deviation for deviation in found)


def undefined():
    raise AccessRefusedError(DataAccessResult.OBJECT_UNDEFINED)


@pytest.mark.parametrize("role", [Role.PUBLIC, Role.READER])
def test_a_device_that_checks_no_rights_is_caught(world, monkeypatch, role):
    monkeypatch.setattr(logical_device, "_require", lambda *_: None)
    matrix = Matrix(world.meter.device, world.requester(role), strange_numbers=(), beyond=0)
    assert len(matrix.deviations([CATALOGUE[fee_item_name(1)]])) >= 8


def state_of(world):
    """Everything a request could change."""
    keeper = world.meter.keeper
    return keeper.state, world.meter.clock, world.sql("SELECT count(*) FROM entry"), world.sql("SELECT * FROM event")


def get(world, requester, class_id, name, number, selection=None):
    return world.meter.device.get(AttributeDescriptor(class_id, name, number), selection, requester)


def put(world, requester, class_id, name, number, octets, selection=None):
    attribute = AttributeDescriptor(class_id, name, number)
    return world.meter.device.set(attribute, selection, octets, requester)


def act(world, requester, class_id, name, number, octets):
    return world.meter.device.action(MethodDescriptor(class_id, name, number), octets, requester)


INTEGER_0 = axdr.encode(cosem.integer(0))
SELECTION = EntryDescriptor(from_entry=1).selective_access()


@pytest.mark.parametrize(
    ("class_id", "name", "result"),
    [
        (PURSE.class_id, UNKNOWN, DataAccessResult.OBJECT_UNDEFINED),
        (3, PURSE_NAME, DataAccessResult.OBJECT_CLASS_INCONSISTENT),
        (FEE_ITEM.class_id, PURSE_NAME, DataAccessResult.OBJECT_CLASS_INCONSISTENT),
        (FEE_ITEM.class_id, LogicalName.parse("0.0.128.1.33.255"), DataAccessResult.OBJECT_UNDEFINED),
        (FEE_ITEM.class_id, LogicalName.parse("0.0.128.1.0.255"), DataAccessResult.OBJECT_UNDEFINED),
    ],
)
def test_an_unknown_object_and_a_wrong_class_have_their_own_results_and_change_nothing(
    world, manager, class_id, name, result
):
    before = state_of(world)
    assert get(world, manager, class_id, name, 2) is result
    assert put(world, manager, class_id, name, 4, INTEGER_0) is result
    assert act(world, manager, class_id, name, 5, INTEGER_0).result == result
    assert state_of(world) == before


def with_member(shape, place, member):
    """A sample of the shape as octets, with one member replaced."""
    members = list(sample(shape).value)
    members[place] = member
    return axdr.encode(cosem.structure(*members))


SETTINGS = PURSE.attribute("settings").shape
PARAMETERS = FEE_ITEM.attribute("parameters").shape


@pytest.mark.parametrize(
    ("class_id", "name", "number", "octets"),
    [
        (8, CLOCK_NAME, 2, axdr.encode(cosem.octet_string(bytes(11)))),
        (8, CLOCK_NAME, 2, axdr.encode(cosem.visible_string("0" * 12))),
        (8, CLOCK_NAME, 2, b""),
        (8, CLOCK_NAME, 2, b"\x09\x0c\x07"),
        (8, CLOCK_NAME, 2, axdr.encode(cosem.octet_string(bytes(12))) + b"\x00"),
        (PURSE.class_id, PURSE_NAME, 4, axdr.encode(cosem.NULL)),
        (PURSE.class_id, PURSE_NAME, 4, with_member(SETTINGS, 0, cosem.double_long(0))),
        (FEE_ITEM.class_id, fee_item_name(1), 2, with_member(PARAMETERS, 1, cosem.utf8_string("x" * 65))),
        (FEE_ITEM.class_id, fee_item_name(1), 2, axdr.encode(cosem.NULL)),
        (FEE_ITEM.class_id, fee_item_name(1), 4, axdr.encode(cosem.octet_string(bytes(5)))),
    ],
)
def test_a_value_of_another_type_is_type_unmatched_and_changes_nothing(world, manager, class_id, name, number, octets):
    before = state_of(world)
    assert put(world, manager, class_id, name, number, octets) is DataAccessResult.TYPE_UNMATCHED
    assert state_of(world) == before


@pytest.mark.parametrize("octets", [None, b"", b"\x11\x00", INTEGER_0 + b"\x00", axdr.encode(cosem.structure())])
def test_a_parameter_of_another_type_is_type_unmatched_and_changes_nothing(world, manager, octets):
    before = state_of(world)
    for class_id, name, number in ((PURSE.class_id, PURSE_NAME, 1), (FEE_ITEM.class_id, fee_item_name(1), 5)):
        assert act(world, manager, class_id, name, number, octets).result is ActionResult.TYPE_UNMATCHED
    assert state_of(world) == before


@pytest.mark.parametrize(
    ("class_id", "name", "number", "octets"),
    [
        (8, CLOCK_NAME, 2, axdr.encode(cosem.octet_string(bytes.fromhex("ffffffffffffffffff8000ff")))),
        (8, CLOCK_NAME, 2, axdr.encode(cosem.octet_string(bytes.fromhex("07ea021eff00000000000000")))),
        (8, CLOCK_NAME, 2, axdr.encode(cosem.octet_string(bytes.fromhex("08340101ff00000000000000")))),  # 2100
        (8, CLOCK_NAME, 2, axdr.encode(cosem.octet_string(bytes.fromhex("07ea0d01ff00000000000000")))),
        (PURSE.class_id, PURSE_NAME, 4, with_member(SETTINGS, 1, cosem.long64(-1))),
        (PURSE.class_id, PURSE_NAME, 4, with_member(SETTINGS, 6, cosem.enum(2))),
        (PURSE.class_id, PURSE_NAME, 4, with_member(SETTINGS, 8, cosem.visible_string("Mars/Olympus"))),
        (FEE_ITEM.class_id, fee_item_name(1), 2, with_member(PARAMETERS, 6, cosem.long64(-1))),
        (FEE_ITEM.class_id, fee_item_name(1), 3, with_member(PARAMETERS, 0, cosem.enum(9))),
        (FEE_ITEM.class_id, fee_item_name(1), 4, axdr.encode(cosem.octet_string(b"\xff" * 9 + b"\x80\x00\xff"))),
    ],
)
def test_a_value_of_the_type_that_cannot_be_is_refused_whole(world, manager, class_id, name, number, octets):
    before = state_of(world)
    assert put(world, manager, class_id, name, number, octets) is DataAccessResult.OTHER_REASON
    assert state_of(world) == before


def test_a_method_with_a_value_that_cannot_be_is_refused_whole(world, manager):
    before = state_of(world)
    no_identifier = axdr.encode(cosem.structure(cosem.octet_string(bytes(16)), cosem.long64(1)))
    assert act(world, manager, PURSE.class_id, PURSE_NAME, 1, no_identifier).result is ActionResult.OTHER_REASON
    no_day = axdr.encode(cosem.structure(cosem.octet_string(b"\xff" * 5)))
    outcome = act(world, manager, FEE_ITEM.class_id, fee_item_name(1), 2, no_day)
    assert outcome.result is ActionResult.OTHER_REASON
    assert state_of(world) == before


@pytest.mark.parametrize(
    ("class_id", "name", "number"),
    [
        (1, SERIAL_NUMBER, 1),
        (1, SERIAL_NUMBER, 2),
        (PURSE.class_id, PURSE_NAME, 2),
        (FEE_ITEM.class_id, fee_item_name(1), 2),
        (7, JOURNAL_NAME, 3),
    ],
)
def test_selective_access_to_what_has_none_is_refused(world, manager, class_id, name, number):
    result = get(world, manager, class_id, name, number, SELECTION)
    assert result is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


def test_a_selective_write_is_refused_and_changes_nothing(world, manager):
    before = state_of(world)
    octets = axdr.encode(sample(SETTINGS))
    result = put(world, manager, PURSE.class_id, PURSE_NAME, 4, octets, SELECTION)
    assert result is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    assert state_of(world) == before


class Failing:
    """An object whose every answer is an error."""

    def __init__(self, error):
        self.error = error

    def get(self, *_):
        raise self.error

    set = invoke = get


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (StorageError("disk full"), DataAccessResult.TEMPORARY_FAILURE),
        (InvalidValueError("long-unsigned holds 0..65535"), DataAccessResult.OTHER_REASON),
    ],
)
def test_an_object_that_cannot_answer_is_told_apart_from_one_that_denies(manager, error, result):
    device = LogicalDevice({PURSE_NAME: Failing(error)})
    attribute = AttributeDescriptor(PURSE.class_id, PURSE_NAME, 4)
    assert device.get(attribute, None, manager) is result
    assert device.set(attribute, None, axdr.encode(sample(SETTINGS)), manager) is result
    method = MethodDescriptor(PURSE.class_id, PURSE_NAME, 5)
    assert device.action(method, INTEGER_0, manager).result == result


def test_the_samples_of_the_matrix_have_the_shapes_they_stand_for():
    shapes = [a.shape for d in CATALOGUE.values() for a in d.interface.attributes if a.shape is not None]
    shapes += [m.parameter for d in CATALOGUE.values() for m in d.interface.methods]
    assert len(shapes) > 300
    assert all(conforms(shape, sample(shape)) for shape in shapes)


def test_a_meter_that_was_read_whole_keeps_none_of_its_objects(world):
    """Thousands of meters share a process; with every object kept, one that is read whole took 200 KB more."""
    requester = world.requester(Role.READER)
    for name, declaration in CATALOGUE.items():
        for attribute in declaration.interface.attributes:
            descriptor = AttributeDescriptor(declaration.interface.class_id, name, attribute.number)
            world.meter.device.get(descriptor, None, requester)
    gc.collect()
    kept = (FeeItemObject, ProfileObject, PurseObject, ReadOnlyObject)
    assert [each for each in gc.get_objects() if isinstance(each, kept)] == []
