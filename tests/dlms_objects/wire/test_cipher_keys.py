"""Keys: as long as their suite wants, never shown, named without being told."""

from typing import Any

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.cipher_keys import CipherKeys, SecuritySuite, key_name

SHORT, LONG = (SecuritySuite.SUITE_0, SecuritySuite.SUITE_1), (SecuritySuite.SUITE_2,)


@pytest.mark.parametrize(("suite", "octets"), [*((suite, 16) for suite in SHORT), *((suite, 32) for suite in LONG)])
@pytest.mark.parametrize("name", ["global_unicast_encryption_key", "authentication_key"])
def test_a_key_is_exactly_as_long_as_its_suite_wants(suite: SecuritySuite, octets: int, name: str) -> None:
    right: dict[str, Any] = {"global_unicast_encryption_key": bytes(octets), "authentication_key": bytes(octets)}
    assert CipherKeys(**right, suite=suite).suite.key_octets == octets
    for key in (b"", bytes(octets - 1), bytes(octets + 1), bytes(48 - octets), bytearray(octets), "0" * octets):
        with pytest.raises(InvalidValueError):
            CipherKeys(**right | {name: key}, suite=suite)


def test_there_are_three_suites_and_their_numbers_are_the_standard_s() -> None:
    assert [suite.value for suite in SecuritySuite] == [0, 1, 2]


@pytest.mark.parametrize("suite", SecuritySuite)
def test_a_dedicated_key_is_of_the_suite_and_not_a_global_key(suite: SecuritySuite) -> None:
    octets = suite.key_octets
    keys = CipherKeys(global_unicast_encryption_key=b"E" * octets, authentication_key=b"A" * octets, suite=suite)
    dedicated = keys.for_dedicated(b"D" * octets)
    assert dedicated.global_unicast_encryption_key == b"D" * octets
    assert (dedicated.authentication_key, dedicated.suite) == (keys.authentication_key, suite)
    for key in (b"E" * octets, b"A" * octets, b"D" * (octets - 1), b"D" * (48 - octets), b""):
        with pytest.raises(InvalidValueError):
            keys.for_dedicated(key)


def test_keys_never_appear_in_any_text() -> None:
    canary = b"CANARY-KEY-00001"
    keys = CipherKeys(global_unicast_encryption_key=canary, authentication_key=canary)
    texts = [repr(keys), str(keys), f"{[keys]}", key_name(canary)]
    for wrong in (canary + b"!", canary.decode()):
        with pytest.raises(InvalidValueError) as refused:
            CipherKeys(global_unicast_encryption_key=wrong, authentication_key=canary)  # type: ignore[arg-type]
        texts.append(str(refused.value) + repr(refused.value))
    with pytest.raises(InvalidValueError) as refused:
        keys.for_dedicated(canary)
    texts.append(str(refused.value) + repr(refused.value))
    for text in texts:
        assert "CANARY" not in text
        assert canary.hex() not in text.lower()


def test_a_key_has_one_name_and_no_other_key_has_it() -> None:
    names = {key_name(number.to_bytes(16, "big")) for number in range(1000)}
    assert len(names) == 1000
    assert key_name(bytes(16)) == key_name(bytes(16))
    assert all(len(bytes.fromhex(name)) == 8 for name in names)
