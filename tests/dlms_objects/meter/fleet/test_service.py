"""The service of a fleet: ready when every meter is, told of faults while it runs, stopped in good order; real TCP."""

import gc

import pytest
from twisted.logger import globalLogPublisher

from dlms_objects.classes.catalogue import SAP_ASSIGNMENT_NAME
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.classes.standard import SAP_ASSIGNMENT
from dlms_objects.errors import InvalidValueError, MeterPurseError
from dlms_objects.meter.database import MeterDatabase
from dlms_objects.meter.device_objects import device_name
from dlms_objects.meter.fleet import checks
from dlms_objects.meter.fleet.config import FAULTS_NAME, FaultsConfig
from dlms_objects.meter.fleet.hosted_meter import HostedMeter
from dlms_objects.meter.fleet.service import TICK_S, FaultsFile, FleetService
from dlms_objects.meter.fleet.setup import create, write_faults
from dlms_objects.meter.listening import AddressInUseError
from dlms_objects.meter.store import StorageError
from dlms_objects.transport.client import open_session
from dlms_objects.transport.remote_object import RemoteObject
from tests.support.fleets import FleetWorld, new_fleet, read_config, read_faults
from tests.support.real_reactor import run_for_real
from tests.support.twisted_testing import result_of


@pytest.mark.parametrize("stores", ["shared", "own"])
def test_ready_says_where_the_fleet_listens_and_how_many_meters_answer(tmp_path, stores):
    fleet = FleetWorld(tmp_path / "fleet", start=False, stores=stores, meters=5)
    assert fleet.start() == "tcp:127.0.0.1:0 5 meters"
    assert [fleet.connect(sap).purse("balance") > 0 for sap in range(1, 6)] == [True] * 5
    fleet.stop()


def test_a_restart_of_the_process_keeps_every_meters_books_and_time(tmp_path):
    fleet = FleetWorld(tmp_path / "fleet", clock_rate=60.0)
    answers = [fleet.connect(sap).top_up(1, 100 * sap) for sap in (1, 2, 3)]
    fleet.pass_time(120, step_s=10)
    shown = fleet.host(1).meter.clock.now(fleet.reactor.seconds())
    fleet.stop()
    fleet.start()
    assert fleet.host(1).meter.clock.now(fleet.reactor.seconds()) == shown
    for sap, answer in enumerate(answers, start=1):
        assert fleet.connect(sap).top_up(1, 100 * sap) == answer | {"outcome": "repeated"}
    fleet.stop()


def test_checks_that_came_due_while_the_meters_were_powered_up_are_made_before_it_is_ready(tmp_path, monkeypatch):
    fleet = FleetWorld(tmp_path / "fleet", start=False, clock_rate=3600.0)
    power_up = HostedMeter.power_up

    def slow(host):
        power_up(host)
        fleet.reactor.rightNow += 1.0

    monkeypatch.setattr(HostedMeter, "power_up", slow)
    fleet.start()
    now_s = fleet.reactor.seconds()
    assert all(host.check_due_s > now_s for host in fleet.service.hosts)
    assert fleet.service.checks.worst_delay_s == 0
    fleet.stop()


def test_faults_are_taken_up_while_the_fleet_runs(fleet):
    assert fleet.service.factory.faults.config == FaultsConfig(seed=7)
    fleet.set_faults(drop=0.5)
    assert fleet.service.factory.faults.config == FaultsConfig(drop=0.5)


@pytest.mark.parametrize("wrong", ["gone", "no toml"])
def test_faults_that_cannot_be_read_leave_them_as_they_were(fleet, wrong):
    fleet.set_faults(drop=0.5)
    path = fleet.folder / FAULTS_NAME

    def load():
        raise InvalidValueError(f"{path}:1: drop: a chance is 0..1")

    fleet.service._faults._load = load
    path.unlink()
    if wrong != "gone":
        path.write_text("drop = 7")
    fleet.reactor.advance(1)
    assert fleet.service.factory.faults.config == FaultsConfig(drop=0.5)
    fleet.service._faults._load = lambda: read_faults(path)
    fleet.set_faults(refuse=0.5)
    assert fleet.service.factory.faults.config == FaultsConfig(refuse=0.5)


def test_the_summary_says_what_happened(fleet):
    fleet.pass_time(90)
    fleet.connect(1)
    fleet.set_faults(refuse=1.0)
    with pytest.raises(MeterPurseError):
        fleet.connect(2)
    connections, made, faults = fleet.service.summary()
    assert connections == "connections: connections 2"
    assert made.startswith("checks: checks 3; at most 0.")
    assert faults == "faults: refuse 1"


def test_a_store_that_another_process_runs_is_one_clear_error_and_nothing_stays_open(tmp_path):
    fleet = FleetWorld(tmp_path / "fleet", start=False, stores="own")
    other = MeterDatabase.open(tmp_path / "fleet" / "stores" / "00003.sqlite")
    with pytest.raises(StorageError, match="another process runs this meter"):
        fleet.start()
    fleet.stop()
    other.close()
    MeterDatabase.open(tmp_path / "fleet" / "stores" / "00001.sqlite").close()


def test_an_address_in_use_is_one_clear_error(tmp_path):
    fleet = FleetWorld(tmp_path / "fleet", start=False)
    fleet.reactor.listener = object()
    with pytest.raises(AddressInUseError, match="cannot listen on 127.0.0.1:0"):
        fleet.start()
    fleet.stop()


def test_a_stop_amid_the_checks_of_many_is_no_failure(tmp_path, monkeypatch):
    fleet = FleetWorld(tmp_path / "fleet")
    monkeypatch.setattr(checks, "TOGETHER", 1)
    monkeypatch.setattr(fleet.service._cooperator, "_terminationPredicateFactory", lambda: lambda: True)
    for host in fleet.service.hosts:
        host.check_due_s = 0.0
    logged, stops = [], []
    stop = lambda: stops.append(fleet.service.stopService())  # noqa: E731 - a call for later
    monkeypatch.setattr(fleet.host(1).meter, "due", lambda _real_s: (fleet.reactor.callLater(0, stop), [])[1])
    globalLogPublisher.addObserver(logged.append)
    fleet.pass_time(2 * TICK_S, step_s=TICK_S)
    result_of(stops[0])
    gc.collect()
    globalLogPublisher.removeObserver(logged.append)
    assert [event for event in logged if event.get("log_failure") is not None] == []
    assert any(host.check_due_s == 0.0 for host in fleet.service.hosts)


def test_a_service_that_never_started_stops_and_says_that_nothing_happened(tmp_path):
    fleet = FleetWorld(tmp_path / "fleet", start=False)
    path = fleet.folder / FAULTS_NAME
    fleet.service = FleetService(read_config(fleet.folder), FaultsFile(path, lambda: read_faults(path)), fleet.reactor)
    fleet.stop()
    assert fleet.service.summary()[::2] == ["connections: none", "faults: none"]


def test_over_real_tcp_the_meters_of_one_port_are_told_apart_and_keep_what_was_done(tmp_path):
    folder = tmp_path / "fleet"
    create(folder, new_fleet(meters=4))
    world = FleetWorld(tmp_path / "identities", start=False, meters=4)
    path = folder / FAULTS_NAME
    write_faults(path, FaultsConfig(duplicate=0.0))

    async def work(reactor):
        service = FleetService(read_config(folder), FaultsFile(path, lambda: read_faults(path)), reactor)
        service.startService()
        endpoint, *_ = (await service.when_ready()).split()
        world.reactor = reactor
        answers = []
        for sap in (4, 2, 4):
            session = await open_session(reactor, endpoint, world.parameters(sap))
            purse = RemoteObject(session, PURSE, PURSE_NAME)
            answers.append(await purse.call("top_up", {"transaction_id": "11" * 16, "amount": sap}))
            await session.release()
        await service.stopService()
        return [answer["outcome"] for answer in answers]

    assert run_for_real(work) == ["done", "done", "repeated"]


def test_every_meter_shows_all_of_the_fleet_as_the_logical_devices_of_its_address(tmp_path):
    fleet = FleetWorld(tmp_path / "fleet")
    fleet.host(2).lose_power(1.0)
    fleet.pass_time(2.0)
    for sap in (1, 2):
        listed = fleet.connect(sap).get(SAP_ASSIGNMENT, SAP_ASSIGNMENT_NAME, "SAP_assignment_list")
        names = [bytes.fromhex(each["logical_device_name"]) for each in listed]
        assert [each["SAP"] for each in listed] == [1, 2, 3]
        assert names == [device_name(fleet.identity.title(number)) for number in (1, 2, 3)]
    fleet.stop()
