"""What the association engines are told at the start: the client's side, the server's roles, limits and deadlines.

Here: checked values, nothing that changes. Secrets never appear in repr. Imported by the engines and by who makes them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.acse import ApplicationContext, Mechanism
from dlms_objects.wire.challenge import ChallengeSource, RecentChallenges
from dlms_objects.wire.cipher_keys import CipherKeys
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.counters import Counters
from dlms_objects.wire.general_block import MAXIMUM_WINDOW
from dlms_objects.wire.policy import SecurityPolicy
from dlms_objects.wire.security import SecurityContext

HASH_MECHANISMS = frozenset({Mechanism.HLS_MD5, Mechanism.HLS_SHA1, Mechanism.HLS_SHA256})
"""High-level security by a shared secret that is hashed with the challenges."""
LEGACY_MECHANISMS = frozenset({Mechanism.HLS_MD5, Mechanism.HLS_SHA1})
"""Broken hashes: spoken only where the parameters name them as `legacy_mechanism`."""
HLS_MECHANISMS = HASH_MECHANISMS | {Mechanism.HLS_GMAC}
"""High-level security: both sides prove themselves."""
_SHORTEST_SECRET_OCTETS, _LONGEST_SECRET_OCTETS = 8, 64
SMALLEST_PDU_OCTETS = 64
LARGEST_PDU_OCTETS = 65535
USUAL_WINDOW = 16

USUAL_CONFORMANCE = (
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.DATA_NOTIFICATION
    | Conformance.ACCESS
    | Conformance.GET
    | Conformance.SET
    | Conformance.SELECTIVE_ACCESS
    | Conformance.EVENT_NOTIFICATION
    | Conformance.ACTION
)
"""What both of our roles do unless told otherwise; GENERAL_PROTECTION and GENERAL_BLOCK_TRANSFER may be added."""


def context_of(policy: SecurityPolicy) -> ApplicationContext:
    """The application context that goes with a policy."""
    return ApplicationContext.LN_CIPHERED if policy.is_ciphered else ApplicationContext.LN


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientParameters:
    """One client of one server. InvalidValueError when the mechanism lacks what it needs.

    `security` holds keys, titles, counters and policy; its `peer_title` pins the server. Without it, `system_title` is
    ours (mechanism 6 needs one). `password` is the secret of LLS, `hls_secret` (8..64 octets) that of mechanisms 3, 4
    and 6; 3 and 4 have to be named as `legacy_mechanism` too. `dedicated_key_source` gives a random key for each
    association (16 or 32 octets, as the suite wants); then services are ciphered with it.

    `max_pdu` (64..65535) is the longest APDU we take, `maximum_transfer_octets` the longest value in blocks,
    `block_window` (1..63) how many general blocks at a time, `answer_timeout_s` how long a request may stay unanswered.
    `recent_challenges` is shared by all associations with
    the same servers.
    """

    client_sap: int
    server_sap: int
    mechanism: Mechanism = Mechanism.NONE
    legacy_mechanism: Mechanism | None = None
    password: bytes | None = field(default=None, repr=False)
    hls_secret: bytes | None = field(default=None, repr=False)
    security: SecurityContext | None = field(default=None, repr=False)
    system_title: SystemTitle | None = None
    dedicated_key_source: Callable[[], bytes] | None = field(default=None, repr=False)
    challenge_source: ChallengeSource | None = field(default=None, repr=False)
    recent_challenges: RecentChallenges = field(default_factory=RecentChallenges, repr=False)
    conformance: Conformance = USUAL_CONFORMANCE
    max_pdu: int = LARGEST_PDU_OCTETS
    maximum_transfer_octets: int = 16 * 1024 * 1024
    block_window: int = USUAL_WINDOW
    answer_timeout_s: float = 10.0

    def __post_init__(self) -> None:
        """Check what belongs together."""
        _check_mechanism(self, has_keys=self.security is not None)
        _check_pdu(self.max_pdu, self.block_window)
        if self.mechanism in HLS_MECHANISMS and self.challenge_source is None:
            raise InvalidValueError("high-level security needs a challenge source")
        if self.mechanism is Mechanism.HLS_SHA256 and self.own_title is None:
            raise InvalidValueError("HLS 6 needs a system title")
        if self.security is not None and self.security.is_server:
            raise InvalidValueError("the security context is a server's")
        if self.dedicated_key_source is not None:
            _check_dedicated(self.policy)

    @property
    def own_title(self) -> SystemTitle | None:
        """Our system title, where we have one."""
        return self.system_title if self.security is None else self.security.own_title

    @property
    def needs_title(self) -> bool:
        """Whether the server has to name its system title: ciphering and mechanism 6 use it."""
        return self.security is not None or self.mechanism is Mechanism.HLS_SHA256

    @property
    def policy(self) -> SecurityPolicy:
        """The policy of the association."""
        return SecurityPolicy.NONE if self.security is None else self.security.policy


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleParameters:
    """What one client SAP must present and gets. InvalidValueError when the mechanism or the policy lacks its secret.

    `client_titles` names the only systems that may hold the role; None: every system that has the keys. `password` is
    the secret of LLS, `hls_secret` (8..64 octets) that of mechanisms 3, 4 and 6; 3 and 4 have to be named as
    `legacy_mechanism` too. `allows_dedicated_key` says whether a client may bring a key for its association.
    """

    name: str
    mechanism: Mechanism = Mechanism.NONE
    legacy_mechanism: Mechanism | None = None
    policy: SecurityPolicy = SecurityPolicy.NONE
    keys: CipherKeys | None = None
    password: bytes | None = field(default=None, repr=False)
    hls_secret: bytes | None = field(default=None, repr=False)
    conformance: Conformance = USUAL_CONFORMANCE
    client_titles: frozenset[SystemTitle] | None = None
    allows_dedicated_key: bool = False

    def __post_init__(self) -> None:
        """Check what belongs together."""
        _check_mechanism(self, has_keys=self.keys is not None)
        if self.policy.is_ciphered and self.keys is None:
            raise InvalidValueError(f"the role {self.name} ciphers, so it needs keys")
        if self.allows_dedicated_key:
            _check_dedicated(self.policy)

    @property
    def needs_title(self) -> bool:
        """Whether the client has to name its system title: ciphering and mechanism 6 use it."""
        return self.keys is not None or self.mechanism is Mechanism.HLS_SHA256


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerParameters:
    """One logical device: its SAP and title, the roles by client SAP, limits and deadlines.

    `counters` gives the counters of a role's key by client SAP. `max_pdu` (64..65535) is the longest APDU we take,
    `maximum_transfer_octets` the longest request in blocks, `block_window` (1..63) how many general blocks at a time. A
    client that is not associated after `authentication_s`, or silent for `inactivity_s`, is dropped.
    `recent_challenges` is shared by all connections of the device.
    """

    server_sap: int
    system_title: SystemTitle
    roles: Mapping[int, RoleParameters]
    counters: Callable[[int], Counters] = field(repr=False)
    challenge_source: ChallengeSource = field(repr=False)
    recent_challenges: RecentChallenges = field(default_factory=RecentChallenges, repr=False)
    max_pdu: int = LARGEST_PDU_OCTETS
    maximum_transfer_octets: int = 256 * 1024
    block_window: int = USUAL_WINDOW
    authentication_s: float = 15.0
    inactivity_s: float = 120.0

    def __post_init__(self) -> None:
        """Check the limit, and that no two roles share a key: each counts on its own, so they would share nonces."""
        _check_pdu(self.max_pdu, self.block_window)
        keys = [role.keys.global_unicast_encryption_key for role in self.roles.values() if role.keys is not None]
        if len(set(keys)) != len(keys):
            raise InvalidValueError("two roles have the same encryption key")


def _check_mechanism(parameters: ClientParameters | RoleParameters, *, has_keys: bool) -> None:
    mechanism = parameters.mechanism
    if mechanism not in (Mechanism.NONE, Mechanism.LLS, *HLS_MECHANISMS):
        raise InvalidValueError(f"the mechanism {mechanism.name} is not spoken here")
    named = mechanism if mechanism in LEGACY_MECHANISMS else None
    if parameters.legacy_mechanism is not named:
        raise InvalidValueError("a legacy mechanism is spoken only where it is named as one, and no other may be")
    if mechanism is Mechanism.LLS and not parameters.password:
        raise InvalidValueError("LLS needs a password")
    if mechanism is Mechanism.HLS_GMAC and not has_keys:
        raise InvalidValueError("HLS 5 needs keys")
    octets = len(parameters.hls_secret or b"")
    if mechanism in HASH_MECHANISMS and not _SHORTEST_SECRET_OCTETS <= octets <= _LONGEST_SECRET_OCTETS:
        raise InvalidValueError(f"{mechanism.name} needs a secret of 8..64 octets")


def _check_dedicated(policy: SecurityPolicy) -> None:
    if not policy.request.is_encrypted:
        raise InvalidValueError("a dedicated key travels in a request, so the policy has to encrypt requests")


def _check_pdu(max_pdu: int, block_window: int) -> None:
    if not SMALLEST_PDU_OCTETS <= max_pdu <= LARGEST_PDU_OCTETS:
        raise InvalidValueError(f"max_pdu is {SMALLEST_PDU_OCTETS}..{LARGEST_PDU_OCTETS} octets, not {max_pdu}")
    if not 1 <= block_window <= MAXIMUM_WINDOW:
        raise InvalidValueError(f"block_window is 1..{MAXIMUM_WINDOW} blocks, not {block_window}")
