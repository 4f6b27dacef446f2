"""The world of the tables of downgrades and broken handshakes, and what both of them check."""

from typing import Any

from dlms_objects.wire import events as ev
from dlms_objects.wire.acse import Aarq, Mechanism, decode_aarq
from dlms_objects.wire.cipher_keys import CipherKeys, SecuritySuite
from dlms_objects.wire.parameters import RoleParameters
from dlms_objects.wire.states import ServerState
from tests.support.associations import (
    AUTHENTICATION_KEY,
    ENCRYPTION_KEY,
    NOW,
    RESIDENT,
    Pair,
    World,
)

SECRET = b"a secret of 16 o"
SUITE_1_KEYS = CipherKeys(
    global_unicast_encryption_key=ENCRYPTION_KEY, authentication_key=AUTHENTICATION_KEY, suite=SecuritySuite.SUITE_1
)


def handshake_world(**options: Any) -> World:
    """The usual roles; the resident has mechanism 6."""
    role = RoleParameters(name="resident", mechanism=Mechanism.HLS_SHA256, hls_secret=SECRET)
    return World(roles={RESIDENT: role}, **options)


def aarq_of(world: World, sap: int) -> Aarq:
    """What a rightful client of that SAP sends."""
    return decode_aarq(world.connect(sap).client.send(ev.Associate(), NOW)[8:])


def assert_shut(pair: Pair) -> None:
    """The server has refused, opened nothing and closed."""
    assert pair.server.state is ServerState.CLOSED
    assert pair.events_of(ev.AssociationRefusedEvent)
    assert not pair.events_of(ev.AssociationOpened)
    assert isinstance(pair.server_events[-1], ev.CloseConnection)
