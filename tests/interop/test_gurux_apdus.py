"""gurux-dlms as an independent peer of the codec: what it writes we read, and what we write it reads."""

from datetime import datetime

import pytest
from gurux_dlms import GXByteBuffer, GXDLMSClient, GXDLMSNotify, GXReplyData
from gurux_dlms.enums import AccessServiceCommandType, Authentication, Conformance, InterfaceType
from gurux_dlms.enums import DataType as GuruxType
from gurux_dlms.GXDLMSAccessItem import GXDLMSAccessItem
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.internal._GXDataInfo import _GXDataInfo
from gurux_dlms.objects import GXDLMSData, GXDLMSRegister

from dlms_objects.values.compact_array import compact_array
from dlms_objects.values.data import (
    array,
    double_long_unsigned,
    integer,
    long,
    octet_string,
    structure,
    unsigned,
    visible_string,
)
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.wire import axdr
from dlms_objects.wire.access import AccessGet, AccessRequest
from dlms_objects.wire.action_blocks import ActionRequestWithFirstPblock
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.ciphered import DED_TAGS, GLO_TAGS
from dlms_objects.wire.general_block import GeneralBlockTransfer
from dlms_objects.wire.get import GetRequestWithList
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.notification import DataNotification, EventNotificationRequest
from dlms_objects.wire.set import SetRequestNormal
from dlms_objects.wire.set_blocks import SetRequestWithDatablock, SetRequestWithFirstDatablock
from dlms_objects.wire.wrapper import Wrapper, encode_frame

TEXT = AttributeDescriptor(1, LogicalName.parse("0.0.1.0.0.255"), 2)
ENERGY = LogicalName.parse("1.0.1.8.0.255")
NOON = datetime(2026, 11, 22, 12)
NOON_OCTETS = bytes.fromhex("07ea0b16ff0c000000000000")
SERVICES = Conformance.GET | Conformance.SET | Conformance.ACTION | Conformance.MULTIPLE_REFERENCES
BLOCKS = Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE | Conformance.BLOCK_TRANSFER_WITH_ACTION


@pytest.fixture
def client():
    found = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.WRAPPER)
    found.settings.negotiatedConformance = SERVICES | BLOCKS
    found.maxReceivePDUSize = 64
    return found


@pytest.fixture
def notify():
    found = GXDLMSNotify(True, 16, 1, InterfaceType.WRAPPER)
    found.setMaxReceivePDUSize(1024)
    return found


def text_object(length=100):
    found = GXDLMSData(str(TEXT.logical_name))
    found.value = b"x" * length
    found.setDataType(2, GuruxType.OCTET_STRING)
    return found


def energy_object():
    found = GXDLMSRegister(str(ENERGY))
    found.value = 5
    found.setDataType(2, GuruxType.UINT32)
    return found


def apdus(messages):
    """The APDUs in the wrapper frames that gurux made, each written back as it came."""
    octets = [frame.apdu for message in messages for frame in Wrapper().receive(bytes(message))]
    found = [decode_apdu(apdu) for apdu in octets]
    assert [apdu.encode() for apdu in found] == octets
    return found


def test_a_get_with_list_is_read(client):
    (request,) = apdus(client.readList([(text_object(), 2), (energy_object(), 3)])[0])
    assert request == GetRequestWithList(
        attributes=(
            AttributeWithSelection(attribute=TEXT),
            AttributeWithSelection(attribute=AttributeDescriptor(3, ENERGY, 3)),
        ),
        invoke_id_and_priority=request.invoke_id_and_priority,
    )


def test_a_set_in_blocks_is_read_and_joins_to_its_value(client):
    first, *others = apdus(client.write(text_object(), 2))
    assert isinstance(first, SetRequestWithFirstDatablock)
    assert first.attribute == TEXT
    assert {type(block) for block in others} == {SetRequestWithDatablock}
    blocks = [first, *others]
    assert [(block.block_number, block.last) for block in blocks] == [(1, False), (2, False), (3, True)]
    assert axdr.decode(b"".join(block.raw for block in blocks)) == octet_string(b"x" * 100)


def test_an_action_in_blocks_is_read(client):
    first, second = apdus(client.method(text_object(), 1, bytearray(b"y" * 100), GuruxType.OCTET_STRING))
    assert isinstance(first, ActionRequestWithFirstPblock)
    assert first.method == MethodDescriptor(1, TEXT.logical_name, 1)
    assert axdr.decode(first.raw + second.raw) == octet_string(b"y" * 100)


def test_general_blocks_are_read_and_join_to_the_apdu(client):
    client.settings.negotiatedConformance |= Conformance.GENERAL_BLOCK_TRANSFER
    blocks = apdus(client.write(text_object(), 2))
    assert {type(block) for block in blocks} == {GeneralBlockTransfer}
    assert [(block.block_number, block.last) for block in blocks] == [(1, False), (2, False), (3, True)]
    joined = decode_apdu(b"".join(block.block for block in blocks))
    assert isinstance(joined, SetRequestNormal)
    assert axdr.decode(joined.value) == octet_string(b"x" * 100)


@pytest.mark.parametrize(("time", "octets"), [(None, None), (NOON, NOON_OCTETS)])
def test_an_access_request_is_read(client, time, octets):
    item = GXDLMSAccessItem(AccessServiceCommandType.GET, text_object(), 2)
    (request,) = apdus(client.accessRequest(time, [item, item]))
    assert request == AccessRequest(
        specifications=(AccessGet(attribute=TEXT),) * 2,
        values=(b"\x00", b"\x00"),
        date_time=octets,
        long_invoke_id_and_priority=request.long_invoke_id_and_priority,
    )
    assert request.is_confirmed


@pytest.mark.parametrize(("time", "octets"), [(None, None), (NOON, NOON_OCTETS)])
def test_a_data_notification_is_read(notify, time, octets):
    body = axdr.encode(structure(unsigned(5), long(-2)))
    (notification,) = apdus(notify.generateDataNotificationMessages(time, GXByteBuffer(body)))
    assert isinstance(notification, DataNotification)
    assert (notification.body, notification.date_time) == (body, octets)


def test_an_event_notification_is_read_although_gurux_tags_its_time(notify):
    (event,) = apdus(notify.generateReport(None, [(energy_object(), 2)]))
    assert event == EventNotificationRequest(
        attribute=AttributeDescriptor(3, ENERGY, 2), value=axdr.encode(double_long_unsigned(5))
    )
    (frame,) = Wrapper().receive(bytes(notify.generateReport(NOON, [(energy_object(), 2)])[0]))
    assert frame.apdu[1:3] == b"\x09\x0c"
    assert decode_apdu(frame.apdu).time[:6] == NOON_OCTETS[:6]


@pytest.mark.parametrize("date_time", [None, NOON_OCTETS])
def test_gurux_reads_our_data_notification(client, date_time):
    ours = DataNotification(body=axdr.encode(structure(unsigned(5), long(-2))), date_time=date_time)
    reply, pushed = GXReplyData(), GXReplyData()
    client.getData(GXByteBuffer(encode_frame(1, 16, ours.encode())), reply, pushed)
    assert pushed.value == [5, -2]
    assert (pushed.time is None) == (date_time is None)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (compact_array(map(integer, (-1, 0, 42))), [-1, 0, 42]),
        (compact_array([octet_string(b"ab"), octet_string(b"")]), [b"ab", b""]),
        (compact_array([visible_string("ab"), visible_string("c")]), ["ab", "c"]),
        (
            compact_array([structure(octet_string(b"ab"), unsigned(5)), structure(octet_string(b""), unsigned(7))]),
            [[b"ab", 5], [b"", 7]],
        ),
        (
            compact_array([structure(structure(unsigned(1), long(-2)), unsigned(3))] * 2),
            [[[1, -2], 3]] * 2,
        ),
    ],
    ids=["numbers", "octet-strings", "texts", "structures", "structures in structures"],
)
def test_gurux_reads_our_compact_arrays(value, wanted):
    """Arrays inside the structures are left out: gurux gives them nested twice."""
    read = _GXCommon.getData(None, GXByteBuffer(axdr.encode(value)), _GXDataInfo())
    assert _plain(read) == wanted


def test_gurux_reads_our_arrays_of_structures():
    rows = array(structure(unsigned(number), octet_string(b"ab"), long(-number)) for number in range(20))
    read = _GXCommon.getData(None, GXByteBuffer(axdr.encode(rows)), _GXDataInfo())
    assert _plain(read) == [[number, b"ab", -number] for number in range(20)]


def test_the_ciphered_tags_are_those_of_gurux():
    from gurux_dlms.enums import Command

    names = {"INITIATE_REQUEST", "INITIATE_RESPONSE", "CONFIRMED_SERVICE_ERROR", "EVENT_NOTIFICATION"}
    names |= {f"{service}_{kind}" for service in ("GET", "SET", "METHOD") for kind in ("REQUEST", "RESPONSE")}
    commands = vars(Command)
    for tags, prefix in ((GLO_TAGS, "GLO"), (DED_TAGS, "DED")):
        assert tags == {int(commands[name]): int(commands[f"{prefix}_{name}"]) for name in names}


def _plain(value):
    """Lists and bytes of what gurux gives, which has types of its own."""
    if isinstance(value, bytearray):
        return bytes(value)
    return [_plain(member) for member in value] if isinstance(value, list) else value
