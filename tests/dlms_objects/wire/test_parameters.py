"""Parameters: a mechanism or a policy without what it needs cannot be made, and no secret is ever shown."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.acse import ApplicationContext, Mechanism
from dlms_objects.wire.cipher_keys import CipherKeys
from dlms_objects.wire.parameters import ClientParameters, RoleParameters, ServerParameters, context_of
from dlms_objects.wire.policy import SecurityPolicy
from tests.support.associations import AE, GATEWAY, KEYS, PASSWORD, POLICIES, RESIDENT, World, challenges

SECRET = b"SECRET-16-octets"


@pytest.mark.parametrize(
    "values",
    [
        {"mechanism": Mechanism.HLS},
        {"mechanism": Mechanism.HLS_ECDSA},
        {"mechanism": Mechanism.HLS_MD5, "hls_secret": SECRET},
        {"mechanism": Mechanism.HLS_SHA1, "hls_secret": SECRET},
        {"mechanism": Mechanism.HLS_MD5, "hls_secret": SECRET, "legacy_mechanism": Mechanism.HLS_SHA1},
        {"mechanism": Mechanism.HLS_MD5, "legacy_mechanism": Mechanism.HLS_MD5},
        {"mechanism": Mechanism.HLS_SHA256, "hls_secret": SECRET, "legacy_mechanism": Mechanism.HLS_SHA256},
        {"mechanism": Mechanism.NONE, "legacy_mechanism": Mechanism.HLS_MD5},
        {"mechanism": Mechanism.HLS_SHA256},
        {"mechanism": Mechanism.HLS_SHA256, "password": SECRET},
        {"mechanism": Mechanism.HLS_SHA256, "hls_secret": SECRET[:7]},
        {"mechanism": Mechanism.HLS_SHA256, "hls_secret": bytes(65)},
        {"mechanism": Mechanism.LLS},
        {"mechanism": Mechanism.LLS, "password": b""},
        {"mechanism": Mechanism.HLS_GMAC},
    ],
)
def test_a_mechanism_without_what_it_needs_is_refused_on_both_sides(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        RoleParameters(name="role", **values)
    with pytest.raises(InvalidValueError):
        ClientParameters(client_sap=1, server_sap=1, **values)


LEGACY = [Mechanism.HLS_MD5, Mechanism.HLS_SHA1]


@pytest.mark.parametrize("mechanism", [*LEGACY, Mechanism.HLS_SHA256])
@pytest.mark.parametrize("octets", [8, 64])
def test_a_hash_mechanism_with_its_secret_is_possible_and_a_broken_one_only_by_name(
    mechanism: Mechanism, octets: int
) -> None:
    named = mechanism if mechanism in LEGACY else None
    values: dict[str, Any] = {"mechanism": mechanism, "legacy_mechanism": named, "hls_secret": bytes(octets)}
    role = RoleParameters(name="role", **values)
    assert role.needs_title is (mechanism is Mechanism.HLS_SHA256)
    client = ClientParameters(client_sap=1, server_sap=1, challenge_source=challenges(), system_title=GATEWAY, **values)
    assert (client.own_title, client.needs_title) == (GATEWAY, role.needs_title)


def test_mechanism_6_needs_a_title_from_wherever_it_comes() -> None:
    values: dict[str, Any] = {
        **{"client_sap": 1, "server_sap": 1, "challenge_source": challenges()},
        **{"mechanism": Mechanism.HLS_SHA256, "hls_secret": SECRET},
    }
    with pytest.raises(InvalidValueError):
        ClientParameters(**values)
    assert ClientParameters(**values, security=World().security()).own_title == GATEWAY


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{policy.version_1:02x}")
def test_a_dedicated_key_is_possible_only_where_requests_are_encrypted(policy: SecurityPolicy) -> None:
    world = World()
    client = partial(
        replace, world.client_parameters, security=world.security(policy=policy), dedicated_key_source=lambda: bytes(16)
    )
    role = partial(RoleParameters, name="role", policy=policy, keys=KEYS, allows_dedicated_key=True)
    if policy.request.is_encrypted:
        assert role().allows_dedicated_key
        assert client().dedicated_key_source is not None
        return
    for make in (role, client):
        with pytest.raises(InvalidValueError):
            make()


def test_a_client_never_uses_a_server_s_security_context() -> None:
    world = World()
    with pytest.raises(InvalidValueError):
        replace(world.client_parameters, security=world.security(is_server=True))


def test_a_policy_without_keys_and_hls_without_a_challenge_source_are_refused() -> None:
    with pytest.raises(InvalidValueError):
        RoleParameters(name="role", policy=AE)
    security = World().security()
    with pytest.raises(InvalidValueError):
        ClientParameters(client_sap=1, server_sap=1, mechanism=Mechanism.HLS_GMAC, security=security)


@pytest.mark.parametrize("max_pdu", [0, 63, 65536])
def test_a_pdu_size_is_64_to_65535(max_pdu: int) -> None:
    world = World()
    with pytest.raises(InvalidValueError):
        replace(world.client_parameters, max_pdu=max_pdu)
    with pytest.raises(InvalidValueError):
        replace(world.server_parameters, max_pdu=max_pdu)


def test_two_roles_never_share_an_encryption_key() -> None:
    world = World()
    twin = CipherKeys(global_unicast_encryption_key=KEYS.global_unicast_encryption_key, authentication_key=bytes(16))
    role = RoleParameters(name="twin", mechanism=Mechanism.HLS_GMAC, policy=AE, keys=twin)
    with pytest.raises(InvalidValueError):
        replace(world.server_parameters, roles=world.roles | {77: role})


def test_the_context_says_whether_apdus_are_ciphered() -> None:
    assert context_of(SecurityPolicy.NONE) is ApplicationContext.LN
    assert {context_of(policy) for policy in POLICIES[1:]} == {ApplicationContext.LN_CIPHERED}
    assert World().client_parameters.policy is AE
    assert ClientParameters(client_sap=16, server_sap=1).policy is SecurityPolicy.NONE


def test_no_secret_is_shown() -> None:
    world = World()
    parameters: list[ClientParameters | ServerParameters | RoleParameters] = [
        world.parameters_for(RESIDENT),
        world.client_parameters,
        world.server_parameters,
        *world.roles.values(),
        ClientParameters(
            client_sap=1, server_sap=1, mechanism=Mechanism.LLS, password=PASSWORD, challenge_source=challenges()
        ),
        RoleParameters(name="role", mechanism=Mechanism.HLS_SHA256, hls_secret=SECRET),
        ClientParameters(
            client_sap=1,
            server_sap=1,
            mechanism=Mechanism.HLS_SHA256,
            hls_secret=SECRET,
            system_title=GATEWAY,
            challenge_source=challenges(),
        ),
    ]
    for shown in parameters:
        assert PASSWORD.decode() not in repr(shown)
        assert SECRET.decode() not in repr(shown)
        assert repr(KEYS.authentication_key)[2:-1] not in repr(shown)
        assert repr(KEYS.global_unicast_encryption_key)[2:-1] not in repr(shown)


@pytest.mark.parametrize("block_window", [0, 64])
def test_a_window_is_1_to_63_general_blocks(block_window: int) -> None:
    world = World()
    with pytest.raises(InvalidValueError):
        replace(world.client_parameters, block_window=block_window)
    with pytest.raises(InvalidValueError):
        replace(world.server_parameters, block_window=block_window)
