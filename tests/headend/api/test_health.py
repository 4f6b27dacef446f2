"""Alive and ready."""

import httpx
import pytest
from sqlalchemy import Connection, text

from headend.database import Database, DatabaseBusyError


def test_alive_and_ready(client: httpx.Client) -> None:
    for path in ("/healthz/live", "/healthz/ready"):
        assert client.get(path).json() == {"status": "ok"}


def test_not_ready_while_nothing_can_be_booked(
    client: httpx.Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(_work: object) -> None:
        raise DatabaseBusyError("too many")

    monkeypatch.setattr(database, "write", busy)
    assert client.get("/healthz/ready").status_code == 503
    assert client.get("/healthz/live").status_code == 200


def test_not_ready_on_a_database_of_another_shape(client: httpx.Client, database: Database) -> None:
    def work(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    database.write_now(work)
    answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert "9999" in answer.json()["detail"]
