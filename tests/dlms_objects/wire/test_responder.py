"""The services of a server's association: every service, every way a long value can take, every limit, both ways."""

from typing import Any

import pytest

from dlms_objects.errors import LocalError
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import events as ev
from dlms_objects.wire import list_events as lev
from dlms_objects.wire.access import AccessGet
from dlms_objects.wire.action import ActionResponseNormal, ActionResponseWithOptionalData, decode_action_response
from dlms_objects.wire.action_blocks import (
    ActionRequestNextPblock,
    ActionRequestWithFirstPblock,
    ActionRequestWithPblock,
    ActionResponseWithPblock,
)
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.exception import ExceptionResponse, ServiceError
from dlms_objects.wire.general_block import GeneralBlockTransfer, decode_general_block_transfer
from dlms_objects.wire.get import GetRequestNext, GetRequestNormal
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.notification import DataNotification, EventNotificationRequest
from dlms_objects.wire.selection import EntryDescriptor
from dlms_objects.wire.set_blocks import (
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
)
from dlms_objects.wire.states import ServerState
from tests.support.associations import GENERAL, JOURNAL, MANAGEMENT, NOW, PUBLIC, REGISTER, TOP_UP, Pair, frame
from tests.support.mutation import mutations
from tests.support.services import (
    ATTRIBUTES,
    EVERYTHING,
    GBT,
    ITEMS,
    METHODS,
    OWN_BLOCKS,
    WAYS,
    associated,
    longest_frames,
    mixed_access,
    octet_string,
    recorded_frames,
)
from tests.support.states import general_block

SUCCESS = DataAccessResult.SUCCESS
NO_GBT = EVERYTHING & ~GBT


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("pdu", [64, 65, 127, 128, 150, 160, 255, 256, 300, 1024, 65535])
@pytest.mark.parametrize(("sap", "general"), [(PUBLIC, False), (MANAGEMENT, False), (MANAGEMENT, True)])
def test_every_service_takes_long_values_and_no_apdu_exceeds_the_pdu(
    way: str, pdu: int, sap: int, general: bool
) -> None:
    conformance = WAYS[way] | (GENERAL if general else Conformance(0))
    pair = associated(conformance, sap=sap, client_pdu=pdu, server_pdu=pdu)
    for octets in (5, pdu - 60 if pdu < 1000 else 900, 1000):
        value = octet_string(max(octets, 5))
        assert pair.run(ev.Set(REGISTER, value)) == [ev.SetDone(SUCCESS)]
        assert pair.run(ev.Get(REGISTER)) == [ev.GetDone(value)]
        assert pair.run(ev.Action(TOP_UP, value)) == [ev.ActionDone(ActionResult.SUCCESS, value)]
        returned = ActionResponseWithOptionalData(result=ActionResult.SUCCESS, value=value)
        assert pair.run(lev.ActionList(METHODS, (value,) * 2)) == [lev.ActionListDone((returned,) * 2)]
        assert pair.run(lev.SetList(ITEMS[:1], (value,))) == [lev.SetListDone((SUCCESS,))]
        assert pair.run(lev.GetList(ITEMS[:2])) == [lev.GetListDone((value, DataAccessResult.OBJECT_UNDEFINED))]
        del pair.values[ATTRIBUTES[0]]
    assert max(longest_frames(pair)) <= pdu


@pytest.mark.parametrize("pdu", [64, 128, 300, 1024, 65535])
@pytest.mark.parametrize(("sap", "general"), [(PUBLIC, False), (MANAGEMENT, True)])
def test_access_reads_writes_and_acts_in_order_however_long(pdu: int, sap: int, general: bool) -> None:
    pair = associated(WAYS["both"] | (GENERAL if general else Conformance(0)), sap=sap, client_pdu=pdu, server_pdu=pdu)
    for octets in (5, 100, 1000):
        value = octet_string(octets)
        (done,) = pair.run(mixed_access(value))
        assert done.values == (b"\x00", value, value, b"\x00")
        assert [int(result.result) for result in done.results] == [0, 0, 0, DataAccessResult.OBJECT_UNDEFINED]
    assert max(longest_frames(pair)) <= pdu


@pytest.mark.parametrize("client_pdu", [64, 1024])
@pytest.mark.parametrize("server_pdu", [64, 1024])
def test_each_side_keeps_to_the_pdu_of_the_other(client_pdu: int, server_pdu: int) -> None:
    pair = associated(sap=MANAGEMENT, client_pdu=client_pdu, server_pdu=server_pdu)
    for command in (ev.Set(REGISTER, octet_string(3000)), ev.Get(REGISTER), mixed_access(octet_string(3000))):
        pair.run(command)
    by_client, by_server = longest_frames(pair)
    assert server_pdu - 8 <= by_client <= server_pdu
    assert client_pdu - 8 <= by_server <= client_pdu


def test_long_lists_are_limited_by_what_can_be_answered() -> None:
    for client_pdu, count, served in ((64, 24, True), (64, 25, False), (1024, 128, True)):
        pair = associated(NO_GBT, client_pdu=client_pdu)
        (event,) = pair.run(lev.GetList(ITEMS[:count]))
        assert isinstance(event, lev.GetListDone if served else ev.PeerException)
    pair = associated(client_pdu=64)
    assert isinstance(pair.run(lev.GetList(ITEMS))[0], lev.GetListDone)
    (event,) = pair.run(lev.GetList(ITEMS + ITEMS[:1]))
    assert isinstance(event, ev.PeerException)
    assert event.service_error is ServiceError.SERVICE_NOT_SUPPORTED


def test_a_selection_inside_a_list_needs_selective_access() -> None:
    selecting = AttributeWithSelection(attribute=REGISTER, selection=EntryDescriptor(from_entry=1).selective_access())
    access = lev.Access((AccessGet(attribute=REGISTER, selection=selecting.selection),), (b"\x00",))
    for missing, served in ((Conformance(0), True), (Conformance.SELECTIVE_ACCESS, False)):
        pair = associated(EVERYTHING & ~missing)
        for command in (lev.GetList((ITEMS[0], selecting)), lev.SetList((selecting,), (b"\x00",)), access):
            assert isinstance(pair.run(command)[0], ev.PeerException) is not served


# --- blocks of SET and ACTION ---


def served(pair: Pair, request: Any) -> Any:
    """The server's answer to a plain request, decoded; None when there is none."""
    octets = pair.serve(frame(request.encode(), PUBLIC))
    return decode_apdu(octets[8:]) if octets else None


def set_first(number: int = 1, *, last: bool = False) -> SetRequestWithFirstDatablock:
    return SetRequestWithFirstDatablock(attribute=REGISTER, last=last, block_number=number, raw=b"\x11")


def set_further(number: int, *, last: bool = False) -> SetRequestWithDatablock:
    return SetRequestWithDatablock(last=last, block_number=number, raw=b"\x07")


def action_first() -> ActionRequestWithFirstPblock:
    return ActionRequestWithFirstPblock(method=TOP_UP, last=False, block_number=1, raw=b"\x11")


def test_the_last_block_of_a_set_is_answered_with_its_number() -> None:
    pair = associated()
    assert served(pair, set_first()) == SetResponseDatablock(block_number=1)
    assert pair.server.state is ServerState.RECEIVING_BLOCKS
    assert served(pair, set_further(2, last=True)) == SetResponseLastDatablock(result=SUCCESS, block_number=2)
    assert pair.values[REGISTER] == b"\x11\x07"
    assert pair.server.state is ServerState.ASSOCIATED


def test_a_wrong_block_number_ends_the_transfer_and_writes_nothing() -> None:
    pair = associated()
    served(pair, set_first())
    before = dict(pair.values)
    refused = SetResponseLastDatablock(result=DataAccessResult.DATA_BLOCK_NUMBER_INVALID, block_number=3)
    assert served(pair, set_further(3, last=True)) == refused
    assert pair.server.state is ServerState.ASSOCIATED
    assert served(pair, set_further(2, last=True)).result is DataAccessResult.NO_LONG_SET_IN_PROGRESS
    assert pair.values == before


def test_another_request_ends_a_transfer_and_a_first_block_begins_anew() -> None:
    pair = associated()
    served(pair, set_first())
    assert served(pair, GetRequestNormal(attribute=REGISTER)).invoke_id == 1
    assert served(pair, set_further(2, last=True)).result is DataAccessResult.NO_LONG_SET_IN_PROGRESS
    served(pair, set_first())
    assert served(pair, action_first()).block_number == 1
    assert served(pair, set_further(2, last=True)).result is DataAccessResult.NO_LONG_SET_IN_PROGRESS
    assert pair.server.state is ServerState.RECEIVING_BLOCKS
    last = ActionRequestWithPblock(last=True, block_number=2, raw=b"\x07")
    assert served(pair, last) == ActionResponseNormal(result=ActionResult.SUCCESS, value=b"\x11\x07")


def test_a_request_in_blocks_over_the_limit_is_given_up_and_forgotten() -> None:
    pair = associated(maximum_transfer_octets=2)
    served(pair, set_first())
    served(pair, set_further(2))
    assert served(pair, set_further(3)).result is DataAccessResult.LONG_SET_ABORTED
    assert pair.server.state is ServerState.ASSOCIATED


@pytest.mark.parametrize("missing", [Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE, Conformance.SET])
def test_blocks_that_were_not_agreed_are_not_served(missing: Conformance) -> None:
    pair = associated(EVERYTHING & ~missing)
    for block in (set_first(), set_further(1)):
        assert isinstance(served(pair, block), ExceptionResponse)


def test_return_values_in_blocks_are_given_by_number() -> None:
    pair = associated(client_pdu=64)
    pair.run(ev.Get(REGISTER))
    octets = pair.serve(pair.client.send(ev.Action(TOP_UP, octet_string(150)), NOW))
    first = decode_action_response(octets[8:])
    assert isinstance(first, ActionResponseWithPblock)
    invoke = first.invoke_id_and_priority
    assert served(pair, GetRequestNext(block_number=1)).result is DataAccessResult.NO_LONG_GET_IN_PROGRESS
    assert pair.server.state is ServerState.SENDING_BLOCKS
    second = served(pair, ActionRequestNextPblock(block_number=1, invoke_id_and_priority=invoke))
    assert (second.block_number, second.invoke_id_and_priority) == (2, invoke)
    assert served(pair, ActionRequestNextPblock(block_number=1)).result is ActionResult.LONG_ACTION_ABORTED
    assert pair.server.state is ServerState.ASSOCIATED
    assert served(pair, ActionRequestNextPblock(block_number=2)).result is ActionResult.NO_LONG_ACTION_IN_PROGRESS


# --- general blocks ---


def general_answers(pair: Pair, apdu: bytes) -> list[GeneralBlockTransfer]:
    """The general blocks that the server sends for that one."""
    octets, blocks = pair.serve(frame(apdu, PUBLIC)), []
    while octets:
        end = 8 + int.from_bytes(octets[6:8], "big")
        blocks.append(decode_general_block_transfer(octets[8:end]))
        octets = octets[end:]
    return blocks


GET_OF_REGISTER = GetRequestNormal(attribute=REGISTER).encode()


def test_what_was_asked_in_general_blocks_is_answered_in_them_however_short() -> None:
    pair = associated()
    (answer,) = general_answers(pair, general_block(1, GET_OF_REGISTER, last=True))
    assert (answer.last, answer.block_number, answer.block_number_ack) == (True, 1, 1)
    assert answer.block[:2] == b"\xc4\x01"
    assert served(pair, GetRequestNormal(attribute=REGISTER)).TAG == 0xC4


def test_the_server_streams_as_many_blocks_as_the_client_takes() -> None:
    pair = associated(WAYS["general blocks"], client_pdu=64)
    pair.values[REGISTER] = octet_string(1000)
    first = general_answers(pair, general_block(1, GET_OF_REGISTER, last=True, window=5))
    assert [block.streaming for block in first] == [True] * 4 + [False]
    again = general_answers(pair, general_block(2, b"", last=True, window=3, block_number_ack=2))
    assert [block.block_number for block in again] == [3, 4, 5]
    assert pair.server.state is ServerState.SENDING_GENERAL
    assert general_answers(pair, general_block(3, b"", last=True, window=63, block_number_ack=5))[-1].last
    assert general_answers(pair, general_block(4, b"", last=True, block_number_ack=18)) == []
    assert pair.server.state is ServerState.ASSOCIATED


def test_a_new_first_general_block_begins_a_new_request() -> None:
    pair = associated()
    head, tail = GET_OF_REGISTER[:5], GET_OF_REGISTER[5:]
    assert [block.block_number_ack for block in general_answers(pair, general_block(1, b"\xff" * 9))] == [1]
    assert [block.block_number_ack for block in general_answers(pair, general_block(1, head))] == [1]
    (answer,) = general_answers(pair, general_block(2, tail, last=True))
    assert answer.block[:2] == b"\xc4\x01"


def test_a_broken_general_transfer_is_refused_and_forgotten() -> None:
    pair = associated(maximum_transfer_octets=10)
    general_answers(pair, general_block(1, bytes(10)))
    answer = pair.serve(frame(general_block(2, bytes(1)), PUBLIC))
    assert isinstance(decode_apdu(answer[8:]), ExceptionResponse)
    assert pair.server.state is ServerState.ASSOCIATED
    assert general_answers(pair, general_block(3, bytes(1))) == []


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        b"\xff",
        general_block(1, GET_OF_REGISTER, last=True),
        set_first().encode(),
        GetRequestNext(block_number=1).encode(),
        b"\x60\x00",
        b"\x62\x00",
    ],
)
def test_only_whole_requests_are_served_from_general_blocks(inside: bytes) -> None:
    pair = associated()
    general_answers(pair, general_block(1, inside[:1] or b"\x00", window=9))
    answer = pair.serve(frame(general_block(2, inside[1:], last=True), PUBLIC))
    assert isinstance(decode_apdu(answer[8:]), ExceptionResponse)
    assert pair.server.state is ServerState.ASSOCIATED


def test_general_blocks_that_were_not_agreed_are_not_served() -> None:
    pair = associated(NO_GBT)
    answer = pair.serve(frame(general_block(1, GET_OF_REGISTER, last=True), PUBLIC))
    assert isinstance(decode_apdu(answer[8:]), ExceptionResponse)


# --- notifications ---

DATA = DataNotification(body=b"\x11\x07", date_time=bytes(12), long_invoke_id_and_priority=7)
EVENT = EventNotificationRequest(attribute=JOURNAL, value=b"\x11\x07", time=bytes(12))


@pytest.mark.parametrize("notification", [DATA, EVENT])
@pytest.mark.parametrize(("sap", "general"), [(PUBLIC, False), (MANAGEMENT, False), (MANAGEMENT, True)])
def test_a_notification_arrives_unasked_and_between_requests(notification: Any, sap: int, general: bool) -> None:
    pair = associated(WAYS["both"] | (GENERAL if general else Conformance(0)), sap=sap, client_pdu=64)
    long_one = DataNotification(body=octet_string(500))
    for each in (notification, long_one):
        octets = pair.server.send(ev.Notify(each))
        request = pair.client.send(ev.Get(REGISTER), NOW)
        pair.client.receive_data(octets + pair.serve(request), NOW)
        assert pair.client.next_event() == ev.Notified(each)
        assert pair.client.next_event() == ev.GetDone(pair.values[REGISTER])
        pair.client.receive_data(pair.server.send(ev.Notify(each)), NOW)
        assert pair.client.next_event() == ev.Notified(each)
        assert pair.client.next_event() is None
    if sap == MANAGEMENT:
        assert pair.server.send(ev.Notify(EVENT))[8] == (0xDB if general else 0xCA)
        assert pair.server.send(ev.Notify(DATA))[8] == 0xDB
    assert pair.client.next_timeout() is None


def test_a_notification_has_exactly_the_room_of_the_client() -> None:
    for conformance, takes in ((NO_GBT, False), (EVERYTHING, True)):
        pair = associated(conformance, client_pdu=64)
        assert len(pair.server.send(ev.Notify(DataNotification(body=octet_string(58))))) == 8 + 64
        if takes:
            assert pair.server.send(ev.Notify(DataNotification(body=octet_string(59))))[8] == 0xE0
        else:
            with pytest.raises(LocalError):
                pair.server.send(ev.Notify(DataNotification(body=octet_string(59))))


@pytest.mark.parametrize("notification", [DATA, EVENT])
def test_a_notification_that_was_not_agreed_is_not_sent(notification: Any) -> None:
    without = EVERYTHING & ~(Conformance.DATA_NOTIFICATION | Conformance.EVENT_NOTIFICATION)
    pair = associated(without)
    with pytest.raises(LocalError):
        pair.server.send(ev.Notify(notification))


@pytest.mark.parametrize("way", WAYS)
def test_no_mutated_request_of_any_service_raises_or_grows_without_end(way: str) -> None:
    requests, _ = recorded_frames(WAYS[way])
    pair = associated(WAYS[way], client_pdu=64, maximum_transfer_octets=300)
    states = set()
    for apdu in mutations([octets[8:] for octets in requests], count=1500):
        assert len(pair.serve(frame(apdu, PUBLIC))) <= 64 * (8 + 64)
        states.add(pair.server.state)
        if pair.server.state in (ServerState.CLOSED, ServerState.IDLE):
            pair = associated(WAYS[way], client_pdu=64, maximum_transfer_octets=300)
    receiving = ServerState.RECEIVING_GENERAL if way == "general blocks" else ServerState.RECEIVING_BLOCKS
    assert states >= {ServerState.ASSOCIATED, receiving}
    assert ServerState.BUSY not in states


def test_own_blocks_go_before_general_blocks_because_peers_propose_more_than_they_can() -> None:
    pair = associated(WAYS["both"], client_pdu=64, server_pdu=64)
    pair.run(ev.Set(REGISTER, octet_string(200)))
    pair.run(ev.Get(REGISTER))
    assert {octets[8] for octets in pair.requests[1:] + pair.answers[1:]} == {0xC0, 0xC1, 0xC4, 0xC5}
    pair = associated(WAYS["both"] & ~OWN_BLOCKS, client_pdu=64, server_pdu=64)
    pair.run(ev.Set(REGISTER, octet_string(200)))
    assert {octets[8] for octets in pair.requests[1:] + pair.answers[1:] if octets} == {0xE0}
