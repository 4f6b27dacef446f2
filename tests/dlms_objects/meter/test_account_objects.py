"""The purse and the fee items over the wire: every method with its repeats and refusals, every write, every status."""

import pytest

from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.meter.account_objects import settings_from_data, settings_to_data
from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.state import Settings
from dlms_objects.transport.client import AccessRefusedByMeterError
from dlms_objects.values.money import Currency
from dlms_objects.values.results import DataAccessResult
from tests.support.meters import NOW, MeterWorld, daily, identifier, plain_parameters

NO_REFERENCE = "00" * 16


def reverse(client, number, sequence):
    return client.do("reverse", {"transaction_id": identifier(number), "sequence": sequence})


def adjust(client, number, amount):
    return client.do("adjust", {"transaction_id": identifier(number), "amount": amount})


def set_amount(client, due, amount, reference=NO_REFERENCE, number=1):
    return client.do_item("set_amount", {"due": due, "amount": amount, "reference": reference}, number)


def answer(outcome, sequence, balance):
    return {"outcome": outcome, "sequence": sequence, "balance": balance}


def test_a_new_purse_is_empty_and_says_so_in_every_attribute(client, world):
    head = {"sequence": 0, "digest": world.empty_head().digest.hex()}
    assert client.purse("balance") == 0
    assert client.purse("currency") == {"code": "CNY", "scale": -2}
    assert client.purse("journal_head") == client.purse("acknowledged") == head
    assert client.purse("status") == {"flags": "0" * 16, "shortfall": 0, "next_due": None, "next_amount": 0}
    entry = client.purse("last_entry")
    assert (entry["time"], entry["sequence"], entry["kind"], entry["digest"]) == (None, 0, "none", "00" * 16)
    assert client.purse("last_event")["code"] == EventCode.POWER_UP


def test_a_purse_without_any_event_shows_an_empty_last_event(client, world):
    world.sql("DELETE FROM event")
    assert client.purse("last_event") == {
        "time": None,
        "number": 0,
        "code": 0,
        "fee_item": 0,
        "value": 0,
        "due": None,
    }


def test_a_top_up_raises_the_balance_once_however_often_it_is_sent(client):
    assert client.top_up(1, 5_000) == answer("done", 1, 5_000)
    assert client.top_up(2, 1_000) == answer("done", 2, 6_000)
    assert client.top_up(1, 5_000) == answer("repeated", 1, 5_000)
    assert client.purse("balance") == 6_000
    assert [entry.amount for entry in client.journal()] == [5_000, 1_000]


def test_an_id_used_with_other_values_is_refused_and_changes_nothing(client):
    client.top_up(1, 5_000)
    for refused in (client.top_up(1, 5_001), adjust(client, 1, 5_000), reverse(client, 1, 1)):
        assert refused == answer("id_used_with_other_values", 1, 5_000)
    assert client.purse("journal_head")["sequence"] == 1


def test_a_reversal_undoes_one_entry_once(client):
    client.top_up(1, 5_000)
    assert reverse(client, 2, 1) == answer("done", 2, 0)
    assert reverse(client, 2, 1) == answer("repeated", 2, 0)
    client.top_up(3, 100)
    assert reverse(client, 4, 1)["outcome"] == "amount_out_of_range"
    client.top_up(5, 5_000)
    assert reverse(client, 4, 1)["outcome"] == "already_reversed"
    assert reverse(client, 4, 2)["outcome"] == "not_reversible"
    assert reverse(client, 4, 99)["outcome"] == "no_such_entry"


def test_an_adjustment_is_signed_and_keeps_within_its_limits(client):
    assert adjust(client, 1, 300) == answer("done", 1, 300)
    assert adjust(client, 2, -200) == answer("done", 2, 100)
    assert adjust(client, 2, -200) == answer("repeated", 2, 100)
    assert adjust(client, 3, -101)["outcome"] == "amount_out_of_range"
    assert adjust(client, 3, 0)["outcome"] == "amount_out_of_range"


@pytest.mark.parametrize(
    ("settings", "amount", "outcome"),
    [
        ({"maximum_top_up": 1_000}, 1_001, "amount_out_of_range"),
        ({}, 0, "amount_out_of_range"),
        ({}, -1, "amount_out_of_range"),
        ({"maximum_balance": 1_000}, 1_001, "would_exceed_maximum_balance"),
    ],
)
def test_a_top_up_out_of_range_is_refused_and_its_id_stays_free(client, settings, amount, outcome):
    client.set(PURSE, PURSE_NAME, "settings", client.purse("settings") | settings)
    assert client.top_up(1, amount) == answer(outcome, 0, 0)
    assert client.top_up(1, 1_000) == answer("done", 1, 1_000)


def test_acknowledging_moves_forward_only_and_only_for_the_right_digest(client):
    for number in (1, 2, 3):
        client.top_up(number, 1)
    digests = [entry.digest.hex() for entry in client.journal()]
    assert client.do("acknowledge", {"sequence": 2, "digest": digests[1]}) == "done"
    assert client.do("acknowledge", {"sequence": 1, "digest": digests[0]}) == "repeated"
    assert client.do("acknowledge", {"sequence": 3, "digest": digests[0]}) == "no_such_entry"
    assert client.do("acknowledge", {"sequence": 4, "digest": digests[2]}) == "no_such_entry"
    assert client.purse("acknowledged") == {"sequence": 2, "digest": digests[1]}


def test_check_now_makes_the_check_and_says_how_many_entries(client, world):
    client.top_up(1, 10_000)
    client.set_item("parameters", daily())
    assert client.do("check_now", 0) == {"entries_made": 0}
    world.reactor.rightNow += 86_400
    client = world.connect()
    assert client.do("check_now", 0) == {"entries_made": 0}  # the request itself let the check that was due be made
    assert client.purse("balance") == 9_000


def test_settings_are_replaced_whole_and_noted(client):
    settings = client.purse("settings")
    wanted = settings | {"low_balance_threshold": 500, "insufficient_policy": "hold_lower", "time_zone": "Asia/Tokyo"}
    client.set(PURSE, PURSE_NAME, "settings", wanted)
    assert client.purse("settings") == wanted
    assert client.codes()[-2:] == [EventCode.PARAMETERS_CHANGED, EventCode.LOW_BALANCE]
    with pytest.raises(AccessRefusedByMeterError):
        client.set(PURSE, PURSE_NAME, "settings", wanted | {"check_period_s": 0, "overdraft_limit": 7})
    assert client.purse("settings") == wanted


def test_settings_survive_the_wire():
    settings = Settings(low_balance_threshold=1, overdraft_limit=2, maximum_balance=3, time_zone="Asia/Shanghai")
    assert settings_from_data(settings_to_data(settings)) == settings


def test_the_status_shows_the_conditions_as_flags(client):
    client.set(PURSE, PURSE_NAME, "settings", client.purse("settings") | {"low_balance_threshold": 100})
    client.set_item("parameters", daily())
    status = client.purse("status")
    assert status["flags"] == "11" + "0" * 14
    assert status["shortfall"] == 7_000
    assert (status["next_due"], status["next_amount"]) == ("2026-06-11T08:00:00", 1_000)


def test_the_last_entry_and_the_last_event_are_the_last_rows(client):
    client.top_up(1, 5_000)
    entry, row = client.purse("last_entry"), client.journal()[-1]
    assert (entry["sequence"], entry["amount"], entry["digest"]) == (1, 5_000, row.digest.hex())
    client.set_item("parameters", daily())
    number, code, value = client.events()[-1]
    event = client.purse("last_event")
    assert (event["number"], event["code"], event["value"]) == (number, code, value)


def test_a_fee_item_that_was_never_configured_reads_disabled_and_empty(client):
    parameters = client.item("parameters", 32)
    assert (parameters["enabled"], parameters["label"]) == (False, "")
    assert [client.item(name, 32) for name in ("passive_parameters", "activation_time")] == [None, None]
    assert (client.item("revision", 32), client.item("pending_amounts", 32)) == (0, [])
    assert client.item("status", 32)["state"] == "disabled"


def test_written_parameters_are_read_back_raise_the_revision_and_take_force(client):
    wanted = plain_parameters(label="房租" * 5, priority=7)
    client.set_item("parameters", wanted, 5)
    assert (client.item("parameters", 5), client.item("revision", 5)) == (wanted, 1)
    status = client.item("status", 5)
    assert (status["state"], status["next_due"], status["next_amount"]) == ("scheduled", "2026-07-01T08:00:00", 350_000)
    client.set_item("parameters", wanted, 5)
    assert client.item("revision", 5) == 1
    assert client.item("parameters", 6)["enabled"] is False


@pytest.mark.parametrize(
    "wrong", [{"amount": -1}, {"schedule": {"day": 32}}, {"schedule": {"interval": 0}}, {"amount_source": "metered"}]
)
def test_invalid_parameters_are_refused_whole_and_the_old_ones_stay(client, wrong):
    client.set_item("parameters", plain_parameters())
    with pytest.raises(AccessRefusedByMeterError) as refusal:
        client.set_item("parameters", plain_parameters(**wrong))
    assert refusal.value.result is DataAccessResult.OTHER_REASON
    assert (client.item("parameters"), client.item("revision")) == (plain_parameters(), 1)


def test_passive_parameters_take_force_at_their_time_and_not_before(client, world):
    client.set_item("parameters", daily(amount=100))
    client.set_item("passive_parameters", daily(amount=200))
    client.set_item("activation_time", "2026-06-12T00:00:00+08:00")
    assert client.item("activation_time") == "2026-06-12T00:00:00+08:00"
    world.pass_time(30 * 3600, 600)  # to 18:00 on the 11th
    client = world.connect()
    assert client.item("parameters")["amount"] == 100
    world.pass_time(12 * 3600, 600)
    client = world.connect()
    assert (client.item("parameters")["amount"], client.item("revision")) == (200, 2)
    assert (client.item("passive_parameters"), client.item("activation_time")) == (None, None)
    assert EventCode.PASSIVE_ACTIVATED in client.codes()


def test_passive_parameters_can_be_activated_now(client):
    client.set_item("passive_parameters", daily(amount=200))
    assert client.do_item("activate_passive", 0) == "done"
    assert client.item("parameters")["amount"] == 200
    assert client.do_item("activate_passive", 0) == "no_such_entry"


def test_passive_parameters_can_be_cancelled_or_written_away(client, world):
    client.set_item("passive_parameters", daily(amount=200))
    client.set_item("activation_time", "2026-06-12T00:00:00+08:00")
    assert client.do_item("cancel_passive", 0) == "done"
    assert client.do_item("cancel_passive", 0) == "no_such_entry"
    client.set_item("passive_parameters", daily(amount=300))
    client.set_item("passive_parameters", None)
    client.set_item("activation_time", None)
    world.pass_time(3 * 86_400, 3600)
    assert world.connect().item("revision") == 0


def test_a_deleted_item_reads_as_never_configured_and_its_history_stays(client, world):
    client.top_up(1, 10_000)
    client.set_item("parameters", daily())
    world.pass_time(86_400, 3600)
    client = world.connect()
    assert client.do_item("delete", 0) == "done"
    assert client.do_item("delete", 0) == "no_such_entry"
    assert client.item("parameters")["label"] == ""
    assert (client.item("status")["total_deducted"], client.item("status")["state"]) == (1_000, "disabled")
    assert [entry.fee_item for entry in client.journal()] == [0, 1]


WATER = plain_parameters(kind="water", label="水费", amount_source="cloud", amount=0)


def test_an_amount_is_set_once_and_deducted_on_its_day_with_its_reference(client, world):
    client.top_up(1, 100_000)
    client.set_item("parameters", WATER)
    assert set_amount(client, "2026-07-01", 4_321, identifier(9)) == "done"
    assert set_amount(client, "2026-07-01", 4_321, identifier(9)) == "repeated"
    assert set_amount(client, "2026-07-01", 4_322, identifier(9)) == "id_used_with_other_values"
    assert set_amount(client, "2026-07-02", 4_321, identifier(8)) == "no_such_entry"
    assert set_amount(client, "2026-07-01", -1, identifier(8)) == "amount_out_of_range"
    expected = {"due": "2026-07-01", "amount": 4_321, "reference": identifier(9), "source": "cloud"}
    assert client.item("pending_amounts") == [expected]
    world.pass_time(21 * 86_400, 3600)
    client = world.connect()
    entry = client.journal()[-1]
    assert (entry.amount, entry.reference.hex(), str(entry.due)) == (-4_321, identifier(9), "2026-07-01 08:00:00")
    assert client.item("pending_amounts") == []
    assert client.item("status")["last_amount"] == 4_321


def test_an_amount_can_be_cancelled_and_then_is_waited_for(client, world):
    client.top_up(1, 100_000)
    client.set_item("parameters", WATER)
    set_amount(client, "2026-07-01", 4_321)
    assert client.do_item("cancel_amount", {"due": "2026-07-01"}) == "done"
    assert client.do_item("cancel_amount", {"due": "2026-07-01"}) == "no_such_entry"
    world.pass_time(21 * 86_400, 3600)
    client = world.connect()
    assert client.item("status")["state"] == "waiting_amount"
    assert client.purse("status")["flags"][3] == "1"
    assert client.codes().count(EventCode.WAITING_AMOUNT) == 1
    assert set_amount(client, "2026-07-01", 99) == "done"
    assert client.purse("last_entry")["amount"] == -99


def test_what_waits_for_balance_is_paid_at_once_by_a_top_up(client, world):
    client.set_item("parameters", daily())
    world.pass_time(86_400, 3600)
    client = world.connect()
    status = client.item("status")
    assert (status["state"], status["missed"], status["next_amount"]) == ("waiting_balance", 1, 1_000)
    assert client.top_up(1, 1_500) == answer("done", 1, 1_500)
    assert client.purse("balance") == 500
    assert [entry.sequence for entry in client.journal()] == [1, 2]
    codes = client.codes()
    assert codes.index(EventCode.INSUFFICIENT) < codes.index(EventCode.SETTLED)


def test_a_metered_item_charges_the_register_of_this_meter(client, world):
    register = {"class_id": 3, "logical_name": "1.0.1.8.0.255", "attribute": 2}
    price = {"price": 56, "scaler": -3, "register": register}  # 0.56 CNY per kWh
    client.top_up(1, 100_000)
    client.set_item("parameters", daily(kind="electricity", amount_source="metered", amount=0, unit_price=price))
    world.pass_time(2 * 86_400, 3600)
    first, second = world.connect().journal()[1:]

    def energy_wh(now):
        (reading,) = world.meter.keeper.registers(now).values()
        return reading

    drawn_wh = energy_wh(second.time.instant()) - energy_wh(NOW)
    assert -(first.amount + second.amount) == drawn_wh * 56 // 1000 > 0


def test_an_activation_time_in_civil_time_is_the_meters(client):
    client.set_item("passive_parameters", daily())
    client.set_item("activation_time", "2026-06-12T00:00:00")
    assert client.item("activation_time") == "2026-06-12T00:00:00+08:00"


def test_a_purse_of_another_currency_and_zone_says_so(tmp_path):
    world = MeterWorld(tmp_path / "other", currency=Currency("EUR", -2), time_zone="Europe/Berlin")
    client = world.connect()
    assert client.purse("currency") == {"code": "EUR", "scale": -2}
    client.set_item("parameters", daily())
    assert client.item("status")["next_due"] == "2026-06-10T08:00:00"  # it is 06:00 there
    world.meter.close()
