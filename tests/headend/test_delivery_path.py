"""Which rows came by which path is noted once, for what was new."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from headend.delivery_path import Path, came, deliveries
from headend.ingest import Batch, ingest
from headend.schema import meter
from tests.support.headend_books import TITLE, usual_journal

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def carry(connection: Connection, path: Path, *batches: Batch) -> None:
    answers, _malformed = ingest(connection, batches)
    came(connection, answers, path, now=NOW)


def test_only_new_rows_are_noted_and_found_by_any_range(connection: Connection) -> None:
    journal = usual_journal()
    carry(connection, Path.GATEWAY, journal.batch(1, 2))
    carry(connection, Path.COURIER, journal.batch(1, 5))
    carry(connection, Path.GATEWAY, journal.batch(3, 5))
    carry(connection, Path.GATEWAY, journal.batch())
    number = connection.execute(select(meter.c.id).where(meter.c.system_title == str(TITLE))).scalar_one()

    def found(first: int, last: int) -> list[tuple[int, int, str]]:
        runs = deliveries(connection, number, first=first, last=last)
        assert all(run.at == NOW for run in runs)
        return [(run.first_sequence, run.last_sequence, run.path) for run in runs]

    runs = [(1, 2, "gateway"), (3, 5, "courier"), (6, 6, "gateway")]
    assert found(1, 6) == runs
    assert found(4, 4) == runs[1:2]
    assert found(2, 3) == runs[:2]
    assert found(7, 9) == []


def test_a_path_noted_stays(connection: Connection) -> None:
    carry(connection, Path.COURIER, usual_journal().batch())
    with pytest.raises(DBAPIError, match="append-only"):
        connection.execute(text("UPDATE delivery_path SET path = 'gateway'"))
