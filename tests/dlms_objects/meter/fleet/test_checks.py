"""The checks of a fleet: at their time, decided, committed together, then shown; one meter's trouble stays its own."""

from datetime import timedelta

import pytest
from twisted.logger import globalLogPublisher

from dlms_objects.meter.database import MeterDatabase
from dlms_objects.meter.fleet import checks
from dlms_objects.meter.fleet.checks import FleetChecks
from dlms_objects.meter.store import StorageError
from dlms_objects.purse import operations
from dlms_objects.purse.fee_item import Frequency
from dlms_objects.purse.outcome import EventCode
from tests.support.fleets import FleetWorld
from tests.support.purses import fixed, monthly

EVERY_DAY = fixed(100, monthly(frequency=Frequency.DAILY, day=0))
NUMBER = 32  # of an item that no household has
MINUTE_S = 60.0


@pytest.fixture(params=["shared", "own"])
def fleet(tmp_path, request):
    """Three meters that each pay 1.00 at 08:00 every day, at noon."""
    world = FleetWorld(tmp_path / "fleet", stores=request.param, top_ups=20)
    for sap in (1, 2, 3):
        keeper = world.host(sap).meter.keeper
        now = world.host(sap).meter.advance(world.reactor.seconds())
        keeper.carry_out(now, lambda state, now=now: operations.set_parameters(state, now, NUMBER, EVERY_DAY))
    yield world
    world.stop()


def paid(fleet):
    return [fleet.host(sap).meter.keeper.state.item(NUMBER).total_deducted for sap in (1, 2, 3)]


def to_eight(fleet):
    """Let the time go on to just before 08:00 the next day, with all checks made."""
    fleet.pass_time(20 * 3600 - MINUTE_S, step_s=MINUTE_S)
    assert paid(fleet) == [0, 0, 0]


def test_every_meter_is_checked_every_minute(fleet):
    before = fleet.service.checks.counts["checks"]
    fleet.pass_time(10 * MINUTE_S)
    assert fleet.service.checks.counts["checks"] - before in range(3 * 9, 3 * 11 + 1)


def test_what_falls_due_at_one_moment_is_one_transaction_of_each_file(fleet, monkeypatch):
    to_eight(fleet)
    transactions, change = [], MeterDatabase.change

    def watched(database, statements):
        transactions.append(paid(fleet))
        change(database, statements)

    monkeypatch.setattr(MeterDatabase, "change", watched)
    fleet.pass_time(2 * MINUTE_S, step_s=MINUTE_S)
    assert paid(fleet) == [100, 100, 100]
    files = len({host.database for host in fleet.service.hosts})
    assert len(transactions) == files
    assert transactions[0] == [0, 0, 0]


def test_what_follows_a_check_follows_it_also_where_many_are_committed_together(fleet, monkeypatch):
    to_eight(fleet)
    seen = []
    for host in fleet.service.hosts:
        monkeypatch.setattr(
            host.meter.keeper, "_after_check", lambda state, _now: seen.append(state.item(NUMBER).total_deducted)
        )
    fleet.pass_time(3 * MINUTE_S, step_s=MINUTE_S)
    assert len(seen) == 3 * 3
    assert seen.count(100) >= 3 * 2


def test_a_failed_transaction_of_many_is_made_one_by_one_and_shows_nothing_before(fleet, monkeypatch):
    to_eight(fleet)
    change, failures = MeterDatabase.change, []

    def failing(database, statements):
        statements = list(statements)
        if any("entry" in statement for statement, _ in statements) and len(failures) < 1:
            failures.append(paid(fleet))
            raise StorageError("disk full")
        change(database, statements)

    monkeypatch.setattr(MeterDatabase, "change", failing)
    fleet.pass_time(2 * MINUTE_S, step_s=MINUTE_S)
    assert failures == [[0, 0, 0]]
    assert paid(fleet) == [100, 100, 100]


def test_a_meter_whose_rows_cannot_be_stored_does_not_keep_the_others_from_paying(fleet):
    to_eight(fleet)
    host = fleet.host(2)
    number = host.store._number
    host.database.connection.execute(
        f"CREATE TRIGGER full BEFORE INSERT ON entry WHEN new.meter = {number} BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    fleet.pass_time(2 * MINUTE_S, step_s=MINUTE_S)
    assert paid(fleet) == [100, 0, 100]
    host.database.connection.execute("DROP TRIGGER full")
    fleet.pass_time(2 * MINUTE_S, step_s=MINUTE_S)
    assert paid(fleet) == [100, 100, 100]
    assert EventCode.STORAGE_FAILED in {row.event.code for row in host.store.events(1, 99, 99)}
    assert host.store.entry(host.store.last_sequence()).fee_item == NUMBER


def test_a_check_that_fails_unforeseen_is_logged_and_the_others_are_made(fleet, monkeypatch):
    to_eight(fleet)
    logged = []
    keeper = fleet.host(1).meter.keeper
    globalLogPublisher.addObserver(logged.append)
    with monkeypatch.context() as faulty:
        faulty.setattr(keeper, "decide", lambda _now: 1 // 0)
        fleet.pass_time(2 * MINUTE_S, step_s=MINUTE_S)
    globalLogPublisher.removeObserver(logged.append)
    assert paid(fleet) == [0, 100, 100]
    assert any(event.get("log_failure") is not None for event in logged)
    fleet.pass_time(2 * MINUTE_S, step_s=MINUTE_S)
    assert paid(fleet) == [100, 100, 100]


def test_a_check_that_comes_late_is_told(fleet):
    fleet.pass_time(3 * MINUTE_S)
    assert fleet.service.checks.worst_delay_s <= 0.5
    fleet.pass_time(90 + MINUTE_S, step_s=90)
    assert fleet.service.checks.worst_delay_s >= 30


def test_anything_else_has_its_turn_between_some_meters_and_the_next(fleet, monkeypatch):
    monkeypatch.setattr(checks, "TOGETHER", 1)
    fleet.reactor.advance(0.0)
    for host in fleet.service.hosts:
        host.check_due_s = 0.0
    made = FleetChecks(fleet.service.hosts)
    turns = made.make(fleet.reactor.seconds())
    next(turns)
    fleet.host(2).meter = None
    assert len(list(turns)) == 2
    fleet.host(2).power_up()


def test_a_clock_that_a_client_sets_is_checked_by_the_new_time(fleet):
    to_eight(fleet)
    now = fleet.host(1).meter.advance(fleet.reactor.seconds())
    fleet.host(1).meter._set_clock(now + timedelta(days=1))
    assert paid(fleet)[0] == 100
    fleet.pass_time(2 * MINUTE_S, step_s=MINUTE_S)
    assert paid(fleet) == [200, 100, 100]
