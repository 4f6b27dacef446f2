"""Ciphered APDUs of real meters, from public sources: they open to what they say, and are sealed again exactly."""

from typing import Any

import pytest

from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.cipher_keys import CipherKeys
from dlms_objects.wire.ciphered import GENERAL_GLO_CIPHERING
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from dlms_objects.wire.general_block import GENERAL_BLOCK_TRANSFER, decode_general_block_transfer
from dlms_objects.wire.policy import Protection, SecurityPolicy
from dlms_objects.wire.security import DecryptionError, ReplayError, SecurityContext
from tests.support.associations import GATEWAY, bit_flips
from tests.support.vectors import information_of, load, parts

VECTORS = [
    *load("hdlc", valid=True, classes={"general-glo-ciphering"}),
    *load("ciphered", valid=True, classes={"general-glo-ciphering"}),
]
ONLY_ENCRYPTED = bytes(16)


def ciphered_in(vector: dict[str, Any]) -> bytes:
    """The ciphered APDU, out of its frames and blocks."""
    pieces = [information_of(part) if part[:1] == b"\x7e" else part for part in parts(vector)]
    if pieces[0][0] == GENERAL_BLOCK_TRANSFER:
        pieces = [decode_general_block_transfer(piece).block for piece in pieces]
    return b"".join(pieces)


def contexts_for(vector: dict[str, Any]) -> tuple[SecurityContext, SecurityContext]:
    """The meter of the vector, about to send it, and a client that has heard nothing yet."""
    expected, keys = vector["expect"], vector["keys"]
    policy = SecurityPolicy.both_ways(Protection(int(expected["security_control"], 16)))
    both = CipherKeys(
        global_unicast_encryption_key=bytes.fromhex(keys["ek"]),
        authentication_key=bytes.fromhex(keys["ak"]) if keys["ak"] else ONLY_ENCRYPTED,
    )

    def of(title: SystemTitle, *, is_server: bool) -> SecurityContext:
        counters = Counters(sent=MemorySentCounters(expected["invocation_counter"]), received=MemoryReceivedCounters())
        return SecurityContext(keys=both, own_title=title, counters=counters, policy=policy, is_server=is_server)

    return of(SystemTitle.parse(expected["system_title"].upper()), is_server=True), of(GATEWAY, is_server=False)


def test_there_are_four_of_them_of_two_protections() -> None:
    assert sorted(vector["expect"]["security_control"] for vector in VECTORS) == ["20", "30", "30", "30"]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_public_ciphered_apdu_opens_to_what_it_says(vector: dict[str, Any]) -> None:
    meter, client = contexts_for(vector)
    bound = client.bound_to(meter.own_title)
    plain = bound.unprotect(ciphered_in(vector))
    assert plain.hex() == vector["expect"]["plain_apdu"]
    assert bound.counters.received.highest(meter.own_title) == vector["expect"]["invocation_counter"]
    assert decode_apdu(plain)
    with pytest.raises(ReplayError):
        bound.unprotect(ciphered_in(vector))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_a_public_ciphered_apdu_is_sealed_again_to_its_octets(vector: dict[str, Any]) -> None:
    meter, _client = contexts_for(vector)
    plain = bytes.fromhex(vector["expect"]["plain_apdu"])
    assert meter.protect(GENERAL_GLO_CIPHERING, plain) == ciphered_in(vector)


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS if vector["keys"]["ak"]],  # encryption alone notices nothing: see test_bit_flips
    ids=lambda vector: vector["id"],
)
def test_a_public_ciphered_apdu_with_any_bit_changed_is_refused(vector: dict[str, Any]) -> None:
    meter, client = contexts_for(vector)
    bound = client.bound_to(meter.own_title)
    for altered in bit_flips(ciphered_in(vector)):
        with pytest.raises(DecryptionError):
            bound.unprotect(altered)
    assert bound.counters.received.highest(meter.own_title) is None
