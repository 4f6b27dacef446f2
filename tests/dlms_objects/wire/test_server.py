"""The server's association against our client: sessions, blocks, and every security rule that a server keeps."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from dlms_objects.errors import LocalError
from dlms_objects.transport.credentials import MeterCredentials
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import events as ev
from dlms_objects.wire.acse import Rlre, Rlrq, decode_rlre
from dlms_objects.wire.action import ActionRequestNormal
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.challenge import REPLY_TO_HLS
from dlms_objects.wire.events import RefusalCause as Cause
from dlms_objects.wire.exception import ServiceError
from dlms_objects.wire.get import GetRequestNext, GetRequestNormal
from dlms_objects.wire.parameters import USUAL_WINDOW
from dlms_objects.wire.server import MAXIMUM_WAITING_FRAMES, ServerAssociation
from dlms_objects.wire.states import ServerState
from dlms_objects.wire.wrapper import encode_frame
from tests.support.associations import (
    GATEWAY,
    GET,
    JOURNAL,
    KEYS,
    LATER,
    MANAGEMENT,
    METER,
    NOW,
    OTHER_KEYS,
    PUBLIC,
    READER,
    REGISTER,
    ROLES,
    SERVER_SAP,
    TOP_UP,
    Pair,
    World,
    assert_refused,
    at,
    byte_by_byte,
    counters,
    exception_in,
    frame,
    sealed,
    whole,
)
from tests.support.gurux_cipher import openssl
from tests.support.gurux_client import GuruxClient, GuruxError

# --- sessions ---


@pytest.mark.parametrize("sap", ROLES)
@pytest.mark.parametrize("cut", [whole, byte_by_byte])
@pytest.mark.parametrize("general", [False, True])
def test_every_role_associates_reads_writes_acts_and_releases(
    sap: int, cut: Callable[[bytes], Iterator[bytes]], general: bool
) -> None:
    world = World(general=general)
    pair = world.connect(sap)
    pair.cut = cut
    for _ in range(2):
        (associated,) = pair.run(ev.Associate())
        assert associated.server_title == (METER if sap in (READER, MANAGEMENT) else None)
        assert pair.run(ev.Get(REGISTER)) == [ev.GetDone(pair.values[REGISTER])]
        assert pair.run(ev.Get(JOURNAL)) == [ev.GetFailed(DataAccessResult.OBJECT_UNDEFINED)]
        assert pair.run(ev.Set(REGISTER, b"\x11\x05")) == [ev.SetDone(DataAccessResult.SUCCESS)]
        assert pair.run(ev.Get(REGISTER)) == [ev.GetDone(b"\x11\x05")]
        assert pair.run(ev.Action(TOP_UP, b"\x0f\x00")) == [ev.ActionDone(ActionResult.SUCCESS, b"\x0f\x00")]
        assert pair.run(ev.Action(TOP_UP)) == [ev.ActionDone(ActionResult.SUCCESS, None)]
        assert pair.run(ev.Release()) == [ev.Released()]
        assert pair.server.state is ServerState.IDLE
    opened = pair.events_of(ev.AssociationOpened)
    assert [event.role for event in opened] == [world.roles[sap].name] * 2
    assert opened[0].max_pdu == 65535
    assert pair.events_of(ev.AssociationClosed) == [ev.AssociationClosed()] * 2
    kinds = {octets[8] for octets in pair.requests[1:]}
    if sap in (READER, MANAGEMENT):
        assert kinds <= {0x60, 0x62} | ({0xDB} if general else {0xC8, 0xC9, 0xCB})
    else:
        assert kinds <= {0x60, 0x62, 0xC0, 0xC1, 0xC3}


@pytest.mark.parametrize("pdu", [64, 65, 80, 127, 128, 129, 150, 160, 161, 255, 256, 300, 1024, 9900, 65535])
@pytest.mark.parametrize(("sap", "general"), [(PUBLIC, False), (MANAGEMENT, False), (MANAGEMENT, True)])
def test_a_long_value_arrives_in_blocks_that_never_exceed_the_client_s_pdu(pdu: int, sap: int, general: bool) -> None:
    pair = World(general=general).associate(sap, max_pdu=pdu)
    raw = bytes(number & 0xFF for number in range(10_007))
    for length in (1, pdu - 40, pdu - 30, pdu - 4, pdu - 3, len(raw)):
        pair.values[JOURNAL] = raw[:length]
        pair.answers.clear()
        assert pair.run(ev.Get(JOURNAL)) == [ev.GetDone(raw[:length])]
        assert max(len(octets) for octets in pair.answers) <= pdu + 8
    if pdu < len(raw):
        assert len(pair.answers[0]) == pdu + 8 or (sap != PUBLIC and pdu in (129, 150, 256))


def test_a_request_while_blocks_are_sent_ends_the_transfer() -> None:
    pair = World().associate(PUBLIC, max_pdu=64)
    pair.values[JOURNAL] = bytes(500)
    journal = GetRequestNormal(attribute=JOURNAL, invoke_id_and_priority=0xC3).encode()
    following = frame(GetRequestNext(block_number=1).encode(), PUBLIC)
    assert pair.serve(frame(journal, PUBLIC))[8:10] == b"\xc4\x02"
    assert pair.server.state is ServerState.SENDING_BLOCKS
    assert pair.serve(following)[8:16] == bytes.fromhex("c402c1 00 00000002")
    assert pair.serve(frame(GET, PUBLIC))[8:10] == b"\xc4\x01"
    assert pair.serve(following)[8:] == bytes.fromhex("c402c1 01 00000001 01 10")
    assert pair.server.state is ServerState.ASSOCIATED


@pytest.mark.parametrize("number", [0, 2, 3, 2**32 - 1])
def test_a_wrong_block_number_ends_the_transfer(number: int) -> None:
    pair = World().associate(PUBLIC, max_pdu=64)
    pair.values[JOURNAL] = bytes(500)
    pair.serve(frame(GetRequestNormal(attribute=JOURNAL).encode(), PUBLIC))
    answer = pair.serve(frame(GetRequestNext(block_number=number).encode(), PUBLIC))
    assert answer[8:] == bytes.fromhex("c402c1 01") + number.to_bytes(4, "big") + b"\x01\x13"
    assert pair.server.state is ServerState.ASSOCIATED


def test_frames_sent_at_once_are_answered_in_order() -> None:
    pair = World().associate(PUBLIC)
    pair.values[JOURNAL] = b"\x11\x07"
    journal = GetRequestNormal(attribute=JOURNAL, invoke_id_and_priority=0xC2).encode()
    both = pair.serve(frame(GET, PUBLIC) + frame(journal, PUBLIC) + frame(GET, PUBLIC)[:9])
    assert both == encode_frame(1, PUBLIC, b"\xc4\x01\xc1\x00\x06\x00\x01\xe2\x40") + encode_frame(
        1, PUBLIC, b"\xc4\x01\xc2\x00\x11\x07"
    )
    assert pair.serve(frame(GET, PUBLIC)[9:]) == encode_frame(1, PUBLIC, b"\xc4\x01\xc1\x00\x06\x00\x01\xe2\x40")


def test_a_frame_waits_until_the_application_has_answered() -> None:
    server = World().associate(PUBLIC).server
    server.receive_data(frame(GET, PUBLIC) * 2, NOW)
    assert isinstance(server.next_event(), ev.GetRequested)
    assert server.next_event() is None
    assert server.state is ServerState.BUSY
    server.send(ev.GetAnswer(b"\x11\x01"))
    assert isinstance(server.next_event(), ev.GetRequested)


def test_more_frames_than_may_wait_close_the_connection() -> None:
    server = World().associate(PUBLIC).server
    server.receive_data(frame(GET, PUBLIC), NOW)
    assert isinstance(server.next_event(), ev.GetRequested)
    server.receive_data(frame(GET, PUBLIC) * (MAXIMUM_WAITING_FRAMES + USUAL_WINDOW + 1), NOW)
    server.send(ev.GetAnswer(b"\x11\x01"))
    assert server.next_event() == ev.AssociationClosed()
    assert server.next_event() == ev.CloseConnection()
    assert server.next_event() is None


def test_an_answer_without_request_or_of_another_kind_is_our_own_mistake() -> None:
    world = World()
    fresh = ServerAssociation(world.server_parameters, NOW)
    with pytest.raises(LocalError):
        fresh.send(ev.GetAnswer(b"\x11\x01"))
    server = world.associate(PUBLIC).server
    with pytest.raises(LocalError):
        server.send(ev.GetAnswer(b"\x11\x01"))
    server.receive_data(frame(GET, PUBLIC), NOW)
    server.next_event()
    with pytest.raises(LocalError):
        server.send(ev.SetAnswer(DataAccessResult.SUCCESS))
    assert server.send(ev.GetAnswer(b"\x11\x01"))[8:] == b"\xc4\x01\xc1\x00\x11\x01"


# --- HLS ---


def proof_request(pair: Pair, proof: bytes | None) -> bytes:
    parameters = None if proof is None else b"\x09" + bytes((len(proof),)) + proof
    return sealed(pair, ActionRequestNormal(method=REPLY_TO_HLS, parameters=parameters).encode())


def pending(world: World) -> tuple[Pair, bytes]:
    """A connection whose client has yet to prove itself, and the server's challenge."""
    pair = world.connect()
    aare = decode_apdu(pair.serve(pair.client.send(ev.Associate(), NOW))[8:])
    challenge = getattr(aare, "responding_authentication_value", None)
    assert isinstance(challenge, bytes)
    return pair, challenge


@pytest.mark.parametrize(
    "prove",
    [
        lambda security, challenge: security.gmac(challenge[::-1]),
        lambda security, _challenge: security.gmac(b""),
        lambda security, challenge: security.gmac(challenge)[:-1],
        lambda security, challenge: b"\x30" + security.gmac(challenge)[1:],
        lambda _security, _challenge: bytes(17),
        lambda _security, _challenge: None,
    ],
    ids=["other challenge", "no challenge", "short", "other control byte", "zeros", "no parameters"],
)
def test_a_wrong_proof_is_denied_and_closed(prove: Callable[[Any, bytes], bytes | None]) -> None:
    world = World()
    pair, challenge = pending(world)
    answer = pair.serve(proof_request(pair, prove(world.security(), challenge)))
    meter = world.security().bound_to(METER)
    assert meter.unprotect(answer[8:])[:4] == bytes((0xC7, 1, 0xC1, ActionResult.READ_WRITE_DENIED))
    assert_refused(pair, Cause.PROOF)
    assert pair.events_of(ev.AssociationOpened) == []


def test_a_proof_by_another_key_is_denied() -> None:
    world = World()
    pair, challenge = pending(world)
    forged = world.security(keys=OTHER_KEYS, counters=counters(900)).gmac(challenge)
    pair.serve(proof_request(pair, forged))
    assert_refused(pair, Cause.PROOF)


def test_a_proof_with_the_counter_of_its_own_apdu_is_denied() -> None:
    world = World()
    pair, challenge = pending(world)
    twin = world.security(counters=counters(50)).gmac(challenge)
    request = ActionRequestNormal(method=REPLY_TO_HLS, parameters=b"\x09\x11" + twin).encode()
    pair.serve(frame(world.security(counters=counters(50)).protect(0xCB, request)))
    assert_refused(pair, Cause.PROOF)


def test_the_proof_of_an_earlier_association_is_denied() -> None:
    world = World(server={"challenge_source": lambda: b"always the same."})
    pair, challenge = pending(world)
    old = world.security().gmac(challenge)
    pair, _ = pending(world)
    pair.serve(proof_request(pair, old))
    assert_refused(pair, Cause.PROOF)


def test_the_server_s_proof_is_never_a_proof_for_the_client() -> None:
    world = World()
    pair, challenge = pending(world)
    reflected = world.security(own_title=METER, counters=counters(70)).gmac(challenge)
    pair.serve(proof_request(pair, reflected))
    assert_refused(pair, Cause.PROOF)


@pytest.mark.parametrize("sap", ROLES)
def test_a_proof_that_nobody_asked_for_is_denied_and_harmless(sap: int) -> None:
    pair = World().associate(sap)
    assert pair.run(ev.Action(REPLY_TO_HLS, b"\x09\x11" + bytes(17))) == [
        ev.ActionDone(ActionResult.READ_WRITE_DENIED, None)
    ]
    assert pair.server.state is ServerState.ASSOCIATED


def test_a_failed_tag_during_hls_leaves_the_client_its_chance() -> None:
    world = World()
    pair, challenge = pending(world)
    forged = world.security(keys=OTHER_KEYS, counters=counters(900)).protect(0xCB, b"\xc3")
    assert exception_in(pair.serve(frame(forged)))
    assert pair.server.state is ServerState.HLS_PENDING
    pair.serve(proof_request(pair, world.security().gmac(challenge)))
    assert pair.server.state is ServerState.ASSOCIATED


# --- release ---


def test_a_release_may_be_plain_or_protected_and_a_new_association_may_follow() -> None:
    world = World()
    for protected in (False, True, False):
        pair = world.associate()
        security = world.security()
        information = security.protect(0x21, b"\x01initiate") if protected else None
        answer = decode_rlre(pair.serve(frame(Rlrq(user_information=information).encode()))[8:])
        assert pair.server.state is ServerState.IDLE
        if protected:
            assert security.bound_to(METER).unprotect(answer.user_information or b"")[0] == 0x08
        else:
            assert answer == Rlre(reason=answer.reason)
        pair.client = world.connect().client
        assert isinstance(pair.run(ev.Associate())[0], ev.Associated)


def test_a_release_with_information_that_does_not_verify_is_reported_and_changes_nothing() -> None:
    pair = World().associate()
    answer = pair.serve(frame(Rlrq(user_information=b"\x21\x05\x30" + bytes(4)).encode()))
    assert exception_in(answer).service_error is ServiceError.DECIPHERING_ERROR
    assert pair.server.state is ServerState.ASSOCIATED


def test_a_release_before_the_proof_is_answered() -> None:
    pair, _ = pending(World())
    assert pair.serve(frame(b"\x62\x00"))[8] == 0x63
    assert pair.server.state is ServerState.IDLE
    assert pair.server_events == []


def test_plain_user_information_in_a_plain_release_is_passed_over() -> None:
    pair = World().associate(PUBLIC)
    assert pair.serve(frame(Rlrq(user_information=b"\x01").encode(), PUBLIC))[8:] == b"\x63\x03\x80\x01\x00"


# --- time ---


def test_a_client_that_does_not_associate_in_time_is_dropped_however_it_dribbles() -> None:
    world = World(server={"authentication_s": 15.0, "inactivity_s": 120.0})
    for steps in (0, 1, 2):
        pair = world.connect()
        if steps:
            pair.now = NOW + timedelta(seconds=14)
            aarq = pair.client.send(ev.Associate(), NOW)
            pair.serve(aarq if steps == 2 else aarq[:-1])
        assert pair.server.next_timeout() == NOW + timedelta(seconds=15)
        assert at(pair.server, NOW + timedelta(seconds=14.9)) == []
        assert at(pair.server, NOW + timedelta(seconds=15)) == [ev.CloseConnection()]
        assert at(pair.server, LATER) == []
        assert pair.server.next_timeout() is None


def test_a_silent_client_is_dropped_and_only_whole_frames_count_as_speech() -> None:
    pair = World(server={"inactivity_s": 60.0}).associate(PUBLIC)
    pair.now = NOW + timedelta(seconds=50)
    pair.serve(frame(GET, PUBLIC))
    assert pair.server.next_timeout() == NOW + timedelta(seconds=110)
    pair.now = NOW + timedelta(seconds=100)
    pair.serve(frame(GET, PUBLIC)[:-1])
    assert pair.server.next_timeout() == NOW + timedelta(seconds=110)
    assert at(pair.server, NOW + timedelta(seconds=110)) == [ev.AssociationClosed(), ev.CloseConnection()]


def test_the_clock_stands_still_while_the_application_owes_an_answer() -> None:
    pair = World().associate(PUBLIC)
    pair.server.receive_data(frame(GET, PUBLIC), NOW)
    pair.server.next_event()
    assert pair.server.next_timeout() is None
    assert at(pair.server, LATER) == []
    assert pair.server.send(ev.GetAnswer(b"\x11\x01"))


def test_after_a_release_the_client_has_the_time_to_associate_again() -> None:
    pair = World(server={"authentication_s": 15.0}).associate(PUBLIC)
    pair.now = NOW + timedelta(seconds=100)
    pair.run(ev.Release())
    assert pair.server.next_timeout() == NOW + timedelta(seconds=115)


# --- an independent client ---


def gurux_credentials(encryption_key: bytes = KEYS.global_unicast_encryption_key) -> MeterCredentials:
    return MeterCredentials(
        system_title=METER,
        client_sap=MANAGEMENT,
        server_sap=SERVER_SAP,
        encryption_key=encryption_key,
        authentication_key=KEYS.authentication_key,
    )


@pytest.mark.parametrize("max_pdu", [128, 1024, 65535])
@pytest.mark.parametrize("own_cipher", [False, True], ids=["openssl", "gurux's own AES"])
def test_the_gurux_client_associates_reads_writes_acts_and_releases(max_pdu: int, own_cipher: bool) -> None:
    world = World()
    credentials = gurux_credentials()
    pair = world.connect()
    pair.values[JOURNAL] = b"\x09\x82\x01\x2c" + bytes(300)
    gurux = GuruxClient(pair.serve, credentials, system_title=GATEWAY.octets, max_pdu=max_pdu)
    with nullcontext() if own_cipher else openssl():
        gurux.associate()
        assert gurux.read(3, "1.0.1.8.0.255", 2) == 123456
        assert bytes(gurux.read(7, "0.0.99.128.0.255", 2)) == bytes(300)
        gurux.write(3, "1.0.1.8.0.255", 2, b"\x06\x00\x00\x00\x07")
        assert gurux.read(3, "1.0.1.8.0.255", 2) == 7
        assert gurux.call(20101, "0.0.128.0.0.255", 1, b"\x0f\x05") == 5
        with pytest.raises(GuruxError) as refused:
            gurux.read(3, "1.0.2.8.0.255", 2)
        assert refused.value.code == DataAccessResult.OBJECT_UNDEFINED
        gurux.release()
    assert [event.role for event in pair.events_of(ev.AssociationOpened)] == ["management"]
    assert max(len(octets) for octets in pair.answers[1:]) <= max_pdu + 8
    assert pair.server.state is ServerState.IDLE


def test_the_gurux_client_with_a_wrong_key_is_refused() -> None:
    world = World()
    credentials = gurux_credentials(bytes(range(200, 216)))
    pair = world.connect()
    with openssl(), pytest.raises(Exception, match=r"(?i)permanent|reject|authentication"):
        GuruxClient(pair.serve, credentials).associate()
    assert pair.events_of(ev.SecurityFailed) == [ev.SecurityFailed(ev.SecurityCause.DECRYPTION, MANAGEMENT)]
    assert world.received(title=SystemTitle(b"GRX\x00\x00\x00\x00\x02")) is None


def test_the_gurux_client_reads_as_public() -> None:
    pair = World().connect(PUBLIC)
    gurux = GuruxClient(pair.serve)
    gurux.associate()
    assert gurux.read(3, "1.0.1.8.0.255", 2) == 123456
