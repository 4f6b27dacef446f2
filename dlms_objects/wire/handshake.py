"""Passes 3 and 4 of high-level security: each side proves that it knows the secret, over the other side's challenge.

Here: the proofs of mechanisms 3 (MD5), 4 (SHA-1), 5 (GMAC) and 6 (SHA-256), made and checked for both roles. Not here:
which mechanism is wanted (`parameters`), the rules for challenges (`challenge`). Imported by `admission` and
`agreement`.

Proofs travel as an A-XDR octet-string. 3 and 4 are broken hashes, for old meters only: see `parameters`.
"""

from dataclasses import dataclass
from hashlib import md5, sha1, sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.acse import Mechanism
from dlms_objects.wire.security import BoundContext, DecryptionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from hashlib import _Hash

_OCTET_STRING: Final = 0x09
_HASHES: "Final[dict[Mechanism, Callable[[bytes], _Hash]]]" = {
    Mechanism.HLS_MD5: md5,
    Mechanism.HLS_SHA1: sha1,
    Mechanism.HLS_SHA256: sha256,
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Handshake:
    """One exchange of proofs; InvalidValueError when the mechanism is none of high-level security or lacks its means.

    `context` is ours with the peer, for mechanism 5 and no other; `secret` the shared one of the others. The two titles
    go into the proofs of mechanism 6.
    """

    mechanism: Mechanism
    client_challenge: bytes
    server_challenge: bytes
    context: BoundContext | None = None
    secret: bytes = b""
    client_title: SystemTitle | None = None
    server_title: SystemTitle | None = None

    def __post_init__(self) -> None:
        """Check that the mechanism has what it needs."""
        mechanism = self.mechanism
        if mechanism is Mechanism.HLS_GMAC:
            is_able = self.context is not None
        else:
            is_able = self.context is None and mechanism in _HASHES and bool(self.secret)
        if mechanism is Mechanism.HLS_SHA256 and None in (self.client_title, self.server_title):
            is_able = False
        if not is_able:
            raise InvalidValueError(f"not what the mechanism {mechanism.name} proves itself with")

    def client_proof(self) -> bytes:
        """What the client sends in pass 3, as an A-XDR octet-string; CounterExhausted when GMAC has no counter left."""
        return _as_octet_string(self._own(self.server_challenge, by_client=True))

    def server_proof(self) -> bytes:
        """What the server answers in pass 4, as an A-XDR octet-string; CounterExhausted as for the client."""
        return _as_octet_string(self._own(self.client_challenge, by_client=False))

    def check_client_proof(self, octets: bytes) -> None:
        """DecryptionError unless the octets are the client's genuine proof; nothing has changed then."""
        self._check(octets, self.server_challenge, by_client=True)

    def check_server_proof(self, octets: bytes) -> None:
        """DecryptionError unless the octets are the server's genuine proof; nothing has changed then."""
        self._check(octets, self.client_challenge, by_client=False)

    def _own(self, challenge: bytes, *, by_client: bool) -> bytes:
        if self.context is not None:
            return self.context.gmac(challenge)
        return self._hash(by_client=by_client)

    def _check(self, octets: bytes, challenge: bytes, *, by_client: bool) -> None:
        if len(octets) < 2 or octets[:2] != bytes((_OCTET_STRING, len(octets) - 2)):
            raise DecryptionError
        proof = octets[2:]
        if self.context is not None:
            self.context.verify_gmac(proof, challenge)
        elif not compare_digest(proof, self._hash(by_client=by_client)):
            raise DecryptionError

    def _hash(self, *, by_client: bool) -> bytes:
        """The digest that proves the secret: of the client, or of the server."""
        challenges = (self.server_challenge, self.client_challenge)
        titles = [b"" if title is None else title.octets for title in (self.client_title, self.server_title)]
        if not by_client:
            challenges, titles = challenges[::-1], titles[::-1]
        content = challenges[0] + self.secret
        if self.mechanism is Mechanism.HLS_SHA256:
            content = b"".join((self.secret, *titles, *challenges))
        return _HASHES[self.mechanism](content).digest()


def _as_octet_string(proof: bytes) -> bytes:
    return bytes((_OCTET_STRING, len(proof))) + proof
