"""The client's association: results, refusals, and every rule that a client keeps against its server."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dlms_objects.errors import LocalError, RemoteError, TransportLostError
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import events as ev
from dlms_objects.wire.acse import Rlre, UserDiagnostic
from dlms_objects.wire.action import ActionResponseNormal
from dlms_objects.wire.counters import (
    COUNTER_CEILING,
    CounterExhausted,
    Counters,
    MemoryReceivedCounters,
    MemorySentCounters,
)
from dlms_objects.wire.exception import ServiceError, StateError
from dlms_objects.wire.get import GetRequestNext, GetResponseBlock, GetResponseNormal
from dlms_objects.wire.security import DecryptionError, ReplayError
from dlms_objects.wire.selection import SelectiveAccess
from dlms_objects.wire.set import SetResponseNormal
from dlms_objects.wire.states import ClientState
from dlms_objects.wire.wrapper import encode_frame
from tests.support.associations import (
    GENERAL,
    JOURNAL,
    LATER,
    MANAGEMENT,
    METER,
    NOW,
    OTHER_KEYS,
    PUBLIC,
    REGISTER,
    STRANGER,
    TOP_UP,
    VALUE,
    Pair,
    World,
    answer,
    assert_closed,
    byte_by_byte,
    counters,
    events_after,
    meter,
    whole,
)
from tests.support.mutation import mutations


def asking(sap: int = PUBLIC, command: ev.ClientCommand | None = None, **changes: Any) -> Pair:
    """An open association whose client has just sent a request; the server has not seen it."""
    pair = World().associate(sap, **changes)
    pair.client.send(ev.Get(REGISTER) if command is None else command, NOW)
    return pair


# --- results ---


@pytest.mark.parametrize("cut", [whole, byte_by_byte])
def test_each_answer_ends_its_request(cut: Callable[[bytes], Iterator[bytes]]) -> None:
    for command, apdu, result in [
        (ev.Get(REGISTER), GetResponseNormal(result=VALUE), ev.GetDone(VALUE)),
        (
            ev.Get(REGISTER),
            GetResponseNormal(result=DataAccessResult.OTHER_REASON),
            ev.GetFailed(DataAccessResult.OTHER_REASON),
        ),
        (
            ev.Set(REGISTER, VALUE),
            SetResponseNormal(result=DataAccessResult.TYPE_UNMATCHED),
            ev.SetDone(DataAccessResult.TYPE_UNMATCHED),
        ),
        (
            ev.Action(TOP_UP),
            ActionResponseNormal(result=ActionResult.SUCCESS, value=DataAccessResult.OTHER_REASON),
            ev.ActionDone(ActionResult.SUCCESS, DataAccessResult.OTHER_REASON),
        ),
    ]:
        pair = asking(command=command)
        found = [event for piece in cut(answer(apdu.encode())) for event in events_after(pair.client, piece)]
        assert found == [result]
        assert pair.client.state is ClientState.ASSOCIATED


def test_an_answer_with_a_tail_is_handed_out_before_the_tail_closes_the_engine() -> None:
    client = asking().client
    good = answer(GetResponseNormal(result=VALUE).encode())
    with pytest.raises(RemoteError):
        client.receive_data(good + good, NOW)
    assert client.next_event() == ev.GetDone(VALUE)
    assert client.next_event() is None
    assert_closed(client)


def test_a_partial_tail_waits_for_its_rest() -> None:
    client = asking().client
    good = answer(GetResponseNormal(result=VALUE).encode())
    assert events_after(client, good + answer(b"\xc4\x01\xc2\x00\x11\x01")[:9]) == [ev.GetDone(VALUE)]
    client.send(ev.Get(JOURNAL), NOW)
    assert events_after(client, answer(b"\xc4\x01\xc2\x00\x11\x01")[9:]) == [ev.GetDone(b"\x11\x01")]


def test_requests_carry_invoke_ids_0_to_15_in_turn() -> None:
    pair = World().associate(PUBLIC)
    for _ in range(20):
        assert pair.run(ev.Get(REGISTER)) == [ev.GetDone(VALUE)]
    assert [octets[10] for octets in pair.requests[1:]] == [0xC0 | number & 0x0F for number in range(1, 21)]


@pytest.mark.parametrize(
    ("command", "apdu"),
    [
        (ev.Get(REGISTER), GetResponseNormal(result=VALUE, invoke_id_and_priority=0xC2)),
        (ev.Get(REGISTER), GetResponseBlock(last=True, block_number=1, result=VALUE, invoke_id_and_priority=0xC0)),
        (ev.Set(REGISTER, VALUE), SetResponseNormal(result=DataAccessResult.SUCCESS, invoke_id_and_priority=0xC2)),
        (ev.Action(TOP_UP), ActionResponseNormal(result=ActionResult.SUCCESS, invoke_id_and_priority=0xC2)),
    ],
)
def test_the_answer_to_another_request_is_refused(command: ev.ClientCommand, apdu: Any) -> None:
    client = asking(command=command).client
    with pytest.raises(RemoteError):
        client.receive_data(answer(apdu.encode()), NOW)
    assert_closed(client)


def test_a_second_command_before_the_answer_is_our_own_mistake() -> None:
    client = asking().client
    for command in (ev.Associate(), ev.Get(REGISTER), ev.Set(REGISTER, VALUE), ev.Action(TOP_UP), ev.Release()):
        with pytest.raises(LocalError):
            client.send(command, NOW)
    assert events_after(client, answer(GetResponseNormal(result=VALUE).encode())) == [ev.GetDone(VALUE)]


def test_a_request_longer_than_the_server_takes_is_refused_here_and_uses_no_counter() -> None:
    world = World(server={"max_pdu": 64})
    pair = world.associate()
    sent = world.client_counters[MANAGEMENT].sent
    assert isinstance(sent, MemorySentCounters)
    before = sent.ceiling
    with pytest.raises(LocalError):
        pair.client.send(ev.Get(REGISTER, SelectiveAccess(selector=1, parameters=bytes(64 - 19 - 13))), NOW)
    assert sent.ceiling == before
    assert pair.run(ev.Set(REGISTER, b"\x09\x1e" + bytes(30))) == [ev.SetDone(DataAccessResult.SUCCESS)]
    assert len(pair.requests[-1]) == 64 + 8


# --- refusals of the server ---


def test_a_refused_association_closes_the_engine() -> None:
    pair = World().connect(client_sap=99)
    (refused,) = pair.run(ev.Associate())
    assert isinstance(refused, ev.AssociationRefused)
    assert refused.diagnostic is UserDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED
    assert_closed(pair.client)


@pytest.mark.parametrize("command", [ev.Get(REGISTER), ev.Set(REGISTER, VALUE), ev.Action(TOP_UP)])
def test_an_exception_ends_the_request_but_not_the_association(command: ev.ClientCommand) -> None:
    client = asking(MANAGEMENT, command).client
    found = events_after(client, answer(b"\xd8\x01\x06\x00\x00\x01\x02", MANAGEMENT))
    expected = (StateError.SERVICE_NOT_ALLOWED, ServiceError.INVOCATION_COUNTER_ERROR, 258)
    assert found == [ev.PeerException(*expected)]
    assert client.state is ClientState.ASSOCIATED


def test_an_exception_while_associating_or_releasing_closes_the_engine() -> None:
    world = World()
    associating, pending, releasing = world.connect(), world.connect(), world.associate()
    associating.client.send(ev.Associate(), NOW)
    pending.client.receive_data(pending.serve(pending.client.send(ev.Associate(), NOW)), NOW)
    pending.client.next_event()
    releasing.client.send(ev.Release(), NOW)
    for pair in (associating, pending, releasing):
        (event,) = events_after(pair.client, answer(b"\xd8\x01\x01", MANAGEMENT))
        assert isinstance(event, ev.PeerException)
        assert_closed(pair.client)


# --- what a client never believes ---


@pytest.mark.parametrize(
    "octets",
    [
        answer(b"\xc4\x01\xc1\x00" + VALUE, sap=2),
        answer(b"\xc4\x01\xc1\x00" + VALUE, server_sap=2),
        answer(b"\xc5\x01\xc1\x00"),
        answer(b"\xc7\x01\xc1\x00\x00"),
        answer(b"\x61\x00"),
        answer(Rlre().encode()),
        answer(b"\x0e\x01\x06\x01"),
        answer(b"\x0f\x00"),
        answer(b""),
        answer(b"\xc4\x01\xc1"),
        b"\x00\x02" + bytes(6),
    ],
)
def test_what_does_not_answer_the_request_closes_the_engine(octets: bytes) -> None:
    client = asking().client
    with pytest.raises(RemoteError):
        client.receive_data(octets, NOW)
    assert client.next_event() is None
    assert_closed(client)


@pytest.mark.parametrize("apdu", [GetResponseNormal(result=VALUE).encode(), b"\x0e\x01\x06\x01", b""])
def test_an_unciphered_answer_in_a_ciphered_association_is_refused(apdu: bytes) -> None:
    client = asking(MANAGEMENT).client
    with pytest.raises(RemoteError, match="unprotected"):
        client.receive_data(answer(apdu, MANAGEMENT), NOW)
    assert_closed(client)


def test_every_bit_flip_in_a_ciphered_answer_is_refused_and_moves_no_counter() -> None:
    world = World()
    plain = GetResponseNormal(result=VALUE, invoke_id_and_priority=0xC2).encode()
    received = world.client_counters[MANAGEMENT].received
    for bit in range(len(answer(meter(world).protect(0xCC, plain))) * 8 - 64):
        client = world.associate().client
        client.send(ev.Get(REGISTER), NOW)
        before = received.highest(METER)
        altered = bytearray(meter(world, counters=counters((before or 0) + 5)).protect(0xCC, plain))
        altered[bit >> 3] ^= 1 << (bit & 7)
        with pytest.raises(RemoteError):
            client.receive_data(answer(bytes(altered), MANAGEMENT), NOW)
        assert received.highest(METER) == before
        assert client.next_event() is None


@pytest.mark.parametrize("changes", [{"keys": OTHER_KEYS}, {"own_title": STRANGER}])
@pytest.mark.parametrize("tag", [0xCC, 0xDB])
def test_an_answer_by_another_key_or_system_is_refused(changes: dict[str, Any], tag: int) -> None:
    client = asking(MANAGEMENT).client
    forged = meter(World(), **changes).protect(tag, GetResponseNormal(result=VALUE).encode())
    with pytest.raises(DecryptionError):
        client.receive_data(answer(forged, MANAGEMENT), NOW)
    assert_closed(client)


def test_a_replayed_answer_is_refused_at_once_later_and_after_a_restart() -> None:
    world = World()
    pair = world.associate()
    pair.run(ev.Get(REGISTER))
    recorded = pair.answers[-1]
    stored = world.client_counters[MANAGEMENT].received.highest(METER)
    restarted = MemoryReceivedCounters({METER: stored or 0})
    sent = world.client_counters[MANAGEMENT].sent
    again = World(
        meter_counters=world.meter_counters, client_counters={MANAGEMENT: Counters(sent=sent, received=restarted)}
    )
    for client in (pair.client, world.associate().client, again.associate().client):
        client.send(ev.Get(REGISTER), NOW)
        with pytest.raises(ReplayError):
            client.receive_data(recorded, NOW)
        assert_closed(client)


def test_no_mutated_answer_raises_anything_but_a_remote_error() -> None:
    world = World()
    recorded = world.associate()
    recorded.values[JOURNAL] = bytes(300)
    recorded.run(ev.Get(JOURNAL))
    plain = [answer(GetResponseNormal(result=VALUE).encode()), answer(b"\xd8\x01\x01"), answer(b"\x63\x00")]
    for number, octets in enumerate(mutations([*recorded.answers, *plain], count=1200)):
        sap = (PUBLIC, MANAGEMENT)[number % 2]
        pair = world.connect(sap) if number % 3 else world.associate(sap)
        pair.client.send(ev.Get(REGISTER) if number % 3 == 0 else ev.Associate(), NOW)
        try:
            pair.client.receive_data(octets, NOW)
        except RemoteError:
            assert pair.client.state is ClientState.CLOSED


# --- blocks ---


def block(number: int, raw: bytes | DataAccessResult, last: bool = False) -> bytes:
    return answer(GetResponseBlock(last=last, block_number=number, result=raw).encode())


def test_blocks_are_asked_for_by_the_number_of_the_last_one_and_joined() -> None:
    client = asking().client
    (following,) = events_after(client, block(1, b"\x09\x04ab"))
    assert following == ev.SendOctets(encode_frame(PUBLIC, 1, GetRequestNext(block_number=1).encode()))
    assert events_after(client, block(2, b"cd", last=True)) == [ev.GetDone(b"\x09\x04abcd")]


def test_a_transfer_that_the_server_gives_up_fails() -> None:
    client = asking().client
    events_after(client, block(1, b"ab"))
    assert events_after(client, block(2, DataAccessResult.LONG_GET_ABORTED)) == [
        ev.GetFailed(DataAccessResult.LONG_GET_ABORTED)
    ]
    client.send(ev.Get(REGISTER), NOW)
    assert events_after(client, answer(b"\xc4\x02\xc2\x01\x00\x00\x00\x01\x00\x01\x07")) == [ev.GetDone(b"\x07")]


@pytest.mark.parametrize(
    "octets", [block(1, b"cd"), block(3, b"cd"), block(2, b""), block(2, bytes(7)), answer(b"\xc4\x01\xc1\x00\x11\x01")]
)
def test_a_transfer_that_repeats_skips_stalls_or_grows_without_end_is_refused(octets: bytes) -> None:
    client = asking(maximum_transfer_octets=8).client
    events_after(client, block(1, b"ab"))
    with pytest.raises(RemoteError):
        client.receive_data(octets, NOW)
    assert_closed(client)


# --- release, time, counters ---


def test_a_release_may_be_answered_plain_or_protected() -> None:
    for protected in (False, True):
        world = World()
        pair = world.associate()
        pair.client.send(ev.Release(), NOW)
        information = meter(world).protect(0x28, b"\x08initiate") if protected else None
        rlre = Rlre(user_information=information).encode()
        assert events_after(pair.client, answer(rlre, MANAGEMENT)) == [ev.Released()]
        assert pair.client.state is ClientState.IDLE


def test_a_release_answered_with_a_forged_tag_is_refused() -> None:
    world = World()
    pair = world.associate()
    pair.client.send(ev.Release(), NOW)
    forged = Rlre(user_information=meter(world, keys=OTHER_KEYS).protect(0x28, b"\x08initiate")).encode()
    with pytest.raises(DecryptionError):
        pair.client.receive_data(answer(forged, MANAGEMENT), NOW)


def test_an_overdue_answer_closes_the_engine_and_every_exchange_starts_the_time_again() -> None:
    client = asking(answer_timeout_s=10.0).client
    assert client.next_timeout() == NOW + timedelta(seconds=10)
    client.receive_data(block(1, b"ab"), NOW + timedelta(seconds=9))
    assert client.next_timeout() == NOW + timedelta(seconds=19)
    client.handle_timeout(NOW + timedelta(seconds=18.9))
    with pytest.raises(TransportLostError):
        client.handle_timeout(NOW + timedelta(seconds=19))
    assert_closed(client)
    client.handle_timeout(LATER)


def test_nothing_is_overdue_while_nothing_is_asked() -> None:
    pair = World().connect(PUBLIC)
    assert pair.client.next_timeout() is None
    pair.client.handle_timeout(LATER)
    pair.run(ev.Associate())
    pair.run(ev.Get(REGISTER))
    assert pair.client.next_timeout() is None
    pair.client.handle_timeout(LATER)
    assert pair.client.state is ClientState.ASSOCIATED


@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_a_client_whose_counters_are_used_up_stops(left: int) -> None:
    spent = Counters(sent=MemorySentCounters(COUNTER_CEILING - left), received=MemoryReceivedCounters())
    pair = World(client_counters={MANAGEMENT: spent}).connect()
    if left == 3:
        pair.run(ev.Associate())
    with pytest.raises(CounterExhausted):
        pair.run(ev.Get(REGISTER) if left == 3 else ev.Associate())
    if left in (1, 2):
        assert_closed(pair.client)


def test_general_protection_is_used_exactly_when_it_was_agreed() -> None:
    for roles_general, client_general in ((True, True), (False, True), (True, False)):
        world = World(general=client_general)
        if not roles_general:
            role = world.roles[MANAGEMENT]
            world = World(
                roles={MANAGEMENT: replace(role, conformance=role.conformance & ~GENERAL)}, general=client_general
            )
        pair = world.associate()
        pair.run(ev.Get(REGISTER))
        assert pair.requests[-1][8] == (0xDB if roles_general and client_general else 0xC8)
