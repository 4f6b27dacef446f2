"""Broken handshakes, and frames that an association has no place for: refused, and nothing is given away.

Here: passes 3 and 4, an association that is opening, and an open one.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dlms_objects.errors import RemoteError
from dlms_objects.values.results import ActionResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import events as ev
from dlms_objects.wire.acse import (
    Mechanism,
)
from dlms_objects.wire.action import ActionRequestNormal, ActionResponseNormal
from dlms_objects.wire.challenge import REPLY_TO_HLS
from dlms_objects.wire.cipher_keys import CipherKeys
from dlms_objects.wire.handshake import Handshake
from dlms_objects.wire.policy import SecurityPolicy
from dlms_objects.wire.security import SecurityContext
from dlms_objects.wire.states import ClientState, ServerState
from tests.support.associations import (
    ENCRYPTION_KEY,
    GATEWAY,
    GET,
    KEYS,
    MANAGEMENT,
    METER,
    NOW,
    OTHER_KEYS,
    PUBLIC,
    READER,
    RESIDENT,
    STRANGER,
    Pair,
    World,
    answer,
    counters,
    frame,
    meter,
)
from tests.support.handshakes import SECRET, SUITE_1_KEYS, aarq_of, assert_shut, handshake_world

# --- passes 3 and 4: name -> a proof that is none ---


def gmac_hand(own: SystemTitle, peer: SystemTitle, keys: CipherKeys, first: int) -> Callable[[Handshake], Handshake]:
    context = SecurityContext(keys=keys, own_title=own, counters=counters(first)).bound_to(peer)
    return lambda hand: replace(hand, context=context)


PROOFS: dict[str, tuple[int, Callable[[Handshake], Handshake]]] = {
    "of another key": (MANAGEMENT, gmac_hand(GATEWAY, METER, OTHER_KEYS, 9000)),
    "of another authentication key": (
        MANAGEMENT,
        gmac_hand(
            GATEWAY,
            METER,
            CipherKeys(global_unicast_encryption_key=ENCRYPTION_KEY, authentication_key=bytes(16)),
            9000,
        ),
    ),
    "of another suite": (MANAGEMENT, gmac_hand(GATEWAY, METER, SUITE_1_KEYS, 9000)),
    "of another system": (MANAGEMENT, gmac_hand(STRANGER, METER, KEYS, 9000)),
    "of an old counter": (MANAGEMENT, gmac_hand(GATEWAY, METER, KEYS, 0)),
    "over another challenge": (MANAGEMENT, lambda hand: replace(hand, server_challenge=bytes(16))),
    "over the client's own challenge": (
        MANAGEMENT,
        lambda hand: replace(hand, server_challenge=hand.client_challenge),
    ),
    "of another secret": (RESIDENT, lambda hand: replace(hand, secret=SECRET[::-1])),
    "by a weaker hash": (RESIDENT, lambda hand: replace(hand, mechanism=Mechanism.HLS_SHA1)),
    "with the titles exchanged": (
        RESIDENT,
        lambda hand: replace(hand, client_title=hand.server_title, server_title=hand.client_title),
    ),
    "over the other order of challenges": (
        RESIDENT,
        lambda hand: replace(hand, client_challenge=hand.server_challenge, server_challenge=hand.client_challenge),
    ),
}


def pending(some: World, sap: int) -> tuple[Pair, bytes]:
    """A client and a server between the AARE and pass 3, and the client's rightful pass 3."""
    pair = some.connect(sap)
    pair.client.receive_data(pair.serve(pair.client.send(ev.Associate(), NOW)), NOW)
    event = pair.client.next_event()
    assert isinstance(event, ev.SendOctets)
    return pair, event.octets


def enclosed(some: World, sap: int, plain: bytes) -> bytes:
    """A request as the rightful client of that SAP would send it."""
    if sap == RESIDENT:
        return frame(plain, sap)
    return frame(some.security(counters=counters(9500)).protect(0xCB, plain), sap)


@pytest.mark.parametrize("name", PROOFS)
def test_a_client_without_the_proof_does_not_come_in(name: str) -> None:
    sap, forge = PROOFS[name]
    some = handshake_world()
    pair, _genuine = pending(some, sap)
    assert pair.client._agreement is not None
    assert pair.client._agreement.handshake is not None
    forged = forge(pair.client._agreement.handshake).client_proof()
    request = ActionRequestNormal(method=REPLY_TO_HLS, parameters=forged, invoke_id_and_priority=0xC1)
    pair.serve(enclosed(some, sap, request.encode()))
    assert_shut(pair)


@pytest.mark.parametrize("sap", [MANAGEMENT, RESIDENT])
@pytest.mark.parametrize("proof", [None, b"", b"\x09\x00", b"\x09\x11" + bytes(17), b"\x09\x20" + bytes(32)])
def test_no_proof_or_an_empty_one_is_none(sap: int, proof: bytes | None) -> None:
    some = handshake_world()
    pair, _genuine = pending(some, sap)
    request = ActionRequestNormal(method=REPLY_TO_HLS, parameters=proof, invoke_id_and_priority=0xC1)
    pair.serve(enclosed(some, sap, request.encode()))
    assert_shut(pair)


SERVER_PROOFS: dict[str, tuple[int, Callable[[Handshake], bytes | None]]] = {
    "none": (MANAGEMENT, lambda _h: None),
    "none, mechanism 6": (RESIDENT, lambda _h: None),
    "of another key": (MANAGEMENT, lambda h: gmac_hand(METER, GATEWAY, OTHER_KEYS, 95_000)(h).server_proof()),
    "of another suite": (MANAGEMENT, lambda h: gmac_hand(METER, GATEWAY, SUITE_1_KEYS, 95_000)(h).server_proof()),
    "of an old counter": (MANAGEMENT, lambda h: gmac_hand(METER, GATEWAY, KEYS, 0)(h).server_proof()),
    "the client's own sent back": (MANAGEMENT, lambda h: h.client_proof()),
    "the client's own sent back, mechanism 6": (RESIDENT, lambda h: h.client_proof()),
    "of another secret": (RESIDENT, lambda h: replace(h, secret=SECRET[::-1]).server_proof()),
    "over another challenge": (RESIDENT, lambda h: replace(h, client_challenge=bytes(16)).server_proof()),
}


@pytest.mark.parametrize("name", SERVER_PROOFS)
def test_a_server_without_the_proof_is_not_believed(name: str) -> None:
    sap, forge = SERVER_PROOFS[name]
    some = handshake_world()
    pair, _genuine = pending(some, sap)
    assert pair.client._agreement is not None
    assert pair.client._agreement.handshake is not None
    value = forge(pair.client._agreement.handshake)
    plain = ActionResponseNormal(
        result=ActionResult.SUCCESS, value=value, invoke_id_and_priority=pair.client._invoke
    ).encode()
    with pytest.raises(RemoteError):
        pair.client.receive_data(answer(plain if sap == RESIDENT else meter(some).protect(0xCF, plain), sap), NOW)
    assert pair.client.state is ClientState.CLOSED
    assert pair.client.next_event() is None


# --- the association, opening or open: name -> a frame that ends it ---


def second_aarq(some: World, sap: int) -> bytes:
    return frame(aarq_of(some, sap).encode(), sap)


ENDS: dict[str, Callable[[World], bytes]] = {
    "a second AARQ": lambda some: second_aarq(some, MANAGEMENT),
    "an AARQ of the public role": lambda some: second_aarq(some, PUBLIC),
    "a plain request": lambda _some: frame(GET),
    "an empty APDU": lambda _some: frame(b""),
    "a request from another SAP": lambda some: frame(some.security(counters=counters(600)).protect(0xC8, GET), READER),
    "a request to another SAP": lambda some: frame(
        some.security(counters=counters(600)).protect(0xC8, GET), MANAGEMENT, 2
    ),
}


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("is_open", [False, True])
def test_an_association_ends_at_a_frame_it_has_no_place_for(name: str, is_open: bool) -> None:
    some = handshake_world()
    pair = some.associate() if is_open else pending(some, MANAGEMENT)[0]
    pair.serve(ENDS[name](some))
    assert pair.server.state is ServerState.CLOSED
    assert pair.events_of(ev.AssociationRefusedEvent)
    assert len(pair.events_of(ev.AssociationOpened)) == len(pair.events_of(ev.AssociationClosed)) == int(is_open)


@pytest.mark.parametrize("sap", [MANAGEMENT, READER, RESIDENT, PUBLIC])
def test_a_request_before_the_association_is_refused(sap: int) -> None:
    some = handshake_world()
    pair = some.connect(sap)
    pair.serve(frame(GET, sap))
    assert_shut(pair)


def test_a_request_before_the_proof_is_refused_though_it_is_ciphered() -> None:
    some = handshake_world()
    for sap in (MANAGEMENT, RESIDENT):
        pair, _genuine = pending(some, sap)
        request = frame(GET, sap)
        if sap == MANAGEMENT:
            request = frame(some.security(counters=counters(9500)).protect(0xC8, GET))
        pair.serve(request)
        assert_shut(pair)


REFUSED_AND_OPEN: dict[str, Callable[[World], bytes]] = {
    "authenticated only": lambda w: w.security(policy=SecurityPolicy.AUTHENTICATED).protect(0xC8, GET),
    "encrypted only": lambda w: w.security(policy=SecurityPolicy.ENCRYPTED).protect(0xC8, GET),
    "of suite 1": lambda w: w.security(keys=SUITE_1_KEYS).protect(0xC8, GET),
    "of another key": lambda w: w.security(keys=OTHER_KEYS, counters=counters(600)).protect(0xC8, GET),
    "of another system": lambda w: w.security(own_title=STRANGER, counters=counters(600)).protect(0xDB, GET),
    "under a dedicated key that nobody agreed on": lambda w: dedicated(w).protect(0xD0, GET),
    "reflected": lambda w: meter(w).protect(0xCC, b"\xc4\x01\xc1\x00\x00"),
}


def dedicated(some: World) -> Any:
    context = some.security().bound_to(METER)
    context.use_dedicated(bytes(16))
    return context


@pytest.mark.parametrize("name", REFUSED_AND_OPEN)
def test_a_change_of_suite_protection_key_or_sender_is_refused_and_changes_nothing(name: str) -> None:
    """These cost the forger nothing, so they do not end the rightful client's association."""
    some = handshake_world()
    pair = some.associate()
    before = some.received()
    pair.serve(frame(REFUSED_AND_OPEN[name](some)))
    assert pair.events_of(ev.SecurityFailed)
    assert not pair.events_of(ev.GetRequested)
    assert some.received() == before
    assert pair.server.state is ServerState.ASSOCIATED


def test_every_row_of_these_tables_was_counted() -> None:
    tables = (PROOFS, SERVER_PROOFS, ENDS, REFUSED_AND_OPEN)
    assert [len(table) for table in tables] == [11, 9, 6, 7]


def test_the_genuine_proof_of_these_tables_does_come_in() -> None:
    """Otherwise everything above would be refused for nothing."""
    for sap in (MANAGEMENT, RESIDENT):
        pair, genuine = pending(handshake_world(), sap)
        pair.serve(genuine)
        assert pair.server.state is ServerState.ASSOCIATED
