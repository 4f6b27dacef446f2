"""Security contexts that face each other: the gateway sends, the meter receives, whatever the keys and the policy."""

from typing import Any

from dlms_objects.wire.cipher_keys import CipherKeys, SecuritySuite
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from dlms_objects.wire.policy import SecurityPolicy
from dlms_objects.wire.security import BoundContext, SecurityContext
from tests.support.associations import AE, GATEWAY, KEYS, METER, counters

GET = bytes.fromhex("c001c100030100010800ff0200")
CHALLENGE = bytes(range(16))
DEDICATED = bytes(range(200, 216))


def sender(policy: SecurityPolicy = AE, first: int = 7, **changes: Any) -> SecurityContext:
    """The gateway."""
    values: dict[str, Any] = {"keys": KEYS, "own_title": GATEWAY, "counters": counters(first), "policy": policy}
    return SecurityContext(**values | changes)


def receiver(policy: SecurityPolicy = AE, highest: int | None = None, **changes: Any) -> BoundContext:
    """The meter, bound to the gateway; `highest` is what it accepted before."""
    received = MemoryReceivedCounters({} if highest is None else {GATEWAY: highest})
    both = Counters(sent=MemorySentCounters(), received=received)
    values: dict[str, Any] = {"keys": KEYS, "own_title": METER, "counters": both, "policy": policy, "is_server": True}
    return SecurityContext(**values | changes).bound_to(GATEWAY)


def stored(context: BoundContext) -> int | None:
    """The highest counter that the meter stored for the gateway."""
    return context.counters.received.highest(GATEWAY)


def keys_of(suite: SecuritySuite) -> CipherKeys:
    """Keys that begin with the same 16 octets in every suite."""
    return CipherKeys(
        global_unicast_encryption_key=bytes(range(suite.key_octets)),
        authentication_key=bytes(range(100, 100 + suite.key_octets)),
        suite=suite,
    )


def with_dedicated(context: BoundContext, key: bytes | None = None) -> BoundContext:
    """The same context, once a dedicated key is agreed on: by default one that fits the suite."""
    context.use_dedicated(DEDICATED * (context.suite.key_octets // 16) if key is None else key)
    return context
