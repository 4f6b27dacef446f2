"""Every single bit of 200 ciphered APDUs, of every suite, tag-bearing protection and envelope: a flip is refused.

Refused means: the one error, no plaintext, and no counter moved. What checks this is shown to find faults.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from dlms_objects.wire import security as module
from dlms_objects.wire.cipher_keys import SecuritySuite
from dlms_objects.wire.ciphered import GENERAL_DED_CIPHERING, GENERAL_GLO_CIPHERING
from dlms_objects.wire.policy import Protection, SecurityPolicy
from dlms_objects.wire.security import DEDICATED_TAGS, BoundContext, DecryptionError
from tests.support.associations import METER, bit_flips
from tests.support.contexts import GET, keys_of, receiver, sender, stored, with_dedicated

VERIFIED = (Protection.AUTHENTICATED, Protection.AUTHENTICATED_ENCRYPTED)
TAGS = (0xC8, GENERAL_GLO_CIPHERING, 0xD0, GENERAL_DED_CIPHERING)
LENGTHS = (1, 13, 16, 17, 29, 33, 48, 61, 128)
FIRST = 7


class Case(NamedTuple):
    """A genuine APDU, and the receiver it is meant for."""

    apdu: bytes
    plain: bytes
    context: BoundContext


def cases() -> Iterator[Case]:
    """Each form, with each length of plaintext."""
    for suite in SecuritySuite:
        for protection in VERIFIED:
            policy, keys = SecurityPolicy.both_ways(protection), keys_of(suite)
            for tag in TAGS:
                for octets in LENGTHS:
                    plain = (GET * 10)[:octets]
                    gateway = with_dedicated(sender(policy, FIRST, keys=keys).bound_to(METER))
                    context = with_dedicated(receiver(policy, FIRST - 1, keys=keys))
                    yield Case(gateway.protect(tag, plain), plain, context)


def counters_of(context: BoundContext) -> list[int | None]:
    """What is stored of either key."""
    assert context._dedicated is not None
    return [stored(context), stored(context._dedicated)]


def opened(context: BoundContext, apdu: bytes) -> bytes | None:
    """The plaintext, or None when the APDU is refused with the one error."""
    try:
        return context.unprotect(apdu)
    except DecryptionError as error:
        return None if str(error) == "a ciphered APDU was refused" else b""


def check_flips(some: Iterator[Case]) -> tuple[int, int]:
    """The law; how many APDUs and how many flips it was held to."""
    apdus = flips = 0
    for apdus, (apdu, plain, context) in enumerate(some, start=1):  # noqa: B007 - the count is the result
        before = counters_of(context)
        for altered in bit_flips(apdu):
            flips += 1
            assert opened(context, altered) is None, "a flipped bit gave plaintext"
            assert counters_of(context) == before, "a refused APDU moved a counter"
        assert context.unprotect(apdu) == plain
        assert counters_of(context) == ([before[0], FIRST] if apdu[0] in DEDICATED_TAGS else [FIRST, before[1]])
    return apdus, flips


def test_every_single_bit_flip_of_200_ciphered_apdus_is_refused() -> None:
    apdus, flips = check_flips(cases())
    assert apdus == 3 * 2 * 4 * len(LENGTHS) == 216
    assert flips == sum(8 * len(case.apdu) for case in cases()) > 80_000


def compares_eleven_octets(left: bytes, right: bytes) -> bool:
    return left[:11] == right[:11]


def compares_nothing(_left: bytes, _right: bytes) -> bool:
    return True


@pytest.mark.parametrize("fault", [compares_eleven_octets, compares_nothing])
def test_a_comparison_that_does_not_compare_is_found(
    fault: Callable[[bytes, bytes], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "compare_digest", fault)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check_flips(cases())


def test_a_counter_stored_before_the_tag_verifies_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = BoundContext._open

    def eager(context: BoundContext, nonce: bytes, body: bytes) -> bytes:
        counter = int.from_bytes(nonce[8:], "big")
        if counter > (stored(context) or 0):
            context.counters.received.accept(context.peer, counter)
        return genuine(context, nonce, body)

    monkeypatch.setattr(BoundContext, "_open", eager)
    with pytest.raises(AssertionError, match="moved a counter"):
        check_flips(cases())


def test_an_envelope_that_nobody_checks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Careless(BoundContext):
        """Takes any security control octet and any length."""

        def _payload_offset(self, outer: int, apdu: bytes) -> int:
            return 2 if outer in (0xC8, 0xD0) else 11

    monkeypatch.setattr(module, "BoundContext", Careless)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check_flips(cases())


def test_encryption_alone_does_not_notice_an_altered_content() -> None:
    """Why the policy has to ask for authentication: the sender's octets pass, altered."""
    policy = SecurityPolicy.ENCRYPTED
    apdu = sender(policy).protect(0xC8, GET)
    altered = apdu[:-1] + bytes((apdu[-1] ^ 1,))
    assert receiver(policy).unprotect(altered) == GET[:-1] + bytes((GET[-1] ^ 1,))
