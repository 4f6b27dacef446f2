"""Dedicated ciphering: the key a client brings for one association, beside the global one and apart from it."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dlms_objects.errors import LocalError
from dlms_objects.wire.ciphered import GENERAL_DED_CIPHERING
from dlms_objects.wire.security import DecryptionError, ReplayError
from tests.support.associations import GATEWAY, KEYS, METER
from tests.support.contexts import DEDICATED, GET, receiver, sender, stored, with_dedicated


@pytest.mark.parametrize("tag", [0xD0, GENERAL_DED_CIPHERING])
def test_dedicated_ciphering_uses_the_dedicated_key_and_the_global_authentication_key(tag: int) -> None:
    apdu = with_dedicated(sender().bound_to(METER)).protect(tag, GET)
    head = 2 if tag == 0xD0 else 11
    nonce, aad = GATEWAY.octets + apdu[head + 1 : head + 5], b"\x30" + KEYS.authentication_key
    assert apdu[head + 5 :] == AESGCM(DEDICATED).encrypt(nonce, GET, aad)[:-4]
    context = with_dedicated(receiver())
    assert context.unprotect(apdu) == GET
    with pytest.raises(ReplayError):
        context.unprotect(apdu)
    assert stored(context) is None, "the counters of the global key are not the dedicated key's"


def test_dedicated_ciphering_is_refused_where_no_dedicated_key_was_agreed_on() -> None:
    gateway = with_dedicated(sender().bound_to(METER))
    for tag in (0xD0, GENERAL_DED_CIPHERING):
        with pytest.raises(DecryptionError):
            receiver().unprotect(gateway.protect(tag, GET))
        for context in (sender(), sender().bound_to(METER)):
            with pytest.raises(LocalError):
                context.protect(tag, GET)
    assert not receiver().has_dedicated_key
    assert with_dedicated(receiver()).has_dedicated_key


def test_one_key_never_opens_what_the_other_protected() -> None:
    gateway, context = with_dedicated(sender().bound_to(METER)), with_dedicated(receiver())
    for own, other in ((0xC8, 0xD0), (0xD0, 0xC8)):
        apdu = gateway.protect(own, GET)
        with pytest.raises(DecryptionError):
            context.unprotect(bytes((other,)) + apdu[1:])
    for own, other in ((0xDB, 0xDC), (0xDC, 0xDB)):
        apdu = gateway.protect(own, GET)
        with pytest.raises(DecryptionError):
            context.unprotect(bytes((other,)) + apdu[1:])
    with pytest.raises(DecryptionError):
        with_dedicated(receiver(), DEDICATED[::-1]).unprotect(gateway.protect(0xD0, GET))


def test_both_keys_draw_from_the_same_counters_so_that_no_dedicated_key_repeats_a_nonce() -> None:
    gateway = with_dedicated(sender(first=0).bound_to(METER))
    drawn = [gateway.protect(tag, GET)[3:7] for tag in (0xC8, 0xD0, 0xC8)]
    again = with_dedicated(gateway.bound_to(METER))
    drawn.append(again.protect(0xD0, GET)[3:7])
    assert drawn == [number.to_bytes(4, "big") for number in range(4)]
