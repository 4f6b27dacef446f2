"""The keys of a meter: no two the same, and replaced by a transfer as a whole or not at all."""

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.meter_keys import KeyId, MeterKeys
from dlms_objects.transport.credentials import EXAMPLE_KEYS
from dlms_objects.wire.cipher_keys import CipherKeys
from dlms_objects.wire.key_wrap import KeyUnwrapError, wrap_key

MASTER = b"the master key!!"
A, B, C, D, E, F = (bytes((letter,)) * 16 for letter in b"ABCDEF")


def pair(encryption_key, authentication_key):
    return CipherKeys(global_unicast_encryption_key=encryption_key, authentication_key=authentication_key)


def keys(**changes):
    return MeterKeys(**{"associations": {1: pair(A, B), 2: pair(C, D)}, "master_key": MASTER} | changes)


def wrapped(*transfers, master=MASTER):
    return [(number, wrap_key(master, key)) for number, key in transfers]


def test_a_transfer_replaces_what_it_names_and_nothing_else():
    changed = keys().transferred(1, wrapped((KeyId.GLOBAL_UNICAST_ENCRYPTION_KEY, E)))
    assert changed == keys(associations={1: pair(E, B), 2: pair(C, D)})
    changed = keys().transferred(2, wrapped((KeyId.AUTHENTICATION_KEY, E), (KeyId.GLOBAL_UNICAST_ENCRYPTION_KEY, F)))
    assert changed == keys(associations={1: pair(A, B), 2: pair(F, E)})
    assert keys().transferred(1, wrapped((KeyId.MASTER_KEY, E))) == keys(master_key=E)
    assert keys().transferred(1, []) == keys()


def test_the_same_keys_again_are_the_same_keys():
    assert keys().transferred(1, wrapped((0, A), (2, B), (3, MASTER))) == keys()


def test_the_master_key_in_force_wraps_its_own_successor_and_all_that_comes_with_it():
    changed = keys().transferred(1, wrapped((KeyId.MASTER_KEY, E), (KeyId.GLOBAL_UNICAST_ENCRYPTION_KEY, F)))
    assert changed.master_key == E
    with pytest.raises(KeyUnwrapError):
        changed.transferred(1, wrapped((0, A)))
    assert changed.transferred(1, wrapped((0, A), master=E)).associations[1] == pair(A, B)


@pytest.mark.parametrize(
    ("client_sap", "transfers"),
    [
        (16, [(0, E)]),
        (9, []),
        (1, [(1, E)]),
        (1, [(4, E)]),
        (1, [(-1, E)]),
        (1, [(0, E), (0, E)]),
        (1, [(0, E), (2, F), (0, E)]),
        (1, [(0, B)]),
        (1, [(0, C)]),
        (1, [(0, D)]),
        (1, [(0, E), (2, E)]),
        (1, [(0, MASTER)]),
        (1, [(3, A)]),
        (1, [(0, EXAMPLE_KEYS[0])]),
        (1, [(2, EXAMPLE_KEYS[1])]),
        (1, [(3, EXAMPLE_KEYS[0])]),
    ],
)
def test_keys_that_cannot_be_are_refused(client_sap, transfers):
    with pytest.raises(InvalidValueError):
        keys().transferred(client_sap, wrapped(*transfers))


@pytest.mark.parametrize("master", [E, MASTER[::-1]])
def test_a_key_that_another_master_key_wrapped_is_refused(master):
    with pytest.raises(KeyUnwrapError):
        keys().transferred(1, [*wrapped((2, F)), *wrapped((0, E), master=master)])


@pytest.mark.parametrize("changes", [{"master_key": b""}, {"master_key": MASTER * 2}, {"master_key": A}])
def test_keys_that_cannot_be_together_cannot_be_made(changes):
    with pytest.raises(InvalidValueError):
        keys(**changes)


def test_keys_never_appear_in_any_text():
    canary = b"CANARY-KEY-00001"
    made = keys(master_key=canary)
    with pytest.raises(InvalidValueError) as refused:
        keys(associations={1: pair(canary, B), 2: pair(canary, D)})
    for text in (repr(made), str(made), str(refused.value), repr(refused.value)):
        assert "CANARY" not in text
        assert canary.hex() not in text
