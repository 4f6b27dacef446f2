"""The keeper of keys: a change is durable with its event before it counts, and a new key has counters of its own."""

import stat

import pytest

from dlms_objects.classes.catalogue import Role
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.config import MASTER_KEY_NAME
from dlms_objects.meter.store import StorageError
from dlms_objects.purse.outcome import EventCode
from dlms_objects.transport.credentials import load_client_credentials, load_master_key
from dlms_objects.wire.acse import Mechanism
from dlms_objects.wire.key_wrap import wrap_key
from tests.support.meters import CLIENT_TITLE, NOW

MANAGEMENT, READER, RESIDENT, PUBLIC = 1, 2, 3, 16
NEW, OTHER = b"N" * 16, b"O" * 16


@pytest.fixture
def keeper(world):
    return world.meter.key_keeper


@pytest.fixture
def transfer(world):
    master = load_master_key(world.folder / "keys" / MASTER_KEY_NAME).key
    time = world.meter.keeper.stamp(NOW)

    def transfer(client_sap, number, key):
        world.meter.key_keeper.transfer(client_sap, [(number, wrap_key(master, key))], time)

    return transfer


def key_events(world):
    rows = world.sql("SELECT code, value FROM event WHERE code = ?", EventCode.KEY_CHANGED)
    return [value for _code, value in rows]


def test_the_first_start_takes_over_the_key_files_and_later_ones_do_not(world, keeper):
    credentials = world.credentials
    for role, sap in ((Role.READER, READER), (Role.MANAGEMENT, MANAGEMENT)):
        assert keeper.roles(is_local=True)[sap].keys == credentials[role].cipher_keys()
    assert keeper.roles(is_local=True)[PUBLIC].keys is None
    path, key = world.made.keys[Role.MANAGEMENT], credentials[Role.MANAGEMENT].encryption_key
    path.write_text(path.read_text().replace(key.hex(), NEW.hex()))
    world.restart()
    assert world.meter.key_keeper.roles(is_local=True)[MANAGEMENT].keys == credentials[Role.MANAGEMENT].cipher_keys()


def test_the_resident_has_a_secret_and_a_role_on_the_local_port_only(world, keeper):
    secret = load_client_credentials(world.made.resident).secret
    role = keeper.roles(is_local=True)[RESIDENT]
    assert (role.mechanism, role.password, role.policy.is_ciphered) == (Mechanism.LLS, secret, False)
    assert keeper.roles(is_local=False).keys() == {PUBLIC, READER, MANAGEMENT}


def test_a_changed_secret_counts_at_once_and_after_a_restart_and_is_an_event(world, keeper):
    name, time = keeper.name_of(RESIDENT), world.meter.keeper.stamp(NOW)
    keeper.change_secret(RESIDENT, b"a new secret", time)
    keeper.change_secret(RESIDENT, b"a new secret", time)
    assert keeper.roles(is_local=True)[RESIDENT].password == b"a new secret"
    assert (key_events(world), keeper.changes) == ([RESIDENT], 1)
    assert keeper.name_of(RESIDENT) != name
    world.restart()
    assert world.meter.key_keeper.roles(is_local=True)[RESIDENT].password == b"a new secret"


@pytest.mark.parametrize(("client_sap", "secret"), [(3, b"7octets"), (3, bytes(65)), (3, bytes(range(16))), (2, NEW)])
def test_a_secret_that_cannot_be_changes_nothing(world, keeper, client_sap, secret):
    before = keeper.roles(is_local=True)[RESIDENT]
    with pytest.raises(InvalidValueError):
        keeper.change_secret(client_sap, secret, world.meter.keeper.stamp(NOW))
    assert keeper.roles(is_local=True)[RESIDENT] == before
    assert key_events(world) == []


def test_the_store_that_holds_keys_is_its_owner_s_alone(world):
    for path in world.folder.glob("meter.sqlite*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_transfer_counts_at_once_and_after_a_restart_and_is_an_event(world, keeper, transfer):
    before = keeper.roles(is_local=True)
    transfer(READER, 0, NEW)
    assert before[READER].keys.global_unicast_encryption_key == NEW
    assert key_events(world) == [READER]
    assert keeper.changes == 1
    world.restart()
    after = world.meter.key_keeper
    assert after.roles(is_local=True)[READER].keys == before[READER].keys
    assert after.changes == 0


def test_the_same_key_again_changes_nothing(world, keeper, transfer):
    transfer(READER, 0, keeper.roles(is_local=True)[READER].keys.global_unicast_encryption_key)
    assert (key_events(world), keeper.changes) == ([], 0)


def test_a_new_key_has_new_counters_and_an_old_one_goes_on_with_its_own(keeper, transfer):
    old = keeper.roles(is_local=True)[READER].keys.global_unicast_encryption_key
    name, counters = keeper.name_of(READER), keeper.counters(READER)
    sent = [counters.sent.next() for _ in range(3)]
    counters.received.accept(CLIENT_TITLE, 77)
    assert keeper.highest_received(READER) == 77
    transfer(READER, 0, NEW)
    assert keeper.name_of(READER) != name
    assert keeper.highest_received(READER) == 0
    assert keeper.counters(READER).sent.next() == sent[0]
    transfer(READER, 0, old)
    assert keeper.counters(READER) is counters
    assert keeper.highest_received(READER) == 77
    assert keeper.counters(READER).sent.next() > sent[-1]


def test_a_new_authentication_key_alone_does_not_restart_counters(keeper, transfer):
    counters = keeper.counters(READER)
    transfer(READER, 2, NEW)
    assert keeper.counters(READER) is counters


def test_roles_without_keys_have_the_sap_for_a_name(keeper):
    assert keeper.name_of(PUBLIC) == "16"


def test_a_change_that_cannot_be_stored_did_not_happen(world, keeper, transfer, monkeypatch):
    before = dict(keeper.roles(is_local=True))

    def full(*_):
        raise StorageError("the disk is full")

    monkeypatch.setattr("dlms_objects.meter.store.MeterStore.save_keys", full)
    with pytest.raises(StorageError):
        transfer(READER, 0, NEW)
    assert (dict(keeper.roles(is_local=True)), keeper.changes) == (before, 0)


def test_a_half_stored_change_is_taken_back(world, keeper, transfer, monkeypatch):
    monkeypatch.setattr("dlms_objects.meter.store._event_statements", lambda *_: [("INSERT INTO nowhere", ())])
    with pytest.raises(StorageError):
        transfer(READER, 0, OTHER)
    assert OTHER not in [key for _sap, *keys in world.sql("SELECT * FROM association_keys") for key in keys]


def test_the_counters_of_the_two_keys_are_apart(world):
    world.connect(Role.MANAGEMENT).purse("balance")
    counters = world.meter.key_keeper.counters
    assert counters(1).received.highest(CLIENT_TITLE) is not None
    assert counters(2).received.highest(CLIENT_TITLE) is None
