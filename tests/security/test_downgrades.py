"""Downgrades: every one is refused, nothing opens, and nothing is given away.

Here: the AARQ, as the server sees it, and the AARE, as the client sees it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dlms_objects.errors import RemoteError
from dlms_objects.wire import events as ev
from dlms_objects.wire.acse import (
    Aare,
    Aarq,
    ApplicationContext,
    AssociationResult,
    Mechanism,
    UserDiagnostic,
    decode_aare,
)
from dlms_objects.wire.client import ClientAssociation
from dlms_objects.wire.initiate import InitiateRequest, InitiateResponse
from dlms_objects.wire.parameters import USUAL_CONFORMANCE
from dlms_objects.wire.policy import SecurityPolicy
from dlms_objects.wire.states import ClientState
from tests.support.associations import (
    GATEWAY,
    GET,
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
from tests.support.handshakes import SUITE_1_KEYS, aarq_of, assert_shut, handshake_world

NOBODY = 77
REQUEST = InitiateRequest(conformance=USUAL_CONFORMANCE, max_pdu_size=1024)
RESPONSE = InitiateResponse(conformance=USUAL_CONFORMANCE, max_pdu_size=1024)


def ciphered(world: World, **changes: Any) -> bytes:
    """The initiate request of a context that is not quite the client's."""
    return world.security(**{"counters": counters(500)} | changes).protect(0x21, REQUEST.encode())


# --- the AARQ: name -> (client SAP, what is changed) ---

AARQS: dict[str, tuple[int, Callable[[World, Aarq], Aarq]]] = {
    "context without ciphering": (MANAGEMENT, lambda _w, a: replace(a, application_context=ApplicationContext.LN)),
    "context of short names": (
        MANAGEMENT,
        lambda _w, a: replace(a, application_context=ApplicationContext.SN_CIPHERED),
    ),
    "context nobody knows": (MANAGEMENT, lambda _w, a: replace(a, application_context=b"\x2a\x03")),
    "ciphered context on the public role": (
        PUBLIC,
        lambda _w, a: replace(a, application_context=ApplicationContext.LN_CIPHERED),
    ),
    **{
        f"mechanism {mechanism} instead of 5": (
            MANAGEMENT,
            lambda _w, a, m=mechanism: replace(a, mechanism=m, calling_authentication_value=bytes(range(16))),
        )
        for mechanism in (None, *Mechanism)
        if mechanism is not Mechanism.HLS_GMAC
    },
    **{
        f"mechanism {mechanism} instead of 6": (
            RESIDENT,
            lambda _w, a, m=mechanism: replace(a, mechanism=m, calling_authentication_value=bytes(range(16))),
        )
        for mechanism in (None, Mechanism.LLS, Mechanism.HLS_MD5, Mechanism.HLS_SHA1, Mechanism.HLS_GMAC)
    },
    "plain initiate": (MANAGEMENT, lambda _w, a: replace(a, user_information=REQUEST.encode())),
    "no initiate": (MANAGEMENT, lambda _w, a: replace(a, user_information=None)),
    "initiate authenticated only": (
        MANAGEMENT,
        lambda w, a: replace(a, user_information=ciphered(w, policy=SecurityPolicy.AUTHENTICATED)),
    ),
    "initiate encrypted only": (
        MANAGEMENT,
        lambda w, a: replace(a, user_information=ciphered(w, policy=SecurityPolicy.ENCRYPTED)),
    ),
    "initiate of suite 1": (MANAGEMENT, lambda w, a: replace(a, user_information=ciphered(w, keys=SUITE_1_KEYS))),
    "initiate of another key": (MANAGEMENT, lambda w, a: replace(a, user_information=ciphered(w, keys=OTHER_KEYS))),
    "initiate of another system": (
        MANAGEMENT,
        lambda w, a: replace(a, user_information=ciphered(w, own_title=STRANGER)),
    ),
    "initiate that is no initiate": (
        MANAGEMENT,
        lambda w, a: replace(a, user_information=w.security(counters=counters(500)).protect(0xC8, GET)),
    ),
    "dedicated key that is not allowed": (
        MANAGEMENT,
        lambda w, a: replace(
            a,
            user_information=w.security(counters=counters(500)).protect(
                0x21, replace(REQUEST, dedicated_key=bytes(16)).encode()
            ),
        ),
    ),
    "no system title": (MANAGEMENT, lambda _w, a: replace(a, calling_ap_title=None)),
    "short system title": (MANAGEMENT, lambda _w, a: replace(a, calling_ap_title=GATEWAY.octets[:7])),
    "somebody else's system title": (MANAGEMENT, lambda _w, a: replace(a, calling_ap_title=STRANGER.octets)),
    "the meter's own system title": (MANAGEMENT, lambda _w, a: replace(a, calling_ap_title=METER.octets)),
    "no system title with mechanism 6": (RESIDENT, lambda _w, a: replace(a, calling_ap_title=None)),
    "the meter's own title with mechanism 6": (RESIDENT, lambda _w, a: replace(a, calling_ap_title=METER.octets)),
    "no challenge": (MANAGEMENT, lambda _w, a: replace(a, calling_authentication_value=None)),
    "challenge of 7 octets": (MANAGEMENT, lambda _w, a: replace(a, calling_authentication_value=bytes(7))),
    "challenge of 65 octets": (MANAGEMENT, lambda _w, a: replace(a, calling_authentication_value=bytes(65))),
    "challenge of 7 octets with mechanism 6": (
        RESIDENT,
        lambda _w, a: replace(a, calling_authentication_value=bytes(7)),
    ),
    "our own next challenge": (
        MANAGEMENT,
        lambda w, a: replace(a, calling_authentication_value=w.server["challenge_source"]()),
    ),
    "DLMS version 5": (PUBLIC, lambda _w, a: replace(a, user_information=replace(REQUEST, dlms_version=5).encode())),
    "the reader's AARQ on management": (MANAGEMENT, lambda w, _a: aarq_of(w, READER)),
    "the public's AARQ on management": (MANAGEMENT, lambda w, _a: aarq_of(w, PUBLIC)),
    "management's AARQ on the reader": (READER, lambda w, _a: aarq_of(w, MANAGEMENT)),
    "an AARQ to a SAP nobody has": (NOBODY, lambda w, _a: aarq_of(w, MANAGEMENT)),
}


def try_aarq(name: str) -> Pair:
    """What becomes of the connection after that AARQ."""
    sap, change = AARQS[name]
    world = handshake_world(server={"challenge_source": lambda: bytes(range(50, 66))})
    aarq = change(world, aarq_of(world, MANAGEMENT if sap == NOBODY else sap))
    pair = world.connect()
    aare = decode_aare(pair.serve(frame(aarq.encode(), sap))[8:])
    assert aare.result is AssociationResult.REJECTED_PERMANENT
    assert aare.responding_authentication_value is None
    return pair


@pytest.mark.parametrize("name", AARQS)
def test_an_aarq_that_asks_for_less_or_other_is_refused(name: str) -> None:
    assert_shut(try_aarq(name))


# --- the AARE: name -> (client SAP, what is changed) ---

AARES: dict[str, tuple[int, Callable[[World, Aare], Aare]]] = {
    "context without ciphering": (MANAGEMENT, lambda _w, a: replace(a, application_context=ApplicationContext.LN)),
    "accepted without authentication": (MANAGEMENT, lambda _w, a: replace(a, diagnostic=UserDiagnostic.NULL)),
    "accepted without authentication, mechanism 6": (
        RESIDENT,
        lambda _w, a: replace(a, diagnostic=UserDiagnostic.NULL),
    ),
    "accepted with a failure": (
        MANAGEMENT,
        lambda _w, a: replace(a, diagnostic=UserDiagnostic.AUTHENTICATION_FAILURE),
    ),
    **{
        f"mechanism {mechanism} instead of 5": (MANAGEMENT, lambda _w, a, m=mechanism: replace(a, mechanism=m))
        for mechanism in (None, *Mechanism)
        if mechanism is not Mechanism.HLS_GMAC
    },
    "mechanism 4 instead of 6": (RESIDENT, lambda _w, a: replace(a, mechanism=Mechanism.HLS_SHA1)),
    "no system title": (MANAGEMENT, lambda _w, a: replace(a, responding_ap_title=None)),
    "our own system title": (MANAGEMENT, lambda _w, a: replace(a, responding_ap_title=GATEWAY.octets)),
    "our own system title, mechanism 6": (RESIDENT, lambda _w, a: replace(a, responding_ap_title=GATEWAY.octets)),
    "another system's title": (MANAGEMENT, lambda _w, a: replace(a, responding_ap_title=STRANGER.octets)),
    "no challenge": (MANAGEMENT, lambda _w, a: replace(a, responding_authentication_value=None)),
    "challenge of 7 octets": (MANAGEMENT, lambda _w, a: replace(a, responding_authentication_value=bytes(7))),
    "our own challenge sent back": (
        MANAGEMENT,
        lambda w, a: replace(a, responding_authentication_value=w.client["challenge_source"]()),
    ),
    "plain initiate": (MANAGEMENT, lambda _w, a: replace(a, user_information=RESPONSE.encode())),
    "no initiate": (MANAGEMENT, lambda _w, a: replace(a, user_information=None)),
    "initiate authenticated only": (
        MANAGEMENT,
        lambda w, a: replace(
            a, user_information=meter(w, policy=SecurityPolicy.AUTHENTICATED).protect(0x28, RESPONSE.encode())
        ),
    ),
    "initiate of suite 1": (
        MANAGEMENT,
        lambda w, a: replace(a, user_information=meter(w, keys=SUITE_1_KEYS).protect(0x28, RESPONSE.encode())),
    ),
    "initiate of another key": (
        MANAGEMENT,
        lambda w, a: replace(a, user_information=meter(w, keys=OTHER_KEYS).protect(0x28, RESPONSE.encode())),
    ),
}


def try_aare(name: str) -> ClientAssociation:
    """What becomes of the client after that AARE."""
    sap, change = AARES[name]
    world = handshake_world(client={"challenge_source": lambda: bytes(range(70, 86))})
    pair = world.connect(sap)
    aare = decode_aare(pair.serve(pair.client.send(ev.Associate(), NOW))[8:])
    with pytest.raises(RemoteError):
        pair.client.receive_data(answer(change(world, aare).encode(), sap), NOW)
    return pair.client


@pytest.mark.parametrize("name", AARES)
def test_an_aare_that_gives_less_or_other_is_refused_and_gets_no_proof(name: str) -> None:
    client = try_aare(name)
    assert client.state is ClientState.CLOSED
    assert client.next_event() is None


def test_at_least_40_downgrades_are_in_these_tables() -> None:
    assert (len(AARQS), len(AARES)) == (42, 25)


def test_what_the_tables_change_does_come_in_when_it_is_not_changed() -> None:
    """Otherwise everything above would be refused for nothing."""
    for sap in (MANAGEMENT, READER, RESIDENT, PUBLIC):
        assert len(handshake_world().associate(sap).events_of(ev.AssociationOpened)) == 1


FAULTS: dict[str, tuple[str, object, list[str]]] = {
    "challenges are not looked at": (
        "dlms_objects.wire.challenge.RecentChallenges.is_fresh",
        lambda *_: True,
        ["challenge of 7 octets", "challenge of 65 octets", "challenge of 7 octets with mechanism 6"],
    ),
    "the context follows the peer": (
        "dlms_objects.wire.admission.context_of",
        lambda _policy: ApplicationContext.SN_CIPHERED,
        ["context of short names"],
    ),
    "dedicated keys are always allowed": (
        "dlms_objects.wire.admission._take_dedicated",
        lambda *_: None,
        ["dedicated key that is not allowed"],
    ),
    "titles are not compared": (
        "dlms_objects.values.system_title.SystemTitle.__eq__",
        lambda *_: False,
        ["the meter's own title with mechanism 6"],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_check_that_is_left_out_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place, fault, rows = FAULTS[name]
    monkeypatch.setattr(place, fault)
    for row in rows:
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            assert_shut(try_aarq(row))
