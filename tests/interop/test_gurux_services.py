"""gurux-dlms against our server engine in memory: lists, ACCESS, values in blocks both ways, and what we push."""

from collections.abc import Iterator
from typing import Any

import pytest
from gurux_dlms import GXDLMSClient, GXDLMSNotify, GXReplyData
from gurux_dlms.enums import AccessServiceCommandType, Conformance, DataType, InterfaceType
from gurux_dlms.GXByteBuffer import GXByteBuffer
from gurux_dlms.GXDLMSAccessItem import GXDLMSAccessItem
from gurux_dlms.objects import GXDLMSData, GXDLMSRegister
from gurux_dlms.secure import GXDLMSSecureClient

from dlms_objects.transport.credentials import MeterCredentials
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire import events as ev
from dlms_objects.wire import list_events as lev
from dlms_objects.wire.notification import DataNotification, EventNotificationRequest
from dlms_objects.wire.notification_receiver import NotificationReceived, NotificationReceiver, ReceiverParameters
from dlms_objects.wire.security import SecurityContext
from dlms_objects.wire.states import ServerState
from tests.support.associations import (
    AUTHENTICATION_KEY,
    ENCRYPTION_KEY,
    GATEWAY,
    KEYS,
    MANAGEMENT,
    METER,
    NOW,
    PUBLIC,
    REGISTER,
    SERVER_SAP,
    VALUE,
    Pair,
    counters,
)
from tests.support.gurux_cipher import openssl
from tests.support.gurux_client import GuruxClient
from tests.support.services import EVERYTHING, GBT, octet_string, services_world

CREDENTIALS = MeterCredentials(
    system_title=METER,
    client_sap=MANAGEMENT,
    server_sap=SERVER_SAP,
    encryption_key=ENCRYPTION_KEY,
    authentication_key=AUTHENTICATION_KEY,
)
TEXT = AttributeDescriptor(1, LogicalName.parse("0.0.96.1.1.255"), 2)
MISSING = AttributeDescriptor(1, LogicalName.parse("0.0.96.1.9.255"), 2)
STRUCTURE = b"\x02\x02\x11\x07\x12\x00\x08"


@pytest.fixture(autouse=True)
def _verifying_cipher() -> Iterator[None]:
    with openssl():
        yield


def connected(*, ciphered: bool, client_pdu: int = 65535, server_pdu: int = 65535) -> tuple[GuruxClient, Pair]:
    """A gurux client that is associated with our server, and the server."""
    world = services_world(EVERYTHING & ~GBT, server={"max_pdu": server_pdu})
    pair = world.connect(MANAGEMENT if ciphered else PUBLIC)
    credentials = CREDENTIALS if ciphered else None
    client = GuruxClient(pair.serve, credentials, system_title=GATEWAY.octets, max_pdu=client_pdu)
    client.associate()
    return client, pair


@pytest.mark.parametrize("ciphered", [False, True])
@pytest.mark.parametrize("client_pdu", [64, 128, 65535])
def test_gurux_reads_a_list_whole_and_in_blocks(ciphered: bool, client_pdu: int) -> None:
    client, pair = connected(ciphered=ciphered, client_pdu=client_pdu)
    pair.values |= {REGISTER: VALUE, TEXT: octet_string(300)}
    items = [(GXDLMSRegister("1.0.1.8.0.255"), 2), (GXDLMSData("0.0.96.1.1.255"), 2)] * 2
    reply = client.exchange([request for requests in client.client.readList(items) for request in requests])
    expected = [123456, octet_string(300)[4:]] * 2
    assert [bytes(value) if isinstance(value, bytes | bytearray) else value for value in reply.value] == expected
    assert pair.events_of(lev.GetListRequested)[-1].attributes[1].attribute == TEXT
    assert max(len(octets) for octets in pair.answers[1:]) <= client_pdu + 8


@pytest.mark.parametrize("ciphered", [False, True])
@pytest.mark.parametrize("server_pdu", [64, 128, 300, 65535])
def test_gurux_writes_a_long_value_in_blocks(ciphered: bool, server_pdu: int) -> None:
    client, pair = connected(ciphered=ciphered, server_pdu=server_pdu)
    client.write(1, "0.0.96.1.1.255", 2, octet_string(1000))
    assert pair.values[TEXT] == octet_string(1000)
    assert len(pair.events_of(ev.SetRequested)) == 1
    assert pair.server.state is ServerState.ASSOCIATED
    assert bytes(client.read(1, "0.0.96.1.1.255", 2)) == octet_string(1000)[4:]
    kinds = {octets[9] for octets in pair.requests[1:]}
    assert ciphered or kinds == ({1, 2, 3} if server_pdu < 1000 else {1})


def test_gurux_reads_by_access() -> None:
    client, pair = connected(ciphered=False)
    pair.values[TEXT] = b"\x12\x00\x07"
    items = [
        GXDLMSAccessItem(AccessServiceCommandType.GET, GXDLMSRegister("1.0.1.8.0.255"), 2),
        GXDLMSAccessItem(AccessServiceCommandType.GET, GXDLMSData("0.0.96.1.1.255"), 2),
        GXDLMSAccessItem(AccessServiceCommandType.GET, GXDLMSData("0.0.96.1.9.255"), 2),
    ]
    reply = client.exchange(client.client.accessRequest(None, items))
    client.client.parseAccessResponse(items, reply.data)
    assert [item.value for item in items] == [123456, 7, None]
    assert [int(item.error) for item in items] == [0, 0, DataAccessResult.OBJECT_UNDEFINED]
    assert len(pair.events_of(lev.AccessRequested)) == 1


# --- what is pushed ---


def listening(*, ciphered: bool) -> Any:
    """A gurux client that only listens."""
    if not ciphered:
        return GXDLMSClient(True, PUBLIC, SERVER_SAP, interfaceType=InterfaceType.WRAPPER)
    client = GXDLMSSecureClient(True, MANAGEMENT, SERVER_SAP, interfaceType=InterfaceType.WRAPPER)
    ciphering = client.ciphering
    ciphering.systemTitle = bytearray(GATEWAY.octets)
    ciphering.blockCipherKey, ciphering.authenticationKey = bytearray(ENCRYPTION_KEY), bytearray(AUTHENTICATION_KEY)
    return client


@pytest.mark.parametrize("ciphered", [False, True])
@pytest.mark.parametrize("date_time", [None, CosemDateTime.from_civil(NOW.replace(tzinfo=None)).octets])
def test_gurux_reads_what_our_server_pushes(ciphered: bool, date_time: bytes | None) -> None:
    pair = services_world(EVERYTHING & ~GBT).associate(MANAGEMENT if ciphered else PUBLIC)
    pushed = pair.server.send(ev.Notify(DataNotification(body=STRUCTURE, date_time=date_time)))
    reply, notification = GXReplyData(), GXReplyData()
    listening(ciphered=ciphered).getData(GXByteBuffer(pushed), reply, notification)
    assert list(notification.value) == [7, 8]
    assert (notification.time is None) is (date_time is None)


def test_gurux_understands_an_event_that_our_server_pushes(capsys: pytest.CaptureFixture[str]) -> None:
    pair = services_world(EVERYTHING & ~GBT).associate(PUBLIC)
    pushed = pair.server.send(ev.Notify(EventNotificationRequest(attribute=REGISTER, value=VALUE)))
    client, reply, notification = listening(ciphered=False), GXReplyData(), GXReplyData()
    client.getData(GXByteBuffer(pushed), reply, notification)
    client.parseReport(notification, [])  # of an object it knows it cannot take the value: it raises AttributeError
    assert "Unknown object : 3 1.0.1.8.0.255" in capsys.readouterr().out


@pytest.mark.parametrize("general_blocks", [False, True])
def test_our_listener_reads_what_gurux_pushes(general_blocks: bool) -> None:
    notify = GXDLMSNotify(True, PUBLIC, SERVER_SAP, InterfaceType.WRAPPER)
    text, body = GXDLMSData("0.0.96.1.1.255"), GXByteBuffer()
    text.value = "x" * 200 if general_blocks else "x"
    text.setDataType(2, DataType.STRING)
    if general_blocks:
        notify.settings.maxPduSize = 100
        notify.settings.negotiatedConformance |= Conformance.GENERAL_BLOCK_TRANSFER
    notify.addData(text, 2, body)
    frames = [bytes(frame) for frame in notify.generateDataNotificationMessages(None, body)]
    assert len(frames) == (3 if general_blocks else 1)
    context = SecurityContext(keys=KEYS, own_title=GATEWAY, peer_title=METER, counters=counters())
    receiver = NotificationReceiver(ReceiverParameters(contexts={METER: context}.get, accepts_plain=True))
    receiver.receive_data(b"".join(frames), NOW)
    event = receiver.next_event()
    assert isinstance(event, NotificationReceived)
    assert event.notification == DataNotification(
        body=b"\x0a" + (b"\x81\xc8" if general_blocks else b"\x01") + text.value.encode(),
        long_invoke_id_and_priority=event.notification.long_invoke_id_and_priority,  # type: ignore[union-attr]
    )
