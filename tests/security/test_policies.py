"""A ciphered APDU with authentication only, encryption only or both passes exactly where the policy says so."""

import pytest

from dlms_objects.errors import LocalError
from dlms_objects.wire.ciphered import GENERAL_DED_CIPHERING, GENERAL_GLO_CIPHERING
from dlms_objects.wire.policy import Protection, SecurityPolicy
from dlms_objects.wire.security import DecryptionError
from tests.support.associations import METER, POLICIES
from tests.support.contexts import GET, receiver, sender, stored, with_dedicated


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{policy.version_1:02x}")
@pytest.mark.parametrize("is_server", [False, True])
def test_an_apdu_is_accepted_exactly_where_the_policy_says_so(policy: SecurityPolicy, is_server: bool) -> None:
    """Each policy and direction against an APDU of each protection, in each envelope; a plain one too."""
    wanted = policy.request if is_server else policy.response
    tags = (0xC8, GENERAL_GLO_CIPHERING, 0xD0, GENERAL_DED_CIPHERING)
    cases = [(Protection.NONE, GET)]
    for protection in (Protection.AUTHENTICATED, Protection.ENCRYPTED, Protection.AUTHENTICATED_ENCRYPTED):
        peer = with_dedicated(sender(SecurityPolicy.both_ways(protection)).bound_to(METER))
        cases += [(protection, peer.protect(tag, GET)) for tag in tags]
    accepted = []
    for protection, apdu in cases:
        context = with_dedicated(receiver(policy, is_server=is_server))
        try:
            assert context.unprotect(apdu) == GET
            accepted.append(protection)
        except DecryptionError:
            assert stored(context) is None
    expected = [protection for protection, _ in cases if protection is wanted]
    assert accepted == (expected if policy.is_ciphered else [])


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{policy.version_1:02x}")
@pytest.mark.parametrize("is_server", [False, True])
def test_what_is_sent_is_protected_exactly_as_the_policy_says(policy: SecurityPolicy, is_server: bool) -> None:
    context = sender(policy, is_server=is_server)
    wanted = policy.response if is_server else policy.request
    assert context.accepts is (policy.request if is_server else policy.response)
    if not policy.is_ciphered:
        with pytest.raises(LocalError):
            context.protect(0xC8, GET)
    elif wanted is Protection.NONE:
        assert context.protect(0xC8, GET) == GET
        assert context.plain_limit(0xC8, 1000) == 1000
    else:
        assert context.protect(0xC8, GET)[2] == wanted
        assert context.plain_limit(0xC8, 1000) < 1000
