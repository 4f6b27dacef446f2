"""A remote object by the names its class declares: plain values there and back, and nothing of a wrong type."""

import pytest

from dlms_objects.classes.interface import Method, interface_class
from dlms_objects.classes.shape import DATE, Leaf, Structure
from dlms_objects.errors import InvalidValueError, RemoteError
from dlms_objects.transport.remote_object import RemoteObject
from dlms_objects.values import data as cosem
from dlms_objects.values.data import DataType
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.wire import axdr
from dlms_objects.wire.selection import EntryDescriptor
from tests.support.twisted_testing import result_of

NAME = LogicalName.parse("0.0.128.9.0.255")
NUMBER = Leaf(DataType.UNSIGNED)
LAMP = interface_class(
    9000,
    0,
    "Lamp",
    (("colour", Leaf(DataType.ENUM, names=("red", "green"))), ("since", DATE), ("anything", None)),
    Method(1, "blink", Structure((("times", NUMBER),)), NUMBER),
    Method(2, "rest", NUMBER),
)


class FakeSession:
    """A session that answers from tables and keeps what it was asked."""

    def __init__(self, values=None, result=None):
        self.values, self.result, self.asked = values or {}, result, []

    async def get(self, attribute, selection=None):
        self.asked.append((attribute, selection))
        return axdr.encode(self.values[attribute.attribute])

    async def set(self, attribute, value):
        self.asked.append((attribute, axdr.decode(value)))

    async def action(self, method, parameters=None):
        self.asked.append((method, axdr.decode(parameters)))
        return None if self.result is None else axdr.encode(self.result)


def lamp(values=None, result=None):
    session = FakeSession(values, result)
    return session, RemoteObject(session, LAMP, NAME)


def test_an_attribute_is_read_by_name_as_plain_values():
    session, remote = lamp({2: cosem.enum(1), 3: cosem.octet_string(bytes.fromhex("07ea0a0a06"))})
    assert result_of(remote.get("colour")) == "green"
    assert result_of(remote.get("since")) == "2026-10-10"
    assert session.asked[0] == (AttributeDescriptor(9000, NAME, 2), None)


def test_an_attribute_without_a_declared_type_is_read_as_it_comes():
    _session, remote = lamp({4: cosem.structure(cosem.unsigned(1), cosem.octet_string(b"\xab"))})
    assert result_of(remote.get("anything")) == [1, "ab"]


def test_a_selection_is_passed_on():
    session, remote = lamp({4: cosem.NULL})
    selection = EntryDescriptor(from_entry=1).selective_access()
    result_of(remote.get("anything", selection))
    assert session.asked[0][1] == selection


def test_a_value_of_another_type_is_the_peers_fault_and_names_the_attribute():
    _session, remote = lamp({2: cosem.unsigned(1)})
    with pytest.raises(RemoteError, match="Lamp.colour"):
        result_of(remote.get("colour"))


def test_an_attribute_is_written_by_name():
    session, remote = lamp()
    result_of(remote.set("colour", "red"))
    assert session.asked == [(AttributeDescriptor(9000, NAME, 2), cosem.enum(0))]


@pytest.mark.parametrize(("name", "plain"), [("colour", "blue"), ("anything", 1), ("size", 1)])
def test_what_cannot_be_written_is_our_fault_and_never_sent(name, plain):
    session, remote = lamp()
    with pytest.raises(InvalidValueError):
        result_of(remote.set(name, plain))
    assert session.asked == []


def test_a_method_is_called_by_name_and_its_result_is_plain():
    session, remote = lamp(result=cosem.unsigned(3))
    assert result_of(remote.call("blink", {"times": 3})) == 3
    assert session.asked == [(MethodDescriptor(9000, NAME, 1), cosem.structure(cosem.unsigned(3)))]


def test_a_method_without_a_result_gives_none():
    _session, remote = lamp()
    assert result_of(remote.call("rest", 1)) is None


@pytest.mark.parametrize("result", [None, cosem.integer(3)])
def test_a_missing_or_wrong_result_is_the_peers_fault(result):
    _session, remote = lamp(result=result)
    with pytest.raises(RemoteError, match="Lamp.blink"):
        result_of(remote.call("blink", {"times": 3}))


def test_a_wrong_parameter_is_our_fault_and_never_sent():
    session, remote = lamp()
    with pytest.raises(InvalidValueError, match="blink.times"):
        result_of(remote.call("blink", {"times": 256}))
    assert session.asked == []
