"""The courier over DLMS: who may do what, as the object model says; what is inside is in tests/security."""

import pytest

from dlms_objects.classes.catalogue import Role, security_setup_name
from dlms_objects.classes.courier_class import COURIER, COURIER_NAME
from dlms_objects.classes.standard import SECURITY_SETUP
from dlms_objects.meter import setup
from dlms_objects.transport.client import AccessRefusedByMeterError
from tests.support.courier_headend import CourierHeadEnd


@pytest.fixture
def head_end(world):
    return CourierHeadEnd(world.made.courier_keys)


def test_the_public_reads_the_batch_and_delivers_and_nothing_more(world, head_end):
    public = world.connect(Role.PUBLIC)
    assert head_end.take(bytes.fromhex(public.get(COURIER, COURIER_NAME, "batch"))) == 0
    answer = public.call(COURIER, COURIER_NAME, "deliver", head_end.top_up(1, 500).hex())
    assert head_end.read(bytes.fromhex(answer)).result == 0
    with pytest.raises(AccessRefusedByMeterError):
        public.get(COURIER, COURIER_NAME, "max_rows")
    with pytest.raises(AccessRefusedByMeterError):
        public.set(COURIER, COURIER_NAME, "max_rows", 5)


def test_the_reader_reads_and_management_writes(world, client, head_end):
    reader = world.connect(Role.READER)
    assert head_end.take(bytes.fromhex(reader.get(COURIER, COURIER_NAME, "batch"))) == 0
    assert reader.get(COURIER, COURIER_NAME, "max_rows") == 20
    with pytest.raises(AccessRefusedByMeterError):
        reader.call(COURIER, COURIER_NAME, "deliver", head_end.top_up(1, 500).hex())
    client.set(COURIER, COURIER_NAME, "max_rows", 7)
    assert reader.get(COURIER, COURIER_NAME, "max_rows") == 7


def test_max_rows_of_zero_is_other_reason(client):
    with pytest.raises(AccessRefusedByMeterError, match="other-reason"):
        client.set(COURIER, COURIER_NAME, "max_rows", 0)


def test_the_longest_batch_comes_through(world, client, head_end):
    for number in range(1, 256):
        client.top_up(number, number)
    client.set(COURIER, COURIER_NAME, "max_rows", 255)
    public = world.connect(Role.PUBLIC)
    batch = bytes.fromhex(public.get(COURIER, COURIER_NAME, "batch"))
    assert len(batch) > 255 * 98
    assert head_end.take(batch) == 255


def test_the_security_setup_names_both_ends_whoever_asks(world, client):
    setup_name = security_setup_name(9)
    assert client.get(SECURITY_SETUP, setup_name, "client_system_title") == str(setup.HEAD_END_TITLE).lower()
    assert client.get(SECURITY_SETUP, setup_name, "server_system_title") == str(world.made.system_title).lower()
    with pytest.raises(AccessRefusedByMeterError):
        world.connect(Role.PUBLIC).get(SECURITY_SETUP, setup_name, "client_system_title")
