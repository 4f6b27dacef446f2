"""Money paid in: from the intent to the meter's answer; and taken back. Imported by `application`."""

from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from dlms_objects.errors import LocalError
from headend import commands
from headend.api import command_models as models
from headend.api.access import CommandReader, IdempotencyKey, OpenDatabase, TopUpper
from headend.api.commands import IdInPath, identifier
from headend.api.idempotent import answered_once
from headend.api.problems import ProblemError, documented
from headend.api.purses import TitleInPath, seen_purse
from headend.authentication import Caller
from headend.command_kinds import CommandError, CommandKind
from headend.statements import Purse

TOP_UP_PRIORITY = 1
_REFUSALS: dict[type[LocalError], HTTPStatus] = {CommandError: HTTPStatus.UNPROCESSABLE_ENTITY}

router = APIRouter(
    prefix="/api/v1/purses/{system_title}/top-ups",
    tags=["commands"],
    responses=documented(
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
)


@router.post("", summary="Top up", response_model=models.TopUp, status_code=HTTPStatus.CREATED)
async def post_top_up(  # noqa: PLR0913 - what a request is made of
    request: Request,
    caller: TopUpper,
    database: OpenDatabase,
    system_title: TitleInPath,
    key: IdempotencyKey,
    sent: models.TopUpWanted,
) -> JSONResponse:
    """Have money put into a purse, once, however often this is sent; `GET` says when the meter has it."""
    title = system_title.upper()

    def work(connection: Connection, now: datetime) -> models.TopUp:
        found = seen_purse(connection, caller, title)
        transaction_id = identifier(caller, "top-up", key)
        new = commands.NewCommand(
            command_id=transaction_id,
            system_title=title,
            kind=CommandKind.TOP_UP,
            parameters={"amount_minor": sent.amount_minor, "transaction_id": transaction_id},
            priority=TOP_UP_PRIORITY,
            expires_at=sent.expires_at,
        )
        made = commands.enqueue(connection, caller, new, now=now)
        return _shown(connection, made, found)

    content = [title, sent.model_dump(mode="json")]
    answer = await answered_once(database, caller, key, "top up", content, work, refusals=_REFUSALS)
    request.app.state.bell.ring()
    return answer


@router.get("/{top_up_id}", summary="A top-up or refund")
async def get_top_up(
    caller: CommandReader, database: OpenDatabase, system_title: TitleInPath, top_up_id: IdInPath
) -> models.TopUp:
    """How far it is, with the meter's answer."""

    def work(connection: Connection) -> models.TopUp:
        found = seen_purse(connection, caller, system_title.upper())
        return _shown(connection, _money(connection, caller, found, top_up_id), found)

    return await database.read(work)


@router.post(
    "/{top_up_id}/refund",
    summary="Take a top-up back",
    response_model=models.TopUp,
    status_code=HTTPStatus.CREATED,
)
async def post_refund(  # noqa: PLR0913 - what a request is made of
    request: Request,
    caller: TopUpper,
    database: OpenDatabase,
    system_title: TitleInPath,
    top_up_id: IdInPath,
    key: IdempotencyKey,
) -> JSONResponse:
    """Have the meter reverse a confirmed top-up; whether it still can, the meter says."""
    title = system_title.upper()

    def work(connection: Connection, now: datetime) -> models.TopUp:
        found = seen_purse(connection, caller, title)
        made = _money(connection, caller, found, top_up_id)
        sequence = (made.answer or {}).get("sequence")
        if made.kind is not CommandKind.TOP_UP or made.state is not commands.State.CONFIRMED or sequence is None:
            raise CommandError(f"{top_up_id} is no top-up that the meter confirmed; it is {made.state}")
        transaction_id = identifier(caller, "refund", top_up_id)
        new = commands.NewCommand(
            command_id=transaction_id,
            system_title=title,
            kind=CommandKind.REVERSE,
            parameters={"sequence": sequence, "transaction_id": transaction_id},
            priority=TOP_UP_PRIORITY,
        )
        return _shown(connection, commands.enqueue(connection, caller, new, now=now), found)

    answer = await answered_once(database, caller, key, "refund", [title, top_up_id], work, refusals=_REFUSALS)
    request.app.state.bell.ring()
    return answer


def _money(connection: Connection, caller: Caller, found: Purse, top_up_id: str) -> commands.Command:
    command = commands.state_of(connection, caller, top_up_id)
    is_money = command is not None and command.kind in (CommandKind.TOP_UP, CommandKind.REVERSE)
    if command is None or not is_money or command.system_title != found.system_title:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"purse {found.system_title} has no top-up {top_up_id}")
    return command


def _shown(connection: Connection, command: commands.Command, found: Purse) -> models.TopUp:
    sequence = (command.answer or {}).get("sequence")
    is_booked = sequence is not None and sequence <= found.sequence
    minor = command.parameters.get("amount_minor", 0)
    if command.kind is CommandKind.REVERSE:
        minor = -commands.amount_reversed(connection, found.meter_id, command.parameters["sequence"])
    return models.TopUp.of(command, minor, found.currency, is_booked=is_booked)
