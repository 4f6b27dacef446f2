"""The gurux-dlms client, with its own ciphers, against our server association: mechanisms, suites, dedicated keys."""

import pytest
from gurux_dlms.enums import Authentication, Security
from gurux_dlms.objects.enums import SecuritySuite as GuruxSuite

from dlms_objects.wire import events as ev
from dlms_objects.wire.acse import Mechanism
from dlms_objects.wire.cipher_keys import SecuritySuite
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.parameters import LEGACY_MECHANISMS, USUAL_CONFORMANCE, RoleParameters
from dlms_objects.wire.policy import Protection, SecurityPolicy
from tests.support.associations import GATEWAY, MANAGEMENT, REGISTER, VALUE, Pair, World
from tests.support.contexts import DEDICATED, keys_of
from tests.support.gurux_client import GuruxClient

SECRET = b"a secret of 16 o"
MECHANISMS = {
    Mechanism.LLS: Authentication.LOW,
    Mechanism.HLS_MD5: Authentication.HIGH_MD5,
    Mechanism.HLS_SHA1: Authentication.HIGH_SHA1,
    Mechanism.HLS_GMAC: Authentication.HIGH_GMAC,
    Mechanism.HLS_SHA256: Authentication.HIGH_SHA256,
}
PROTECTIONS = [Protection.AUTHENTICATED, Protection.ENCRYPTED, Protection.AUTHENTICATED_ENCRYPTED]


def meeting(
    *,
    mechanism: Mechanism = Mechanism.HLS_GMAC,
    suite: SecuritySuite = SecuritySuite.SUITE_0,
    protection: Protection = Protection.AUTHENTICATED_ENCRYPTED,
    conformance: Conformance = USUAL_CONFORMANCE,
    dedicated: bool = False,
) -> tuple[GuruxClient, Pair]:
    """A gurux client and the server it talks to in memory."""
    keys = keys_of(suite)
    role = RoleParameters(
        name="management",
        mechanism=mechanism,
        legacy_mechanism=mechanism if mechanism in LEGACY_MECHANISMS else None,
        policy=SecurityPolicy.both_ways(protection),
        keys=keys,
        password=SECRET,
        hls_secret=SECRET,
        conformance=conformance,
        allows_dedicated_key=dedicated,
    )
    pair = World(roles={MANAGEMENT: role}).connect()
    peer = GuruxClient(pair.serve, public_sap=MANAGEMENT)
    client, ciphering = peer.client, peer.client.ciphering
    client.authentication = MECHANISMS[mechanism]
    client.password = SECRET
    ciphering.security, ciphering.securitySuite = Security(protection), GuruxSuite(suite.value)
    ciphering.systemTitle = bytearray(GATEWAY.octets)
    ciphering.blockCipherKey = bytearray(keys.global_unicast_encryption_key)
    ciphering.authenticationKey = bytearray(keys.authentication_key)
    ciphering.invocationCounter = 1
    if dedicated:
        ciphering.dedicatedKey = bytearray(DEDICATED * (suite.key_octets // 16))
    return peer, pair


def does_its_business(peer: GuruxClient, pair: Pair) -> None:
    """Associate, read, release."""
    pair.values[REGISTER] = VALUE
    peer.associate()
    assert peer.read(3, "1.0.1.8.0.255", 2) == int.from_bytes(VALUE[1:], "big")
    peer.release()
    assert not pair.events_of(ev.SecurityFailed)
    assert len(pair.events_of(ev.AssociationOpened)) == len(pair.events_of(ev.AssociationClosed)) == 1


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_gurux_opens_with_every_mechanism(mechanism: Mechanism) -> None:
    does_its_business(*meeting(mechanism=mechanism))


@pytest.mark.parametrize("suite", SecuritySuite)
@pytest.mark.parametrize("protection", PROTECTIONS)
def test_gurux_speaks_every_suite_and_protection(suite: SecuritySuite, protection: Protection) -> None:
    does_its_business(*meeting(suite=suite, protection=protection))


@pytest.mark.parametrize("suite", SecuritySuite)
def test_gurux_uses_a_dedicated_key(suite: SecuritySuite) -> None:
    peer, pair = meeting(suite=suite, dedicated=True)
    does_its_business(peer, pair)
    assert 0xD0 in {frame[8] for frame in pair.requests}
    assert 0xD4 in {frame[8] for frame in pair.answers}
