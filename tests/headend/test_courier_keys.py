"""Laws of couriers' keys: sealed at rest, taken over once, counters that only rise and belong to one key."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update

from dlms_objects.values.money import Currency
from dlms_objects.wire.counters import COUNTER_CEILING, CounterExhausted
from headend import courier_keys
from headend.courier_keys import CourierKeyError, LastBatch
from headend.root_key import RootKey, create
from headend.schema import courier_key, meter
from tests.support.courier_meter import fresh_credentials
from tests.support.headend_books import CNY, OTHER_TITLE, TITLE, UNKNOWN_TITLE


@pytest.fixture
def root(tmp_path: Path) -> RootKey:
    create(tmp_path / "root.key")
    return RootKey.load(tmp_path / "root.key")


def meter_id(connection: Connection) -> int:
    return connection.execute(select(meter.c.id).where(meter.c.system_title == str(TITLE))).scalar_one()


def test_keys_come_back_and_are_not_readable_in_the_database(connection: Connection, root: RootKey) -> None:
    told = fresh_credentials()
    courier_keys.store(connection, root, told, CNY)
    found = courier_keys.find(connection, root, TITLE)
    assert found is not None
    assert (found.meter_title, found.head_end_title) == (TITLE, told.head_end_title)
    assert found.cipher_keys.global_unicast_encryption_key == told.encryption_key
    assert found.cipher_keys.authentication_key == told.authentication_key
    stored = connection.execute(select(courier_key)).one()
    for key in (told.encryption_key, told.authentication_key):
        assert key not in stored.sealed_keys
        assert key.hex() not in repr(stored) + repr(found)
    assert courier_keys.find(connection, root, OTHER_TITLE) is None


def test_counters_rise_and_last_through_the_same_keys_but_not_new_ones(connection: Connection, root: RootKey) -> None:
    told = fresh_credentials()
    courier_keys.store(connection, root, told, CNY)
    number = meter_id(connection)
    counters = courier_keys.counters(connection, number)
    assert (counters.received.highest(TITLE), counters.sent.next(), counters.sent.next()) == (None, 1, 2)
    counters.received.accept(TITLE, 0)
    courier_keys.store(connection, root, told, None)
    assert (counters.received.highest(TITLE), counters.sent.next()) == (0, 3)
    courier_keys.keep_last_batch(connection, number, LastBatch(digest=bytes(32), answer=b"a"))
    assert courier_keys.last_batch(connection, number) == LastBatch(digest=bytes(32), answer=b"a")
    courier_keys.store(connection, root, fresh_credentials(), CNY)
    assert (counters.received.highest(TITLE), counters.sent.next()) == (None, 1)
    assert courier_keys.last_batch(connection, number) is None


def test_another_title_of_the_head_end_is_a_new_pair(connection: Connection, root: RootKey) -> None:
    told = fresh_credentials()
    courier_keys.store(connection, root, told, CNY)
    courier_keys.store(connection, root, replace(told, head_end_title=UNKNOWN_TITLE), CNY)
    found = courier_keys.find(connection, root, TITLE)
    assert found is not None
    assert found.head_end_title == UNKNOWN_TITLE


def test_the_last_counter_is_never_used(connection: Connection, root: RootKey) -> None:
    courier_keys.store(connection, root, fresh_credentials(), CNY)
    connection.execute(update(courier_key).values(sent=COUNTER_CEILING - 2))
    sent = courier_keys.counters(connection, meter_id(connection)).sent
    assert sent.next() == COUNTER_CEILING - 1
    with pytest.raises(CounterExhausted):
        sent.next()


def test_keys_of_a_meter_that_is_not_registered_are_refused(connection: Connection, root: RootKey) -> None:
    with pytest.raises(CourierKeyError, match=f"{UNKNOWN_TITLE} is not registered"):
        courier_keys.store(connection, root, fresh_credentials(UNKNOWN_TITLE), CNY)


def test_the_currency_is_wanted_once_and_cannot_change(connection: Connection, root: RootKey) -> None:
    with pytest.raises(CourierKeyError, match="--currency"):
        courier_keys.store(connection, root, fresh_credentials(), None)
    courier_keys.store(connection, root, fresh_credentials(), CNY)
    courier_keys.store(connection, root, fresh_credentials(), None)
    with pytest.raises(CourierKeyError, match="are in"):
        courier_keys.store(connection, root, fresh_credentials(), Currency("EUR", -2))
