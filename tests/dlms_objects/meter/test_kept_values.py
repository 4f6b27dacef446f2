"""The table of kept values: nothing at first, then exactly what was last stored under each name."""

import pytest

from dlms_objects.meter.kept_values import KEPT_VALUE_TABLE, kept_statements, read_kept
from dlms_objects.transport.durable_counters import open_database


@pytest.fixture
def connection(tmp_path):
    connection = open_database(tmp_path / "kept.sqlite")
    connection.executescript(KEPT_VALUE_TABLE)
    yield connection
    connection.close()


def test_what_is_kept_is_read_back_by_its_name(connection):
    assert read_kept(connection, "supply") is None
    for values in ({"supply": b"on", "push/3": b"\x00"}, {"supply": b"off"}):
        for statement, parameters in kept_statements(values):
            connection.execute(statement, parameters)
    connection.executescript(KEPT_VALUE_TABLE)
    assert [read_kept(connection, name) for name in ("supply", "push/3", "push/4")] == [b"off", b"\x00", None]
