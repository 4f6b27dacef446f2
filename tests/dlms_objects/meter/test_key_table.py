"""The tables of keys: empty at first, then exactly what was last stored, and altered ones are noticed."""

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.key_table import key_statements, read_keys
from dlms_objects.meter.meter_keys import MeterKeys
from dlms_objects.meter.store_file import create_store, open_store
from dlms_objects.wire.cipher_keys import CipherKeys

KEYS = MeterKeys(
    associations={
        1: CipherKeys(global_unicast_encryption_key=b"A" * 16, authentication_key=b"B" * 16),
        2: CipherKeys(global_unicast_encryption_key=b"C" * 16, authentication_key=b"D" * 16),
    },
    master_key=b"M" * 16,
)


@pytest.fixture
def connection(tmp_path):
    create_store(tmp_path / "keys.sqlite", [])
    connection = open_store(tmp_path / "keys.sqlite")
    yield connection
    connection.close()


def store(connection, keys, meter=1):
    for statement, parameters in key_statements(keys, meter):
        connection.execute(statement, parameters)


def test_there_are_no_keys_before_the_first_are_stored(connection):
    assert read_keys(connection, 1) is None


def test_what_is_stored_is_read_and_replaces_what_was(connection):
    store(connection, KEYS)
    assert read_keys(connection, 1) == KEYS
    changed = MeterKeys(
        associations={
            **KEYS.associations,
            2: CipherKeys(global_unicast_encryption_key=b"E" * 16, authentication_key=b"F" * 16),
        },
        master_key=b"N" * 16,
    )
    store(connection, changed)
    assert read_keys(connection, 1) == changed
    assert connection.execute("SELECT count(*) FROM association_keys").fetchall() == [(2,)]


def test_each_meter_of_a_file_has_keys_of_its_own(connection):
    store(connection, KEYS, 1)
    assert read_keys(connection, 2) is None
    others = MeterKeys(
        associations={1: CipherKeys(global_unicast_encryption_key=b"E" * 16, authentication_key=b"F" * 16)},
        master_key=b"N" * 16,
    )
    store(connection, others, 2)
    assert (read_keys(connection, 1), read_keys(connection, 2)) == (KEYS, others)


@pytest.mark.parametrize(
    "altered", ["UPDATE master_key SET key = x'00'", "UPDATE association_keys SET encryption_key = x'41'"]
)
def test_keys_that_were_altered_to_none_are_noticed(connection, altered):
    store(connection, KEYS)
    connection.execute(altered)
    with pytest.raises(InvalidValueError):
        read_keys(connection, 1)
