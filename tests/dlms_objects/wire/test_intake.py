"""What a server makes of the frames it gets: who is refused, what security refuses, and that odd octets do no harm."""

from dataclasses import replace

import pytest

from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import events as ev
from dlms_objects.wire.acse import Aarq
from dlms_objects.wire.action import ActionRequestNormal
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.challenge import REPLY_TO_HLS
from dlms_objects.wire.ciphered import GLO_TAGS
from dlms_objects.wire.client import ClientAssociation
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.counters import COUNTER_CEILING, Counters, MemoryReceivedCounters, MemorySentCounters
from dlms_objects.wire.events import RefusalCause as Cause
from dlms_objects.wire.exception import ServiceError
from dlms_objects.wire.get import GetRequestNext, GetRequestNormal
from dlms_objects.wire.selection import SelectiveAccess
from dlms_objects.wire.set import SetRequestNormal
from dlms_objects.wire.states import ServerState
from dlms_objects.wire.wrapper import encode_frame
from tests.support.associations import (
    GATEWAY,
    GET,
    MANAGEMENT,
    METER,
    NOW,
    OTHER_KEYS,
    PUBLIC,
    READER,
    REGISTER,
    ROLES,
    SERVER_SAP,
    STRANGER,
    TOP_UP,
    World,
    assert_refused,
    counters,
    exception_in,
    frame,
    sealed,
)
from tests.support.mutation import mutations

# --- who is refused ---


@pytest.mark.parametrize(
    "apdu", [GET, b"\xc8\x00", b"\x62\x00", b"\x60\x00", b"", b"\xdb", b"\xff" * 9, b"\xc0\x02\xc1\x00\x00\x00\x01"]
)
@pytest.mark.parametrize("sap", ROLES)
def test_anything_before_an_association_is_refused_and_closed(apdu: bytes, sap: int) -> None:
    pair = World().connect(sap)
    assert exception_in(pair.serve(frame(apdu, sap))).service_error is ServiceError.OPERATION_NOT_POSSIBLE
    assert_refused(pair, Cause.NOT_ASSOCIATED)
    assert pair.events_of(ev.GetRequested) == []


def test_a_get_before_the_proof_is_refused_and_closed() -> None:
    for plain in (GET, GetRequestNext(block_number=1).encode(), ActionRequestNormal(method=TOP_UP).encode()):
        world = World()
        pair = world.connect()
        pair.serve(pair.client.send(ev.Associate(), NOW))
        assert pair.server.state is ServerState.HLS_PENDING
        assert exception_in(pair.serve(sealed(pair, plain)))
        assert_refused(pair, Cause.NOT_ASSOCIATED)
        assert [type(event) for event in pair.server_events] == [ev.AssociationRefusedEvent, ev.CloseConnection]


@pytest.mark.parametrize("sap", [PUBLIC, MANAGEMENT])
def test_a_second_aarq_is_refused_and_closes_the_association(sap: int) -> None:
    world = World()
    pair = world.associate(sap)
    second = ClientAssociation(world.parameters_for(sap)).send(ev.Associate(), NOW)
    aare = pair.serve(second)
    assert aare[8] == 0x61
    assert b"\xa2\x03\x02\x01\x01" in aare
    assert_refused(pair, Cause.SECOND_AARQ)
    assert pair.events_of(ev.AssociationClosed) == [ev.AssociationClosed()]


@pytest.mark.parametrize("addresses", [(READER, SERVER_SAP), (MANAGEMENT, 2), (SERVER_SAP + 9, MANAGEMENT)])
def test_a_wrong_client_or_server_sap_closes_the_association(addresses: tuple[int, int]) -> None:
    world = World()
    pair = world.associate()
    genuine = sealed(pair, GET)[8:]
    assert exception_in(pair.serve(frame(genuine, *addresses)))
    assert_refused(pair, Cause.MISDIRECTED)


def test_an_aarq_to_an_unknown_sap_is_answered_by_an_aare_and_closed() -> None:
    for sap, server_sap, cause in ((99, 1, Cause.UNKNOWN_CLIENT_SAP), (MANAGEMENT, 7, Cause.UNKNOWN_SERVER_SAP)):
        pair = World().connect()
        aarq = pair.client.send(ev.Associate(), NOW)
        answer = pair.serve(frame(aarq[8:], sap, server_sap))
        assert answer[:6] == encode_frame(server_sap, sap, b"")[:6]
        assert answer[8] == 0x61
        assert_refused(pair, cause)


@pytest.mark.parametrize("apdu", [GET, b"\x01", b"\xd8\x01\x01", b"\xff", b""])
def test_an_unciphered_apdu_in_a_ciphered_association_is_refused_and_closed(apdu: bytes) -> None:
    pair = World().associate()
    assert exception_in(pair.serve(frame(apdu))).service_error is ServiceError.OPERATION_NOT_POSSIBLE
    assert_refused(pair, Cause.UNPROTECTED)
    assert pair.events_of(ev.GetRequested) == []


def test_a_ciphered_apdu_in_a_plain_association_is_not_served() -> None:
    pair = World().associate(PUBLIC)
    other = World().connect()
    assert exception_in(pair.serve(frame(sealed(other, GET)[8:], PUBLIC)))
    assert pair.events_of(ev.GetRequested) == []


# --- security failures change nothing ---


def test_a_flipped_bit_anywhere_in_a_ciphered_request_is_refused_and_changes_nothing() -> None:
    world = World()
    pair = world.associate()
    before = world.received()
    genuine = sealed(pair, GET)
    for bit in range(64, len(genuine) * 8):
        altered = bytearray(genuine)
        altered[bit >> 3] ^= 1 << (bit & 7)
        pair = pair if pair.server.state is ServerState.ASSOCIATED else world.associate()
        before = before if altered[8] in (*GLO_TAGS.values(), 0xDB, 0x60) else world.received()
        pair.serve(bytes(altered))
        assert pair.events_of(ev.GetRequested) == []
        if pair.server.state is ServerState.ASSOCIATED:
            assert pair.server_events[-1] == ev.SecurityFailed(ev.SecurityCause.DECRYPTION, MANAGEMENT)
    assert pair.server.state is ServerState.ASSOCIATED


def test_a_wrong_key_is_answered_without_a_hint_and_the_association_lives_on() -> None:
    world = World()
    pair = world.associate()
    stored = world.received()
    forged = world.security(keys=OTHER_KEYS, counters=counters(500)).protect(0xC8, GET)
    answer = exception_in(pair.serve(frame(forged)))
    assert (answer.service_error, answer.invocation_counter) == (ServiceError.DECIPHERING_ERROR, None)
    assert world.received() == stored
    assert pair.run(ev.Get(REGISTER)) == [ev.GetDone(pair.values[REGISTER])]


def check_that_a_recorded_session_cannot_be_replayed(world: World) -> None:
    """Every frame of a session, again in the same association, on a new connection and after a restart."""
    pair = world.associate()
    pair.run(ev.Action(TOP_UP, b"\x0f\x01"))
    pair.run(ev.Get(REGISTER))
    recorded = list(pair.requests)
    stored = world.received()
    for request in recorded[1:]:
        answer = pair.serve(request)
        assert pair.server_events[-1] == ev.SecurityFailed(ev.SecurityCause.REPLAY, MANAGEMENT)
        assert exception_in(answer).invocation_counter == (stored or 0) + 1
    assert len(pair.events_of(ev.ActionRequested)) == 1
    again = World(meter_counters=world.meter_counters, client_counters=world.client_counters)
    after = Counters(sent=MemorySentCounters(5000), received=MemoryReceivedCounters({GATEWAY: stored or 0}))
    restarted = World(meter_counters={MANAGEMENT: after}, client_counters=world.client_counters)
    for place in (world, again, restarted):
        fresh = place.connect()
        fresh.serve(recorded[0])
        assert fresh.events_of(ev.SecurityFailed) == [ev.SecurityFailed(ev.SecurityCause.REPLAY, MANAGEMENT)]
        assert_refused(fresh, Cause.SECURITY)
        inside = place.associate()
        for request in recorded[1:]:
            inside.serve(request)
        assert inside.events_of(ev.ActionRequested) == []
        assert inside.events_of(ev.GetRequested) == []


def test_a_recorded_session_cannot_be_replayed_at_once_later_or_after_a_restart() -> None:
    check_that_a_recorded_session_cannot_be_replayed(World())


def test_the_check_of_recorded_sessions_catches_a_server_that_forgets_counters() -> None:
    class Forgetful(MemoryReceivedCounters):
        def highest(self, title: SystemTitle) -> int | None:
            return None

        def accept(self, title: SystemTitle, counter: int) -> None:
            """Keep nothing."""

    forgetful = Counters(sent=MemorySentCounters(), received=Forgetful())
    with pytest.raises(AssertionError):
        check_that_a_recorded_session_cannot_be_replayed(World(meter_counters={MANAGEMENT: forgetful}))


def test_the_expected_counter_is_told_only_when_it_can_be_encoded() -> None:
    world = World(client_counters={MANAGEMENT: counters(10)})
    pair = world.associate()
    world.meter_counters[MANAGEMENT].received.accept(GATEWAY, 2**32 - 1)
    answer = exception_in(pair.serve(sealed(pair, GET)))
    assert (answer.service_error, answer.invocation_counter) == (ServiceError.DECIPHERING_ERROR, None)


@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_a_server_whose_counters_are_used_up_says_so_and_closes(left: int) -> None:
    spent = Counters(sent=MemorySentCounters(COUNTER_CEILING - left), received=MemoryReceivedCounters())
    pair = World(meter_counters={MANAGEMENT: spent}).connect()
    if left == 3:
        assert isinstance(pair.run(ev.Associate())[0], ev.Associated)
        results = pair.run(ev.Get(REGISTER))
    else:
        results = pair.run(ev.Associate())
    assert [type(result) for result in results] == [ev.PeerException]
    assert_refused(pair, Cause.COUNTER_EXHAUSTED)


# --- odd requests ---


@pytest.mark.parametrize(
    "plain",
    [
        b"\xc0",
        b"\xc0\x03\xc1\x00",
        b"\xc0\x01\xc1",
        GET + b"\x00",
        b"\xc1\x02\xc1\x00",
        b"\xd9\x01",
        b"\x0f\x00\x00\x00\x01",
        b"\xc4\x01\xc1\x00\x11\x01",
        GetRequestNormal(attribute=REGISTER, invoke_id_and_priority=0x01).encode(),
        b"\xc8\x00",
        b"\x01\x00",
    ],
)
@pytest.mark.parametrize("sap", [PUBLIC, MANAGEMENT])
def test_a_service_we_do_not_know_is_answered_by_an_exception_and_the_association_lives_on(
    plain: bytes, sap: int
) -> None:
    pair = World().associate(sap)
    tag = 0xDB if plain[0] not in (0xC0, 0xC1, 0xC4, 0x01) else GLO_TAGS[plain[0]]
    request = frame(plain, PUBLIC) if sap == PUBLIC else sealed(pair, plain, tag)
    answer = exception_in(pair.serve(request))
    assert (answer.state_error, answer.service_error) == (2, ServiceError.SERVICE_NOT_SUPPORTED)
    assert pair.run(ev.Get(REGISTER)) == [ev.GetDone(pair.values[REGISTER])]


def test_only_what_was_negotiated_is_served() -> None:
    selection = SelectiveAccess(selector=2, parameters=b"\x11\x01")
    requests = {
        Conformance.SET: SetRequestNormal(attribute=REGISTER, value=b"\x11\x01"),
        Conformance.ACTION: ActionRequestNormal(method=TOP_UP),
        Conformance.GET: GetRequestNormal(attribute=REGISTER),
        Conformance.GET | Conformance.SELECTIVE_ACCESS: GetRequestNormal(attribute=REGISTER, selection=selection),
    }
    for negotiated in requests:
        pair = World().associate(PUBLIC, conformance=negotiated)
        for needed, request in requests.items():
            octets = pair.serve(frame(request.encode(), PUBLIC))
            assert (octets[8] != 0xD8) is (needed & negotiated == needed), (negotiated, request)
    assert pair.events_of(ev.GetRequested)[-1].selection == selection


def test_no_mutated_frame_ever_raises_or_delivers_a_request_from_a_stranger() -> None:
    world = World()
    recorded = world.associate()
    recorded.run(ev.Get(REGISTER))
    samples = [*recorded.requests, frame(GET, PUBLIC), frame(GET)]
    for number, octets in enumerate(mutations(samples, count=1500)):
        pair = world.associate() if number % 2 else world.connect()
        pair.serve(octets)
        assert not any(pair.events_of(kind) for kind in (ev.GetRequested, ev.SetRequested, ev.ActionRequested))


def test_no_mutated_request_of_an_authenticated_client_ever_raises() -> None:
    world = World()
    pair = world.associate()
    samples = [
        GET,
        GetRequestNext(block_number=1).encode(),
        ActionRequestNormal(method=TOP_UP, parameters=b"\x0f\x01").encode(),
        ActionRequestNormal(method=REPLY_TO_HLS, parameters=b"\x09\x11" + bytes(17)).encode(),
        bytes.fromhex("c101c1000301000108 00ff0200 0600000001"),
    ]
    for plain in mutations(samples, count=1500):
        if pair.server.state is ServerState.CLOSED:
            pair = world.associate()
        assert pair.serve(sealed(pair, plain, 0xDB)) != b""


@pytest.mark.parametrize(
    "octets", [b"\x00\x02\x00\x01\x00\x01\x00\x00", b"GET / HTTP/1.1\r\n\r\n", b"\x00\x01" + b"\xff" * 6]
)
def test_octets_that_are_no_frame_close_the_connection_without_a_word(octets: bytes) -> None:
    pair = World(server={"max_pdu": 1024}).associate(PUBLIC)
    assert pair.serve(octets) == b""
    assert pair.server_events[-2:] == [ev.AssociationClosed(), ev.CloseConnection()]
    assert pair.serve(frame(GET, PUBLIC)) == b""


def test_what_came_before_corrupt_octets_is_still_served() -> None:
    pair = World().associate(PUBLIC)
    assert len(pair.serve(frame(GET, PUBLIC) + b"\xff" * 8)) == 17
    assert pair.server.state is ServerState.CLOSED


# --- strangers and copies ---


def test_another_system_s_title_in_a_general_ciphered_apdu_is_refused() -> None:
    world = World()
    pair = world.associate()
    stranger = world.security(own_title=STRANGER, counters=counters(400))
    assert exception_in(pair.serve(frame(stranger.protect(0xDB, GET)))).service_error is ServiceError.DECIPHERING_ERROR
    assert world.received(title=STRANGER) is None


def test_an_answer_comes_in_the_form_of_its_request() -> None:
    world = World()
    pair = world.associate()
    gateway = world.security(counters=counters()).bound_to(METER)
    for tag, expected in ((0xDB, 0xDB), (0xC8, 0xCC), (0xDB, 0xDB)):
        answer = pair.serve(sealed(pair, GET, tag))[8:]
        assert answer[0] == expected
        assert gateway.unprotect(answer)[:2] == b"\xc4\x01"


def test_an_aarq_with_a_plain_initiate_never_opens_a_ciphered_role() -> None:
    world = World()
    pair = world.connect()
    aarq = decode_apdu(pair.client.send(ev.Associate(), NOW)[8:])
    assert isinstance(aarq, Aarq)
    plain = replace(aarq, user_information=bytes.fromhex("0100000006 5f1f0400 00181d ffff"))
    assert pair.serve(frame(plain.encode()))[8] == 0x61
    assert_refused(pair, Cause.UNPROTECTED)
