"""What all exchanges have in common, and how a client's association carries them: limits, blocks, notifications."""

import contextlib
from datetime import timedelta
from typing import Any

import pytest

from dlms_objects.errors import LocalError, RemoteError, TransportLostError
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import events as ev
from dlms_objects.wire import list_events as lev
from dlms_objects.wire.action import ActionResponseNormal
from dlms_objects.wire.action_blocks import ActionResponseWithPblock
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.exchange import one_for_each, unexpected
from dlms_objects.wire.general_block import decode_general_block_transfer
from dlms_objects.wire.general_transfer import general_limit, stream
from dlms_objects.wire.get import GetResponseNormal
from dlms_objects.wire.notification import DataNotification, EventNotificationRequest
from dlms_objects.wire.set import SetResponseNormal
from dlms_objects.wire.states import ClientState
from tests.support.associations import (
    JOURNAL,
    MANAGEMENT,
    METER,
    NOW,
    PUBLIC,
    REGISTER,
    TOP_UP,
    VALUE,
    Pair,
    World,
    answer,
    assert_closed,
    events_after,
    meter,
)
from tests.support.mutation import mutations
from tests.support.services import (
    EVERYTHING,
    GBT,
    ITEMS,
    METHODS,
    OWN_BLOCKS,
    WAYS,
    associated,
    mixed_access,
    octet_string,
    recorded_frames,
)
from tests.support.states import general_block

DATA = DataNotification(body=b"\x11\x07")
EVENT = EventNotificationRequest(attribute=JOURNAL, value=b"\x11\x07")
LONG = DataNotification(body=octet_string(300))
COMMANDS = (ev.Get(REGISTER), ev.Set(REGISTER, VALUE), ev.Action(TOP_UP), mixed_access())
GOOD = GetResponseNormal(result=VALUE).encode()


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_only_one_result_for_each_item_is_accepted(count: int) -> None:
    assert one_for_each((1, 2, 3), 3) == (1, 2, 3)
    with pytest.raises(RemoteError):
        one_for_each((1, 2, 3), count)


def test_an_unexpected_response_is_named_without_its_content() -> None:
    error = unexpected(SetResponseNormal(result=DataAccessResult.SUCCESS))
    assert isinstance(error, RemoteError)
    assert str(error) == "SetResponseNormal does not answer what was asked"


def asking(command: ev.ClientCommand | None = None, conformance: Conformance = EVERYTHING, **changes: Any) -> Pair:
    """A public association whose client has just sent a request, by default a GET; the server has not seen it."""
    pair = associated(conformance, **changes)
    pair.client.send(ev.Get(REGISTER) if command is None else command, NOW)
    return pair


def sent_blocks(events: list[Any]) -> list[Any]:
    """The general blocks that a client puts on the line."""
    return [decode_general_block_transfer(event.octets[8:]) for event in events]


# --- limits ---


@pytest.mark.parametrize("missing", [Conformance.MULTIPLE_REFERENCES, Conformance.ACCESS])
def test_a_service_that_was_not_agreed_is_our_own_mistake_and_changes_nothing(missing: Conformance) -> None:
    pair = associated(EVERYTHING & ~missing)
    command = mixed_access() if missing is Conformance.ACCESS else lev.ActionList((TOP_UP,), (VALUE,))
    with pytest.raises(LocalError):
        pair.client.send(command, NOW)
    assert pair.client.state is ClientState.ASSOCIATED
    assert pair.run(ev.Get(REGISTER)) == [ev.GetDone(VALUE)]


def test_a_request_too_long_in_every_way_is_our_own_mistake_and_uses_no_counter() -> None:
    longest = general_limit(64) - 32
    without = EVERYTHING & ~OWN_BLOCKS
    for conformance, octets in ((without & ~GBT, 100), (without, longest)):
        pair = associated(conformance, sap=MANAGEMENT, server_pdu=64)
        security = pair.client._parameters.security
        assert security is not None
        before = security.counters.sent.next()
        with pytest.raises(LocalError, match="the server takes"):
            pair.client.send(ev.Set(REGISTER, bytes(octets)), NOW)
        assert security.counters.sent.next() == before + 1
        assert pair.client.state is ClientState.ASSOCIATED


@pytest.mark.parametrize("general", [False, True])
def test_an_access_has_exactly_the_room_of_its_own_ciphering(general: bool) -> None:
    conformance = EVERYTHING & ~GBT & (EVERYTHING if general else ~Conformance.GENERAL_PROTECTION)
    pair = associated(conformance, sap=MANAGEMENT, server_pdu=300)
    sizes = [octets for octets in range(4, 200) if _is_sent(pair, mixed_access(octet_string(octets)))]
    assert sizes == list(range(4, sizes[-1] + 1))
    assert len(pair.requests[-1]) - 8 in (299, 300)


def _is_sent(pair: Pair, command: ev.ClientCommand) -> bool:
    try:
        pair.run(command)
    except LocalError:
        return False
    return True


@pytest.mark.parametrize("way", WAYS)
def test_no_mutated_answer_of_any_service_raises_anything_but_a_remote_error(way: str) -> None:
    _, answers = recorded_frames(WAYS[way])
    commands = (*COMMANDS, lev.GetList(ITEMS[:2]), lev.ActionList(METHODS, (VALUE, VALUE)))
    for number, apdu in enumerate(mutations([octets[8:] for octets in answers], count=900)):
        pair = asking(commands[number % len(commands)], WAYS[way], client_pdu=64, server_pdu=64)
        with contextlib.suppress(RemoteError):
            pair.client.receive_data(answer(apdu) + answer(answers[number % len(answers)][8:]), NOW)


# --- general blocks ---


def test_an_answer_in_general_blocks_is_acknowledged_by_window_and_joined() -> None:
    client = asking(client_pdu=200).client
    assert events_after(client, answer(general_block(1, GOOD[:3], streaming=True))) == []
    (acknowledgement,) = sent_blocks(events_after(client, answer(general_block(2, GOOD[3:5]))))
    assert (acknowledgement.last, acknowledgement.block_number, acknowledgement.block_number_ack) == (True, 1, 2)
    assert (acknowledgement.window, acknowledgement.block) == (16, b"")
    assert events_after(client, answer(general_block(3, GOOD[5:], last=True))) == [ev.GetDone(VALUE)]
    assert client.state is ClientState.ASSOCIATED


def test_every_general_block_starts_the_time_again() -> None:
    client = asking().client
    client.receive_data(answer(general_block(1, GOOD[:3], streaming=True)), NOW + timedelta(seconds=9))
    client.handle_timeout(NOW + timedelta(seconds=18.9))
    with pytest.raises(TransportLostError):
        client.handle_timeout(NOW + timedelta(seconds=19))


@pytest.mark.parametrize(
    "frames",
    [
        [general_block(1, b"", last=True)],
        [general_block(1, b"\xff", last=True)],
        [general_block(1, general_block(1, GOOD, last=True), last=True)],
        [general_block(1, bytes(99))],
        [general_block(1, b"x"), *[general_block(5, b"x")] * 4],
        [b"\xe0\x80"],
    ],
    ids=["empty", "no APDU", "nested", "over the limit", "stands still", "malformed"],
)
def test_general_blocks_that_come_to_nothing_close_the_engine(frames: list[bytes]) -> None:
    client = asking().client
    client._parameters = World().parameters_for(PUBLIC, maximum_transfer_octets=50)
    with pytest.raises(RemoteError):
        client.receive_data(b"".join(map(answer, frames)), NOW)
    assert_closed(client)


def test_general_blocks_that_were_not_agreed_close_the_engine() -> None:
    for sap, conformance in ((PUBLIC, EVERYTHING & ~GBT), (MANAGEMENT, EVERYTHING & ~GBT)):
        client = asking(conformance=conformance, sap=sap).client
        with pytest.raises(RemoteError):
            client.receive_data(answer(general_block(1, GOOD, last=True), sap), NOW)
        assert_closed(client)


def test_what_is_inside_general_blocks_must_be_ciphered_where_the_association_is() -> None:
    client = asking(sap=MANAGEMENT).client
    with pytest.raises(RemoteError, match="unprotected"):
        client.receive_data(answer(general_block(1, GOOD, last=True), MANAGEMENT), NOW)
    assert_closed(client)


def test_a_whole_answer_to_a_request_in_general_blocks_is_taken_too() -> None:
    pair = asking(ev.Set(REGISTER, octet_string(300)), EVERYTHING & ~OWN_BLOCKS, server_pdu=64)
    plain = SetResponseNormal(result=DataAccessResult.SUCCESS).encode()
    assert events_after(pair.client, answer(plain)) == [ev.SetDone(DataAccessResult.SUCCESS)]


# --- notifications ---


@pytest.mark.parametrize("notification", [DATA, EVENT])
@pytest.mark.parametrize(
    "command", [None, ev.Get(REGISTER), ev.Set(REGISTER, VALUE), ev.Action(TOP_UP), mixed_access()]
)
def test_a_notification_is_handed_out_in_every_open_state_and_ends_no_request(command: Any, notification: Any) -> None:
    pair = associated()
    if command is not None:
        pair.client.send(command, NOW)
    state, deadline = pair.client.state, pair.client.next_timeout()
    assert events_after(pair.client, answer(notification.encode())) == [ev.Notified(notification)]
    assert (pair.client.state, pair.client.next_timeout()) == (state, deadline)


def test_notifications_while_releasing_are_handed_out() -> None:
    pair = asking(ev.Release())
    frames = [DATA.encode(), *stream(LONG.encode(), 64), b"\x63\x00"]
    assert events_after(pair.client, b"".join(map(answer, frames))) == [
        ev.Notified(DATA),
        ev.Notified(LONG),
        ev.Released(),
    ]


@pytest.mark.parametrize("notification", [DATA, EVENT])
def test_a_notification_that_was_not_agreed_closes_the_engine(notification: Any) -> None:
    missing = Conformance.DATA_NOTIFICATION if notification is DATA else Conformance.EVENT_NOTIFICATION
    client = associated(EVERYTHING & ~missing).client
    with pytest.raises(RemoteError):
        client.receive_data(answer(notification.encode()), NOW)
    assert_closed(client)


def test_a_plain_a_forged_and_a_replayed_notification_close_a_ciphered_engine() -> None:
    world = World()
    genuine = meter(world).protect(0xDB, DATA.encode())
    for octets in (DATA.encode(), genuine[:-1] + bytes((genuine[-1] ^ 1,))):
        client = associated(sap=MANAGEMENT).client
        with pytest.raises(RemoteError):
            client.receive_data(answer(octets, MANAGEMENT), NOW)
        assert_closed(client)
    client = associated(sap=MANAGEMENT).client
    assert events_after(client, answer(genuine, MANAGEMENT)) == [ev.Notified(DATA)]
    with pytest.raises(RemoteError):
        client.receive_data(answer(genuine, MANAGEMENT), NOW)
    assert client._parameters.security.bound_to(METER).peer == METER  # type: ignore[union-attr]


def test_a_pushed_stream_is_joined_acknowledged_by_nobody_and_begins_anew_at_its_first_block() -> None:
    client = associated().client
    pieces = list(map(answer, stream(LONG.encode(), 64)))
    assert events_after(client, pieces[0] + pieces[1] + b"".join(pieces)) == [ev.Notified(LONG)]
    assert events_after(client, b"".join(pieces)) == [ev.Notified(LONG)]
    assert client.next_timeout() is None


def test_a_pushed_stream_between_the_blocks_of_a_request_disturbs_neither() -> None:
    pair = associated(EVERYTHING & ~OWN_BLOCKS, server_pdu=64)
    value = octet_string(300)
    pushed = pair.server.send(ev.Notify(LONG))
    request = pair.client.send(ev.Set(REGISTER, value), NOW)
    assert events_after(pair.client, pushed) == [ev.Notified(LONG)]
    results, octets = [], pair.serve(request)
    while octets:
        events = events_after(pair.client, octets)
        results += [event for event in events if not isinstance(event, ev.SendOctets)]
        octets = b"".join(pair.serve(event.octets) for event in events if isinstance(event, ev.SendOctets))
    assert results == [ev.SetDone(DataAccessResult.SUCCESS)]
    assert pair.values[REGISTER] == value


# --- HLS ---


@pytest.mark.parametrize(
    "response",
    [
        ActionResponseWithPblock(last=True, block_number=1, raw=b"\x00\x00"),
        ActionResponseNormal(result=ActionResult.SUCCESS, value=DataAccessResult.OTHER_REASON),
        ActionResponseNormal(result=ActionResult.SUCCESS),
    ],
)
def test_a_proof_comes_whole_or_not_at_all(response: Any) -> None:
    world = World()
    pair = world.connect()
    pair.client.receive_data(pair.serve(pair.client.send(ev.Associate(), NOW)), NOW)
    with pytest.raises(RemoteError):
        pair.client.receive_data(answer(meter(world).protect(0xCF, response.encode()), MANAGEMENT), NOW)
    assert_closed(pair.client)
