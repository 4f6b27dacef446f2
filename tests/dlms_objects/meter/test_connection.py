"""Connections: what is refused and noted, what leaves only after the commit, and what one peer cannot do to another."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from twisted.logger import globalLogPublisher

from dlms_objects.classes.catalogue import Role
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.errors import MeterPurseError, TransportLostError
from dlms_objects.meter.account_objects import PurseObject
from dlms_objects.meter.connection import CLOSING_S, EVENTS_OF_PEER, MeterConnection
from dlms_objects.meter.failure_guard import FAILURES, REFILL_S
from dlms_objects.meter.store import StorageError, StoredReceivedCounters
from dlms_objects.purse.outcome import EventCode
from dlms_objects.transport.client import AccessRefusedByMeterError
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire.events import Release
from dlms_objects.wire.get import GetRequestNormal
from dlms_objects.wire.wrapper import encode_frame
from tests.support.memory_network import CLIENT_HOST, RawPeer
from tests.support.meters import (
    BALANCE,
    CLOCK_TIME,
    JOURNAL_BUFFER,
    daily,
    fresh_counters,
    identifier,
)

GARBAGE = b"GET / HTTP/1.1\r\nHost: meter\r\n\r\n"
PLAIN_GET = GetRequestNormal(attribute=BALANCE).encode()


PLAIN_SETTINGS = {
    "low_balance_threshold": 0,
    "overdraft_limit": 0,
    "maximum_balance": 0,
    "maximum_top_up": 0,
    "check_period_s": 60,
    "look_ahead_s": 0,
    "insufficient_policy": "hold_lower",
    "max_catch_up": 1,
    "time_zone": "UTC",
}


@pytest.fixture
def logged():
    """What is logged while the test runs."""
    events = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


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


# --- the answer leaves only after the commit ---


def hasty_act_on(connection, event):
    """The deliberate fault: as `_act_on`, but the commit is put off until the answer is on its way."""
    store = connection._meter._store
    put_off, commit = [], store.commit
    store.commit = put_off.append
    try:
        connection.transport.write(connection._engine.send(connection._answer(event)))
    finally:
        store.commit = commit
    for change in put_off:
        commit(change)


def seen_when_answered(world, client):
    """How many entries a second connection to the store sees at the moment the answer to a top-up is written."""
    seen = []

    def look(_octets):
        with closing(sqlite3.connect(world.store_path)) as other:
            seen.append(other.execute("SELECT count(*) FROM entry").fetchone()[0])

    client.line.meter.on_write = look
    client.top_up(1, 5_000)
    return seen


def test_when_the_answer_is_written_a_second_connection_already_sees_the_entry(world, client):
    assert seen_when_answered(world, client) == [1]


def test_a_connection_that_answers_before_the_commit_is_caught(world, monkeypatch):
    client = world.connect()
    monkeypatch.setattr(MeterConnection, "_act_on", hasty_act_on)
    assert seen_when_answered(world, client) == [0]
    assert world.sql("SELECT count(*) FROM entry") == [(1,)]


# --- a store that fails, an object that fails ---


def failing(*_arguments):
    raise StorageError("disk full")


def test_a_top_up_that_cannot_be_stored_is_answered_storage_failed_and_did_not_happen(world, client, monkeypatch):
    client.top_up(1, 5_000)
    before = account(world)
    with monkeypatch.context() as broken:
        broken.setattr(world.meter._store, "commit", failing)
        assert client.top_up(2, 700) == {"outcome": "storage_failed", "sequence": 1, "balance": 5_000}
        assert client.purse("balance") == 5_000
        assert account(world) == before
    assert client.top_up(2, 700) == {"outcome": "done", "sequence": 2, "balance": 5_700}
    assert client.events()[-1][1:] == (EventCode.STORAGE_FAILED, 1)


def test_a_write_that_cannot_be_stored_is_a_temporary_failure_and_did_not_happen(world, client, monkeypatch):
    monkeypatch.setattr(world.meter._store, "commit", failing)
    with pytest.raises(AccessRefusedByMeterError) as refusal:
        client.set_item("parameters", daily())
    assert refusal.value.result is DataAccessResult.TEMPORARY_FAILURE
    assert client.item("revision") == 0
    assert client.do_item("delete", 0) == "no_such_entry"


def test_a_full_disk_is_refused_by_sqlite_and_the_meter_lives(world, client):
    world.sql("CREATE TRIGGER full BEFORE INSERT ON entry BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    assert client.top_up(1, 5_000)["outcome"] == "storage_failed"
    world.sql("DROP TRIGGER full")
    assert client.top_up(1, 5_000)["outcome"] == "done"


def test_an_object_that_fails_unforeseen_is_answered_other_reason_and_the_connection_lives(
    world, client, monkeypatch, logged
):
    def broken(*_arguments):
        raise ZeroDivisionError("a fault of ours")

    with monkeypatch.context() as faulty:
        for name in ("get", "set", "invoke"):
            faulty.setattr(PurseObject, name, broken)
        with pytest.raises(AccessRefusedByMeterError) as got:
            client.purse("balance")
        with pytest.raises(AccessRefusedByMeterError) as called:
            client.top_up(1, 5_000)
        with pytest.raises(AccessRefusedByMeterError) as written:
            client.set(PURSE, PURSE_NAME, "settings", PLAIN_SETTINGS)
    results = [error.value.result for error in (got, called, written)]
    assert results == [DataAccessResult.OTHER_REASON, ActionResult.OTHER_REASON, DataAccessResult.OTHER_REASON]
    assert client.purse("balance") == 0
    assert sum(event.get("log_failure") is not None for event in logged) == 3


def test_counters_that_cannot_be_stored_end_the_connection_and_nothing_happens(world, client, monkeypatch):
    before = account(world)
    with monkeypatch.context() as broken:
        broken.setattr(StoredReceivedCounters, "accept", failing)
        with pytest.raises(TransportLostError):
            client.top_up(1, 5_000)
    assert account(world) == before
    assert world.connect().top_up(1, 5_000)["outcome"] == "done"


# --- peers that misbehave ---


def test_garbage_closes_its_connection_and_harms_no_other(world, client):
    peer, _line = world.dial()
    peer.transport.write(GARBAGE)
    world.reactor.settle()
    assert peer.is_closed
    assert peer.heard == b""
    assert client.top_up(1, 5_000)["outcome"] == "done"


@pytest.mark.parametrize("cut", [1, 7, 8, 9, 40])
def test_half_a_frame_keeps_its_connection_waiting_until_its_time_is_over(world, client, cut):
    peer, _line = world.dial()
    peer.transport.write(client.line.carried_to_meter[0][:cut])
    world.reactor.settle()
    assert not peer.is_closed
    world.pass_time(15.1)
    assert peer.is_closed
    assert client.purse("balance") == 0


def test_a_connection_beyond_the_limit_is_closed_at_once_and_a_place_given_up_is_free(world, logged):
    peers = [world.dial() for _ in range(world.limit)]
    assert all(line is not None for _peer, line in peers)
    assert world.dial()[1] is None
    with pytest.raises(TransportLostError):
        world.connect()
    assert sum("are open" in str(event.get("log_format")) for event in logged) == 1
    peers[0][0].transport.loseConnection()
    world.reactor.settle()
    assert world.connect().purse("balance") == 0


def test_a_silent_client_is_dropped_after_the_inactivity_time(world):
    client = world.connect()
    world.pass_time(100)
    client.purse("balance")
    world.pass_time(100)
    client.purse("balance")
    world.pass_time(world.inactivity_s + 0.1)
    assert client.line.meter.is_lost
    with pytest.raises(TransportLostError):
        client.purse("balance")


def test_a_client_that_released_has_only_the_time_to_associate_again(world):
    client = world.connect(Role.PUBLIC)
    world.reactor.run(client.session._pump.ask(Release()))
    world.pass_time(14)
    assert not client.line.meter.is_lost
    world.pass_time(1.1)
    assert client.line.meter.is_lost


@pytest.fixture
def greedy(world):
    """A client that asked for the journal until the meter read no more of its requests: (line, how many)."""
    client = world.connect()
    for number in range(1, 21):
        client.top_up(number, 1)
    line, cipher, requests = client.line, client.session._pump._engine._cipher, 0
    line.client.protocol = RawPeer()
    line.client.pauseProducing()
    get = GetRequestNormal(attribute=JOURNAL_BUFFER).encode()
    while line.meter.is_reading and requests < 100:
        line.client.write(encode_frame(1, 1, cipher.protect(0xC8, get)))
        requests += 1
        world.reactor.settle()
    return line, requests


def test_a_peer_that_reads_nothing_is_not_read_from_until_it_reads(world, greedy):
    line, requests = greedy
    assert requests < 100
    assert sum(map(len, line.meter.outgoing)) < 80_000
    line.client.resumeProducing()
    world.reactor.settle()
    assert line.meter.is_reading
    assert len(line.client.protocol.heard) > requests * 20 * 98


def test_a_peer_that_reads_nothing_holds_no_connection_for_ever(world, greedy):
    line, _requests = greedy
    world.factory.drop_all()
    world.reactor.settle()
    assert not line.meter.is_lost
    world.reactor.advance(CLOSING_S + 0.1)
    assert line.meter.is_lost


def test_a_service_the_meter_does_not_serve_is_answered_so_and_the_association_lives(world):
    public = world.connect(Role.PUBLIC)
    end, peer = public.line.client, RawPeer()
    end.protocol, protocol = peer, end.protocol
    end.write(encode_frame(16, 1, bytes.fromhex("0501020000")))  # READ, of short names
    world.reactor.settle()
    end.protocol = protocol
    assert peer.heard[8:10] == bytes((0xD8, 2))  # exception-response: service-unknown
    assert len(public.read(CLOCK_TIME)) == 14


def bad_frames(world, count, host=CLIENT_HOST):
    """A peer at `host` tries so often to get an unauthenticated request answered; how often it was let in."""
    let_in = 0
    for _ in range(count):
        peer, line = world.dial(host)
        if line is not None:
            let_in += 1
            peer.transport.write(encode_frame(1, 1, PLAIN_GET))
            world.reactor.settle()
            assert peer.is_closed
    return let_in


def test_who_fails_too_often_is_kept_out_for_a_while_and_the_log_tells_it_once(world, logged):
    first = world.sql("SELECT * FROM event")
    assert bad_frames(world, 10_000) == FAILURES
    assert noted(world, EventCode.ASSOCIATION_REFUSED) == FAILURES
    assert world.sql("SELECT * FROM event")[: len(first)] == first
    assert sum("too many failures" in str(event.get("log_format")) for event in logged) == 1
    world.pass_time(10 * REFILL_S)
    assert bad_frames(world, 50) == 10


def test_one_peers_flood_hides_nothing_of_another_and_locks_nobody_out(world):
    assert bad_frames(world, 50, "192.0.2.66") == FAILURES
    assert bad_frames(world, 3, "192.0.2.77") == 3
    assert world.connect().top_up(1, 5_000)["outcome"] == "done"


def test_ten_thousand_failures_where_a_client_proved_itself_lock_it_not_out_and_leave_the_first_events(world, logged):
    world.connect()
    first = world.sql("SELECT * FROM event")
    assert bad_frames(world, 10_000) == 10_000
    assert world.connect().top_up(1, 5_000)["outcome"] == "done"
    assert noted(world, EventCode.ASSOCIATION_REFUSED) == EVENTS_OF_PEER
    assert world.sql("SELECT * FROM event")[: len(first)] == first
    assert sum("ASSOCIATION_REFUSED" in str(event.get("code")) for event in logged) == EVENTS_OF_PEER
    world.pass_time(60)
    bad_frames(world, 1)
    assert noted(world, EventCode.ASSOCIATION_REFUSED) == EVENTS_OF_PEER + 1
    assert [event["count"] for event in logged if "were not logged" in str(event.get("log_format"))] == [9_980]


def test_bad_frames_within_one_association_are_limited_too(world):
    client = world.connect()
    ciphered = client.line.carried_to_meter[-1]
    client.line.client.protocol = RawPeer()
    for _ in range(100):
        client.line.client.write(flipped(ciphered))
        world.reactor.settle()
    assert noted(world, EventCode.DECRYPTION_FAILED) == EVENTS_OF_PEER


def test_an_event_names_the_client_sap(world):
    peer, _line = world.dial()
    peer.transport.write(encode_frame(77, 1, PLAIN_GET))
    world.reactor.settle()
    assert world.sql("SELECT code, value FROM event ORDER BY number DESC LIMIT 1") == [
        (EventCode.ASSOCIATION_REFUSED, 77)
    ]


def test_no_key_and_no_plain_request_is_ever_logged(world, logged):
    with pytest.raises(MeterPurseError):
        world.connect(
            counters=fresh_counters(),
            credentials=replace(world.credentials[Role.MANAGEMENT], authentication_key=bytes(range(60, 76))),
        )
    client = world.connect()
    client.top_up(1, 5_000)
    client.line.client.write(client.line.carried_to_meter[-1])
    world.reactor.settle()
    words = " ".join(f"{event} {event.get('log_format')}" for event in logged).lower()
    assert "replay" in words
    for credentials in world.credentials.values():
        for key in (credentials.encryption_key, credentials.authentication_key):
            assert key.hex() not in words
            assert repr(key).lower() not in words
    assert identifier(1) not in words


def test_two_clients_work_side_by_side(world):
    manager, reader = world.connect(), world.connect(Role.READER)
    for number in range(1, 6):
        manager.top_up(number, 100)
        assert reader.purse("balance") == number * 100
