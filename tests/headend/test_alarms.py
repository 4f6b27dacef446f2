"""Laws of alarms: a silence is told once, and again when there is a new one."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from headend import schema
from headend.alarms import raise_silences
from headend.authentication import caller_of, store_token
from headend.fleet import report
from headend.permissions import Role

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def silences(connection: Connection) -> int:
    return len(connection.execute(select(schema.alarm).where(schema.alarm.c.kind == "gateway_silent")).all())


def test_each_silence_of_a_gateway_is_told_once(connection: Connection) -> None:
    store_token(connection, name="gateway", role=Role.GATEWAY, token="t")  # noqa: S106
    bearer = caller_of(connection, "t", now=NOW)
    assert bearer is not None
    for day in (0, 1):
        heard = NOW + timedelta(days=day)
        report(connection, bearer, status={}, now=heard)
        for minutes in (1, 14, 16, 30):
            raise_silences(connection, now=heard + timedelta(minutes=minutes), after_s=900)
        assert silences(connection) == day + 1
