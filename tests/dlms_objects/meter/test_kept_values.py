"""The table of kept values: nothing at first, then exactly what was last stored under each name."""

import pytest

from dlms_objects.meter.kept_values import kept_statements, read_kept
from dlms_objects.meter.store_file import NewMeter, create_store, open_store


@pytest.fixture
def connection(tmp_path):
    create_store(tmp_path / "meters.sqlite", [NewMeter("A", b"one"), NewMeter("B", b"two")])
    connection = open_store(tmp_path / "meters.sqlite")
    yield connection
    connection.close()


def test_what_is_kept_is_read_back_by_its_name(connection):
    assert read_kept(connection, 1, "supply") is None
    for values in ({"supply": b"on", "push/3": b"\x00"}, {"supply": b"off"}):
        for statement, parameters in kept_statements(values, 1):
            connection.execute(statement, parameters)
    assert [read_kept(connection, 1, name) for name in ("supply", "push/3", "push/4")] == [b"off", b"\x00", None]
    assert read_kept(connection, 2, "supply") is None
