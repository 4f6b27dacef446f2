"""A ciphered APDU is opened as `security` protects it, for a look: no counter moves, and a false tag is told."""

import pytest

from dlms_objects.transport.plaintext import is_dedicated, opened
from dlms_objects.wire.apdu import decode_apdu
from dlms_objects.wire.ciphered import GeneralDedCiphering, GeneralGloCiphering, ServiceCiphering
from dlms_objects.wire.security import SecurityContext, SecurityPolicy
from tests.support.associations import GATEWAY, GET, KEYS, METER, OTHER_KEYS, counters

CIPHERING = [SecurityPolicy.AUTHENTICATED, SecurityPolicy.AUTHENTICATED_ENCRYPTED]


def protected(policy: SecurityPolicy, tag: int = 0xC8) -> ServiceCiphering | GeneralGloCiphering:
    context = SecurityContext(keys=KEYS, own_title=GATEWAY, counters=counters(5), peer_title=METER, policy=policy)
    apdu = decode_apdu(context.protect(tag, GET))
    assert isinstance(apdu, ServiceCiphering | GeneralGloCiphering)
    return apdu


@pytest.mark.parametrize("policy", CIPHERING)
def test_what_was_protected_is_seen(policy: SecurityPolicy) -> None:
    assert opened(protected(policy), KEYS, GATEWAY.octets) == (GET, True)
    assert opened(protected(policy, 0xDB), KEYS, None) == (GET, True)


def test_encryption_without_a_tag_shows_what_is_inside() -> None:
    plain, _ = opened(protected(SecurityPolicy.ENCRYPTED), KEYS, GATEWAY.octets) or (b"", False)
    assert plain == GET


@pytest.mark.parametrize("policy", CIPHERING)
def test_a_false_tag_is_told(policy: SecurityPolicy) -> None:
    apdu = protected(policy)
    for place in range(5, len(apdu.content)):
        content = bytearray(apdu.content)
        content[place] ^= 1
        found = opened(ServiceCiphering(tag=0xC8, content=bytes(content)), KEYS, GATEWAY.octets)
        assert found is not None
        assert not found[1]


def test_other_keys_and_another_sender_open_nothing_genuine() -> None:
    apdu = protected(SecurityPolicy.AUTHENTICATED_ENCRYPTED)
    for keys, title in ((OTHER_KEYS, GATEWAY), (KEYS, METER)):
        found = opened(apdu, keys, title.octets)
        assert found is not None
        assert not found[1]


def test_the_dedicated_key_is_another_one() -> None:
    content = protected(SecurityPolicy.AUTHENTICATED_ENCRYPTED).content
    glo = (ServiceCiphering(tag=0xC8, content=content), GeneralGloCiphering(system_title=b"", content=content))
    ded = (ServiceCiphering(tag=0xD0, content=content), GeneralDedCiphering(system_title=b"", content=content))
    assert [is_dedicated(apdu) for apdu in (*glo, *ded)] == [False, False, True, True]


def test_what_has_another_key_or_no_known_sender_is_not_opened() -> None:
    apdu = protected(SecurityPolicy.AUTHENTICATED_ENCRYPTED)
    assert opened(apdu, KEYS, None) is None
    for control in (0x70, 0xB0):
        other = ServiceCiphering(tag=0xC8, content=bytes((control,)) + apdu.content[1:])
        assert opened(other, KEYS, GATEWAY.octets) is None
