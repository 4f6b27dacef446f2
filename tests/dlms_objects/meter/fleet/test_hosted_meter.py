"""A meter of a fleet: the very meter that runs alone, gone at once when it loses power, and back from its store."""

import pytest
from twisted.internet.protocol import Factory

from dlms_objects.meter.clock import MeterClock
from dlms_objects.meter.fleet.households import Household
from dlms_objects.meter.fleet.identity import FleetIdentity
from dlms_objects.meter.meter import Meter
from dlms_objects.meter.push_settings import SEND_DESTINATION, START_INTERVAL
from dlms_objects.meter.store import MeterStore, StorageError
from dlms_objects.purse import operations
from dlms_objects.purse.outcome import EventCode, OutcomeCode
from dlms_objects.transport.credentials import save_courier_credentials
from dlms_objects.values import data as cosem
from tests.support.courier_headend import CourierHeadEnd, Refused
from tests.support.fleets import START, FleetWorld
from tests.support.memory_network import RawPeer
from tests.support.meters import identifier

MANY = 100_000
DAY_S = 86_400
RATE = 3_600.0


class Alone:
    """The meter of the same store, run as `meterpurse meter run` runs one."""

    def __init__(self, folder, sap, real_s):
        self.store = MeterStore.open(folder / "stores" / f"{sap:05d}.sqlite")
        clock = MeterClock(epoch_s=real_s, start=START, rate=RATE)
        self.meter = Meter(self.store, clock, Household(7, sap).consumption(), self.store.keys(), server_sap=sap)
        self.meter.start(real_s)


def past(store):
    """Everything that a meter did, to the octet."""
    events = [(row.number, row.event) for row in store.events(1, MANY, MANY)]
    return store.rows(1, MANY, MANY), events, store.state()


def top_up(meter, store, real_s, number):
    now, name = meter.advance(real_s), bytes.fromhex(identifier(number))
    change = meter.keeper.carry_out(now, lambda state: operations.top_up(state, store, now, name, 400_000))
    assert change.outcome is OutcomeCode.DONE


@pytest.mark.parametrize("stores", ["shared", "own"])
def test_a_meter_of_a_fleet_does_what_it_would_do_alone_to_the_octet(tmp_path, stores):
    fleet = FleetWorld(tmp_path / "fleet", stores=stores, clock_rate=RATE)
    FleetWorld(tmp_path / "alone", stores="own", start=False)
    alone = [Alone(tmp_path / "alone", sap, fleet.reactor.seconds()) for sap in (1, 2, 3)]
    hosts = [fleet.host(sap) for sap in (1, 2, 3)]
    for day in range(45):
        if day % 9 == 0:
            for each in (*alone, *hosts):
                top_up(each.meter, each.store, fleet.reactor.seconds(), day + 1)
        for _ in range(48):
            fleet.pass_time(DAY_S / RATE / 48)
            for each in alone:
                each.meter.advance(fleet.reactor.seconds())
    for each, host in zip(alone, hosts, strict=True):
        rows, events, state = past(each.store)
        assert past(host.store) == (rows, events, state)
        assert len(rows) > 6
        assert EventCode.SHORTFALL_AHEAD in {event.code for _, event in events} or state.balance > 0
        each.store.close()
    assert fleet.service.checks.counts["entries"] > 10
    fleet.stop()


def test_losing_power_cuts_every_connection_at_once_and_the_books_come_back(fleet):
    host, client, other = fleet.host(2), fleet.connect(2), fleet.connect(3)
    client.top_up(1, 5_000)
    before = past(host.store)
    host.lose_power(10)
    fleet.reactor.settle()
    assert client.line.client.is_lost
    assert host.meter is None
    assert other.purse("balance") > 0
    fleet.pass_time(9)
    assert host.meter is None
    fleet.pass_time(2)
    rows, events, state = past(host.store)
    assert (rows, state) == (before[0], before[2])
    assert [event.code for _, event in events[len(before[1]) :]] == [EventCode.POWER_UP]
    again = fleet.connect(2)
    assert again.top_up(1, 5_000)["outcome"] == "repeated"


def test_a_meter_whose_store_fails_tries_to_come_back_again(fleet, monkeypatch):
    host = fleet.host(1)
    with monkeypatch.context() as broken:
        broken.setattr(host.store, "state", lambda: (_ for _ in ()).throw(StorageError("I/O error")))
        host.lose_power(1)
        fleet.pass_time(3)
        assert host.meter is None
    fleet.pass_time(1)
    assert host.meter is not None


def test_a_fleet_that_stops_while_a_meter_is_away_leaves_nothing_to_do(tmp_path):
    fleet = FleetWorld(tmp_path / "fleet")
    fleet.host(1).lose_power(5)
    fleet.stop()
    assert fleet.reactor.getDelayedCalls() == []


def test_a_store_without_keys_is_told(fleet):
    host = fleet.host(1)
    host.database.connection.execute("DELETE FROM master_key")
    with pytest.raises(StorageError, match="no keys of meter 1; make the fleet anew"):
        host.power_up()


@pytest.mark.parametrize("stores", ["shared", "own"])
def test_every_meter_seals_for_its_head_end_with_keys_of_its_own(tmp_path, stores):
    fleet = FleetWorld(tmp_path / "fleet", stores=stores)
    head_ends = []
    for sap in (1, 2, 3):
        keys = tmp_path / f"courier-{sap}.toml"
        save_courier_credentials(keys, FleetIdentity(7).courier(sap))
        head_ends.append(CourierHeadEnd(keys))
    batches = [fleet.host(sap).meter.courier.batch(START) for sap in (1, 2, 3)]
    for head_end in head_ends:
        own = [batch for batch in batches if _takes(head_end, batch)]
        assert own == [batches[head_ends.index(head_end)]]
    fleet.stop()


def _takes(head_end, batch):
    try:
        return head_end.take(batch) > 0
    except Refused:
        return False


class Listening(Factory):
    """Whoever is pushed to."""

    def __init__(self):
        self.peers = []

    def buildProtocol(self, addr):
        self.peers.append(RawPeer())
        return self.peers[-1]


def test_a_meter_of_a_fleet_pushes_what_is_new_under_its_own_sap(fleet):
    host, client = fleet.host(3), fleet.connect(3)
    destination = cosem.structure(cosem.enum(0), cosem.octet_string(b"192.0.2.9:4059"), cosem.enum(0))
    host.meter.pushes.change(SEND_DESTINATION, destination)
    host.meter.pushes.change(START_INTERVAL, cosem.long_unsigned(0))
    fleet.reactor.listener = listening = Listening()
    client.top_up(1, 500)
    fleet.pass_time(5)
    (peer,) = listening.peers
    assert peer.heard[2:4] == (3).to_bytes(2, "big")
    host.lose_power(5)
    fleet.pass_time(4)
    assert len(listening.peers) == 1
    fleet.pass_time(4)
    assert len(listening.peers) == 2  # of the power that came back
