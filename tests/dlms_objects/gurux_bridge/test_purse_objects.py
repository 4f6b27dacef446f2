"""Our classes as gurux objects: what gurux's client sends for them is exactly typed, what comes back is exact."""

from typing import Any

import pytest
from gurux_dlms import GXDLMSClient
from gurux_dlms.enums import Authentication, InterfaceType
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.GXReplyData import GXReplyData
from gurux_dlms.objects import GXDLMSObjectCollection, GXDLMSRegister
from gurux_dlms.objects.GXDLMSObject import GXDLMSObject

from dlms_objects.classes.fee_item_class import PARAMETERS
from dlms_objects.classes.interface import InterfaceClass
from dlms_objects.classes.shape import to_plain
from dlms_objects.errors import InvalidValueError, LocalError
from dlms_objects.gurux_bridge.purse_objects import (
    DeclaredObject,
    GXDLMSCourier,
    GXDLMSFeeItem,
    GXDLMSPurse,
    adopt,
)
from dlms_objects.values import data as cosem
from dlms_objects.values.data import Data
from dlms_objects.wire import axdr
from dlms_objects.wire.action import ActionRequestNormal
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.set import SetRequestNormal
from tests.support.fake_session import FakeItem, parameters_of

IDENTIFIER = bytes(range(16))
JUNE = cosem.octet_string(bytes.fromhex("07ea06010100000000fe2000"))
ALL: list[DeclaredObject] = [GXDLMSPurse(), GXDLMSFeeItem(3), GXDLMSCourier()]
WRAPPER_HEADER_OCTETS = 8


@pytest.fixture
def client() -> Any:
    return GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.WRAPPER)


def sent(frames: Any) -> Any:
    """The one APDU that gurux made, as our decoder reads it."""
    (frame,) = frames
    return decode_apdu(bytes(frame)[WRAPPER_HEADER_OCTETS:])


def reply(value: Data) -> GXReplyData:
    answer = GXReplyData()
    answer.data = GXByteBuffer(bytearray(axdr.encode(value)))
    return answer


CALLS: list[tuple[Any, str, str]] = [
    (lambda c: GXDLMSPurse().top_up(c, IDENTIFIER, 5_000), "20101/0.0.128.0.0.255.1", "1388"),
    (lambda c: GXDLMSPurse().reverse(c, IDENTIFIER, 7), "20101/0.0.128.0.0.255.2", "07"),
    (lambda c: GXDLMSPurse().adjust(c, IDENTIFIER, -1), "20101/0.0.128.0.0.255.3", "ff" * 8),
    (lambda c: GXDLMSPurse().acknowledge(c, 7, IDENTIFIER), "20101/0.0.128.0.0.255.4", "0e0f"),
    (lambda c: GXDLMSPurse().check_now(c), "20101/0.0.128.0.0.255.5", "0f00"),
    (lambda c: GXDLMSFeeItem(3).set_amount(c, "2026-03-15", 6_120, IDENTIFIER), "20102/0.0.128.1.3.255.1", "17e8"),
    (lambda c: GXDLMSFeeItem(3).cancel_amount(c, "2026-03-15"), "20102/0.0.128.1.3.255.2", "07ea030f"),
    (lambda c: GXDLMSFeeItem(3).activate_passive(c), "20102/0.0.128.1.3.255.3", "0f00"),
    (lambda c: GXDLMSFeeItem(3).cancel_passive(c), "20102/0.0.128.1.3.255.4", "0f00"),
    (lambda c: GXDLMSFeeItem(3).delete(c), "20102/0.0.128.1.3.255.5", "0f00"),
    (lambda c: GXDLMSCourier().deliver(c, b"\xdb\x01"), "20103/0.0.128.2.0.255.1", "0902db01"),
]


@pytest.mark.parametrize(("make", "method", "octets"), CALLS)
def test_a_method_is_asked_for_with_the_declared_types(client: Any, make: Any, method: str, octets: str) -> None:
    request = sent(make(client))
    assert isinstance(request, ActionRequestNormal)
    assert str(request.method) == method
    assert request.parameters is not None
    axdr.decode(request.parameters)
    assert octets in request.parameters.hex()


def test_an_amount_is_a_long64_whatever_its_size(client: Any) -> None:
    for amount in (1, 350_000, 2**62):
        request = sent(GXDLMSPurse().top_up(client, IDENTIFIER, amount))
        assert axdr.decode(request.parameters).value[1] == cosem.long64(amount)


def test_a_value_that_does_not_fit_is_refused_before_anything_is_sent(client: Any) -> None:
    for make in (
        lambda: GXDLMSPurse().top_up(client, IDENTIFIER, 2**63),
        lambda: GXDLMSPurse().top_up(client, b"short", 1),
        lambda: GXDLMSPurse().reverse(client, IDENTIFIER, -1),
        lambda: GXDLMSFeeItem(1).set_amount(client, "15 March", 1, IDENTIFIER),
    ):
        with pytest.raises(InvalidValueError):
            make()


def test_parameters_are_written_and_updated_exactly(client: Any) -> None:
    value = parameters_of(FakeItem(label="房租", payee="landlord"))
    item = GXDLMSFeeItem(3)
    assert item.update(2, reply(value)) == to_plain(PARAMETERS, value) == item.parameters
    request = sent(client.write(item, 2))
    assert isinstance(request, SetRequestNormal)
    assert str(request.attribute) == "20102/0.0.128.1.3.255:2"
    assert axdr.decode(request.value) == value


@pytest.mark.parametrize(
    ("index", "name", "plain", "value"),
    [
        (3, "passive_parameters", None, cosem.NULL),
        (
            4,
            "activation_time",
            "2026-06-01T00:00:00+08:00",
            cosem.octet_string(bytes.fromhex("07ea060101000000 00fe2000")),
        ),
        (4, "activation_time", None, cosem.NULL),
    ],
)
def test_what_may_be_null_data_is_written_as_such(client: Any, index: int, name: str, plain: Any, value: Data) -> None:
    item = GXDLMSFeeItem(3)
    setattr(item, name, plain)
    assert axdr.decode(sent(client.write(item, index)).value) == value


def test_gurux_updates_a_value_it_has_decoded(client: Any) -> None:
    purse = GXDLMSPurse()
    assert client.updateValue(purse, 2, 1234) == 1234 == purse.balance
    assert client.updateValue(purse, 3, ["CNY", -2]) == {"code": "CNY", "scale": -2}
    with pytest.raises(InvalidValueError):
        client.updateValue(purse, 2, "1234")


def test_the_result_of_a_method_reads_by_name() -> None:
    done = cosem.structure(cosem.enum(0), cosem.double_long_unsigned(7), cosem.long64(-5))
    assert GXDLMSPurse().result("top_up", reply(done)) == {"outcome": "done", "sequence": 7, "balance": -5}
    assert GXDLMSFeeItem(1).result("set_amount", reply(cosem.enum(5))) == "no_such_entry"
    assert GXDLMSPurse().result("check_now", reply(cosem.structure(cosem.unsigned(2)))) == {"entries_made": 2}


@pytest.mark.parametrize("item", ALL)
def test_gurux_finds_what_it_asks_of_every_object(item: DeclaredObject) -> None:
    interface: InterfaceClass = item.interface
    assert int(item.objectType) == interface.class_id
    assert item.getAttributeCount() == len(item.getNames()) == len(item.getValues()) == len(interface.attributes)
    assert item.getMethodCount() == len(item.getMethodNames()) == len(interface.methods)
    assert item.getAttributeIndexToRead(True) == [1, *item.getAttributeIndexToRead(False)]
    assert item.getValues()[1:] == [None] * (item.getAttributeCount() - 1)
    assert item.name == item.getValues()[0]
    item.save(None)
    item.load(None)


def test_the_name_is_read_like_any_attribute() -> None:
    purse = GXDLMSPurse()
    assert purse.update(1, reply(cosem.octet_string(bytes((0, 0, 128, 0, 1, 255))))) == "0.0.128.0.1.255"
    assert purse.logicalName == "0.0.128.0.1.255"


def test_what_is_not_there_is_refused(client: Any) -> None:
    with pytest.raises(InvalidValueError):
        GXDLMSPurse().getDataType(99)
    with pytest.raises(InvalidValueError):
        client.write(GXDLMSPurse(), 4)
    with pytest.raises(InvalidValueError):
        GXDLMSPurse().result("no such method", reply(cosem.NULL))


def test_a_method_without_a_result_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    purse = GXDLMSPurse()
    silent = type(purse.interface.method(1))(1, "top_up", purse.interface.method(1).parameter)
    monkeypatch.setattr(GXDLMSPurse, "interface", InterfaceClass(20101, 0, "Purse", (), (silent,)))
    with pytest.raises(LocalError):
        purse.result("top_up", reply(cosem.NULL))


def test_bare_objects_of_an_association_are_replaced() -> None:
    objects = GXDLMSObjectCollection()
    for class_id, name in ((20101, "0.0.128.0.0.255"), (20102, "0.0.128.1.7.255"), (20103, "0.0.128.2.0.255")):
        objects.append(GXDLMSObject(class_id, name))
    register = GXDLMSRegister("1.0.1.8.0.255")
    objects.append(register)
    rights = objects[0].attributes
    adopted = adopt(objects)
    assert [type(item) for item in objects] == [GXDLMSPurse, GXDLMSFeeItem, GXDLMSCourier, GXDLMSRegister]
    assert adopted == objects[:3]
    assert objects[1].logicalName == "0.0.128.1.7.255"
    assert objects[0].attributes is rights
    assert objects[3] is register
