"""Key rotation: the new keys come into force on both sides, or the old ones still are."""

from dataclasses import replace

import pytest

from dlms_objects.classes.catalogue import Role
from dlms_objects.errors import InvalidValueError, RemoteError
from dlms_objects.meter.config import MASTER_KEY_NAME
from dlms_objects.transport.client import (
    AccessRefusedByMeterError,
    AssociationRefusedByMeterError,
    open_session,
)
from dlms_objects.transport.credentials import (
    MasterKey,
    load_credentials,
    load_master_key,
    save_credentials,
)
from dlms_objects.transport.key_rotation import next_path, open_with_either, rotate, rotate_master
from dlms_objects.values.system_title import SystemTitle
from tests.support.meters import ENDPOINT, MeterWorld, fresh_counters


class Operator:
    """Whoever holds the key files of a meter."""

    def __init__(self, folder):
        self.world = MeterWorld(folder)
        self.keys = self.world.folder / "keys"
        self.manager, self.reader = (self.world.made.keys[role] for role in (Role.MANAGEMENT, Role.READER))
        self.master_file = self.keys / MASTER_KEY_NAME
        self.counters = {}

    @property
    def master(self):
        return load_master_key(self.master_file)

    async def open(self, credentials):
        counters = self.counters.setdefault(credentials.key_id, fresh_counters())
        role = {1: Role.MANAGEMENT, 2: Role.READER}[credentials.client_sap]
        parameters = self.world.parameters(role, credentials=credentials, counters=counters)
        return await open_session(self.world.reactor, ENDPOINT, parameters)

    def run(self, awaitable):
        return self.world.reactor.run(awaitable)

    def rotate(self, key_file, **changes):
        self.run(rotate(changes.get("manager", self.manager), key_file, changes.get("master", self.master), self.open))

    def opens(self, credentials):
        try:
            self.run(self.run(self.open(credentials)).release())
        except AssociationRefusedByMeterError:
            return False
        return True


@pytest.fixture
def operator(tmp_path):
    operator = Operator(tmp_path / "meter")
    yield operator
    operator.world.meter.close()


@pytest.mark.parametrize("name", ["manager", "reader"])
def test_a_rotation_replaces_the_keys_in_the_meter_and_in_the_file(operator, name):
    path = getattr(operator, name)
    before = load_credentials(path)
    operator.rotate(path)
    after = load_credentials(path)
    assert (after.system_title, after.client_sap, after.server_sap) == (before.system_title, before.client_sap, 1)
    assert len({before.encryption_key, before.authentication_key, after.encryption_key, after.authentication_key}) == 4
    assert (operator.opens(before), operator.opens(after)) == (False, True)
    assert not next_path(path).exists()
    operator.rotate(path)
    assert (operator.opens(after), operator.opens(load_credentials(path))) == (False, True)


def test_the_master_key_is_replaced_and_wraps_from_then_on(operator):
    before = operator.master
    operator.run(rotate_master(operator.manager, operator.master_file, operator.open))
    assert operator.master.key != before.key
    assert not next_path(operator.master_file).exists()
    operator.rotate(operator.reader)
    with pytest.raises(AccessRefusedByMeterError):
        operator.rotate(operator.reader, master=before)


def test_a_master_key_that_the_meter_took_before_we_were_cut_off_is_found_out(operator):
    before = operator.master_file.read_text()
    operator.run(rotate_master(operator.manager, operator.master_file, operator.open))
    after = operator.master_file.read_text()
    operator.master_file.rename(next_path(operator.master_file))
    operator.master_file.write_text(before)
    operator.master_file.chmod(0o600)
    operator.run(rotate_master(operator.manager, operator.master_file, operator.open))
    assert operator.master_file.read_text() == after


def test_a_master_key_that_is_not_the_meter_s_replaces_nothing(operator):
    text = operator.master_file.read_text()
    operator.master_file.write_text(text.replace(operator.master.key.hex(), (b"W" * 16).hex()))
    with pytest.raises(AccessRefusedByMeterError):
        operator.run(rotate_master(operator.manager, operator.master_file, operator.open))
    with pytest.raises(AccessRefusedByMeterError):
        operator.rotate(operator.reader)
    assert operator.master.key == b"W" * 16
    assert operator.opens(load_credentials(operator.reader))


@pytest.mark.parametrize("which", [rotate, rotate_master])
def test_keys_of_another_meter_are_refused_before_anything_is_sent(operator, which, tmp_path):
    stranger = SystemTitle(b"MPR\x09\x09\x09\x09\x09")
    other = tmp_path / "other.toml"
    save_credentials(other, replace(load_credentials(operator.manager), system_title=stranger))
    call = {
        rotate: lambda: rotate(operator.manager, other, operator.master, operator.open),
        rotate_master: lambda: rotate_master(other, operator.master_file, operator.open),
    }[which]
    with pytest.raises(InvalidValueError):
        operator.run(call())
    assert operator.world.reactor.lines == []


def test_an_association_without_a_security_setup_is_refused(operator, tmp_path):
    other = tmp_path / "other.toml"
    save_credentials(other, replace(load_credentials(operator.manager), client_sap=77))
    with pytest.raises(InvalidValueError):
        operator.rotate(other)


def test_either_keys_open_and_the_new_ones_take_the_place_of_the_old_ones(operator):
    before = operator.manager.read_text()
    operator.rotate(operator.manager)
    after = operator.manager.read_text()
    operator.manager.rename(next_path(operator.manager))
    operator.manager.write_text(before)
    operator.manager.chmod(0o600)
    operator.run(operator.run(open_with_either(operator.manager, operator.open)).release())
    assert operator.manager.read_text() == after
    assert not next_path(operator.manager).exists()


def test_a_rotation_that_was_cut_off_after_the_meter_took_the_keys_is_finished_with_those_keys(operator):
    before = operator.manager.read_text()
    operator.rotate(operator.manager)
    after = operator.manager.read_text()
    operator.manager.rename(next_path(operator.manager))
    operator.manager.write_text(before)
    operator.manager.chmod(0o600)
    operator.rotate(operator.manager)
    assert operator.manager.read_text() == after
    assert operator.opens(load_credentials(operator.manager))


def test_keys_that_open_nothing_are_refused_and_both_files_stay(operator):
    wrong = replace(load_credentials(operator.manager), encryption_key=b"W" * 16)
    operator.manager.unlink()
    save_credentials(operator.manager, wrong)
    with pytest.raises(AssociationRefusedByMeterError):
        operator.run(open_with_either(operator.manager, operator.open))
    save_credentials(next_path(operator.manager), wrong)
    with pytest.raises(AssociationRefusedByMeterError):
        operator.run(open_with_either(operator.manager, operator.open))
    assert load_credentials(operator.manager) == load_credentials(next_path(operator.manager)) == wrong


def test_a_meter_that_cannot_be_trusted_is_not_believed(operator):
    async def deceived(_credentials):
        raise RemoteError("a flipped bit")

    with pytest.raises(RemoteError):
        operator.run(open_with_either(operator.manager, deceived))


def test_a_master_key_is_of_one_meter():
    with pytest.raises(InvalidValueError):
        MasterKey(system_title=SystemTitle(b"MPR\x00\x00\x00\x00\x01"), key=b"short")
