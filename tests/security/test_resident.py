"""The resident: low-level security, on the local port only, reading purse, fees and journal, setting manual amounts."""

import pytest

from dlms_objects.classes.catalogue import Role, association_name
from dlms_objects.classes.standard import ASSOCIATION_LN
from dlms_objects.errors import RemoteError, TransportLostError
from dlms_objects.meter.connection import MeterFactory, host_of
from dlms_objects.meter.failure_guard import FAILURES, REFILL_S
from dlms_objects.purse.outcome import EventCode
from dlms_objects.transport.client import (
    AccessRefusedByMeterError,
    AssociationRefusedByMeterError,
    open_session,
    secret_parameters,
)
from dlms_objects.transport.credentials import SecretCredentials, load_client_credentials
from dlms_objects.transport.link_transport import HdlcPeer
from dlms_objects.values.data import octet_string
from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import axdr
from dlms_objects.wire.hdlc_address import HdlcAddress
from tests.support.meters import BALANCE, CLOCK_TIME, ENDPOINT, Client, MeterWorld, daily, identifier, plain_parameters

SECRET = AttributeDescriptor(ASSOCIATION_LN.class_id, association_name(4), 7)
REFUSED = (AssociationRefusedByMeterError, RemoteError, TransportLostError)


@pytest.fixture
def world(tmp_path):
    world = MeterWorld(tmp_path / "meter")
    yield world
    world.meter.close()


def listen_locally(world):
    """From now on the line to the meter is its local port."""
    parameters = world.meter.server_parameters(180.0, is_local=True)
    world.factory = world.reactor.listener = MeterFactory(world.reactor, world.meter, parameters, 8)


def come(world, secret=None):
    """The resident's session."""
    told = load_client_credentials(world.made.resident)
    assert isinstance(told, SecretCredentials)
    credentials = (
        told
        if secret is None
        else SecretCredentials(
            system_title=told.system_title, client_sap=told.client_sap, server_sap=told.server_sap, secret=secret
        )
    )
    session = world.reactor.run(open_session(world.reactor, ENDPOINT, secret_parameters(credentials, timeout_s=5)))
    return Client(world.reactor, session, world.reactor.lines[-1])


def refusals(world):
    return world.sql("SELECT value FROM event WHERE code = ?", int(EventCode.ASSOCIATION_REFUSED))


def test_over_the_local_port_the_resident_reads_purse_fees_and_journal(world):
    manager = world.connect()
    manager.top_up(1, 5_000)
    manager.set_item("parameters", daily())
    listen_locally(world)
    resident = come(world)
    assert resident.purse("balance") == 5_000
    assert resident.item("parameters")["enabled"] is True
    assert [entry.amount for entry in resident.journal()] == [5_000]


def test_elsewhere_the_resident_is_refused_and_that_is_an_event(world):
    with pytest.raises(REFUSED):
        come(world)
    assert refusals(world) == [(3,)]


def test_a_wrong_secret_is_refused_and_that_is_an_event(world):
    listen_locally(world)
    with pytest.raises(REFUSED):
        come(world, b"not the secret")
    assert refusals(world) == [(3,)]


def test_who_guesses_the_secret_is_kept_out_for_a_while_whoever_proved_itself_there(world):
    listen_locally(world)
    world.connect()
    for _ in range(FAILURES):
        with pytest.raises(REFUSED):
            come(world, b"not the secret")
    with pytest.raises(REFUSED):
        come(world)
    world.pass_time(REFILL_S)
    assert come(world).purse("balance") == 0


def test_on_an_hdlc_line_who_fails_is_known_by_its_address(world):
    listen_locally(world)
    resident, management = (HdlcPeer(HdlcAddress.client(sap)) for sap in (3, 1))
    for _ in range(FAILURES):
        world.factory.guard.failed(host_of(resident), world.reactor.seconds())
    assert world.factory.buildProtocol(resident) is None
    assert world.factory.buildProtocol(management) is not None


def test_the_resident_sets_amounts_of_manual_items_only(world):
    manager = world.connect()
    manager.set_item("parameters", plain_parameters(amount_source="manual", amount=0), 1)
    manager.set_item("parameters", plain_parameters(amount_source="cloud", amount=0), 2)
    listen_locally(world)
    resident = come(world)
    bill = {"due": "2026-07-01", "amount": 1_200, "reference": identifier(9)}
    assert resident.do_item("set_amount", bill, 1) == "done"
    assert resident.do_item("set_amount", {**bill, "reference": identifier(8)}, 2) == "no_such_entry"
    assert [(each["amount"], each["source"]) for each in resident.item("pending_amounts", 1)] == [(1_200, "manual")]
    assert resident.item("pending_amounts", 2) == []


def test_the_resident_may_nothing_else(world):
    listen_locally(world)
    resident = come(world)
    for attribute in (CLOCK_TIME, SECRET):
        with pytest.raises(AccessRefusedByMeterError) as read:
            resident.read(attribute)
        assert read.value.result is DataAccessResult.READ_WRITE_DENIED
    with pytest.raises(AccessRefusedByMeterError) as written:
        resident.set_item("parameters", daily())
    assert written.value.result is DataAccessResult.READ_WRITE_DENIED
    for method, plain in (("top_up", {"transaction_id": identifier(1), "amount": 5}), ("check_now", 0)):
        with pytest.raises(AccessRefusedByMeterError) as called:
            resident.do(method, plain)
        assert called.value.result is ActionResult.READ_WRITE_DENIED
    with pytest.raises(AccessRefusedByMeterError):
        resident.do_item("cancel_amount", {"due": "2026-07-01"})


def test_management_replaces_the_secret_and_nobody_reads_it(world):
    manager = world.connect()
    manager.write(SECRET, axdr.encode(octet_string(b"a new secret")))
    for role in (Role.MANAGEMENT, Role.READER):
        with pytest.raises(AccessRefusedByMeterError):
            world.connect(role).read(SECRET)
    listen_locally(world)
    with pytest.raises(REFUSED):
        come(world)
    assert come(world, b"a new secret").purse("balance") == 0
    world.restart()
    listen_locally(world)
    assert come(world, b"a new secret").purse("balance") == 0


def test_a_new_secret_ends_the_association_that_was_opened_with_the_old_one(world):
    listen_locally(world)
    resident, manager = come(world), world.connect()
    manager.write(SECRET, axdr.encode(octet_string(b"a new secret")))
    with pytest.raises(TransportLostError):
        resident.read(BALANCE)
    assert manager.purse("balance") == 0


@pytest.mark.parametrize("secret", [b"short", bytes(65), bytes(range(16))])
def test_a_secret_that_cannot_be_is_refused_and_the_old_one_stays(world, secret):
    with pytest.raises(AccessRefusedByMeterError) as refused:
        world.connect().write(SECRET, axdr.encode(octet_string(secret)))
    assert refused.value.result is DataAccessResult.OTHER_REASON
    listen_locally(world)
    assert come(world).purse("balance") == 0


def test_other_associations_have_no_secret_to_write(world):
    for number in (0, 1, 2, 3):
        attribute = AttributeDescriptor(ASSOCIATION_LN.class_id, association_name(number), 7)
        with pytest.raises(AccessRefusedByMeterError):
            world.connect().write(attribute, axdr.encode(octet_string(b"a new secret")))
