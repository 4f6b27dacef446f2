"""Laws of what is known of the gateways."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from headend.authentication import FIRST_ORGANISATION, Caller, caller_of, new_token, store_token
from headend.evidence import count_unknown
from headend.fleet import GatewayStatus, UnknownMeter, gateways, report, unknown_meters
from headend.permissions import Role

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)


def bearer(connection: Connection, name: str) -> Caller:
    token = new_token()
    store_token(connection, name=name, role=Role.GATEWAY, token=token)
    found = caller_of(connection, token, now=NOW)
    assert found is not None
    return found


def test_the_last_status_of_each_gateway_is_known(connection: Connection) -> None:
    south, north = bearer(connection, "south"), bearer(connection, "north")
    report(connection, south, status={"行": 1}, now=NOW)
    report(connection, north, status={"lines": 3}, now=NOW)
    report(connection, south, status={"行": 2}, now=NOW + timedelta(minutes=1))
    assert gateways(connection, FIRST_ORGANISATION) == [
        GatewayStatus(gateway="north", received_at=NOW, status={"lines": 3}),
        GatewayStatus(gateway="south", received_at=NOW + timedelta(minutes=1), status={"行": 2}),
    ]


def test_unknown_meters_are_listed(connection: Connection) -> None:
    count_unknown(connection, "B" * 16, rows=1, owner=None)
    count_unknown(connection, "A" * 16, rows=2, owner=None)
    assert unknown_meters(connection, FIRST_ORGANISATION) == [
        UnknownMeter(system_title="A" * 16, batches=1, rows=2),
        UnknownMeter(system_title="B" * 16, batches=1, rows=1),
    ]
