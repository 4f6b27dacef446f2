"""What an operator asks, without a server; with one: tests/e2e/test_influx.py."""

import pytest

from headend import points
from headend.config import HeadendConfig, InfluxConfig
from headend.database import transaction
from headend.influx import operations
from headend.influx.writer import InfluxUnavailableError
from headend.ingest import ingest
from headend.place import Place
from tests.support.headend_books import usual_journal

AWAY = InfluxConfig(url="http://127.0.0.1:9", bucket="books")


@pytest.fixture
def config(fresh: Place) -> HeadendConfig:
    return HeadendConfig(database=fresh, influx=AWAY)


def test_the_status_is_told_without_a_server(config: HeadendConfig) -> None:
    with transaction(config.database) as connection:
        points.set_wanted(connection, True)
        ingest(connection, [usual_journal().batch()])
    sink, refused = operations.status(config)
    assert (sink.wanted, sink.waiting, sink.delivered, refused) == (True, 6, 0, [])


def test_a_rebuild_does_not_hold_up_the_ledger(config: HeadendConfig) -> None:
    with transaction(config.database) as connection:
        ingest(connection, [usual_journal().batch()])
    with transaction(config.database), pytest.raises(InfluxUnavailableError, match="refused"):
        operations.rebuild(config)  # while this transaction holds the write lock


def test_without_influx_there_is_nothing_to_rebuild_or_check(config: HeadendConfig) -> None:
    plain = config.model_copy(update={"influx": None})
    for asked in (operations.rebuild, operations.check):
        with pytest.raises(operations.NoInfluxError, match="no \\[influx\\]"):
            asked(plain)
