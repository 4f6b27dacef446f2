"""What gateways call: records, events, status. Bearer token of a gateway. Imported by `application`."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from sqlalchemy import Connection

from headend.api.access import GatewayCaller, OpenDatabase, Recipients
from headend.api.problems import ProblemError, documented
from headend.api.uploads import (
    EventMeterAnswer,
    EventsAnswer,
    EventsSent,
    MeterAnswer,
    ReadingsSent,
    RecordsAnswer,
    RecordsSent,
)
from headend.delivery.plan import plan
from headend.delivery_path import Path, came
from headend.events import EventAnswer, ingest_events
from headend.fleet import heard, report
from headend.ingest import Answer, Malformed, ingest
from headend.readings import take

MAXIMUM_STATUS_MEMBERS = 256

router = APIRouter(
    prefix="/api/gateway/v1",
    tags=["gateway"],
    responses=documented(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    ),
)


@router.post("/records", summary="Upload journal rows", response_model_exclude_none=True)
async def post_records(
    gateway: GatewayCaller, database: OpenDatabase, recipients: Recipients, sent: RecordsSent
) -> RecordsAnswer:
    """Book journal rows in the double-entry ledger, exactly once, however often they are sent.

    Each batch is verified whole (numbering, running balance, digest chain) before anything of it is booked, and the
    answer leaves when it is durable. Batches may overlap and repeat. A row that is no journal row is answered 422 with
    `errors` naming meter and sequence; the other batches of that request are booked all the same, and `meters` of the
    problem carries their answers.
    """
    batches = [each.batch() for each in sent.batches]
    now = datetime.now(UTC)

    def work(connection: Connection) -> tuple[list[Answer], list[Malformed]]:
        answers, malformed = ingest(connection, batches, owner=gateway.organisation_id)
        unread = {each.title for each in malformed}
        heard(connection, batches, [each for each in answers if each.title not in unread], now=now)
        came(connection, answers, Path.GATEWAY, now=now)
        plan(connection, recipients, now=now)
        return answers, malformed

    answers, malformed = await database.write(work)
    meters = [MeterAnswer.of(each) for each in answers]
    if malformed:
        raise _malformed_rows(malformed, meters)
    return RecordsAnswer(meters=meters)


@router.post("/events", summary="Upload event rows", response_model_exclude_none=True)
async def post_events(
    gateway: GatewayCaller, database: OpenDatabase, recipients: Recipients, sent: EventsSent
) -> EventsAnswer:
    """Keep rows of meters' event logs, exactly once; the household is told of shortages."""
    batches = [each.batch() for each in sent.batches]

    def work(connection: Connection) -> list[EventAnswer]:
        answers = ingest_events(connection, batches, owner=gateway.organisation_id)
        plan(connection, recipients, now=datetime.now(UTC))
        return answers

    answers = await database.write(work)
    return EventsAnswer(meters=[EventMeterAnswer.of(each) for each in answers])


@router.post("/readings", summary="Upload readings", status_code=HTTPStatus.NO_CONTENT)
async def post_readings(gateway: GatewayCaller, database: OpenDatabase, sent: ReadingsSent) -> Response:
    """Tell how meters stand, for the time series: clock, energy, purse, fee items. Nothing of it is booked."""
    readings = [each.reading() for each in sent.readings]
    now = datetime.now(UTC)
    await database.write(lambda connection: take(connection, readings, now=now, owner=gateway.organisation_id))
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.put("/status", summary="Report the gateway's own state", status_code=HTTPStatus.NO_CONTENT)
async def put_status(
    gateway: GatewayCaller,
    database: OpenDatabase,
    status: Annotated[
        dict[str, Any],
        Body(
            max_length=MAXIMUM_STATUS_MEMBERS,
            examples=[{"lines": 1, "outbox_rows": 0, "oldest_row_age_s": 0}],
            description="Whatever the gateway has to say of itself.",
        ),
    ],
) -> Response:
    """Keep a gateway's heartbeat in place of its last one."""
    now = datetime.now(UTC)
    await database.write(lambda connection: report(connection, gateway, status=status, now=now))
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _malformed_rows(malformed: list[Malformed], meters: list[MeterAnswer]) -> ProblemError:
    errors = [{"system_title": str(each.title), "sequence": each.sequence, "detail": each.detail} for each in malformed]
    first = malformed[0]
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"meter {first.title}, entry {first.sequence}: {first.detail}",
        extensions={"errors": errors, "meters": [each.model_dump(exclude_none=True) for each in meters]},
    )
