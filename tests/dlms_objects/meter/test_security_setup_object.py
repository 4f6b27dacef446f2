"""The security setup over DLMS: management replaces keys; nobody weakens a policy; what is open with old keys ends."""

from dataclasses import replace

import pytest

from dlms_objects.classes.catalogue import Role, security_setup_name
from dlms_objects.classes.standard import SECURITY_SETUP
from dlms_objects.errors import RefusedError, TransportLostError
from dlms_objects.meter.config import MASTER_KEY_NAME
from dlms_objects.purse.outcome import EventCode
from dlms_objects.transport.client import AccessRefusedByMeterError, AssociationRefusedByMeterError
from dlms_objects.transport.credentials import load_master_key
from dlms_objects.wire.key_wrap import wrap_key
from tests.support.meters import fresh_counters

PUBLIC, READER, MANAGEMENT = (security_setup_name(number) for number in (1, 2, 3))
NEW = b"N" * 16


@pytest.fixture
def master(world):
    return load_master_key(world.folder / "keys" / MASTER_KEY_NAME).key


def transfer(client, setup, master, **keys):
    plain = [{"key_id": name, "key_wrapped": wrap_key(master, key).hex()} for name, key in keys.items()]
    return client.call(SECURITY_SETUP, setup, "key_transfer", plain)


def renewed(world, role, **changes):
    return replace(world.credentials[role], **changes)


def test_the_new_key_opens_and_the_old_one_does_not(world, client, master):
    assert transfer(client, READER, master, global_unicast_encryption_key=NEW) is None
    with pytest.raises(AssociationRefusedByMeterError):
        world.connect(Role.READER)
    credentials = renewed(world, Role.READER, encryption_key=NEW)
    reader = world.connect(Role.READER, credentials=credentials, counters=fresh_counters())
    assert reader.purse("balance") == 0
    assert client.codes().count(EventCode.KEY_CHANGED) == 1


def test_the_meter_s_own_counters_restart_with_a_new_key(world, client, master):
    transfer(client, READER, master, global_unicast_encryption_key=NEW)
    counters = fresh_counters()
    credentials = renewed(world, Role.READER, encryption_key=NEW)
    world.connect(Role.READER, credentials=credentials, counters=counters).purse("balance")
    assert counters.received.highest(world.made.system_title) < 64


def test_who_changes_its_own_keys_goes_on_with_the_old_ones_until_it_releases(world, client, master):
    transfer(client, MANAGEMENT, master, global_unicast_encryption_key=NEW, authentication_key=b"O" * 16)
    assert client.purse("balance") == 0
    client.release()
    with pytest.raises(AssociationRefusedByMeterError):
        world.connect()
    credentials = renewed(world, Role.MANAGEMENT, encryption_key=NEW, authentication_key=b"O" * 16)
    assert world.connect(credentials=credentials, counters=fresh_counters()).purse("balance") == 0


def test_what_the_old_key_opened_is_closed_and_other_associations_go_on(world, client, master):
    outdated, other, public = world.connect(Role.READER), world.connect(), world.connect(Role.PUBLIC)
    half, line = world.dial()
    transfer(client, READER, master, global_unicast_encryption_key=NEW)
    world.reactor.settle()
    with pytest.raises(TransportLostError):
        outdated.purse("balance")
    assert half.is_closed
    assert other.purse("balance") == 0
    assert public.line in world.reactor.lines
    assert client.purse("balance") == 0


def test_the_master_key_replaces_itself(world, client, master):
    transfer(client, MANAGEMENT, master, master_key=NEW)
    with pytest.raises(RefusedError):
        transfer(client, READER, master, global_unicast_encryption_key=b"O" * 16)
    transfer(client, READER, NEW, global_unicast_encryption_key=b"O" * 16)
    assert client.codes().count(EventCode.KEY_CHANGED) == 2


@pytest.mark.parametrize(
    ("setup", "keys"),
    [
        (PUBLIC, {"global_unicast_encryption_key": NEW}),
        (READER, {"global_broadcast_encryption_key": NEW}),
        (READER, {"global_unicast_encryption_key": bytes(range(16))}),
        (READER, {"global_unicast_encryption_key": NEW, "authentication_key": NEW}),
    ],
)
def test_keys_that_cannot_be_are_refused_and_nothing_changes(world, client, master, setup, keys):
    with pytest.raises(AccessRefusedByMeterError, match="other-reason"):
        transfer(client, setup, master, **keys)
    assert world.connect(Role.READER).purse("balance") == 0
    assert EventCode.KEY_CHANGED not in client.codes()


def test_a_key_that_the_master_key_did_not_wrap_is_refused_like_any_other_mistake(world, client):
    with pytest.raises(AccessRefusedByMeterError, match="other-reason"):
        transfer(client, READER, NEW, global_unicast_encryption_key=b"O" * 16)
    assert EventCode.KEY_CHANGED not in client.codes()


def test_only_management_replaces_keys(world, master):
    for role in (Role.READER, Role.PUBLIC):
        with pytest.raises(AccessRefusedByMeterError, match="read-write-denied|scope"):
            transfer(world.connect(role), READER, master, global_unicast_encryption_key=NEW)
    assert EventCode.KEY_CHANGED not in world.connect(Role.READER).codes()


@pytest.mark.parametrize(("setup", "bits"), [(PUBLIC, 0x00), (READER, 0x6C), (MANAGEMENT, 0x6C)])
def test_a_policy_is_confirmed_and_never_weakened(client, setup, bits):
    assert client.call(SECURITY_SETUP, setup, "security_activate", bits) is None
    for other in {0x00, 0x0C, 0x60, 0x64, 0x6C, 0xFC} - {bits}:
        with pytest.raises(AccessRefusedByMeterError, match="other-reason"):
            client.call(SECURITY_SETUP, setup, "security_activate", other)
    assert client.get(SECURITY_SETUP, setup, "security_policy") == bits
