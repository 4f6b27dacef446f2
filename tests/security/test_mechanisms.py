"""Every mechanism, suite and policy between our client and our server: they open, serve, and close."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dlms_objects.wire import events as ev
from dlms_objects.wire.acse import Mechanism
from dlms_objects.wire.cipher_keys import SecuritySuite
from dlms_objects.wire.ciphered import GENERAL_DED_CIPHERING, GENERAL_GLO_CIPHERING
from dlms_objects.wire.parameters import LEGACY_MECHANISMS, RoleParameters
from dlms_objects.wire.policy import SecurityPolicy
from tests.support.associations import (
    JOURNAL,
    MANAGEMENT,
    PASSWORD,
    POLICIES,
    REGISTER,
    VALUE,
    Pair,
    World,
    byte_by_byte,
    whole,
)
from tests.support.contexts import DEDICATED, keys_of

SECRET = b"a secret of 16 o"
MECHANISMS = [
    Mechanism.NONE,
    Mechanism.LLS,
    Mechanism.HLS_MD5,
    Mechanism.HLS_SHA1,
    Mechanism.HLS_GMAC,
    Mechanism.HLS_SHA256,
]


def world_of(mechanism: Mechanism, policy: SecurityPolicy, suite: SecuritySuite, **changes: Any) -> World:
    """A world whose management role is that one."""
    role = RoleParameters(
        name="management",
        mechanism=mechanism,
        legacy_mechanism=mechanism if mechanism in LEGACY_MECHANISMS else None,
        policy=policy,
        keys=keys_of(suite),
        password=PASSWORD,
        hls_secret=SECRET,
        conformance=World().roles[MANAGEMENT].conformance,
        **changes,
    )
    return World(roles={MANAGEMENT: role}, general=True)


def used(pair: Pair) -> None:
    """Read, write, read in blocks, act, release."""
    pair.values[JOURNAL] = b"\x09\x82\x07\xd0" + bytes(2000)
    assert pair.run(ev.Get(REGISTER)) == [ev.GetDone(VALUE)]
    assert pair.run(ev.Get(JOURNAL)) == [ev.GetDone(pair.values[JOURNAL])]
    assert pair.run(ev.Set(REGISTER, b"\x11\x01"))[-1].result == 0
    assert pair.run(ev.Get(REGISTER)) == [ev.GetDone(b"\x11\x01")]
    assert pair.run(ev.Release()) == [ev.Released()]
    assert not pair.events_of(ev.SecurityFailed)
    assert len(pair.events_of(ev.AssociationOpened)) == len(pair.events_of(ev.AssociationClosed)) == 1


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("policy", [SecurityPolicy.of_version_0(number) for number in range(4)])
@pytest.mark.parametrize("cut", [whole, byte_by_byte])
def test_every_mechanism_opens_an_association_under_every_policy(
    mechanism: Mechanism, policy: SecurityPolicy, cut: Callable[[bytes], Iterator[bytes]]
) -> None:
    pair = world_of(mechanism, policy, SecuritySuite.SUITE_0).connect(max_pdu=512)
    pair.cut = cut
    assert isinstance(pair.run(ev.Associate())[-1], ev.Associated)
    used(pair)


@pytest.mark.parametrize("suite", SecuritySuite)
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{policy.version_1:02x}")
def test_every_suite_serves_under_every_policy(suite: SecuritySuite, policy: SecurityPolicy) -> None:
    used(world_of(Mechanism.HLS_GMAC, policy, suite).associate(max_pdu=512))


@pytest.mark.parametrize("suite", SecuritySuite)
@pytest.mark.parametrize("general", [False, True])
@pytest.mark.parametrize("mechanism", [Mechanism.LLS, Mechanism.HLS_GMAC, Mechanism.HLS_SHA256])
@pytest.mark.parametrize("bits", [0x08, 0x0C, 0x4C, 0x6C])
def test_services_are_ciphered_with_the_dedicated_key_where_the_client_brings_one(
    suite: SecuritySuite, general: bool, mechanism: Mechanism, bits: int
) -> None:
    policy = SecurityPolicy.of_version_1(bits)
    world = world_of(mechanism, policy, suite, allows_dedicated_key=True)
    world.general = general
    pair = world.associate(dedicated_key_source=lambda: DEDICATED * (suite.key_octets // 16), max_pdu=512)
    before = len(pair.requests)
    used(pair)
    dedicated = {GENERAL_DED_CIPHERING} if general else {0xD0, 0xD1}
    assert {frame[8] for frame in pair.requests[before:-1]} == dedicated
    if policy.response:
        assert {frame[8] for frame in pair.answers[before:-1]} <= {GENERAL_DED_CIPHERING, 0xD4, 0xD5}
    opening = {frame[8] for frame in pair.requests[:before]}
    assert not opening & {GENERAL_DED_CIPHERING, *range(0xD0, 0xD8)}, "the proof goes under the global key"
    if mechanism is not Mechanism.LLS:
        assert opening == {0x60, GENERAL_GLO_CIPHERING if general else 0xCB}


def test_each_association_has_a_dedicated_key_of_its_own() -> None:
    world = world_of(
        Mechanism.HLS_GMAC, SecurityPolicy.AUTHENTICATED_ENCRYPTED, SecuritySuite.SUITE_0, allows_dedicated_key=True
    )
    keys = iter((DEDICATED, DEDICATED[::-1], DEDICATED))
    pair = world.connect(dedicated_key_source=lambda: next(keys))
    for _ in range(2):
        assert isinstance(pair.run(ev.Associate())[-1], ev.Associated)
        assert pair.run(ev.Get(REGISTER)) == [ev.GetDone(VALUE)]
        assert pair.run(ev.Release()) == [ev.Released()]
    assert isinstance(pair.run(ev.Associate())[-1], ev.AssociationRefused), "a dedicated key came twice"
