"""The suites 0, 1 and 2: what each is on the line, and that none passes for another."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dlms_objects.wire.cipher_keys import SecuritySuite
from dlms_objects.wire.security import DecryptionError
from tests.support.associations import GATEWAY
from tests.support.contexts import CHALLENGE, GET, keys_of, receiver, sender, stored


@pytest.mark.parametrize("suite", SecuritySuite)
def test_a_suite_is_its_cipher_and_its_number_in_the_security_control_octet(suite: SecuritySuite) -> None:
    keys = keys_of(suite)
    apdu = sender(keys=keys).protect(0xC8, GET)
    nonce, aad = GATEWAY.octets + apdu[3:7], bytes((0x30 + suite,)) + keys.authentication_key
    assert apdu[2] == 0x30 + suite
    assert apdu[7:] == AESGCM(keys.global_unicast_encryption_key).encrypt(nonce, GET, aad)[:-4]
    assert receiver(keys=keys).unprotect(apdu) == GET
    assert receiver(keys=keys).suite is suite


@pytest.mark.parametrize("sent", SecuritySuite)
@pytest.mark.parametrize("wanted", SecuritySuite)
def test_a_change_of_suite_is_refused(sent: SecuritySuite, wanted: SecuritySuite) -> None:
    gateway, context = sender(keys=keys_of(sent)), receiver(keys=keys_of(wanted))
    apdu, proof = gateway.protect(0xC8, GET), gateway.gmac(CHALLENGE)
    if sent is wanted:
        assert context.unprotect(apdu) == GET
        context.verify_gmac(proof, CHALLENGE)
        return
    relabelled = apdu[:2] + bytes((0x30 + wanted,)) + apdu[3:]
    for forged in (apdu, relabelled):
        with pytest.raises(DecryptionError):
            context.unprotect(forged)
    for forged in (proof, bytes((0x10 + wanted,)) + proof[1:]):
        with pytest.raises(DecryptionError):
            context.verify_gmac(forged, CHALLENGE)
    assert stored(context) is None


@pytest.mark.parametrize("control", sorted(set(range(256)) - {0x30}))
def test_no_other_security_control_octet_is_accepted(control: int) -> None:
    """Other suites, broadcast keys, compression, and the bits that mean nothing."""
    apdu = sender().protect(0xC8, GET)
    context = receiver()
    with pytest.raises(DecryptionError):
        context.unprotect(apdu[:2] + bytes((control,)) + apdu[3:])
    assert stored(context) is None
