"""What the head-end knows of the gateways before it: their last status, and the meters nobody registered.

Imported by `api`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from dlms_objects.purse.entry import ROW_LENGTH, Entry
from headend import measurements, points
from headend.authentication import Caller
from headend.ingest import Answer, Batch, Status
from headend.schema import bearer_token, gateway_status, unknown_meter


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayStatus:
    """The last status a gateway reported, as it reported it."""

    gateway: str
    received_at: datetime
    status: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownMeter:
    """What came of a meter that is not registered: batches turned away, and the rows or events in them."""

    system_title: str
    batches: int
    rows: int


def heard(connection: Connection, batches: Sequence[Batch], answers: Sequence[Answer], *, now: datetime) -> None:
    """Tell InfluxDB which registered meters' records came, how many, how late and with what result.

    One point per meter: its last answer, and its last batch.
    """
    if not points.is_wanted(connection):
        return
    last = {batch.title: batch for batch in batches}
    told = {answer.title: answer for answer in answers if answer.status is not Status.UNKNOWN_METER}
    points.enqueue(
        connection,
        [
            measurements.meter_status(
                meter=str(title),
                status=answer.status,
                sequence=answer.sequence,
                rows=len(last[title].rows) // ROW_LENGTH,
                last=Entry.from_row(last[title].rows[-ROW_LENGTH:]).time if last[title].rows else None,
                now=now,
            )
            for title, answer in told.items()
        ],
    )


def report(connection: Connection, gateway: Caller, *, status: dict[str, object], now: datetime) -> None:
    """Keep a gateway's status in place of its last one, and tell InfluxDB."""
    token_id = gateway.token_id
    point = measurements.gateway_status(gateway=gateway.name, status=status, now=now)
    points.enqueue(connection, [] if point is None else [point])
    told = {"received_at": now.isoformat(), "status": json.dumps(status, ensure_ascii=False)}
    same = gateway_status.c.token_id == token_id
    if connection.execute(update(gateway_status).where(same).values(told)).rowcount == 0:
        connection.execute(insert(gateway_status).values(token_id=token_id, **told))


def gateways(connection: Connection, organisation_id: int) -> list[GatewayStatus]:
    """Every gateway of an organisation that has ever reported, by name."""
    rows = connection.execute(
        select(bearer_token.c.name, gateway_status.c.received_at, gateway_status.c.status)
        .join(bearer_token, bearer_token.c.id == gateway_status.c.token_id)
        .where(bearer_token.c.organisation_id == organisation_id)
        .order_by(bearer_token.c.name)
    )
    return [
        GatewayStatus(
            gateway=row.name, received_at=datetime.fromisoformat(row.received_at), status=json.loads(row.status)
        )
        for row in rows
    ]


def unknown_meters(connection: Connection, organisation_id: int) -> list[UnknownMeter]:
    """The meters that were turned away from an organisation's gateways, by system title."""
    rows = connection.execute(
        select(unknown_meter)
        .where(unknown_meter.c.organisation_id == organisation_id)
        .order_by(unknown_meter.c.system_title)
    )
    return [UnknownMeter(system_title=row.system_title, batches=row.batches, rows=row.rows) for row in rows]
