"""Ciphering: what is opened, what is refused, and that a refused frame changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from dlms_objects.errors import LocalError
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.cipher_keys import CipherKeys
from dlms_objects.wire.ciphered import GENERAL_GLO_CIPHERING, GLO_TAGS
from dlms_objects.wire.counters import (
    COUNTER_CEILING,
    CounterExhausted,
    Counters,
    MemoryReceivedCounters,
    MemorySentCounters,
)
from dlms_objects.wire.policy import SecurityPolicy
from dlms_objects.wire.security import BoundContext, DecryptionError, ReplayError, content_limit
from tests.support.associations import (
    AE,
    ENCRYPTION_KEY,
    GATEWAY,
    METER,
    OTHER_KEYS,
    STRANGER,
    bit_flips,
)
from tests.support.contexts import CHALLENGE, GET, receiver, sender, stored

VERIFYING = [SecurityPolicy.AUTHENTICATED, AE]
CIPHERING = [SecurityPolicy.ENCRYPTED, *VERIFYING]


# --- the bytes ---


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (AE, "801302ff8a7874133d414ced25b42534d28db0047720606b175bd52211be6841db204d39ee6fdb8e356855"),
        (SecurityPolicy.ENCRYPTED, "801302ff8a7874133d414ced25b42534d28db0047720606b175bd52211be68"),
        (
            SecurityPolicy.AUTHENTICATED,
            "01011000112233445566778899aabbccddeeff0000065f1f0400007e1f04b0ce0f5b426aa53e1ffb736c1e",
        ),
    ],
)
def test_the_initiate_request_of_the_green_book_is_ciphered_to_its_octets(
    policy: SecurityPolicy, expected: str
) -> None:
    keys = CipherKeys(global_unicast_encryption_key=bytes(range(16)), authentication_key=bytes(range(0xD0, 0xE0)))
    plain = bytes.fromhex("01011000112233445566778899aabbccddeeff0000065f1f0400007e1f04b0")
    title = SystemTitle.parse("4D4D4D0000BC614E")
    context = sender(policy, 0x01234567, keys=keys, own_title=title)
    body = bytes((policy.request,)) + bytes.fromhex("01234567" + expected)
    assert context.protect(0x21, plain) == bytes((0x21, len(body))) + body


@pytest.mark.parametrize("policy", CIPHERING)
@pytest.mark.parametrize("tag", [0xC8, GENERAL_GLO_CIPHERING])
@pytest.mark.parametrize("octets", [1, 13, 95, 96, 110, 111, 230, 240, 9804, 65000])
def test_what_is_protected_opens_to_the_same_apdu(policy: SecurityPolicy, tag: int, octets: int) -> None:
    plain = b"\xc0" + bytes(octets - 1)
    context = receiver(policy)
    assert context.unprotect(sender(policy).protect(tag, plain)) == plain
    assert stored(context) == 7


@pytest.mark.parametrize("policy", CIPHERING)
@pytest.mark.parametrize("tag", [0xC8, GENERAL_GLO_CIPHERING])
def test_the_plain_limit_fills_a_pdu_exactly(policy: SecurityPolicy, tag: int) -> None:
    context = sender(policy)
    for pdu_octets in [*range(40, 420), *range(65500, 65536)]:
        limit = context.plain_limit(tag, pdu_octets)
        assert len(context.protect(tag, bytes(limit))) <= pdu_octets
        assert len(context.protect(tag, bytes(limit + 1))) > pdu_octets


def test_no_pdu_is_too_small_to_have_a_limit() -> None:
    assert sender().plain_limit(0xC8, 12) < 0
    assert [content_limit(room) for room in (0, 1, 128, 129, 130, 257, 258, 259)] == [
        -1,
        0,
        127,
        127,
        128,
        255,
        255,
        256,
    ]


# --- what is refused ---


@pytest.mark.parametrize("policy", VERIFYING)
@pytest.mark.parametrize("tag", [0xC8, GENERAL_GLO_CIPHERING])
@pytest.mark.parametrize("octets", [13, 140])
def test_every_single_bit_flip_is_refused_and_moves_no_counter(policy: SecurityPolicy, tag: int, octets: int) -> None:
    context = receiver(policy, highest=6)
    genuine = sender(policy).protect(tag, GET.ljust(octets, b"\x00"))
    for altered in bit_flips(genuine):
        with pytest.raises(DecryptionError):
            context.unprotect(altered)
        assert stored(context) == 6
    assert context.unprotect(genuine)


@pytest.mark.parametrize("tag", [0xC8, GENERAL_GLO_CIPHERING])
def test_an_apdu_cut_or_lengthened_anywhere_is_refused(tag: int) -> None:
    context = receiver()
    genuine = sender().protect(tag, GET)
    for end in range(len(genuine)):
        with pytest.raises(DecryptionError):
            context.unprotect(genuine[:end])
    with pytest.raises(DecryptionError):
        context.unprotect(genuine + b"\x00")
    assert stored(context) is None


def test_the_tag_around_a_service_cannot_be_exchanged_for_another_service() -> None:
    context = receiver()
    genuine = sender().protect(0xC8, GET)
    for other in set(GLO_TAGS.values()) - {0xC8}:
        with pytest.raises(DecryptionError):
            context.unprotect(bytes((other,)) + genuine[1:])
    assert stored(context) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"keys": OTHER_KEYS},
        {"keys": CipherKeys(global_unicast_encryption_key=ENCRYPTION_KEY, authentication_key=bytes(16))},
        {"own_title": STRANGER},
    ],
)
@pytest.mark.parametrize("tag", [0xC8, GENERAL_GLO_CIPHERING])
def test_a_wrong_key_or_title_is_refused(wrong: dict[str, Any], tag: int) -> None:
    context = receiver()
    with pytest.raises(DecryptionError):
        context.unprotect(sender(**wrong).protect(tag, GET))
    assert stored(context) is None


def test_the_policy_none_neither_protects_nor_opens() -> None:
    with pytest.raises(LocalError):
        sender(SecurityPolicy.NONE).protect(0xC8, GET)
    for apdu in (b"", GET, bytes.fromhex("c8060000000001c0")):
        with pytest.raises(DecryptionError):
            receiver(SecurityPolicy.NONE).unprotect(apdu)


def test_an_empty_apdu_inside_the_cipher_is_refused() -> None:
    context = receiver()
    with pytest.raises(DecryptionError):
        context.unprotect(sender().protect(GENERAL_GLO_CIPHERING, b""))
    assert stored(context) is None


def test_every_cause_gives_the_same_words() -> None:
    genuine = sender(first=5).protect(0xC8, GET)
    causes = [b"", b"\xc8", genuine[:-1], next(bit_flips(genuine)), sender(keys=OTHER_KEYS).protect(0xC8, GET), genuine]
    texts = set()
    for apdu in causes:
        with pytest.raises(DecryptionError) as refused:
            receiver(highest=5).unprotect(apdu)
        texts.add(str(refused.value))
    assert len(texts) == 1


# --- counters ---


def check_that_replays_are_refused(context: BoundContext) -> None:
    """The law of received counters; the faults below break it, one clause each."""
    gateway = sender(first=10)
    first, second = gateway.protect(0xC8, GET), gateway.protect(0xC8, GET)
    with pytest.raises(DecryptionError):
        context.unprotect(second[:-1] + bytes((second[-1] ^ 1,)))
    assert stored(context) is None, "a refused frame moved the counter"
    assert context.unprotect(first) == GET
    with pytest.raises(ReplayError):
        context.unprotect(first)
    assert context.unprotect(second) == GET
    for old in (first, second):
        with pytest.raises(ReplayError) as refused:
            context.unprotect(old)
        assert refused.value.expected == 12
    assert stored(context) == 11


def stores_before_it_verifies(context: BoundContext, apdu: bytes) -> bytes:
    counter = int.from_bytes(apdu[3:7], "big")
    highest = context.counters.received.highest(context.peer)
    if highest is not None and counter <= highest:
        raise ReplayError(highest + 1)
    context.counters.received.accept(context.peer, counter)
    return context._open(GATEWAY.octets + apdu[3:7], apdu[7:])


def accepts_an_equal_counter(context: BoundContext, apdu: bytes) -> bytes:
    plain = context._open(GATEWAY.octets + apdu[3:7], apdu[7:])
    counter, highest = int.from_bytes(apdu[3:7], "big"), context.counters.received.highest(context.peer)
    if highest is not None and counter < highest:
        raise ReplayError(highest + 1)
    if counter != highest:
        context.counters.received.accept(context.peer, counter)
    return plain


@pytest.mark.parametrize("fault", [stores_before_it_verifies, accepts_an_equal_counter])
def test_the_check_of_replays_catches_the_fault(
    fault: Callable[[BoundContext, bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundContext, "unprotect", fault)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check_that_replays_are_refused(receiver())


def test_a_replay_is_refused_at_once_later_and_after_a_restart_with_the_stored_counter() -> None:
    check_that_replays_are_refused(receiver())
    apdu = sender(first=10).protect(0xC8, GET)
    before = receiver()
    assert before.unprotect(apdu) == GET
    after = receiver(highest=stored(before))
    with pytest.raises(ReplayError):
        after.unprotect(apdu)


def test_the_counter_zero_is_not_special() -> None:
    apdu = sender(first=0).protect(0xC8, GET)
    context = receiver()
    assert context.unprotect(apdu) == GET
    assert stored(context) == 0
    with pytest.raises(ReplayError):
        context.unprotect(apdu)


def test_the_counter_is_stored_before_the_apdu_is_handed_out() -> None:
    class Broken(MemoryReceivedCounters):
        def accept(self, title: SystemTitle, counter: int) -> None:
            raise OSError("disk full")

    context = receiver(counters=Counters(sent=MemorySentCounters(), received=Broken()))
    with pytest.raises(OSError, match="disk full"):
        context.unprotect(sender().protect(0xC8, GET))


def test_a_sender_stops_when_its_counters_are_used_up() -> None:
    context = sender(first=COUNTER_CEILING - 1)
    context.protect(0xC8, GET)
    for use in (lambda: context.protect(0xC8, GET), lambda: context.gmac(CHALLENGE)):
        with pytest.raises(CounterExhausted):
            use()


def test_no_two_apdus_or_proofs_share_a_nonce() -> None:
    context = sender(first=0)
    sent = [context.protect(0xC8, GET)[3:7], context.gmac(CHALLENGE)[1:5], context.protect(0xDB, GET)[12:16]]
    assert sent == [number.to_bytes(4, "big") for number in range(3)]


# --- the proofs of HLS 5 ---


def test_a_genuine_proof_is_accepted_whether_drawn_before_or_after_its_apdu() -> None:
    for proof_first in (True, False):
        gateway, context = sender(first=20), receiver(highest=19)
        if proof_first:
            proof = gateway.gmac(CHALLENGE)
            context.unprotect(gateway.protect(0xC8, GET))
        else:
            context.unprotect(gateway.protect(0xC8, GET))
            proof = gateway.gmac(CHALLENGE)
        context.verify_gmac(proof, CHALLENGE)
        assert stored(context) == 21


def test_a_proof_is_refused_when_it_is_altered_or_for_another_challenge() -> None:
    context = receiver()
    proof = sender().gmac(CHALLENGE)
    for altered in bit_flips(proof):
        with pytest.raises(DecryptionError):
            context.verify_gmac(altered, CHALLENGE)
    for wrong, challenge in ((proof, CHALLENGE[::-1]), (proof[:-1], CHALLENGE), (proof + b"\x00", CHALLENGE)):
        with pytest.raises(DecryptionError):
            context.verify_gmac(wrong, challenge)
    with pytest.raises(DecryptionError):
        context.verify_gmac(sender(keys=OTHER_KEYS).gmac(CHALLENGE), CHALLENGE)
    assert stored(context) is None
    context.verify_gmac(proof, CHALLENGE)
    assert stored(context) == 7


def test_a_proof_that_shares_the_nonce_of_the_apdu_carrying_it_is_refused() -> None:
    context = receiver()
    context.unprotect(sender(first=9).protect(0xC8, GET))
    with pytest.raises(ReplayError):
        context.verify_gmac(sender(first=9).gmac(CHALLENGE), CHALLENGE)


def test_a_proof_older_than_the_opening_of_the_association_is_refused() -> None:
    old_proof = sender(first=9).gmac(CHALLENGE)
    context = receiver()
    gateway = sender(first=10)
    context.unprotect(gateway.protect(0x21, b"\x01initiate"))
    context.unprotect(gateway.protect(0xCB, b"\xc3reply"))
    with pytest.raises(ReplayError):
        context.verify_gmac(old_proof, CHALLENGE)
    with pytest.raises(ReplayError):
        receiver(highest=9).verify_gmac(old_proof, CHALLENGE)


def test_a_proof_cannot_be_reflected_to_the_one_who_made_it() -> None:
    proof = sender().gmac(CHALLENGE)
    gateway = sender().bound_to(METER)
    with pytest.raises(DecryptionError):
        gateway.verify_gmac(proof, CHALLENGE)


# --- titles and keys ---


def test_a_context_is_bound_to_the_pinned_peer_only_and_never_to_itself() -> None:
    assert sender().bound_to(METER).peer == METER
    assert sender(peer_title=METER).bound_to(METER).peer == METER
    with pytest.raises(DecryptionError):
        sender(peer_title=METER).bound_to(STRANGER)
    with pytest.raises(DecryptionError):
        sender().bound_to(GATEWAY)
    with pytest.raises(LocalError):
        sender(peer_title=GATEWAY)


def test_keys_never_appear_in_any_text() -> None:
    canary = b"CANARY-KEY-00001"
    keys = CipherKeys(global_unicast_encryption_key=canary, authentication_key=canary[::-1])
    context = sender(keys=keys).bound_to(METER)
    context.use_dedicated(b"CANARY-DEDICATED")
    with pytest.raises(DecryptionError) as failed:
        context.unprotect(b"\xc8" + canary)
    for text in (repr(context), str(context), f"{[context]}", str(failed.value), repr(failed.value)):
        assert "CANARY" not in text
        assert canary.hex() not in text.lower()
