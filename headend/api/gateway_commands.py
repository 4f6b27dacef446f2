"""What gateways fetch: commands (long poll), their meters, their meters' keys; and what they report of them.

Imported by `application`.
"""

import time
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from headend import assignments, commands, meter_keys
from headend.api import command_models as models
from headend.api.access import GatewayCaller, OpenDatabase
from headend.api.commands import IdInPath
from headend.api.fields import Limit
from headend.api.problems import ProblemError, documented
from headend.api.purses import TitleInPath
from headend.command_kinds import CommandError
from headend.meter_keys import MeterKeyError

LONGEST_WAIT_S = 60
LOOK_AGAIN_S = 5.0
"""So often somebody else's command, made beside the running head-end, is looked for."""
AGE = "application/age"

router = APIRouter(
    prefix="/api/gateway/v1",
    tags=["gateway"],
    responses=documented(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY),
)
_MISSING = documented(HTTPStatus.NOT_FOUND)


@router.get("/commands", summary="Fetch commands")
async def get_commands(
    request: Request,
    gateway: GatewayCaller,
    database: OpenDatabase,
    wait: Annotated[int, Query(ge=0, le=LONGEST_WAIT_S, description="Seconds to wait for one.")] = 0,
) -> models.HandedOuts:
    """What the gateway's meters are to do. Everything is handed out again until its result is here."""
    until = time.monotonic() + wait
    while True:
        now = datetime.now(UTC)
        if await database.read(partial(commands.has_open, gateway=gateway, now=now)):
            break
        left = until - time.monotonic()
        if left <= 0:
            return models.HandedOuts(commands=[])
        await request.app.state.bell.wait(min(left, LOOK_AGAIN_S))
    found = await database.write(partial(commands.hand_out, gateway=gateway, now=now))
    return models.HandedOuts(
        commands=[
            models.HandedOut(
                id=each.command_id,
                system_title=each.system_title,
                kind=each.kind,
                parameters=each.parameters,
                priority=each.priority,
                expires_at=each.expires_at,
            )
            for each in found
        ]
    )


@router.post(
    "/commands/{command_id}/result",
    summary="Report a command's result",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def post_result(
    gateway: GatewayCaller, database: OpenDatabase, command_id: IdInPath, sent: models.ResultSent
) -> Response:
    """Keep what became of a command; the same again changes nothing, another result is answered 409."""
    now = datetime.now(UTC)

    def work(connection: Connection) -> commands.Command | None:
        taken = commands.take_result(connection, gateway, command_id, sent.result(), now=now)
        if taken is not None:
            meter_keys.transferred(connection, taken, now=now)
        return taken

    try:
        taken = await database.write(work)
    except CommandError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from None
    if taken is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"the gateway has no command {command_id}")
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get("/meters", summary="The gateway's meters")
async def get_meters(
    gateway: GatewayCaller, database: OpenDatabase, after: str = "", limit: Limit = 100
) -> models.AssignedMeters:
    """The meters that are assigned to the gateway, by system title."""
    found = await database.read(
        lambda connection: assignments.assigned(connection, gateway, after=after, limit=limit + 1)
    )
    page = [
        models.AssignedMeter(
            system_title=each.system_title,
            household=each.household,
            sequence=each.sequence,
            open_commands=each.open_commands,
        )
        for each in found[:limit]
    ]
    return models.AssignedMeters(meters=page, next_after=page[-1].system_title if len(found) > limit else None)


@router.get(
    "/meters/{system_title}/keys",
    summary="The keys of a meter",
    response_class=Response,
    responses={
        HTTPStatus.OK.value: {
            "description": "JSON, encrypted by age for the gateway's recipient.",
            "content": {AGE: {"schema": {"type": "string", "format": "binary"}}},
        },
        **documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    },
)
async def get_keys(
    request: Request, gateway: GatewayCaller, database: OpenDatabase, system_title: TitleInPath
) -> Response:
    """The keys in force and those that are wanted next, wrapped for this gateway; 409 when there is nothing to wrap."""
    root, title = request.app.state.root_key, system_title.upper()
    if root is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "this head-end keeps no keys")
    try:
        wrapped = await database.read(lambda connection: meter_keys.released(connection, gateway, root, title))
    except MeterKeyError as error:
        raise ProblemError(HTTPStatus.CONFLICT, str(error)) from None
    if wrapped is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"meter {title} is not assigned to this gateway")
    return Response(wrapped, media_type=AGE)


@router.put("/recipient", summary="Say for whom keys are to be wrapped", status_code=HTTPStatus.NO_CONTENT)
async def put_recipient(gateway: GatewayCaller, database: OpenDatabase, sent: models.RecipientSent) -> Response:
    """The gateway's age recipient, in place of the one before."""
    now = datetime.now(UTC)
    try:
        await database.write(lambda connection: meter_keys.tell_recipient(connection, gateway, sent.recipient, now=now))
    except MeterKeyError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/counters", summary="Report invocation counters", status_code=HTTPStatus.NO_CONTENT, responses=_MISSING)
async def post_counters(gateway: GatewayCaller, database: OpenDatabase, sent: models.CountersSent) -> Response:
    """Keep how far the counters of meters' keys have gone; a lower one changes nothing."""

    def work(connection: Connection) -> list[str]:
        return [
            each.system_title
            for each in sent.counters
            if not meter_keys.count(connection, gateway, each.system_title.upper(), each.role, each.invocation_counter)
        ]

    strangers = await database.write(work)
    if strangers:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"not assigned to this gateway: {', '.join(strangers[:10])}")
    return Response(status_code=HTTPStatus.NO_CONTENT)
