"""How a client opens an association: it accepts nothing weaker than, and nothing other than, what it asked for."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dlms_objects.errors import LocalError, RemoteError
from dlms_objects.values.results import ActionResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import events as ev
from dlms_objects.wire.acse import (
    Aare,
    ApplicationContext,
    Mechanism,
    ProviderDiagnostic,
    UserDiagnostic,
    decode_aare,
    decode_aarq,
)
from dlms_objects.wire.action import ActionResponseNormal
from dlms_objects.wire.agreement import Proposal, agree, draw_proposal, propose
from dlms_objects.wire.ciphered import GLO_TAGS
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.initiate import InitiateResponse, decode_initiate_request
from dlms_objects.wire.parameters import USUAL_CONFORMANCE, ClientParameters, RoleParameters
from dlms_objects.wire.policy import SecurityPolicy
from dlms_objects.wire.security import DecryptionError
from dlms_objects.wire.states import ClientState
from tests.support.associations import (
    GATEWAY,
    KEYS,
    MANAGEMENT,
    METER,
    NOW,
    OTHER_KEYS,
    PASSWORD,
    POLICIES,
    PUBLIC,
    REGISTER,
    RESIDENT,
    STRANGER,
    VALUE,
    Pair,
    World,
    answer,
    assert_closed,
    counters,
    events_after,
    meter,
)

CHALLENGE = bytes(range(16))
OWN = Proposal(challenge=CHALLENGE)
NOTHING = Proposal()
PROOF_HEAD = b"\x09\x11"
RESPONSE = InitiateResponse(conformance=USUAL_CONFORMANCE, max_pdu_size=65535)


def offered(world: World, sap: int) -> tuple[ClientParameters, Aare]:
    """A client's parameters, and the AARE that the server answers its AARQ with."""
    pair = world.connect(sap)
    aare = decode_aare(pair.serve(pair.client.send(ev.Associate(), NOW))[8:])
    return pair.client._parameters, aare


def test_the_aarq_carries_what_the_mechanism_needs_and_no_more() -> None:
    world = World()
    hls = decode_aarq(propose(world.client_parameters, OWN))
    assert (hls.mechanism, hls.calling_authentication_value) == (Mechanism.HLS_GMAC, CHALLENGE)
    assert hls.calling_ap_title == GATEWAY.octets
    assert hls.application_context is ApplicationContext.LN_CIPHERED
    lls = decode_aarq(propose(world.parameters_for(RESIDENT), NOTHING))
    assert (lls.mechanism, lls.calling_authentication_value) == (Mechanism.LLS, PASSWORD)
    public = decode_aarq(propose(world.parameters_for(PUBLIC, password=b"unused"), NOTHING))
    assert (public.mechanism, public.calling_authentication_value, public.calling_ap_title) == (None, None, None)
    assert not public.sender_acse_requirements


def test_what_was_asked_for_is_agreed_to() -> None:
    parameters, aare = offered(World(), MANAGEMENT)
    agreement = agree(aare, parameters, OWN)
    assert agreement.server_title == METER
    assert agreement.cipher is agreement.context
    assert agreement.handshake is not None
    assert agreement.handshake.server_challenge == aare.responding_authentication_value
    parameters, aare = offered(World(), PUBLIC)
    agreement = agree(aare, parameters, NOTHING)
    assert (agreement.server_title, agreement.cipher, agreement.handshake) == (None, None, None)
    provider = replace(aare, diagnostic=ProviderDiagnostic.NULL)
    assert agree(provider, parameters, NOTHING).conformance == USUAL_CONFORMANCE


@pytest.mark.parametrize(
    "changes",
    [
        {"application_context": ApplicationContext.LN},
        {"application_context": ApplicationContext.SN_CIPHERED},
        {"application_context": b"\x2a\x03"},
        {"diagnostic": UserDiagnostic.NULL},
        {"diagnostic": UserDiagnostic.NO_REASON_GIVEN},
        {"diagnostic": ProviderDiagnostic.NULL},
        {"mechanism": None},
        {"mechanism": Mechanism.LLS},
        {"mechanism": Mechanism.HLS_MD5},
        {"responding_ap_title": None},
        {"responding_ap_title": b""},
        {"responding_ap_title": METER.octets[:7]},
        {"responding_ap_title": STRANGER.octets},
        {"responding_ap_title": GATEWAY.octets},
        {"responding_authentication_value": None},
        {"responding_authentication_value": bytes(7)},
        {"responding_authentication_value": bytes(65)},
        {"responding_authentication_value": CHALLENGE},
        {"user_information": None},
        {"user_information": b""},
        {"user_information": RESPONSE.encode()},
        {"user_information": b"\x0e\x01\x06\x01"},
        {"user_information": b"\x28\x00"},
    ],
)
def test_an_aare_that_is_weaker_or_other_is_refused(changes: dict[str, Any]) -> None:
    parameters, aare = offered(World(), MANAGEMENT)
    with pytest.raises(RemoteError):
        agree(replace(aare, **changes), parameters, OWN)


@pytest.mark.parametrize(
    "changes",
    [
        {"application_context": ApplicationContext.LN_CIPHERED},
        {"diagnostic": UserDiagnostic.AUTHENTICATION_REQUIRED},
        {"user_information": None},
        {"user_information": b"\x0e\x01\x06\x01"},
        {"user_information": b"\x08\x00"},
        {"user_information": replace(RESPONSE, dlms_version=5).encode()},
        {"user_information": replace(RESPONSE, vaa_name=0xFA00).encode()},
        {"user_information": replace(RESPONSE, max_pdu_size=63).encode()},
    ],
)
def test_a_plain_aare_is_held_to_what_was_asked_for_too(changes: dict[str, Any]) -> None:
    parameters, aare = offered(World(), PUBLIC)
    with pytest.raises(RemoteError):
        agree(replace(aare, **changes), parameters, NOTHING)


def test_a_server_other_than_the_pinned_one_is_refused_though_it_has_the_key() -> None:
    world = World()
    parameters, aare = offered(world, MANAGEMENT)
    pinned = replace(parameters, security=world.security(peer_title=STRANGER))
    with pytest.raises(DecryptionError):
        agree(aare, pinned, OWN)
    again = replace(parameters, security=world.security(peer_title=METER))
    assert agree(aare, again, OWN).server_title == METER


def test_a_server_without_the_key_is_refused_and_no_counter_is_stored() -> None:
    world = World()
    parameters, aare = offered(world, MANAGEMENT)
    security = world.security(keys=OTHER_KEYS, counters=counters())
    with pytest.raises(DecryptionError):
        agree(aare, replace(parameters, security=security), OWN)
    assert security.counters.received.highest(METER) is None


def test_an_aare_cannot_be_replayed() -> None:
    parameters, aare = offered(World(), MANAGEMENT)
    agree(aare, parameters, OWN)
    with pytest.raises(DecryptionError):
        agree(aare, parameters, OWN)


def same_challenge(world: World) -> None:
    """Ask the meter twice; its challenge source repeats itself."""
    for _ in range(2):
        parameters, aare = offered(world, MANAGEMENT)
        agree(aare, replace(parameters, recent_challenges=world.client_parameters.recent_challenges), OWN)


def test_a_challenge_that_the_server_sent_before_is_refused() -> None:
    with pytest.raises(RemoteError, match="recent"):
        same_challenge(World(server={"challenge_source": lambda: b"always the same."}))
    same_challenge(World())


DEDICATED = bytes(range(200, 216))


def test_a_proposal_holds_a_fresh_challenge_and_a_fresh_dedicated_key_as_far_as_they_are_wanted() -> None:
    world = World()
    keys = iter((DEDICATED, DEDICATED[::-1]))
    parameters = world.parameters_for(MANAGEMENT, dedicated_key_source=lambda: next(keys))
    first, second = draw_proposal(parameters), draw_proposal(parameters)
    assert (first.dedicated_key, second.dedicated_key) == (DEDICATED, DEDICATED[::-1])
    assert first.challenge != second.challenge
    assert draw_proposal(world.client_parameters).dedicated_key is None
    assert draw_proposal(world.parameters_for(PUBLIC)) == NOTHING
    assert "challenge" not in repr(first)


@pytest.mark.parametrize("key", [b"", bytes(15), bytes(32), KEYS.authentication_key])
def test_a_source_that_gives_no_dedicated_key_of_the_suite_is_our_own_fault(key: bytes) -> None:
    parameters = World().parameters_for(MANAGEMENT, dedicated_key_source=lambda: key)
    with pytest.raises(LocalError):
        draw_proposal(parameters)


def test_the_aarq_brings_the_dedicated_key_under_the_global_one() -> None:
    world = World()
    aarq = decode_aarq(propose(world.client_parameters, replace(OWN, dedicated_key=DEDICATED)))
    information = aarq.user_information or b""
    assert DEDICATED not in information
    opened = meter(world).bound_to(GATEWAY).unprotect(information)
    assert decode_initiate_request(opened).dedicated_key == DEDICATED


def test_an_aare_under_a_dedicated_key_is_refused() -> None:
    world = World()
    parameters, aare = offered(world, MANAGEMENT)
    context = meter(world).bound_to(GATEWAY)
    context.use_dedicated(DEDICATED)
    for tag in (0x48, 0xDC):
        forged = replace(aare, user_information=context.protect(tag, RESPONSE.encode()))
        with pytest.raises(DecryptionError):
            agree(forged, parameters, replace(OWN, dedicated_key=DEDICATED))
    agreement = agree(aare, parameters, replace(OWN, dedicated_key=DEDICATED))
    assert agreement.context is not None
    assert agreement.context.has_dedicated_key


SECRET = b"a secret of 16 o"


@pytest.mark.parametrize(
    "changes",
    [
        {"mechanism": Mechanism.HLS_MD5},
        {"mechanism": Mechanism.HLS_GMAC},
        {"responding_ap_title": None},
        {"responding_ap_title": GATEWAY.octets},
        {"responding_authentication_value": CHALLENGE},
        {"responding_authentication_value": bytes(7)},
        {"diagnostic": UserDiagnostic.NULL},
    ],
)
def test_an_aare_that_changes_the_handshake_of_mechanism_6_is_refused(changes: dict[str, Any]) -> None:
    role = RoleParameters(name="resident", mechanism=Mechanism.HLS_SHA256, hls_secret=SECRET)
    parameters, aare = offered(World(roles={RESIDENT: role}), RESIDENT)
    with pytest.raises(RemoteError):
        agree(replace(aare, **changes), parameters, OWN)
    agreement = agree(aare, parameters, OWN)
    assert (agreement.server_title, agreement.context) == (METER, None)
    assert agreement.handshake is not None


def unlimited(information: bytes) -> Callable[[Aare], Aare]:
    return lambda aare: replace(aare, user_information=information)


def test_the_server_s_pdu_size_0_means_no_limit_and_unasked_services_are_not_agreed_to() -> None:
    parameters, aare = offered(World(), PUBLIC)
    generous = InitiateResponse(conformance=USUAL_CONFORMANCE | Conformance.ACCESS, max_pdu_size=0)
    agreement = agree(unlimited(generous.encode())(aare), parameters, NOTHING)
    assert (agreement.conformance, agreement.server_pdu_octets) == (USUAL_CONFORMANCE, 65535)


def test_hls_without_ciphering_takes_a_plain_initiate_response() -> None:
    world = World()
    role = replace(world.roles[MANAGEMENT], policy=SecurityPolicy.NONE)
    parameters, aare = offered(World(roles={MANAGEMENT: role}), MANAGEMENT)
    agreement = agree(aare, parameters, OWN)
    assert agreement.cipher is None
    assert agreement.context is not None
    assert agreement.server_title == SystemTitle(METER.octets)
    assert KEYS.cipher is agreement.context.keys.cipher


# --- HLS ---


def proving(world: World, **changes: Any) -> tuple[Pair, bytes]:
    """A client that has sent its proof and waits for the server's, and its own challenge."""
    pair = world.connect(**changes)
    aarq = pair.client.send(ev.Associate(), NOW)
    pair.client.receive_data(pair.serve(aarq), NOW)
    event = pair.client.next_event()
    assert isinstance(event, ev.SendOctets)
    assert pair.client.state is ClientState.HLS_PENDING
    return pair, pair.client._proposal.challenge


def pass_4(world: World, value: bytes | None, result: ActionResult = ActionResult.SUCCESS) -> bytes:
    response = ActionResponseNormal(result=result, value=value, invoke_id_and_priority=0xC1).encode()
    return answer(meter(world).protect(GLO_TAGS[0xC7], response), MANAGEMENT)


@pytest.mark.parametrize("general", [False, True])
@pytest.mark.parametrize("policy", POLICIES)
def test_both_sides_prove_themselves_under_every_policy(general: bool, policy: SecurityPolicy) -> None:
    role = replace(World().roles[MANAGEMENT], policy=policy)
    pair = World(roles={MANAGEMENT: role}, general=general).associate()
    assert pair.run(ev.Get(REGISTER)) == [ev.GetDone(VALUE)]
    assert len(pair.events_of(ev.AssociationOpened)) == 1


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"\x09\x11" + bytes(17),
        b"\x09\x10" + bytes(16),
        b"\x0a\x11" + bytes(17),
        b"\x09\x11",
    ],
)
def test_a_server_that_does_not_prove_itself_is_refused(value: bytes | None) -> None:
    world = World()
    pair, _ = proving(world)
    with pytest.raises(DecryptionError):
        pair.client.receive_data(pass_4(world, value), NOW)
    assert_closed(pair.client)


def test_a_proof_for_another_challenge_or_our_own_proof_sent_back_is_refused() -> None:
    for forge in (
        lambda world, _challenge: meter(world, counters=counters(80_000)).gmac(bytes(16)),
        lambda world, challenge: world.security(counters=counters(80_000)).gmac(challenge),
        lambda world, challenge: meter(world).gmac(challenge),
    ):
        world = World()
        pair, challenge = proving(world)
        with pytest.raises(DecryptionError):
            pair.client.receive_data(pass_4(world, PROOF_HEAD + forge(world, challenge)), NOW)
        assert_closed(pair.client)


def test_a_server_that_denies_our_proof_refuses_the_association() -> None:
    world = World()
    pair, _ = proving(world)
    (event,) = events_after(pair.client, pass_4(world, None, ActionResult.OTHER_REASON))
    assert isinstance(event, ev.AssociationRefused)
    assert event.diagnostic is UserDiagnostic.AUTHENTICATION_FAILURE
    assert_closed(pair.client)
