"""Every method of every object, called with the right key, a wrong key and no key: only the right key and right count.

Beside the access matrix (`tests/dlms_objects/meter/test_logical_device.py`), which tries rights behind an open
association, this tries the way there: the octets as they arrive at the meter.
"""

from collections.abc import Iterator

import pytest

from dlms_objects.classes.catalogue import ASSOCIATIONS, CATALOGUE, CLOCK_NAME, Role
from dlms_objects.classes.standard import CLOCK
from dlms_objects.purse.outcome import EventCode
from dlms_objects.transport.client import AccessRefusedByMeterError
from dlms_objects.values.data import long
from dlms_objects.values.logical_name import MethodDescriptor
from dlms_objects.values.results import ActionResult
from dlms_objects.wire import axdr
from dlms_objects.wire.action import ActionRequestNormal
from dlms_objects.wire.cipher_keys import CipherKeys
from dlms_objects.wire.ciphered import GLO_TAGS
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from dlms_objects.wire.security import SecurityContext
from dlms_objects.wire.wrapper import encode_frame
from tests.conftest import ACCESSES
from tests.support.access_matrix import sample
from tests.support.meters import CLIENT_TITLE, MeterWorld

WRONG = CipherKeys(global_unicast_encryption_key=b"W" * 16, authentication_key=b"V" * 16)
CIPHERED = [association for association in ASSOCIATIONS if association.is_ciphered]


def methods() -> Iterator[tuple[MethodDescriptor, bytes, frozenset[Role]]]:
    """Each method, a parameter of its type, and the roles that may call it."""
    for name, declared in CATALOGUE.items():
        for method in declared.interface.methods:
            roles = frozenset(role for role in Role if method.number in declared.rights_of(role).call)
            descriptor = MethodDescriptor(declared.interface.class_id, name, method.number)
            yield descriptor, axdr.encode(sample(method.parameter)), roles


METHODS = list(methods())


@pytest.fixture
def world(tmp_path):
    world = MeterWorld(tmp_path / "meter")
    yield world
    world.meter.close()


def account(world):
    """What nobody may change without a right to."""
    keeper = world.meter.keeper
    return keeper.state, world.meter.clock, world.sql("SELECT * FROM entry"), world.meter.key_keeper.changes


def test_with_the_right_key_exactly_the_granted_methods_are_reached(world, record_property):
    for association in CIPHERED:
        client = world.connect(association.role)
        for method, parameter, roles in METHODS:
            try:
                client.act(method, parameter)
                denied = False
            except AccessRefusedByMeterError as refusal:
                denied = refusal.result is ActionResult.READ_WRITE_DENIED
            assert denied is (association.role not in roles), (association.role, method)
        client.release()
    record_property(ACCESSES, len(METHODS) * len(CIPHERED))


@pytest.mark.parametrize("association", CIPHERED, ids=lambda association: association.role)
def test_with_a_wrong_key_no_method_is_reached(world, association, record_property):
    client = world.connect(association.role)
    before = account(world)
    context = forger(world, WRONG)
    for method, parameter, _roles in METHODS:
        apdu = ActionRequestNormal(method=method, parameters=parameter).encode()
        send(client, context, association.client_sap, apdu)
        world.reactor.settle()
    assert account(world) == before
    assert world.sql("SELECT count(*) FROM event WHERE code = ?", int(EventCode.DECRYPTION_FAILED))[0][0] > 0
    record_property(ACCESSES, len(METHODS))


@pytest.mark.parametrize("association", ASSOCIATIONS, ids=lambda association: association.role)
def test_without_a_key_no_method_is_reached(world, association, record_property):
    before = account(world)
    for number, (method, parameter, _roles) in enumerate(METHODS):
        peer, _line = world.dial(f"192.0.2.{number // 10}")  # one address alone would soon be kept out
        apdu = ActionRequestNormal(method=method, parameters=parameter).encode()
        peer.transport.write(encode_frame(association.client_sap, 1, apdu))
        world.reactor.settle()
        assert peer.is_closed
    assert account(world) == before
    record_property(ACCESSES, len(METHODS))


def test_a_meter_that_does_not_look_at_tags_is_found_out(world, monkeypatch):
    """The deliberate fault: with the right encryption key and a wrong authentication key a method is reached."""
    monkeypatch.setattr("dlms_objects.wire.security.compare_digest", lambda _mine, _theirs: True)
    client, before = world.connect(Role.MANAGEMENT), account(world)
    right = world.credentials[Role.MANAGEMENT]
    keys = CipherKeys(global_unicast_encryption_key=right.encryption_key, authentication_key=b"V" * 16)
    shift = MethodDescriptor(CLOCK.class_id, CLOCK_NAME, CLOCK.method("shift_time").number)
    send(client, forger(world, keys), 1, ActionRequestNormal(method=shift, parameters=axdr.encode(long(5))).encode())
    world.reactor.settle()
    assert account(world) != before


def forger(world, keys):
    """Seals as the client of an association would, with these keys."""
    return SecurityContext(
        keys=keys,
        own_title=CLIENT_TITLE,
        counters=Counters(sent=MemorySentCounters(1_000_000), received=MemoryReceivedCounters()),
    ).bound_to(world.meter.system_title)


def send(client, context, client_sap, apdu):
    """Put a request, sealed by that context, on the line of an open association."""
    client.line.client.write(encode_frame(client_sap, 1, context.protect(GLO_TAGS[apdu[0]], apdu)))
