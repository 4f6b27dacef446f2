"""A meter among attackers: wrong keys, flipped bits, replays, requests without a right. Nothing is changed by any."""

from dataclasses import replace

import pytest

from dlms_objects.classes.catalogue import Role
from dlms_objects.errors import RemoteError, TransportLostError
from dlms_objects.purse.outcome import EventCode
from dlms_objects.transport.client import AccessRefusedByMeterError, AssociationRefusedByMeterError
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire.get import GetRequestNormal
from dlms_objects.wire.wrapper import encode_frame
from tests.support.memory_network import RawPeer
from tests.support.meters import BALANCE, CLOCK_TIME, MeterWorld, plain_parameters

PLAIN_GET = GetRequestNormal(attribute=BALANCE).encode()


@pytest.fixture
def world(tmp_path):
    """A meter that was just started, with an empty purse."""
    world = MeterWorld(tmp_path / "meter")
    yield world
    world.meter.close()


def noted(world, code):
    """How many events of that code the meter's log holds."""
    return world.sql("SELECT count(*) FROM event WHERE code = ?", int(code))[0][0]


def account(world):
    """What nobody may change without a right to."""
    state = world.meter.keeper.state
    return state, world.sql("SELECT * FROM entry"), world.sql("SELECT * FROM used_id")


def flipped(octets):
    """One bit of the ciphertext flipped."""
    return octets[:-15] + bytes((octets[-15] ^ 1,)) + octets[-14:]


@pytest.mark.parametrize("wrong", ["encryption_key", "authentication_key"])
@pytest.mark.parametrize("role", [Role.READER, Role.MANAGEMENT])
def test_a_wrong_key_is_refused_and_noted(world, role, wrong):
    before = account(world)
    credentials = replace(world.credentials[role], **{wrong: bytes(range(100, 116))})
    with pytest.raises((AssociationRefusedByMeterError, RemoteError)):
        world.connect(role, credentials=credentials)
    assert noted(world, EventCode.DECRYPTION_FAILED) == noted(world, EventCode.ASSOCIATION_REFUSED) == 1
    assert account(world) == before


def test_the_readers_key_opens_no_management_association(world):
    before = account(world)
    credentials = replace(world.credentials[Role.READER], client_sap=1)
    with pytest.raises((AssociationRefusedByMeterError, RemoteError)):
        world.connect(Role.READER, credentials=credentials)
    assert noted(world, EventCode.ASSOCIATION_REFUSED) == 1
    assert account(world) == before


def test_a_flipped_bit_in_a_request_is_refused_and_noted_and_the_association_lives(world):
    client = world.connect()
    client.top_up(1, 5_000)
    before, end, peer = account(world), client.line.client, RawPeer()
    end.protocol, protocol = peer, end.protocol
    end.write(flipped(client.line.carried_to_meter[-1]))
    world.reactor.settle()
    end.protocol = protocol
    assert peer.heard[8:] == bytes((0xD8, 1, 5))  # exception-response: service-not-allowed, deciphering-error
    assert noted(world, EventCode.DECRYPTION_FAILED) == 1
    assert account(world) == before
    assert client.purse("balance") == 5_000


def test_a_client_whose_request_was_altered_is_told_and_gives_the_session_up(world):
    client = world.connect()
    client.line.to_meter = flipped
    with pytest.raises(RemoteError, match="deciphering-error"):
        client.top_up(1, 5_000)
    with pytest.raises(TransportLostError):
        client.purse("balance")


def test_a_flipped_bit_in_an_answer_is_never_believed(world):
    client = world.connect()
    client.line.to_client = flipped
    with pytest.raises(RemoteError):
        client.purse("balance")


def test_a_replayed_request_is_refused_and_noted_and_nothing_happens_twice(world):
    client = world.connect()
    client.top_up(1, 5_000)
    before = account(world)
    client.line.client.write(client.line.carried_to_meter[-1])
    world.reactor.settle()
    assert noted(world, EventCode.REPLAY_REFUSED) == 1
    assert account(world) == before


def test_a_meter_that_forgets_its_counters_is_caught(world, monkeypatch):
    client = world.connect()
    client.top_up(1, 5_000)
    monkeypatch.setattr(world.meter.key_keeper.counters(1).received, "highest", lambda _title: None)
    client.line.client.write(client.line.carried_to_meter[-1])
    world.reactor.settle()
    assert noted(world, EventCode.REPLAY_REFUSED) == 0


def test_a_replayed_session_is_refused_and_noted(world):
    client = world.connect()
    client.top_up(1, 5_000)
    frames = list(client.line.carried_to_meter)
    client.release()
    before = account(world)
    peer, _line = world.dial()
    for frame in frames:
        peer.transport.write(frame)
        world.reactor.settle()
    assert peer.is_closed
    assert noted(world, EventCode.REPLAY_REFUSED) == noted(world, EventCode.ASSOCIATION_REFUSED) == 1
    assert account(world) == before


@pytest.mark.parametrize("client_sap", [1, 2, 3, 16, 99])
def test_a_get_without_an_association_is_refused_and_noted(world, client_sap):
    peer, _line = world.dial()
    peer.transport.write(encode_frame(client_sap, 1, PLAIN_GET))
    world.reactor.settle()
    assert peer.is_closed
    assert noted(world, EventCode.ASSOCIATION_REFUSED) == 1


def test_a_plain_get_in_a_ciphered_association_is_refused_and_noted(world):
    client = world.connect()
    client.line.client.write(encode_frame(1, 1, PLAIN_GET))
    world.reactor.settle()
    assert client.line.meter.is_lost
    assert noted(world, EventCode.ASSOCIATION_REFUSED) == 1


def test_the_public_client_reads_the_time_and_no_purse(world):
    public = world.connect(Role.PUBLIC)
    assert len(public.read(CLOCK_TIME)) == 14
    with pytest.raises(AccessRefusedByMeterError) as refusal:
        public.read(BALANCE)
    assert refusal.value.result is DataAccessResult.READ_WRITE_DENIED


def test_a_reader_may_neither_write_nor_call(world):
    reader = world.connect(Role.READER)
    before = account(world)
    with pytest.raises(AccessRefusedByMeterError) as written:
        reader.set_item("parameters", plain_parameters())
    with pytest.raises(AccessRefusedByMeterError) as called:
        reader.top_up(1, 5_000)
    assert written.value.result is DataAccessResult.READ_WRITE_DENIED
    assert called.value.result is ActionResult.READ_WRITE_DENIED
    assert account(world) == before
