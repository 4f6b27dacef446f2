"""Key wrap: the octets of RFC 3394, and nothing else is unwrapped."""

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.wire.key_wrap import KeyUnwrapError, unwrap_key, wrap_key
from tests.support.associations import bit_flips
from tests.support.vectors import load

# RFC 3394, 4.1 and 4.6
MASTER_128, KEY_128 = bytes(range(16)), bytes.fromhex("00112233445566778899aabbccddeeff")
WRAPPED_128 = bytes.fromhex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5")
MASTER_256, KEY_256 = bytes(range(32)), KEY_128 + bytes(range(16))
WRAPPED_256 = bytes.fromhex("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21")
BOTH = [(MASTER_128, KEY_128, WRAPPED_128), (MASTER_256, KEY_256, WRAPPED_256)]


@pytest.mark.parametrize(("master_key", "key", "wrapped"), BOTH)
def test_a_key_is_wrapped_to_the_octets_of_the_rfc_and_back(master_key: bytes, key: bytes, wrapped: bytes) -> None:
    assert wrap_key(master_key, key) == wrapped
    assert unwrap_key(master_key, wrapped) == key


@pytest.mark.parametrize(("master_key", "key", "wrapped"), BOTH)
def test_a_wrapped_key_with_any_bit_changed_is_refused(master_key: bytes, key: bytes, wrapped: bytes) -> None:
    for altered in bit_flips(wrapped):
        with pytest.raises(KeyUnwrapError):
            unwrap_key(master_key, altered)
    for other in bit_flips(master_key):
        with pytest.raises(KeyUnwrapError):
            unwrap_key(other, wrapped)


@pytest.mark.parametrize("octets", [0, 8, 16, 23, 25, 32, 40])
def test_a_wrapped_key_of_another_length_is_refused(octets: int) -> None:
    with pytest.raises(KeyUnwrapError):
        unwrap_key(MASTER_128, bytes(octets))
    with pytest.raises(KeyUnwrapError):
        unwrap_key(MASTER_128, WRAPPED_256)
    with pytest.raises(KeyUnwrapError):
        unwrap_key(MASTER_256, WRAPPED_128)


@pytest.mark.parametrize(("master_octets", "key_octets"), [(0, 0), (15, 16), (24, 24), (16, 32), (32, 16), (16, 24)])
def test_only_keys_of_one_suite_wrap_each_other(master_octets: int, key_octets: int) -> None:
    with pytest.raises(InvalidValueError):
        wrap_key(bytes(master_octets), bytes(key_octets))
    if master_octets not in (16, 32):
        with pytest.raises(InvalidValueError):
            unwrap_key(bytes(master_octets), bytes(key_octets + 8))


def test_every_cause_gives_the_same_words_and_no_key() -> None:
    texts = set()
    for wrapped in (b"", WRAPPED_128[:-1], next(bit_flips(WRAPPED_128)), WRAPPED_256):
        with pytest.raises(KeyUnwrapError) as refused:
            unwrap_key(MASTER_128, wrapped)
        texts.add(str(refused.value))
    assert texts == {"a wrapped key was refused"}


def test_a_public_key_that_is_wrapped_another_way_is_refused() -> None:
    """The P0 key of an M-Bus device is wrapped with AES-GCM (what it says is checked with the ciphered APDUs)."""
    (vector,) = load("ciphered", valid=True, classes={"key-wrap"})
    with pytest.raises(KeyUnwrapError):
        unwrap_key(bytes.fromhex(vector["keys"]["master"]), bytes.fromhex(vector["hex"]))
