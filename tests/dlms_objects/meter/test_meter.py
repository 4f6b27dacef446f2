"""One whole meter: all it shows, and what survives power cuts, restarts, tampering and every turn of its clock."""

import sys
from datetime import datetime, timedelta

import pytest

from dlms_objects.classes.catalogue import (
    ACTIVE_ENERGY_IMPORT,
    CATALOGUE,
    CLOCK_NAME,
    CONSUMER_MESSAGE,
    DEVICE_NAME,
    SERIAL_NUMBER,
    Role,
    charge_name,
)
from dlms_objects.classes.shape import Leaf, conforms
from dlms_objects.classes.standard import CLOCK
from dlms_objects.purse.chain import fold, verify
from dlms_objects.purse.outcome import EventCode
from dlms_objects.transport.client import AccessRefusedByMeterError, AssociationRefusedByMeterError
from dlms_objects.values.data import DataType
from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire import axdr
from tests.support.meters import MeterWorld, daily, fresh_counters, identifier, plain_parameters

DAY_S, TAMPER_FLAG, CLOCK_INVALID_FLAG = 86_400, 6, 4

# The types the object model gives to values whose class leaves them open.
OWN_TYPES = {
    DEVICE_NAME: Leaf(DataType.OCTET_STRING, 16),
    SERIAL_NUMBER: Leaf(DataType.VISIBLE_STRING),
    ACTIVE_ENERGY_IMPORT: Leaf(DataType.DOUBLE_LONG_UNSIGNED),
    CONSUMER_MESSAGE: Leaf(DataType.UTF8_STRING),
}


INEXACT = {(charge_name(2), "period")}
"""What the fees of the test below have that a standard class cannot say: the second one's months differ."""


def shape_of(declaration, attribute):
    if attribute.shape is not None:
        return attribute.shape
    if declaration.interface.class_id == 7:
        return None  # a buffer: its rows have their own test
    return OWN_TYPES.get(declaration.logical_name, Leaf(DataType.DOUBLE_LONG_UNSIGNED))


@pytest.mark.parametrize("role", [Role.READER, Role.MANAGEMENT])
def test_every_attribute_of_every_object_is_readable_with_its_declared_shape(world, role):
    client = world.connect()
    client.top_up(1, 10_000)
    client.set_item("parameters", daily())
    client.set_item("passive_parameters", daily(amount=5))
    client.set_item("activation_time", "2027-01-01T00:00:00")
    client.set_item("parameters", plain_parameters(amount_source="cloud"), 2)
    client.do_item("set_amount", {"due": "2026-07-01", "amount": 7, "reference": identifier(5)}, 2)
    client.release()
    client, count = world.connect(role), 0
    for name, declaration in CATALOGUE.items():
        for attribute in declaration.interface.attributes:
            descriptor = AttributeDescriptor(declaration.interface.class_id, name, attribute.number)
            if attribute.name == "secret" or (name, attribute.name) in INEXACT:
                with pytest.raises(AccessRefusedByMeterError):
                    client.read(descriptor)
                continue
            value, shape = axdr.decode(client.read(descriptor)), shape_of(declaration, attribute)
            count += 1
            assert shape is None or conforms(shape, value), (declaration.interface.name, attribute.name, value)
    secrets = sum(d.interface.class_id == 15 for d in CATALOGUE.values())
    assert count == sum(len(d.interface.attributes) for d in CATALOGUE.values()) - secrets - len(INEXACT)
    sys.stdout.write(f"{role}: {count} attributes read\n")


def account(world):
    """What must survive: the account as the reader sees it, but for the time."""
    client = world.connect(Role.READER)
    names = ("balance", "settings", "journal_head", "acknowledged", "status", "last_entry")
    seen = {name: client.purse(name) for name in names} | {
        f"{name} {number}": client.item(name, number)
        for number in (1, 2)
        for name in ("parameters", "passive_parameters", "activation_time", "revision", "pending_amounts", "status")
    }
    journal = client.journal()
    assert fold(journal) == client.purse("balance")
    assert verify(journal, world.empty_head(), 0).sequence == len(journal)
    client.release()
    return seen | {"journal": journal}


def busy(world):
    """An account with something of everything in it."""
    client = world.connect()
    client.top_up(1, 50_000)
    client.set_item("parameters", daily())
    client.set_item("parameters", plain_parameters(amount_source="cloud"), 2)
    client.do_item("set_amount", {"due": "2026-07-01", "amount": 700, "reference": identifier(5)}, 2)
    client.set_item("passive_parameters", daily(amount=2_000))
    client.set_item("activation_time", "2026-06-20T00:00:00+08:00")
    world.pass_time(3 * DAY_S, 3600)
    client = world.connect()
    head = client.purse("journal_head")
    assert head["sequence"] == 4
    assert client.do("acknowledge", head) == "done"
    client.do("reverse", {"transaction_id": identifier(2), "sequence": 2})
    client.release()


@pytest.fixture(params=["restart", "power cut"])
def again(request, world, tmp_path):
    """Power off and on: in good order, or from what was on the disk at the moment."""
    if request.param == "restart":
        return world.restart
    return lambda: world.cut_power(tmp_path / "disk image")


def test_the_account_survives_a_restart_and_a_power_cut(world, again):
    busy(world)
    before = account(world)
    again()
    assert account(world) == before
    assert world.connect(Role.READER).codes().count(EventCode.POWER_UP) == 2


def test_used_ids_survive_so_a_repeat_after_a_restart_is_still_a_repeat(world, again):
    first = world.connect().top_up(1, 5_000)
    again()
    client = world.connect()
    assert client.top_up(1, 5_000) == first | {"outcome": "repeated"}
    assert client.top_up(1, 5_001)["outcome"] == "id_used_with_other_values"
    assert client.purse("balance") == 5_000


def test_an_occurrence_is_deducted_once_across_restarts(world, again):
    world.connect().top_up(1, 50_000)
    world.connect().set_item("parameters", daily())
    world.pass_time(DAY_S, 3600)
    again()
    world.meter.advance(world.reactor.seconds())
    assert world.connect().purse("balance") == 49_000


def test_what_fell_due_while_the_power_was_off_is_caught_up_oldest_first(world):
    client = world.connect()
    client.top_up(1, 50_000)
    client.set_item("parameters", daily())
    world.stop()
    world.reactor.rightNow += 15 * DAY_S
    world.start()
    assert world.connect().purse("balance") == 50_000 - 12 * 1_000  # max_catch_up in one check
    world.pass_time(120, 60)
    entries = world.connect().journal()[1:]
    assert len(entries) == 15
    dues = [entry.due.civil() for entry in entries]
    assert dues == sorted(set(dues))


def sent_counter(octets):
    """The invocation counter of a ciphered frame: wrapper, tag, length, control byte, counter."""
    assert octets[8] in (0xC4, 0xC5, 0xC7, 0xCC, 0xCD, 0xCF), octets.hex()
    at = 8 + 2 + (octets[9] & 0x7F if octets[9] & 0x80 else 0) + 1
    return int.from_bytes(octets[at : at + 4], "big")


def test_an_invocation_counter_is_never_sent_twice_across_restarts(world, again):
    sent = []
    for _ in range(3):
        client = world.connect()
        for _ in range(5):
            client.purse("balance")
        sent += [sent_counter(octets) for octets in client.line.carried_to_client[1:]]
        client.release()
        if len(sent) < 12:
            again()
    assert len(sent) > 12
    assert sent == sorted(set(sent))


def test_a_request_replayed_after_a_restart_is_refused_and_changes_nothing(world, again):
    client = world.connect()
    client.top_up(1, 5_000)
    replayed = [bytes(octets) for octets in client.line.carried_to_meter]
    client.release()
    again()
    peer, _line = world.dial()
    for octets in replayed:
        peer.transport.write(octets)
        world.reactor.settle()
    assert peer.is_closed
    reader = world.connect(Role.READER)
    assert reader.purse("balance") == 5_000
    assert EventCode.REPLAY_REFUSED in reader.codes()
    with pytest.raises(AssociationRefusedByMeterError):
        world.connect(Role.READER, counters=fresh_counters())


def shown(world):
    return datetime.fromisoformat(world.connect(Role.PUBLIC).get(CLOCK, CLOCK_NAME, "time"))


def virtual(tmp_path, rate=3600.0):
    start = datetime.fromisoformat("2026-01-01T00:00:00+08:00")
    world = MeterWorld(tmp_path / "virtual", start=False)
    world.options = {"clock": {"start": start, "rate": rate}}
    world.start()
    return world, start


def test_a_virtual_clock_starts_where_it_is_told_and_goes_on_across_restarts(tmp_path):
    world, start = virtual(tmp_path)
    assert shown(world) == start
    world.pass_time(10)
    assert shown(world) == start + timedelta(hours=10)
    world.stop()
    world.reactor.rightNow += 5
    world.start()
    assert shown(world) == start + timedelta(hours=15)
    world.meter.close()


def test_another_rate_goes_on_from_where_the_clock_is_and_a_new_start_is_not_taken(tmp_path):
    world, start = virtual(tmp_path)
    world.pass_time(10)
    for rate, step in ((60.0, timedelta(minutes=10)), (1.0, timedelta(seconds=10))):
        before = shown(world)
        world.stop()
        world.options = {"clock": {"start": start + timedelta(days=99), "rate": rate}}
        world.start()
        assert shown(world) == before
        world.pass_time(10)
        assert shown(world) == before + step
    world.stop()
    world.options = {}
    world.start()
    assert shown(world) == before + step
    world.meter.close()


def test_a_year_on_a_virtual_clock_deducts_every_occurrence_once_on_its_day(tmp_path):
    world, _start = virtual(tmp_path, rate=365 * DAY_S / 20)
    client = world.connect()
    client.top_up(1, 10_000_000)
    client.set_item("parameters", plain_parameters())
    client.set_item("parameters", daily(), 2)
    world.pass_time(20, 0.2)
    journal = world.connect().journal()
    rents = [entry.time.civil() for entry in journal if entry.fee_item == 1]
    assert [(moment.month, moment.day, moment.hour) for moment in rents] == [(n, 1, 8) for n in range(1, 13)]
    assert sum(entry.fee_item == 2 for entry in journal) == 365
    times = [entry.time.instant() for entry in journal]
    assert times == sorted(times)
    world.meter.close()


def set_clock(client, text):
    client.set(CLOCK, CLOCK_NAME, "time", text)


@pytest.fixture
def paying(world):
    """A meter that has paid the 11th and the 12th of June, 12:00 on the 12th."""
    client = world.connect()
    client.top_up(1, 100_000)
    client.set_item("parameters", daily())
    client.release()
    world.pass_time(2 * DAY_S, 3600)
    return world


def dues(world):
    client = world.connect()
    found = [str(entry.due)[8:10] for entry in client.journal() if entry.fee_item]
    client.release()
    return found


def test_setting_the_clock_back_and_forth_deducts_nothing_twice(paying):
    for moment in ("10T12:00:00", "11T07:59:59", "12T12:00:00", "01T00:00:00"):
        client = paying.connect()
        set_clock(client, f"2026-06-{moment}+08:00")
        client.release()
        paying.pass_time(7200, 600)
        assert dues(paying) == ["11", "12"]
    client = paying.connect()
    set_clock(client, "2026-06-12T07:00:00+08:00")
    client.release()
    paying.pass_time(DAY_S + 7200, 600)
    assert dues(paying) == ["11", "12", "13"]
    assert paying.connect().codes().count(EventCode.CLOCK_SET) == 5


def test_setting_the_clock_forward_deducts_at_once_what_fell_due(paying):
    client = paying.connect()
    set_clock(client, "2026-06-15T08:00:00+08:00")
    assert [str(entry.due)[8:10] for entry in client.journal()[1:]] == ["11", "12", "13", "14", "15"]
    assert client.events()[-1][1:] == (EventCode.CLOCK_SET, 2 * DAY_S + 20 * 3600)


def test_shifting_the_clock_moves_it_and_is_noted_with_its_step(paying):
    client = paying.connect()
    before = shown(paying)
    client.call(CLOCK, CLOCK_NAME, "shift_time", -900)
    client.call(CLOCK, CLOCK_NAME, "shift_time", 600)
    assert shown(paying) == before - timedelta(seconds=300)
    assert [event[1:] for event in client.events()[-2:]] == [(EventCode.CLOCK_SET, -900), (EventCode.CLOCK_SET, 600)]
    with pytest.raises(AccessRefusedByMeterError):
        client.call(CLOCK, CLOCK_NAME, "shift_time", 901)
    assert dues(paying) == ["11", "12"]


def test_a_set_clock_survives_a_restart(paying):
    set_clock(paying.connect(), "2026-08-01T00:00:00+08:00")
    paying.restart()
    paying.pass_time(60)
    assert shown(paying) == datetime.fromisoformat("2026-08-01T00:01:00+08:00")


def test_an_invalid_clock_is_shown_and_nothing_is_deducted_until_it_is_set(paying):
    client = paying.connect()
    set_clock(client, "2023-06-01T00:00:00+08:00")
    assert client.get(CLOCK, CLOCK_NAME, "status") == 1
    assert client.purse("status")["flags"][CLOCK_INVALID_FLAG] == "1"
    client.release()
    paying.pass_time(5 * DAY_S, 3600)
    client = paying.connect()
    assert dues(paying) == ["11", "12"]
    assert client.codes().count(EventCode.CLOCK_INVALID) == 1
    set_clock(client, "2026-06-13T09:00:00+08:00")
    assert client.get(CLOCK, CLOCK_NAME, "status") == 0
    assert client.purse("status")["flags"][CLOCK_INVALID_FLAG] == "0"
    assert dues(paying) == ["11", "12", "13"]


@pytest.mark.parametrize(
    "text", ["2100-01-01T00:00:00+08:00", "9999-12-31T23:59:59+00:00", "1969-12-31T00:00:00+00:00"]
)
def test_a_time_the_clock_could_not_run_on_from_is_refused(paying, text):
    before = shown(paying)
    with pytest.raises(AccessRefusedByMeterError) as refusal:
        set_clock(paying.connect(), text)
    assert refusal.value.result is DataAccessResult.OTHER_REASON
    assert shown(paying) == before


def test_a_clock_at_the_end_of_its_calendar_stands_still_and_the_meter_lives(paying):
    client = paying.connect()
    set_clock(client, "2099-12-31T07:59:00+08:00")
    client.release()
    paying.pass_time(3600, 60)
    assert shown(paying) == datetime.fromisoformat("2099-12-31T08:00:00+08:00")
    paying.restart()
    assert paying.connect().purse("balance") < 100_000


def test_a_clock_that_cannot_be_stored_is_not_set(paying):
    before = shown(paying)
    client = paying.connect()
    paying.sql("CREATE TRIGGER full BEFORE UPDATE ON meter BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(AccessRefusedByMeterError) as refusal:
        set_clock(client, "2026-08-01T00:00:00+08:00")
    assert refusal.value.result is DataAccessResult.TEMPORARY_FAILURE
    assert shown(paying) == before


TAMPERINGS = {
    "an entry altered": "UPDATE entry SET row = (SELECT row FROM entry WHERE sequence = 1) WHERE sequence = 2",
    "an entry missing": "DELETE FROM entry WHERE sequence = 2",
    "the balance altered": "UPDATE meter SET state = CAST(replace(state, '\"balance\":98', '\"balance\":99') AS BLOB)",
}


@pytest.mark.parametrize("statement", TAMPERINGS.values(), ids=TAMPERINGS)
def test_a_store_that_was_tampered_with_is_shown_told_once_and_deducts_nothing(paying, statement):
    paying.stop()
    paying.sql(statement)
    paying.start()
    balance = paying.connect(Role.READER).purse("balance")
    paying.pass_time(3 * DAY_S, 3600)
    paying.restart()
    reader = paying.connect(Role.READER)
    assert reader.purse("status")["flags"][TAMPER_FLAG] == "1"
    assert reader.codes().count(EventCode.TAMPER) == 1
    assert reader.purse("balance") == balance


def test_a_store_that_was_not_tampered_with_goes_on(paying):
    paying.restart()
    paying.pass_time(3 * DAY_S, 3600)
    reader = paying.connect(Role.READER)
    assert reader.purse("status")["flags"][TAMPER_FLAG] == "0"
    assert dues(paying) == ["11", "12", "13", "14", "15"]
