"""The consumer message says how much is missing by when, or that the balance is low, and nothing when all is well."""

from datetime import UTC, datetime

import pytest

from dlms_objects.classes.catalogue import CONSUMER_MESSAGE
from dlms_objects.classes.standard import DATA
from dlms_objects.meter.consumer_message import consumer_message
from dlms_objects.purse.state import Settings
from tests.support.meters import daily
from tests.support.purses import Purse, fixed, monthly

NOW = datetime(2026, 1, 28, tzinfo=UTC)


def message(purse):
    return consumer_message(purse.state, NOW, purse.registers)


@pytest.fixture
def purse():
    purse = Purse(Settings(low_balance_threshold=100_00), now=NOW)
    purse.top_up(500_00)
    return purse


def test_nothing_is_said_when_all_is_well(purse):
    assert message(purse) == ""


def test_a_shortfall_ahead_names_what_is_missing_and_the_day(purse):
    purse.configure(1, fixed(3500_00, monthly(1)))
    assert message(purse) == "余额不足，请在2026-02-01前充值3000.00 CNY。 Please top up 3000.00 CNY by 2026-02-01."


def test_a_low_balance_names_the_balance():
    purse = Purse(Settings(low_balance_threshold=100_00), now=NOW)
    purse.top_up(99_99)
    assert message(purse) == "余额较低：99.99 CNY，请充值。 Low balance: 99.99 CNY. Please top up."


def test_the_meter_shows_the_message_of_its_purse(world, client):
    assert client.get(DATA, CONSUMER_MESSAGE, "value") == ""
    client.set_item("parameters", daily())
    assert client.get(DATA, CONSUMER_MESSAGE, "value").endswith("Please top up 70.00 CNY by 2026-06-11.")
