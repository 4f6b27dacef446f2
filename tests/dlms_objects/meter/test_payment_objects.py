"""Account, Credit and Charge tell what the purse is, exactly, or say that their types cannot."""

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from dlms_objects.classes.catalogue import ASSOCIATIONS
from dlms_objects.classes.payment import ACCOUNT, CHARGE, CREDIT
from dlms_objects.classes.shape import conforms, to_plain
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.cosem_object import Requester
from dlms_objects.meter.payment_objects import account_object, charge_object, credit_object
from dlms_objects.purse import operations
from dlms_objects.purse.fee_item import AmountSource, FeeItem, Frequency, Schedule
from dlms_objects.purse.state import PurseState, Settings
from dlms_objects.values.money import Currency
from dlms_objects.wire.parameters import USUAL_CONFORMANCE
from tests.support.meters import NOW
from tests.support.purses import TITLE, daily, fixed

SETTINGS = Settings(low_balance_threshold=1_000, overdraft_limit=500, time_zone="Asia/Shanghai")
ASKER = Requester(association=ASSOCIATIONS[1], client_title=None, conformance=USUAL_CONFORMANCE, max_pdu=1024, now=NOW)


def purse(balance: int = 0, **changes) -> PurseState:
    return replace(PurseState.new(TITLE, Currency("CNY", -2), SETTINGS), balance=balance, **changes)


def told(interface, made, name):
    """An attribute as plain values, after its shape was checked."""
    attribute = interface.attribute(name)
    value = made.get(attribute.number, None, ASKER)
    assert conforms(attribute.shape, value), value
    return to_plain(attribute.shape, value)


def account(state, name):
    return told(ACCOUNT, account_object(lambda: state), name)


def credit(state, name):
    return told(CREDIT, credit_object(lambda: state), name)


def charge(item: FeeItem, name, state=None):
    state = replace(state or purse(), items=(item,))
    return told(CHARGE, charge_object(item.number, lambda: state), name)


@pytest.mark.parametrize(
    ("balance", "available", "to_clear", "flags", "in_use", "status"),
    [
        (5_000, 5_000, 0, "10000000", 1, 3),
        (1_000, 1_000, 0, "10000000", 1, 3),
        (999, 999, 0, "11000000", 1, 3),
        (0, 0, 0, "01000000", 1, 3),
        (-1, 0, 1, "01000000", 1, 3),
        (-500, 0, 500, "01000010", 0, 4),
    ],
)
def test_the_balance_is_the_one_credit(balance, available, to_clear, flags, in_use, status):
    state = purse(balance)
    assert (credit(state, "current_credit_amount"), account(state, "available_credit")) == (balance, available)
    assert account(state, "amount_to_clear") == to_clear
    assert account(state, "current_credit_status") == flags
    assert (account(state, "current_credit_in_use"), credit(state, "credit_status")) == (in_use, status)


def test_thresholds_and_currency_are_the_purses():
    state = purse()
    assert (credit(state, "warning_threshold"), account(state, "low_credit_threshold")) == (1_000, 1_000)
    assert credit(state, "limit") == -500
    assert account(state, "currency") == {"currency_name": "CNY", "currency_scale": -2, "unit": 2}
    assert account(state, "account_mode_and_status") == {"payment_mode": 2, "account_status": 2}


def test_the_account_lists_its_credit_and_the_charges_of_configured_items():
    items = (FeeItem(number=2, parameters=fixed(1, daily())), FeeItem(number=9), FeeItem(number=31))
    state = operations.set_parameters(purse(items=items), NOW, 31, fixed(3, daily())).state
    assert account(state, "credit_reference_list") == ["0.0.19.10.0.255"]
    assert account(state, "charge_reference_list") == ["0.0.19.20.2.255", "0.0.19.20.31.255"]


@pytest.mark.parametrize("balance", [2**31 - 1, -(2**31) + 1])
def test_a_balance_of_32_bits_is_told(balance):
    assert credit(purse(balance), "current_credit_amount") == balance


@pytest.mark.parametrize("balance", [2**31, -(2**31) - 1, 2**63 - 1])
def test_a_balance_beyond_32_bits_is_refused_and_not_cut(balance):
    with pytest.raises(InvalidValueError):
        credit(purse(balance), "current_credit_amount")
    with pytest.raises(InvalidValueError):
        account(purse(balance), "available_credit" if balance > 0 else "amount_to_clear")


@pytest.mark.parametrize(
    ("amount", "number", "scale"),
    [(0, 0, -2), (32_767, 32_767, -2), (32_770, 3_277, -1), (350_000, 3_500, 0), (2_147_000_000, 21_470, 3)],
)
def test_a_fixed_amount_is_a_number_and_a_power_of_ten(amount, number, scale):
    unit = charge(FeeItem(number=1, parameters=fixed(amount, daily())), "unit_charge_active")
    assert unit["charge_table"] == [{"index": "", "charge_per_unit": number}]
    assert unit["charge_per_unit_scaling"] == {"commodity_scale": 0, "price_scale": scale}
    assert number * 10 ** (scale + 2) == amount


@pytest.mark.parametrize("amount", [32_768, 350_001, 123_456])
def test_an_amount_that_16_bits_and_a_power_of_ten_do_not_make_is_refused(amount):
    with pytest.raises(InvalidValueError):
        charge(FeeItem(number=1, parameters=fixed(amount, daily())), "unit_charge_active")


def test_a_metered_price_names_its_register():
    from tests.support.purses import metered

    item = FeeItem(number=3, parameters=metered(5_500, -5, daily()))
    unit = charge(item, "unit_charge_active")
    assert unit["charge_per_unit_scaling"] == {"commodity_scale": 0, "price_scale": -7}
    assert unit["charge_table"] == [{"index": "", "charge_per_unit": 5_500}]
    assert unit["commodity_reference"]["logical_name"] == str(item.parameters.unit_price.register.logical_name)
    assert charge(item, "charge_type") == 0
    assert charge(FeeItem(number=1, parameters=fixed(5, daily())), "charge_type") == 1


def test_what_bills_tell_has_no_price():
    item = FeeItem(number=4, parameters=replace(fixed(77, daily()), amount_source=AmountSource.CLOUD))
    assert charge(item, "unit_charge_active")["charge_table"] == []


def test_the_passive_price_is_that_of_the_change_to_come():
    item = FeeItem(number=1, parameters=fixed(5, daily()), passive=fixed(6, daily()), activation_time=NOW)
    assert charge(item, "unit_charge_passive")["charge_table"][0]["charge_per_unit"] == 6
    assert charge(item, "unit_charge_activation_time").startswith("2026-06-10")
    assert charge(FeeItem(number=1), "unit_charge_activation_time") is None


@pytest.mark.parametrize(
    ("frequency", "interval", "period_s"),
    [(Frequency.DAILY, 1, 86_400), (Frequency.DAILY, 255, 22_032_000), (Frequency.WEEKLY, 2, 1_209_600)],
)
def test_days_and_weeks_are_seconds(frequency, interval, period_s):
    schedule = Schedule(frequency=frequency, interval=interval, day=1, time=time(8), first=NOW.date())
    assert charge(FeeItem(number=1, parameters=fixed(5, schedule)), "period") == period_s


@pytest.mark.parametrize("frequency", [Frequency.ONCE, Frequency.MONTHLY, Frequency.YEARLY])
def test_months_years_and_once_are_no_number_of_seconds(frequency):
    schedule = Schedule(frequency=frequency, day=1, time=time(8), first=NOW.date())
    with pytest.raises(InvalidValueError):
        charge(FeeItem(number=1, parameters=fixed(5, schedule)), "period")


@pytest.mark.parametrize(
    ("zone", "is_told"),
    [("UTC", True), ("Asia/Shanghai", True), ("Europe/Berlin", False), ("Australia/Sydney", False)],
)
def test_days_are_no_number_of_seconds_where_the_clocks_change(zone, is_told):
    state = purse(settings=replace(SETTINGS, time_zone=zone))
    item = FeeItem(number=1, parameters=fixed(5, daily()))
    if is_told:
        assert charge(item, "period", state) == 86_400
    else:
        with pytest.raises(InvalidValueError, match=zone):
            charge(item, "period", state)


def test_an_item_that_was_never_configured_reads_as_nothing():
    item = FeeItem(number=8)
    assert [charge(item, name) for name in ("total_amount_paid", "priority", "period", "last_collection_amount")] == [
        0,
        0,
        0,
        0,
    ]
    assert charge(item, "last_collection_time") is None


def test_what_was_deducted_is_what_was_paid():
    item = FeeItem(
        number=1,
        parameters=replace(fixed(5, daily()), priority=7),
        last_deducted=datetime(2026, 6, 1, 0, 0, tzinfo=UTC),
        last_amount=350,
        total_deducted=2_000,
    )
    assert (charge(item, "total_amount_paid"), charge(item, "last_collection_amount")) == (2_000, 350)
    assert charge(item, "priority") == 7
    assert charge(item, "last_collection_time").startswith("2026-06-01T08:00:00")
    with pytest.raises(InvalidValueError):
        charge(replace(item, total_deducted=2**31), "total_amount_paid")
