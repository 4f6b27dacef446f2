"""Who is let in: the role decides, not the peer; each refusal with its cause and its diagnostic."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dlms_objects.wire.acse import (
    Aarq,
    ApplicationContext,
    AssociationResult,
    Mechanism,
    UserDiagnostic,
    decode_aare,
    decode_aarq,
)
from dlms_objects.wire.admission import Admission, Refusal, admit
from dlms_objects.wire.agreement import Proposal, propose
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.events import RefusalCause as Cause
from dlms_objects.wire.initiate import InitiateRequest
from dlms_objects.wire.parameters import HLS_MECHANISMS, USUAL_CONFORMANCE, RoleParameters
from dlms_objects.wire.policy import SecurityPolicy
from dlms_objects.wire.security import ReplayError
from tests.support.associations import (
    GATEWAY,
    GENERAL,
    KEYS,
    MANAGEMENT,
    METER,
    OTHER_KEYS,
    PASSWORD,
    PUBLIC,
    RESIDENT,
    SERVER_SAP,
    STRANGER,
    World,
    challenges,
)

CHALLENGE = bytes(range(16))
PLAIN_INITIATE = InitiateRequest(conformance=USUAL_CONFORMANCE, max_pdu_size=65535)
REQUIRED = UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED
NOT_RECOGNISED = UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED
OTHER_CONTEXT = UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED
FAILURE = UserDiagnostic.AUTHENTICATION_FAILURE
UNKNOWN_TITLE = UserDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED
NO_REASON = UserDiagnostic.NO_REASON_GIVEN


def rightful(world: World, sap: int = MANAGEMENT, challenge: bytes = CHALLENGE, **changes: Any) -> Aarq:
    """The AARQ of a rightful client."""
    parameters = world.parameters_for(sap, **changes)
    hls = parameters.mechanism in HLS_MECHANISMS
    return decode_aarq(propose(parameters, Proposal(challenge=challenge if hls else b"")))


def refused(world: World, aarq: Aarq, client_sap: int = MANAGEMENT, server_sap: int = SERVER_SAP) -> Refusal:
    with pytest.raises(Refusal) as caught:
        admit(aarq, world.server_parameters, client_sap, server_sap)
    aare = decode_aare(caught.value.aare(aarq).encode())
    assert aare.result is AssociationResult.REJECTED_PERMANENT
    assert aare.diagnostic is caught.value.diagnostic
    assert aare.responding_authentication_value is None
    return caught.value


def admitted(world: World, aarq: Aarq, client_sap: int) -> Admission:
    return admit(aarq, world.server_parameters, client_sap, SERVER_SAP)


def test_a_rightful_client_is_admitted_to_its_role() -> None:
    world = World(general=True)
    management = admitted(world, rightful(world), MANAGEMENT)
    assert (management.role.name, management.client_title) == ("management", GATEWAY)
    assert management.aare.diagnostic is UserDiagnostic.AUTHENTICATION_REQUIRED
    assert management.aare.responding_ap_title == METER.octets
    assert management.handshake is not None
    assert management.handshake.client_challenge == CHALLENGE
    assert management.handshake.server_challenge == management.aare.responding_authentication_value
    assert management.conformance == USUAL_CONFORMANCE | GENERAL
    assert management.cipher is management.context
    public = admitted(world, rightful(world, PUBLIC), PUBLIC)
    assert (public.client_title, public.context, public.handshake) == (None, None, None)
    assert public.aare.diagnostic is UserDiagnostic.NULL
    assert public.conformance == USUAL_CONFORMANCE
    assert admitted(world, rightful(world, RESIDENT), RESIDENT).role.name == "resident"


def test_the_mechanism_none_may_be_named_or_left_out() -> None:
    world = World()
    named = replace(rightful(world, PUBLIC), mechanism=Mechanism.NONE)
    assert admitted(world, named, PUBLIC).role.name == "public"


def test_hls_without_ciphering_is_possible_where_the_role_says_so() -> None:
    world = World()
    world.roles[MANAGEMENT] = replace(world.roles[MANAGEMENT], policy=SecurityPolicy.NONE)
    world = World(roles=world.roles)
    admission = admitted(world, rightful(world), MANAGEMENT)
    assert admission.cipher is None
    assert admission.context is not None


@pytest.mark.parametrize(
    ("sap", "changes", "cause", "diagnostic"),
    [
        (MANAGEMENT, {"application_context": ApplicationContext.LN}, Cause.APPLICATION_CONTEXT, OTHER_CONTEXT),
        (MANAGEMENT, {"application_context": ApplicationContext.SN_CIPHERED}, Cause.APPLICATION_CONTEXT, OTHER_CONTEXT),
        (MANAGEMENT, {"application_context": b"\x2a\x03"}, Cause.APPLICATION_CONTEXT, OTHER_CONTEXT),
        (MANAGEMENT, {"mechanism": None}, Cause.MECHANISM, REQUIRED),
        (MANAGEMENT, {"mechanism": Mechanism.NONE}, Cause.MECHANISM, REQUIRED),
        (MANAGEMENT, {"mechanism": Mechanism.LLS}, Cause.MECHANISM, NOT_RECOGNISED),
        (MANAGEMENT, {"mechanism": Mechanism.HLS_MD5}, Cause.MECHANISM, NOT_RECOGNISED),
        (MANAGEMENT, {"mechanism": Mechanism.HLS_SHA256}, Cause.MECHANISM, NOT_RECOGNISED),
        (MANAGEMENT, {"mechanism": b"\x2a\x03"}, Cause.MECHANISM, NOT_RECOGNISED),
        (MANAGEMENT, {"user_information": PLAIN_INITIATE.encode()}, Cause.UNPROTECTED, FAILURE),
        (MANAGEMENT, {"user_information": None}, Cause.UNPROTECTED, FAILURE),
        (RESIDENT, {"mechanism": None}, Cause.MECHANISM, REQUIRED),
        (RESIDENT, {"mechanism": Mechanism.HLS_GMAC}, Cause.MECHANISM, NOT_RECOGNISED),
        (PUBLIC, {"mechanism": Mechanism.HLS_GMAC}, Cause.MECHANISM, NOT_RECOGNISED),
        (PUBLIC, {"application_context": ApplicationContext.LN_CIPHERED}, Cause.APPLICATION_CONTEXT, OTHER_CONTEXT),
        (PUBLIC, {"application_context": ApplicationContext.SN}, Cause.APPLICATION_CONTEXT, OTHER_CONTEXT),
    ],
)
def test_a_downgrade_is_refused(sap: int, changes: dict[str, Any], cause: Cause, diagnostic: UserDiagnostic) -> None:
    world = World()
    refusal = refused(world, replace(rightful(world, sap), **changes), sap)
    assert (refusal.cause, refusal.diagnostic, refusal.failure) == (cause, diagnostic, None)
    assert world.received() is None


def test_a_client_cannot_take_a_role_by_another_sap_with_its_own_secret() -> None:
    world = World()
    assert refused(world, rightful(world, RESIDENT), MANAGEMENT).cause is Cause.APPLICATION_CONTEXT
    assert refused(world, rightful(world, PUBLIC), RESIDENT).cause is Cause.MECHANISM
    assert refused(world, rightful(world, MANAGEMENT), 2).cause is Cause.SECURITY


def test_an_unknown_sap_is_refused_on_either_side() -> None:
    world = World()
    client = refused(world, rightful(world), client_sap=99)
    assert (client.cause, client.diagnostic) == (Cause.UNKNOWN_CLIENT_SAP, UNKNOWN_TITLE)
    server = refused(world, rightful(world), server_sap=2)
    expected = (Cause.UNKNOWN_SERVER_SAP, UserDiagnostic.CALLED_AP_TITLE_NOT_RECOGNIZED)
    assert (server.cause, server.diagnostic) == expected


@pytest.mark.parametrize(
    ("title", "diagnostic"),
    [
        (None, UNKNOWN_TITLE),
        (b"", UNKNOWN_TITLE),
        (GATEWAY.octets[:7], UNKNOWN_TITLE),
        (GATEWAY.octets + b"\x00", UNKNOWN_TITLE),
        (METER.octets, FAILURE),
    ],
    ids=["missing", "empty", "short", "long", "the server's own: reflection"],
)
def test_a_system_title_that_cannot_be_the_client_is_refused(title: bytes | None, diagnostic: UserDiagnostic) -> None:
    world = World()
    refusal = refused(world, replace(rightful(world), calling_ap_title=title))
    assert (refusal.cause, refusal.diagnostic) == (Cause.SYSTEM_TITLE, diagnostic)


def test_a_role_can_name_its_only_clients() -> None:
    world = World()
    world = World(roles={MANAGEMENT: replace(world.roles[MANAGEMENT], client_titles=frozenset({GATEWAY}))})
    assert admitted(world, rightful(world), MANAGEMENT).client_title == GATEWAY
    stranger = world.security(own_title=STRANGER)
    refusal = refused(world, rightful(world, challenge=CHALLENGE[::-1], security=stranger))
    assert (refusal.cause, refusal.diagnostic) == (Cause.SYSTEM_TITLE, UNKNOWN_TITLE)


def altered_title(aarq: Aarq) -> Aarq:
    return replace(aarq, calling_ap_title=STRANGER.octets)


def altered_tag(aarq: Aarq) -> Aarq:
    information = aarq.user_information or b""
    return replace(aarq, user_information=information[:-1] + bytes((information[-1] ^ 1,)))


@pytest.mark.parametrize("alter", [altered_title, altered_tag])
def test_an_aarq_that_does_not_verify_is_refused_and_moves_no_counter(alter: Callable[[Aarq], Aarq]) -> None:
    world = World()
    refusal = refused(world, alter(rightful(world)))
    assert (refusal.cause, refusal.diagnostic) == (Cause.SECURITY, FAILURE)
    assert refusal.failure is not None
    assert world.received() is None
    assert world.received(title=STRANGER) is None


def test_a_wrong_key_is_refused_with_the_same_answer_as_a_replay() -> None:
    world = World()
    genuine = rightful(world)
    assert admitted(world, genuine, MANAGEMENT)
    wrong_key = rightful(world, security=world.security(keys=OTHER_KEYS))
    replayed = refused(world, genuine)
    assert isinstance(replayed.failure, ReplayError)
    assert replayed.aare(genuine) == refused(world, wrong_key).aare(wrong_key)
    assert world.received() == 0


@pytest.mark.parametrize("challenge", [None, b"", bytes(7), bytes(65)])
def test_a_challenge_that_is_missing_short_or_long_is_refused(challenge: bytes | None) -> None:
    world = World()
    refusal = refused(world, replace(rightful(world), calling_authentication_value=challenge))
    assert (refusal.cause, refusal.diagnostic) == (Cause.CHALLENGE, FAILURE)


def test_a_repeated_challenge_is_refused() -> None:
    world = World()
    assert admitted(world, rightful(world), MANAGEMENT)
    assert refused(world, rightful(world)).cause is Cause.CHALLENGE


def test_our_challenge_is_never_the_client_s_own() -> None:
    world = World(server={"challenge_source": lambda: CHALLENGE})
    assert refused(world, rightful(world)).cause is Cause.CHALLENGE
    handshake = admitted(world, rightful(world, challenge=CHALLENGE[::-1]), MANAGEMENT).handshake
    assert handshake is not None
    assert handshake.server_challenge == CHALLENGE


@pytest.mark.parametrize("password", [None, b"", PASSWORD[:-1], PASSWORD + b"\x00", b"A password"])
def test_a_wrong_password_is_refused(password: bytes | None) -> None:
    world = World()
    refusal = refused(world, replace(rightful(world, RESIDENT), calling_authentication_value=password), RESIDENT)
    assert (refusal.cause, refusal.diagnostic) == (Cause.PASSWORD, FAILURE)


@pytest.mark.parametrize("information", [None, b"", b"\x08", b"\x01", b"\x01\x00\x00\x00\x06\x5f", bytes(40)])
def test_an_initiate_that_is_none_is_refused(information: bytes | None) -> None:
    world = World()
    refusal = refused(world, replace(rightful(world, PUBLIC), user_information=information), PUBLIC)
    assert (refusal.cause, refusal.diagnostic) == (Cause.INITIATE, NO_REASON)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"dlms_version": 5}, 1),
        ({"dlms_version": 7}, 1),
        ({"conformance": Conformance.READ}, 2),
        ({"max_pdu_size": 12}, 3),
        ({"max_pdu_size": 63}, 3),
        ({"dedicated_key": bytes(16)}, 4),
        ({"dedicated_key": b""}, 4),
        ({"response_allowed": False}, 4),
    ],
)
def test_a_proposal_we_cannot_serve_is_refused_with_its_initiate_error(changes: dict[str, Any], error: int) -> None:
    world = World()
    information = replace(PLAIN_INITIATE, **changes).encode()
    aarq = replace(rightful(world, PUBLIC), user_information=information)
    refusal = refused(world, aarq, PUBLIC)
    assert refusal.initiate_error == error
    assert refusal.aare(aarq).user_information == bytes((0x0E, 1, 6, error))


DEDICATED = bytes(range(200, 216))


def dedicated_world() -> World:
    """Management may bring a dedicated key."""
    return World(roles={MANAGEMENT: replace(World().roles[MANAGEMENT], allows_dedicated_key=True)})


def bringing(world: World, key: bytes, challenge: bytes = CHALLENGE) -> Aarq:
    """A rightful AARQ with a dedicated key, whatever it is."""
    aarq = rightful(world, challenge=challenge)
    information = replace(PLAIN_INITIATE, dedicated_key=key).encode()
    return replace(aarq, user_information=world.security().protect(0x21, information))


def test_a_dedicated_key_is_used_where_the_role_allows_it() -> None:
    world = dedicated_world()
    context = admitted(world, bringing(world, DEDICATED), MANAGEMENT).context
    assert context is not None
    assert context.has_dedicated_key
    without = admitted(world, rightful(world, challenge=CHALLENGE[::-1]), MANAGEMENT).context
    assert without is not None
    assert not without.has_dedicated_key


@pytest.mark.parametrize(
    "key",
    [
        b"",
        DEDICATED[:15],
        DEDICATED + b"\x00",
        DEDICATED * 2,
        KEYS.authentication_key,
        KEYS.global_unicast_encryption_key,
    ],
    ids=["empty", "short", "long", "of suite 2", "the authentication key", "the global key"],
)
def test_a_dedicated_key_of_the_wrong_kind_is_refused(key: bytes) -> None:
    world = dedicated_world()
    refusal = refused(world, bringing(world, key))
    assert (refusal.cause, refusal.initiate_error) == (Cause.INITIATE, 4)


def test_a_dedicated_key_that_the_role_does_not_allow_is_refused() -> None:
    world = World()
    assert refused(world, bringing(world, DEDICATED)).initiate_error == 4


def test_a_dedicated_key_is_refused_the_second_time() -> None:
    world = dedicated_world()
    assert admitted(world, bringing(world, DEDICATED), MANAGEMENT)
    assert refused(world, bringing(world, DEDICATED, CHALLENGE[::-1])).initiate_error == 4
    assert admitted(world, bringing(world, DEDICATED[::-1], bytes(16)), MANAGEMENT)


def test_an_initiate_request_under_a_dedicated_key_is_refused() -> None:
    world = dedicated_world()
    context = world.security().bound_to(METER)
    context.use_dedicated(DEDICATED)
    for tag in (0x41, 0xDC):
        information = context.protect(tag, PLAIN_INITIATE.encode())
        refusal = refused(world, replace(rightful(world), user_information=information))
        assert (refusal.cause, refusal.diagnostic) == (Cause.UNPROTECTED, FAILURE)


SECRET = b"a secret of 16 o"


def sha_256_world(**changes: Any) -> World:
    """The resident proves a secret with mechanism 6, and is not ciphered."""
    role = RoleParameters(name="resident", mechanism=Mechanism.HLS_SHA256, hls_secret=SECRET, **changes)
    return World(roles={RESIDENT: role})


def test_mechanism_6_needs_no_keys_but_the_titles() -> None:
    world = sha_256_world()
    admission = admitted(world, rightful(world, RESIDENT), RESIDENT)
    assert (admission.client_title, admission.context, admission.cipher) == (GATEWAY, None, None)
    assert admission.handshake is not None
    assert admission.aare.responding_ap_title == METER.octets
    assert admission.aare.mechanism is Mechanism.HLS_SHA256


@pytest.mark.parametrize("title", [None, GATEWAY.octets[:7], METER.octets])
def test_mechanism_6_refuses_a_title_that_cannot_be_the_client_s(title: bytes | None) -> None:
    world = sha_256_world()
    aarq = replace(rightful(world, RESIDENT), calling_ap_title=title)
    assert refused(world, aarq, RESIDENT).cause is Cause.SYSTEM_TITLE


def test_a_role_with_mechanism_6_can_name_its_only_clients() -> None:
    world = sha_256_world(client_titles=frozenset({STRANGER}))
    assert refused(world, rightful(world, RESIDENT), RESIDENT).cause is Cause.SYSTEM_TITLE


def test_challenges_are_remembered_by_sap_where_there_is_no_title() -> None:
    legacy = {"mechanism": Mechanism.HLS_MD5, "legacy_mechanism": Mechanism.HLS_MD5, "hls_secret": SECRET}
    role = RoleParameters(name="resident", **legacy)  # type: ignore[arg-type]
    world = World(roles={RESIDENT: role})
    admission = admitted(world, rightful(world, RESIDENT), RESIDENT)
    assert (admission.client_title, admission.aare.responding_ap_title) == (None, None)
    assert refused(world, rightful(world, RESIDENT), RESIDENT).cause is Cause.CHALLENGE


@pytest.mark.parametrize(("proposed", "octets"), [(0, 65535), (64, 64), (1024, 1024)])
def test_the_client_s_pdu_size_is_kept_and_0_means_no_limit(proposed: int, octets: int) -> None:
    world = World()
    information = replace(PLAIN_INITIATE, max_pdu_size=proposed).encode()
    aarq = replace(rightful(world, PUBLIC), user_information=information)
    assert admitted(world, aarq, PUBLIC).client_pdu_octets == octets


def test_a_refusal_never_shows_a_key_or_a_password() -> None:
    world = World(server={"challenge_source": challenges(5)})
    refusal = refused(world, replace(rightful(world, RESIDENT), calling_authentication_value=b"CANARY"), RESIDENT)
    assert "CANARY" not in f"{refusal}{refusal!r}{refusal.args}"
    assert KEYS.authentication_key.hex() not in repr(world.server_parameters)
