"""Policies: each number of the security setup means one pair of protections, and each pair has its number."""

from dataclasses import replace

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.policy import Protection, SecurityPolicy
from tests.support.associations import POLICIES

NONE, AUTHENTICATED, ENCRYPTED, BOTH = Protection


@pytest.mark.parametrize(
    ("number", "policy"),
    [
        (0, SecurityPolicy.NONE),
        (1, SecurityPolicy.AUTHENTICATED),
        (2, SecurityPolicy.ENCRYPTED),
        (3, SecurityPolicy.AUTHENTICATED_ENCRYPTED),
    ],
)
def test_a_policy_of_version_0_is_the_same_both_ways(number: int, policy: SecurityPolicy) -> None:
    assert SecurityPolicy.of_version_0(number) == policy
    assert policy.request is policy.response is list(Protection)[number]


@pytest.mark.parametrize(
    ("bits", "request_", "response"),
    [
        (0x00, NONE, NONE),
        (0x04, AUTHENTICATED, NONE),
        (0x08, ENCRYPTED, NONE),
        (0x0C, BOTH, NONE),
        (0x20, NONE, AUTHENTICATED),
        (0x40, NONE, ENCRYPTED),
        (0x60, NONE, BOTH),
        (0x24, AUTHENTICATED, AUTHENTICATED),
        (0x48, ENCRYPTED, ENCRYPTED),
        (0x6C, BOTH, BOTH),
        (0x4C, BOTH, ENCRYPTED),
    ],
)
def test_the_bits_of_version_1_name_requests_and_responses_apart(
    bits: int, request_: Protection, response: Protection
) -> None:
    policy = SecurityPolicy.of_version_1(bits)
    assert policy == SecurityPolicy(request=request_, response=response)
    assert policy.version_1 == bits


def test_every_policy_has_bits_of_its_own_and_comes_back_from_them() -> None:
    assert len(POLICIES) == len({policy.version_1 for policy in POLICIES}) == 16
    for policy in POLICIES:
        assert SecurityPolicy.of_version_1(policy.version_1) == policy


def test_signatures_reserved_bits_and_numbers_out_of_range_are_no_policy() -> None:
    known = {policy.version_1 for policy in POLICIES}
    for bits in [*(set(range(256)) - known), -1, 256, 0x16C]:
        with pytest.raises(InvalidValueError):
            SecurityPolicy.of_version_1(bits)
    for number in (-1, 4, 0x6C):
        with pytest.raises(InvalidValueError):
            SecurityPolicy.of_version_0(number)


def test_only_a_policy_that_protects_nothing_is_not_ciphered() -> None:
    assert [policy for policy in POLICIES if not policy.is_ciphered] == [SecurityPolicy.NONE]
    assert replace(SecurityPolicy.NONE, response=AUTHENTICATED).is_ciphered


def test_encryption_is_told_from_authentication() -> None:
    assert [protection.is_encrypted for protection in Protection] == [False, False, True, True]
