"""Ciphering of APDUs: AES-GCM of suites 0, 1 and 2 with 12-octet tags, invocation counters, and the GMAC of HLS 5.

Here: the context of one association, with its global and its dedicated key. Not here: keys (`cipher_keys`), policies
(`policy`), tags (`ciphered`), who may do what (`admission`), how counters are stored (`counters`). Imported by the
engines; keys never appear in any text.

One frame is one AES-GCM call to protect and two to unprotect: `AESGCM` cannot decrypt with a 12-octet tag, so the
ciphertext is "encrypted" (GCM is counter mode) and the result encrypted again for its tag, compared in constant time.

Decisions: the dedicated key draws its invocation counters from the global key's, so that even a key used twice never
repeats a nonce; what was received under it is remembered as long as the association. A peer may use either key for each
APDU; what comes back uses the same.
"""

from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from dlms_objects.errors import LocalError, RemoteError
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.cipher_keys import CipherKeys, SecuritySuite
from dlms_objects.wire.ciphered import DED_TAGS, GENERAL_DED_CIPHERING, GENERAL_GLO_CIPHERING, GLO_TAGS
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lengths import decode_length, encode_length
from dlms_objects.wire.policy import Protection, SecurityPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEDICATED_TAGS: Final = frozenset((*DED_TAGS.values(), GENERAL_DED_CIPHERING))
CIPHERED_TAGS: Final = DEDICATED_TAGS | {*GLO_TAGS.values(), GENERAL_GLO_CIPHERING}
_OPENS: Final = {GENERAL_GLO_CIPHERING: CIPHERED_TAGS - DEDICATED_TAGS, GENERAL_DED_CIPHERING: DEDICATED_TAGS}

TAG_OCTETS: Final = 12
_GMAC_OCTETS: Final = 1 + 4 + TAG_OCTETS
_GENERAL_TAGS: Final = (GENERAL_GLO_CIPHERING, GENERAL_DED_CIPHERING)
_GENERAL_HEADER_OCTETS: Final = 10
_CUT: Final = TAG_OCTETS - 16
_INITIATE_TAGS: Final = (0x01, 0x08)
_NO_TAGS: Final[frozenset[int]] = frozenset()
_NONE, _AUTHENTICATED, _ENCRYPTED, _AUTHENTICATED_ENCRYPTED = Protection


def content_limit(room: int) -> int:
    """The longest content that fits in `room` octets (up to 65538) together with its length field; negative if none."""
    if room <= 0x80:
        return room - 1
    return max(room - 3, min(room - 2, 0xFF), 0x7F)


class DecryptionError(RemoteError):
    """A ciphered APDU or a proof was refused; the text is the same for every cause, so that it tells a peer nothing."""

    def __init__(self) -> None:
        """The one message."""
        super().__init__("a ciphered APDU was refused")


class ReplayError(DecryptionError):
    """The tag verified, but the counter is not greater than the one stored; `expected` is the lowest allowed."""

    def __init__(self, expected: int) -> None:
        """`expected`: the lowest counter that would have been accepted, 1..2^32."""
        super().__init__()
        self.expected = expected


class SecurityContext:
    """One system's half of a relation: keys, title, policy, counters. It protects; `bound_to` a peer it also opens.

    `peer_title` pins the only peer it may be bound to. `is_server` tells which half of the policy is ours to send. A
    context never changes its keys, titles or policy; the counters are the owner's and outlive it.
    """

    __slots__ = (
        *("_aad", "_control", "_encrypt", "_mac_aad", "_own"),
        *("accepts", "counters", "is_server", "keys", "own_title", "peer_title", "policy", "sends"),
    )

    def __init__(
        self,
        *,
        keys: CipherKeys,
        own_title: SystemTitle,
        counters: Counters,
        peer_title: SystemTitle | None = None,
        policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED_ENCRYPTED,
        is_server: bool = False,
    ) -> None:
        """LocalError when both titles are the same: two systems with one title would share nonces."""
        if own_title == peer_title:
            raise LocalError("the peer's system title is our own")
        self.keys = keys
        self.own_title = own_title
        self.peer_title = peer_title
        self.counters = counters
        self.policy = policy
        self.is_server = is_server
        self.sends = policy.response if is_server else policy.request
        self.accepts = policy.request if is_server else policy.response
        self._encrypt: Callable[[bytes, bytes, bytes | None], bytes] = keys.cipher.encrypt
        self._own = own_title.octets
        self._control = self.sends | keys.suite
        self._aad = bytes((self._control,)) + keys.authentication_key
        self._mac_aad = bytes((Protection.AUTHENTICATED | keys.suite,)) + keys.authentication_key

    def bound_to(self, title: SystemTitle) -> "BoundContext":
        """The context of one association with that peer; DecryptionError for our own title or not the pinned one."""
        if title == self.own_title or self.peer_title not in (None, title):
            raise DecryptionError
        return BoundContext(self, title)

    def protect(self, tag: int, plain: bytes) -> bytes:
        """The ciphered APDU with that tag, one of those of the global key; plain where the policy protects nothing.

        LocalError for another tag, or where the policy protects nothing either way; CounterExhausted when no invocation
        counter is left.
        """
        if tag in DEDICATED_TAGS:
            raise LocalError("no dedicated key was agreed on")
        return self._protect(tag, plain)

    def gmac(self, challenge: bytes) -> bytes:
        """Our proof for the peer's challenge, 17 octets: security control octet, invocation counter, GMAC."""
        counter = self.counters.sent.next().to_bytes(4, "big")
        mac = self._encrypt(self._own + counter, b"", self._mac_aad + challenge)[:_CUT]
        return self._mac_aad[:1] + counter + mac

    def plain_limit(self, tag: int, pdu_octets: int) -> int:
        """The longest plain APDU whose ciphered form with that tag fits in `pdu_octets`; negative when none does."""
        if self.sends is _NONE:
            return pdu_octets
        room = pdu_octets - (_GENERAL_HEADER_OCTETS if tag in _GENERAL_TAGS else 1)
        trailer = 0 if self.sends is _ENCRYPTED else TAG_OCTETS
        return content_limit(room) - 5 - trailer

    def _protect(self, tag: int, plain: bytes) -> bytes:
        sends, control = self.sends, self._control
        if sends is _NONE:
            if not self.policy.is_ciphered:
                raise LocalError("the security policy of this association ciphers nothing")
            return plain
        counter = self.counters.sent.next().to_bytes(4, "big")
        nonce = self._own + counter
        if sends is _AUTHENTICATED_ENCRYPTED:
            body = self._encrypt(nonce, plain, self._aad)[:_CUT]
        elif sends is _AUTHENTICATED:
            body = plain + self._encrypt(nonce, b"", self._aad + plain)[:_CUT]
        else:
            body = self._encrypt(nonce, plain, None)[:-16]
        octets = len(body) + 5
        if octets < 0x80 and tag not in _GENERAL_TAGS:
            return bytes((tag, octets, control)) + counter + body
        title = b"\x08" + self._own if tag in _GENERAL_TAGS else b""
        return b"".join((bytes((tag,)), title, encode_length(octets), bytes((control,)), counter, body))


class BoundContext(SecurityContext):
    """The context of one association: opens what the peer protected, and checks its proof. Made by `bound_to`."""

    __slots__ = (
        *("_accepted_aad", "_accepted_control", "_dedicated", "_general_header", "_last", "_opened_at", "_opens"),
        *("_peer", "_tags", "peer"),
    )

    def __init__(
        self,
        context: SecurityContext,
        peer: SystemTitle,
        *,
        tags: "Mapping[int, int]" = GLO_TAGS,
        general_tag: int = GENERAL_GLO_CIPHERING,
    ) -> None:
        """`context` without what depends on the peer, the peer, and the outer tags: those of the global key."""
        self.keys = context.keys
        self.own_title = context.own_title
        self.peer_title = self.peer = peer
        self.counters = context.counters
        self.policy = context.policy
        self.is_server = context.is_server
        self.sends = context.sends
        self.accepts = context.accepts
        self._encrypt = context._encrypt
        self._own = context._own
        self._control = context._control
        self._aad = context._aad
        self._mac_aad = context._mac_aad
        self._peer = peer.octets
        self._accepted_control = self.accepts | self.keys.suite
        self._accepted_aad = bytes((self._accepted_control,)) + self.keys.authentication_key
        self._tags = tags
        self._opens = _OPENS[general_tag] if self.accepts is not _NONE else _NO_TAGS
        self._general_header = bytes((general_tag, 8)) + self._peer
        self._dedicated: BoundContext | None = None
        self._opened_at = self._highest()
        self._last = -1

    @property
    def suite(self) -> SecuritySuite:
        """The suite of the keys; no other is accepted, and none is sent."""
        return self.keys.suite

    @property
    def accepts_plain(self) -> bool:
        """Whether the policy has the peer send without protection."""
        return self.accepts is _NONE

    @property
    def has_dedicated_key(self) -> bool:
        """Whether a dedicated key was agreed on."""
        return self._dedicated is not None

    def use_dedicated(self, dedicated_key: bytes) -> None:
        """From now on the tags of dedicated ciphering are protected and opened with that key.

        InvalidValueError for a key of another length than the suite's, or one of the global keys.
        """
        dedicated = SecurityContext(
            keys=self.keys.for_dedicated(dedicated_key),
            own_title=self.own_title,
            counters=Counters(sent=self.counters.sent, received=MemoryReceivedCounters()),
            policy=self.policy,
            is_server=self.is_server,
        )
        self._dedicated = BoundContext(dedicated, self.peer, tags=DED_TAGS, general_tag=GENERAL_DED_CIPHERING)

    def protect(self, tag: int, plain: bytes) -> bytes:
        """As in SecurityContext, and the tags of dedicated ciphering where a dedicated key was agreed on."""
        if tag not in DEDICATED_TAGS:
            return self._protect(tag, plain)
        if self._dedicated is None:
            raise LocalError("no dedicated key was agreed on")
        return self._dedicated._protect(tag, plain)

    def unprotect(self, apdu: bytes) -> bytes:
        """The plain APDU inside; its counter is stored durably before this returns.

        DecryptionError for anything that cannot be trusted, ReplayError for a counter that is not fresh; either way
        nothing has changed. The outer tag is not authenticated, so it must name the service found inside. What is not
        ciphered is passed on exactly where the policy has the peer send it so.
        """
        outer = apdu[0] if apdu else 0
        if outer not in self._opens:
            return self._pass_on(outer, apdu)
        start = self._payload_offset(outer, apdu)
        counter_octets = apdu[start + 1 : start + 5]
        plain = self._open(self._peer + counter_octets, apdu[start + 5 :])
        if not plain or (self._tags.get(plain[0]) != outer and outer not in _GENERAL_TAGS):
            raise DecryptionError
        counter = int.from_bytes(counter_octets, "big")
        received = self.counters.received
        highest = received.highest(self.peer)
        if highest is not None and counter <= highest:
            raise ReplayError(highest + 1)
        received.accept(self.peer, counter)
        self._last = counter
        if plain[0] in _INITIATE_TAGS:
            self._opened_at = counter
        return plain

    def verify_gmac(self, proof: bytes, challenge: bytes) -> None:
        """Check the peer's proof for our challenge; DecryptionError unless it is genuine and its counter is fresh.

        Fresh: greater than every counter received when the association was opened, and not the one of the APDU that
        carries the proof, whose nonce it would share. A peer may draw the proof's counter before the APDU's (gurux)
        or after it; the greater of the two is what stays stored.
        """
        if len(proof) != _GMAC_OCTETS or proof[:1] != self._mac_aad[:1]:
            raise DecryptionError
        mac = self._encrypt(self._peer + proof[1:5], b"", self._mac_aad + challenge)[:_CUT]
        if not compare_digest(mac, proof[5:]):
            raise DecryptionError
        counter = int.from_bytes(proof[1:5], "big")
        highest = self._highest()
        if counter <= self._opened_at or counter == self._last:
            raise ReplayError(highest + 1)
        if counter > highest:
            self.counters.received.accept(self.peer, counter)

    def _pass_on(self, outer: int, apdu: bytes) -> bytes:
        """What this key does not open: the dedicated key's, and what the policy has the peer send plain."""
        if self.accepts is _NONE and self.policy.is_ciphered and outer not in CIPHERED_TAGS:
            return apdu
        if self._dedicated is None or outer not in DEDICATED_TAGS:
            raise DecryptionError
        return self._dedicated.unprotect(apdu)

    def _payload_offset(self, outer: int, apdu: bytes) -> int:
        """Where the security control octet stands, once the envelope is known to be ours."""
        header = 1
        if outer in _GENERAL_TAGS:
            header = _GENERAL_HEADER_OCTETS
            if apdu[:header] != self._general_header:
                raise DecryptionError
        try:
            length, start = decode_length(apdu, header)
        except MalformedError:
            raise DecryptionError from None
        if length < 5 or start + length != len(apdu) or apdu[start] != self._accepted_control:
            raise DecryptionError
        return start

    def _open(self, nonce: bytes, body: bytes) -> bytes:
        """The plain text, after its tag verified."""
        accepts = self.accepts
        if accepts is _AUTHENTICATED_ENCRYPTED:
            plain = self._encrypt(nonce, body[:-TAG_OCTETS], None)[:-16]
            tag = self._encrypt(nonce, plain, self._accepted_aad)[-16:_CUT]
        elif accepts is _AUTHENTICATED:
            plain = body[:-TAG_OCTETS]
            tag = self._encrypt(nonce, b"", self._accepted_aad + plain)[:_CUT]
        else:
            return self._encrypt(nonce, body, None)[:-16]
        if not compare_digest(tag, body[-TAG_OCTETS:]):
            raise DecryptionError
        return plain

    def _highest(self) -> int:
        """The highest counter received from the peer, -1 when none was."""
        highest = self.counters.received.highest(self.peer)
        return -1 if highest is None else highest
