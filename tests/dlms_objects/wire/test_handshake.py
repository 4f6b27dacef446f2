"""The proofs of HLS 3 to 6: the octets of each, both ways, and that no other proof passes."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire import handshake as module
from dlms_objects.wire.acse import Mechanism
from dlms_objects.wire.cipher_keys import CipherKeys, SecuritySuite
from dlms_objects.wire.handshake import Handshake
from dlms_objects.wire.security import DecryptionError, ReplayError, SecurityContext
from tests.support.associations import GATEWAY, KEYS, METER, STRANGER, bit_flips, counters

SECRET = b"a secret of 16 o"
C_TO_S, S_TO_C = bytes(range(16)), bytes(range(100, 120))
HASHED = [Mechanism.HLS_MD5, Mechanism.HLS_SHA1, Mechanism.HLS_SHA256]
EVERY = [*HASHED, Mechanism.HLS_GMAC]


def hand(mechanism: Mechanism, **changes: Any) -> Handshake:
    """One side's exchange; with hashes both sides' are the same."""
    values: dict[str, Any] = {
        "mechanism": mechanism,
        "client_challenge": C_TO_S,
        "server_challenge": S_TO_C,
        "secret": SECRET,
        "client_title": GATEWAY,
        "server_title": METER,
    }
    return Handshake(**values | changes)


def pair(mechanism: Mechanism, keys: CipherKeys = KEYS) -> tuple[Handshake, Handshake]:
    """The client's and the server's."""
    if mechanism is not Mechanism.HLS_GMAC:
        return hand(mechanism), hand(mechanism)
    client = SecurityContext(keys=keys, own_title=GATEWAY, counters=counters(5)).bound_to(METER)
    server = SecurityContext(keys=keys, own_title=METER, counters=counters(9), is_server=True).bound_to(GATEWAY)
    return hand(mechanism, context=client, secret=b""), hand(mechanism, context=server, secret=b"")


@pytest.mark.parametrize(
    ("mechanism", "client", "server"),
    [
        (Mechanism.HLS_MD5, hashlib.md5(S_TO_C + SECRET), hashlib.md5(C_TO_S + SECRET)),
        (Mechanism.HLS_SHA1, hashlib.sha1(S_TO_C + SECRET), hashlib.sha1(C_TO_S + SECRET)),
        (
            Mechanism.HLS_SHA256,
            hashlib.sha256(SECRET + GATEWAY.octets + METER.octets + S_TO_C + C_TO_S),
            hashlib.sha256(SECRET + METER.octets + GATEWAY.octets + C_TO_S + S_TO_C),
        ),
    ],
)
def test_a_hash_is_over_the_octets_that_the_mechanism_names(mechanism: Mechanism, client: Any, server: Any) -> None:
    head = bytes((0x09, client.digest_size))
    assert hand(mechanism).client_proof() == head + client.digest()
    assert hand(mechanism).server_proof() == head + server.digest()


@pytest.mark.parametrize("mechanism", EVERY)
def test_both_sides_accept_each_other(mechanism: Mechanism) -> None:
    client, server = pair(mechanism)
    server.check_client_proof(client.client_proof())
    client.check_server_proof(server.server_proof())


@pytest.mark.parametrize("mechanism", EVERY)
def test_a_proof_with_any_bit_changed_cut_or_lengthened_is_refused(mechanism: Mechanism) -> None:
    client, server = pair(mechanism)
    proof = client.client_proof()
    for altered in [*bit_flips(proof), *(proof[:end] for end in range(len(proof))), proof + b"\x00"]:
        with pytest.raises(DecryptionError):
            server.check_client_proof(altered)
    server.check_client_proof(proof)


@pytest.mark.parametrize("mechanism", EVERY)
def test_a_proof_sent_back_to_who_made_it_is_refused(mechanism: Mechanism) -> None:
    client, server = pair(mechanism)
    with pytest.raises(DecryptionError):
        client.check_server_proof(client.client_proof())
    with pytest.raises(DecryptionError):
        server.check_client_proof(server.server_proof())


@pytest.mark.parametrize("mechanism", HASHED)
@pytest.mark.parametrize("changes", [{"secret": SECRET[::-1]}, {"server_challenge": C_TO_S[::-1]}])
def test_a_proof_of_another_secret_or_challenge_is_refused(mechanism: Mechanism, changes: dict[str, Any]) -> None:
    with pytest.raises(DecryptionError):
        hand(mechanism).check_client_proof(hand(mechanism, **changes).client_proof())


@pytest.mark.parametrize(
    "changes",
    [
        {"client_challenge": S_TO_C[::-1]},
        {"client_title": STRANGER},
        {"server_title": STRANGER},
        {"client_title": METER, "server_title": GATEWAY},
    ],
)
def test_a_proof_of_mechanism_6_is_bound_to_both_titles_and_both_challenges(changes: dict[str, Any]) -> None:
    with pytest.raises(DecryptionError):
        hand(Mechanism.HLS_SHA256).check_client_proof(hand(Mechanism.HLS_SHA256, **changes).client_proof())


def test_a_hash_of_one_mechanism_is_no_proof_of_another() -> None:
    for mechanism in HASHED:
        for other in set(HASHED) - {mechanism}:
            with pytest.raises(DecryptionError):
                hand(other).check_client_proof(hand(mechanism).client_proof())


def test_a_gmac_proof_is_fresh_only_once() -> None:
    client, server = pair(Mechanism.HLS_GMAC)
    proof = client.client_proof()
    server.check_client_proof(proof)
    again = hand(
        Mechanism.HLS_GMAC,
        context=SecurityContext(
            keys=KEYS,
            own_title=METER,
            counters=server.context.counters,
            is_server=True,  # type: ignore[union-attr]
        ).bound_to(GATEWAY),
    )
    with pytest.raises(ReplayError):
        again.check_client_proof(proof)


@pytest.mark.parametrize("suite", SecuritySuite)
def test_the_gmac_names_its_suite(suite: SecuritySuite) -> None:
    keys = CipherKeys(
        global_unicast_encryption_key=b"E" * suite.key_octets,
        authentication_key=b"A" * suite.key_octets,
        suite=suite,
    )
    client, server = pair(Mechanism.HLS_GMAC, keys)
    proof = client.client_proof()
    assert proof[:7] == bytes((0x09, 17, 0x10 + suite)) + (5).to_bytes(4, "big")
    server.check_client_proof(proof)


@pytest.mark.parametrize(
    "changes",
    [
        {"mechanism": Mechanism.NONE},
        {"mechanism": Mechanism.LLS},
        {"mechanism": Mechanism.HLS},
        {"mechanism": Mechanism.HLS_ECDSA},
        {"mechanism": Mechanism.HLS_GMAC},
        {"secret": b""},
        {"client_title": None},
        {"server_title": None},
        {"context": SecurityContext(keys=KEYS, own_title=GATEWAY, counters=counters()).bound_to(METER)},
    ],
)
def test_an_exchange_without_its_means_cannot_be_made(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        replace(hand(Mechanism.HLS_SHA256), **changes)


def test_the_titles_may_be_missing_where_no_proof_holds_them() -> None:
    for mechanism in (Mechanism.HLS_MD5, Mechanism.HLS_SHA1):
        hand(mechanism, client_title=None, server_title=None).check_client_proof(hand(mechanism).client_proof())


@pytest.mark.parametrize("mechanism", EVERY)
def test_proofs_are_compared_in_constant_time(mechanism: Mechanism, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def spy(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return left == right

    monkeypatch.setattr(module, "compare_digest", spy)
    monkeypatch.setattr("dlms_objects.wire.security.compare_digest", spy)
    client, server = pair(mechanism)
    server.check_client_proof(client.client_proof())
    ((left, right),) = compared
    assert left == right
    assert len(left) >= 12


def test_a_secret_never_appears_in_any_text() -> None:
    shown = hand(Mechanism.HLS_SHA256)
    with pytest.raises(InvalidValueError) as refused:
        replace(shown, client_title=None)
    for text in (repr(shown), str(shown), str(refused.value)):
        assert "secret of" not in text
