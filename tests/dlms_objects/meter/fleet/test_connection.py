"""Connections of a fleet: the destination selects the meter, and each fault does to a talk what its name says."""

import pytest

from dlms_objects.classes.catalogue import CURRENT_ASSOCIATION
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.classes.standard import ASSOCIATION_LN
from dlms_objects.errors import RemoteError, TransportLostError
from dlms_objects.meter.fleet.connection import FIRST_FRAME_S
from dlms_objects.meter.fleet.faults import Fault
from dlms_objects.purse.outcome import EventCode
from dlms_objects.transport.remote_object import RemoteObject
from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.wire import axdr
from dlms_objects.wire.wrapper import encode_frame
from tests.support.fleets import ANSWER_S, FleetWorld
from tests.support.memory_network import RawPeer
from tests.support.meters import BALANCE, identifier
from tests.support.twisted_testing import has_result, result_of, started

AARQ = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400001e1dffff")  # of the public client


def dial(fleet, octets=b""):
    peer = RawPeer()
    line = fleet.reactor.dial(peer)
    if line is not None and octets:
        peer.transport.write(octets)
    fleet.reactor.settle()
    return peer, line


def counts(fleet):
    return fleet.service.factory.counts


def test_the_destination_selects_the_meter(fleet):
    for sap in (3, 1, 2):
        client = fleet.connect(sap)
        head = client.purse("journal_head")
        assert head["sequence"] == 1
        assert client.journal()[0].head.digest.hex() == head["digest"]
        assert fleet.host(sap).meter.keeper.state.head.digest.hex() == head["digest"]
        client.top_up(1, sap)
    for sap in (1, 2, 3):
        assert fleet.host(sap).store.entry(2).amount == sap
        assert fleet.host(sap).store.last_sequence() == 2


def test_a_meter_knows_its_own_sap(fleet):
    octets = fleet.connect(3).read(AttributeDescriptor(ASSOCIATION_LN.class_id, CURRENT_ASSOCIATION, 3))
    assert [member.value for member in axdr.decode(octets).value] == [1, 3]


@pytest.mark.parametrize("sap", [0, 4, 127, 65535])
def test_a_destination_that_no_meter_has_is_refused(fleet, sap):
    peer, _ = dial(fleet, encode_frame(16, sap, AARQ))
    assert (peer.is_closed, peer.heard) == (True, b"")
    assert counts(fleet)["for nobody"] == 1
    assert fleet.connect(1).purse("balance") > 0


def test_a_first_frame_may_come_octet_by_octet(fleet):
    peer, _ = dial(fleet)
    for octet in encode_frame(16, 2, AARQ):
        peer.transport.write(bytes((octet,)))
        fleet.reactor.settle()
    assert peer.heard[:6] == bytes.fromhex("000100020010")
    assert not peer.is_closed


def test_what_is_no_frame_is_closed(fleet):
    peer, _ = dial(fleet, b"GET / HTTP/1.1\r\n\r\n")
    assert peer.is_closed


def test_a_later_frame_for_another_meter_is_refused_by_the_first(fleet):
    peer, _ = dial(fleet, encode_frame(16, 2, AARQ))
    heard = len(peer.heard)
    peer.transport.write(encode_frame(16, 3, AARQ))
    fleet.reactor.settle()
    assert peer.is_closed
    assert peer.heard[heard:][2:4] in (b"\x00\x02", b"\x00\x03")
    assert not fleet.host(3).connections


def test_a_client_that_does_not_say_whom_it_wants_is_closed(fleet):
    peer, _ = dial(fleet, b"\x00\x01")
    fleet.pass_time(FIRST_FRAME_S - 1)
    assert not peer.is_closed
    fleet.pass_time(2)
    assert peer.is_closed


def test_no_more_connections_are_open_than_may_be(fleet, monkeypatch):
    monkeypatch.setattr(fleet.service.factory, "_limit", 1)
    fleet.connect(1)
    assert dial(fleet)[1] is None
    assert counts(fleet)["too many"] == 1


def test_a_meter_that_is_away_takes_no_connection(fleet):
    fleet.host(2).lose_power(60)
    peer, _ = dial(fleet, encode_frame(16, 2, AARQ))
    assert peer.is_closed
    assert counts(fleet)["meter away"] == 1


def test_one_meter_has_no_more_connections_than_alone(fleet, monkeypatch):
    monkeypatch.setattr(fleet.host(1).factory, "_limit", 1)
    fleet.connect(1)
    peer, _ = dial(fleet, encode_frame(16, 1, AARQ))
    assert peer.is_closed
    assert fleet.connect(2).purse("balance") > 0


def test_stopping_drops_every_connection_also_one_without_a_meter(tmp_path):
    fleet = FleetWorld(tmp_path / "fleet")
    silent, _ = dial(fleet)
    client = fleet.connect(1)
    fleet.stop()
    assert silent.is_closed
    assert client.line.client.is_lost
    assert fleet.reactor.getDelayedCalls() == []


# --- faults, each switched on while a client talks ---


def asked(fleet, client):
    """A question under way: the balance of the client's meter."""
    question = started(client.session.get(BALANCE))
    question.addErrback(lambda failure: failure.value)
    fleet.reactor.settle()
    return question


@pytest.fixture
def client(fleet):
    return fleet.connect(2)


def test_a_dropped_message_is_never_answered(fleet, client):
    fleet.set_faults(drop=1.0)
    question = asked(fleet, client)
    assert not has_result(question)
    fleet.pass_time(ANSWER_S + 1)
    assert isinstance(result_of(question), TransportLostError)
    assert fleet.service.summary()[-1] == "faults: drop 1"


def test_a_delayed_message_comes_late_and_whole(fleet, client):
    fleet.set_faults(delay=1.0, delay_s=1.5)
    question = asked(fleet, client)
    fleet.pass_time(1)
    assert not has_result(question)
    fleet.set_faults()
    fleet.pass_time(3)
    assert isinstance(result_of(question), bytes)


def test_what_follows_a_delayed_message_does_not_overtake_it(fleet):
    peer, _ = dial(fleet, encode_frame(16, 2, AARQ))
    heard = len(peer.heard)
    fleet.set_faults(delay=1.0, delay_s=2)
    frame = encode_frame(16, 2, bytes.fromhex("c001c1000f0000280000ff0200"))
    for octet in frame[:4]:
        peer.transport.write(bytes((octet,)))
        fleet.reactor.settle()
    fleet.set_faults()
    peer.transport.write(frame[4:])
    fleet.pass_time(3)
    assert len(peer.heard) > heard


@pytest.mark.parametrize("fault", [Fault.TRUNCATE, Fault.CORRUPT])
def test_a_mutilated_message_is_noticed(fleet, client, fault):
    fleet.set_faults(**{fault: 1.0})
    question = asked(fleet, client)
    fleet.pass_time(ANSWER_S + 1)
    assert isinstance(result_of(question), RemoteError | TransportLostError)
    assert fleet.service.factory.faults.counts[fault] >= 1


def test_a_duplicated_request_is_refused_as_a_replay(fleet, client):
    fleet.set_faults(duplicate=1.0)
    asked(fleet, client)
    assert EventCode.REPLAY_REFUSED in {row.event.code for row in fleet.host(2).store.events(1, 99, 99)}


def test_a_refused_connection_is_closed_at_once(fleet):
    fleet.set_faults(refuse=1.0, saps={2})
    with pytest.raises((TransportLostError, RemoteError)):
        fleet.connect(2)
    assert fleet.service.factory.faults.counts == {Fault.REFUSE: 1}
    assert fleet.connect(3).purse("balance") > 0


def test_a_restart_loses_the_answer_but_not_what_was_done(fleet, client):
    fleet.set_faults(restart=1.0, away_s=5)
    with pytest.raises(TransportLostError):
        client.top_up(1, 700)
    assert fleet.host(2).meter is None
    fleet.set_faults()
    fleet.pass_time(6)
    again = fleet.connect(2)
    assert again.top_up(1, 700) == {"outcome": "repeated", "sequence": 2, "balance": again.purse("balance")}
    assert [entry.reference.hex() for entry in again.journal()[1:]] == [identifier(1)]


def test_a_fault_befalls_only_the_meters_named(fleet, client):
    fleet.set_faults(drop=1.0, saps={1, 3})
    assert isinstance(result_of(asked(fleet, client)), bytes)


def talk(folder, seed):
    """What a talk under faults leaves: each question's end, and the counts."""
    fleet = FleetWorld(folder)
    fleet.set_faults(seed=seed, drop=0.15, corrupt=0.1, duplicate=0.1, restart=0.05, away_s=1)
    ends = []
    for number in range(1, 40):
        question = started(_one_top_up(fleet, number))
        question.addErrback(lambda failure: failure.type.__name__)
        fleet.pass_time(4 * ANSWER_S)
        ends.append(result_of(question))
    rows = fleet.host(2).store.rows(1, 99, 99)
    counted = dict(fleet.service.factory.faults.counts)
    fleet.set_faults()
    balance = fleet.connect(2).purse("balance")
    fleet.stop()
    return ends, len(rows), counted, balance


async def _one_top_up(fleet, number):
    session = await fleet.session(2)
    answer = await RemoteObject(session, PURSE, PURSE_NAME).call(
        "top_up", {"transaction_id": identifier(number), "amount": 1}
    )
    await session.release()
    return answer["outcome"]


def test_the_seed_replays_a_talk_under_faults(tmp_path):
    first = talk(tmp_path / "first", 5)
    assert talk(tmp_path / "again", 5)[:3] == first[:3]
    assert talk(tmp_path / "other", 6)[:3] != first[:3]
    assert set(first[2]) == {Fault.DROP, Fault.CORRUPT, Fault.DUPLICATE, Fault.RESTART}
    assert "done" in first[0]
