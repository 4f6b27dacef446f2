"""The keeper of the courier: what it keeps, when it seals anew, and what it says when it cannot.

What happens to sealed octets on their way is in tests/security/test_courier.py.
"""

import pytest

from dlms_objects.classes.catalogue import Role, security_setup_name
from dlms_objects.classes.courier_class import COURIER, COURIER_NAME, COURIER_SAP
from dlms_objects.classes.standard import SECURITY_SETUP
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter import setup
from dlms_objects.meter.config import MASTER_KEY_NAME
from dlms_objects.meter.cosem_object import ActionRefusedError
from dlms_objects.meter.courier_keeper import CourierKeeper
from dlms_objects.meter.store import StorageError
from dlms_objects.transport.credentials import load_master_key
from dlms_objects.values.results import ActionResult
from dlms_objects.wire.counters import COUNTER_CEILING, Counters, MemorySentCounters
from dlms_objects.wire.key_wrap import wrap_key
from tests.support.courier_headend import CourierHeadEnd, Refused
from tests.support.meters import MeterWorld

NEW_KEYS = {"global_unicast_encryption_key": b"N" * 16, "authentication_key": b"O" * 16}


@pytest.fixture
def keeper(world):
    return world.meter.courier


@pytest.fixture
def public(world):
    return world.requester(Role.PUBLIC)


@pytest.fixture
def head_end(world):
    return CourierHeadEnd(world.made.courier_keys)


def transfer(client, world, keys):
    master = load_master_key(world.folder / "keys" / MASTER_KEY_NAME).key
    plain = [{"key_id": name, "key_wrapped": wrap_key(master, key).hex()} for name, key in keys.items()]
    client.call(SECURITY_SETUP, security_setup_name(9), "key_transfer", plain)


def test_the_first_start_learns_the_head_end_and_later_ones_need_no_file(world):
    world.made.courier_keys.unlink()
    world.restart()
    assert world.meter.courier.head_end_title == setup.HEAD_END_TITLE


def test_another_head_end_in_the_key_file_before_the_first_start_is_the_one(tmp_path):
    world = MeterWorld(tmp_path / "other", start=False)
    keys = world.made.courier_keys
    keys.write_text(keys.read_text().replace(str(setup.HEAD_END_TITLE), "4D504800000000FF"))
    world.start()
    assert str(world.meter.courier.head_end_title) == "4D504800000000FF"
    world.meter.close()


def test_max_rows_is_kept_and_zero_is_refused(world, keeper, client):
    assert keeper.max_rows == 20
    with pytest.raises(InvalidValueError):
        keeper.set_max_rows(0)
    client.set(COURIER, COURIER_NAME, "max_rows", 255)
    client.release()
    world.restart()
    assert world.meter.courier.max_rows == 255


@pytest.mark.parametrize("keys", [NEW_KEYS, *({name: key} for name, key in NEW_KEYS.items())])
def test_new_keys_seal_the_next_batch_and_the_old_ones_open_it_no_more(world, client, public, keeper, head_end, keys):
    assert head_end.take(keeper.batch(public.now)) == 0
    transfer(client, world, keys)
    for meter in (world.meter, None):
        if meter is None:
            client.release()
            world.restart()
        batch = world.meter.courier.batch(public.now)
        with pytest.raises(Refused, match="the tag is wrong"):
            head_end.take(batch)
    head_end.key = keys.get("global_unicast_encryption_key", head_end.key)
    head_end.authentication_key = keys.get("authentication_key", head_end.authentication_key)
    head_end.received = -1
    assert head_end.take(batch) == 0


def test_an_old_key_that_comes_back_goes_on_with_its_counters(world, client, public, keeper, head_end):
    old = {"global_unicast_encryption_key": head_end.key}
    assert head_end.take(keeper.batch(public.now)) == 0
    instruction = head_end.top_up(1, 5)
    keeper.deliver(instruction, public)
    transfer(client, world, {"global_unicast_encryption_key": b"N" * 16})
    transfer(client, world, old)
    with pytest.raises(ActionRefusedError):
        keeper.deliver(instruction, public)
    assert head_end.take(keeper.batch(public.now)) == 1


def test_a_meter_without_head_end_or_keys_says_so(world, public, keeper):
    keeper.head_end_title = None
    for act in (lambda requester: keeper.batch(requester.now), lambda requester: keeper.deliver(b"\xdb", requester)):
        with pytest.raises(InvalidValueError, match="knows no head-end"):
            act(public)
    with pytest.raises(InvalidValueError, match="no keys of client SAP 16"):
        world.meter.key_keeper.keys(16)


def test_a_meter_that_has_no_counter_left_says_so(world, public, keeper, monkeypatch):
    spent = Counters(
        sent=MemorySentCounters(COUNTER_CEILING), received=world.meter.key_keeper.counters(COURIER_SAP).received
    )
    monkeypatch.setattr(world.meter.key_keeper, "counters", lambda _client_sap: spent)
    with pytest.raises(InvalidValueError, match="the key must change"):
        keeper.batch(public.now)


def test_a_store_that_cannot_take_the_counter_lets_nothing_happen(world, public, keeper, head_end, monkeypatch):
    def full(*_):
        raise StorageError("the disk is full")

    received = world.meter.key_keeper.counters(COURIER_SAP).received
    instruction = head_end.top_up(1, 5)
    with monkeypatch.context() as broken:
        broken.setattr(received, "accept", full)
        with pytest.raises(StorageError):
            keeper.deliver(instruction, public)
    assert world.meter.keeper.state.balance == 0
    assert head_end.read(keeper.deliver(instruction, public)).result == 0


def test_every_refusal_is_the_same(public, keeper, head_end):
    instruction = head_end.top_up(1, 5)
    keeper.deliver(instruction, public)
    refusals = set()
    for refused in (instruction, b"", b"\xdb", instruction[:-1], bytes(40), head_end.seal(b"x", title=bytes(8))):
        with pytest.raises(ActionRefusedError) as refusal:
            keeper.deliver(refused, public)
        refusals.add((refusal.value.result, str(refusal.value), refusal.value.__cause__))
    assert refusals == {(ActionResult.OTHER_REASON, "OTHER_REASON", None)}


def test_a_keeper_over_a_store_that_kept_nothing_has_the_defaults(world):
    world.sql("DELETE FROM kept_value")
    meter = world.meter
    fresh = CourierKeeper(meter._store, meter.keeper, meter.key_keeper, meter.device.action)
    assert (fresh.head_end_title, fresh.max_rows) == (None, 20)
