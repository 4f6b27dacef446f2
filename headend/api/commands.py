"""Commands to meters: made, looked after, taken back; and the replacement of keys. Imported by `application`."""

import hashlib
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Connection

from headend import commands, meter_keys
from headend.api import command_models as models
from headend.api.access import CommandReader, IdempotencyKey, OpenDatabase, Operator
from headend.api.fields import After, Limit
from headend.api.idempotent import answered_once
from headend.api.problems import ProblemError, documented
from headend.api.purses import TitleInPath
from headend.authentication import Caller
from headend.command_kinds import CommandError, CommandKind
from headend.meter_keys import MeterKeyError
from headend.root_key import RootKey

router = APIRouter(
    prefix="/api/v1",
    tags=["commands"],
    responses=documented(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY),
)
_CREATED: dict[str, Any] = {"status_code": HTTPStatus.CREATED}
_MISSING = documented(HTTPStatus.NOT_FOUND)
_REFUSALS = dict.fromkeys((CommandError, MeterKeyError), HTTPStatus.UNPROCESSABLE_ENTITY)

IdInPath = Annotated[str, Path(pattern="^[0-9a-f]{32}$", examples=[models.EXAMPLE_ID])]


def identifier(caller: Caller, *parts: str) -> str:
    """An id of 16 octets in hexadecimal, the same whenever the caller's organisation says the same."""
    return hashlib.sha256("\0".join((str(caller.organisation_id), *parts)).encode()).hexdigest()[:32]


@router.post("/commands", summary="Command a meter", response_model=models.Command, **_CREATED)
async def post_command(
    request: Request, operator: Operator, database: OpenDatabase, key: IdempotencyKey, sent: models.CommandWanted
) -> JSONResponse:
    """Have one meter do something; its gateway fetches it. Money is moved by `top-ups`, keys by `key-rotations`."""
    _require_ordinary(sent.kind)

    def work(connection: Connection, now: datetime) -> models.Command:
        new = commands.NewCommand(
            command_id=identifier(operator, "command", key),
            system_title=sent.system_title.upper(),
            kind=sent.kind,
            parameters=sent.parameters,
            priority=sent.priority,
            not_before=sent.not_before,
            expires_at=sent.expires_at,
        )
        return models.Command.of(commands.enqueue(connection, operator, new, now=now))

    content = sent.model_dump(mode="json")
    answer = await answered_once(database, operator, key, "command", content, work, refusals=_REFUSALS)
    request.app.state.bell.ring()
    return answer


@router.post("/bulks", summary="Command many meters", response_model=models.Bulk, **_CREATED)
async def post_bulk(
    request: Request, operator: Operator, database: OpenDatabase, key: IdempotencyKey, sent: models.BulkWanted
) -> JSONResponse:
    """Have many meters do the same; those it cannot be made for are named, the others go on."""
    _require_ordinary(sent.kind)
    bulk = identifier(operator, "bulk", key)

    def work(connection: Connection, now: datetime) -> models.Bulk:
        wanted = [
            commands.NewCommand(
                command_id=identifier(operator, "command", key, title),
                system_title=title,
                kind=sent.kind,
                parameters=sent.parameters,
                priority=sent.priority,
                not_before=sent.not_before,
                expires_at=sent.expires_at,
                bulk=bulk,
            )
            for title in dict.fromkeys(title.upper() for title in sent.system_titles)
        ]
        outcomes = commands.several(connection, operator, wanted, now=now)
        refused = [
            models.Refused(system_title=new.system_title, detail=str(error))
            for new, error in outcomes
            if error is not None
        ]
        made = models.Bulk.of(bulk, commands.progress(connection, operator, bulk))
        return made.model_copy(update={"refused": refused})

    answer = await answered_once(database, operator, key, "bulk", sent.model_dump(mode="json"), work)
    request.app.state.bell.ring()
    return answer


@router.get("/bulks/{bulk}", summary="How far a command to many meters is", responses=_MISSING)
async def get_bulk(reader: CommandReader, database: OpenDatabase, bulk: IdInPath) -> models.Bulk:
    """How many of its commands are in which state; `GET commands?bulk=` lists them."""
    states = await database.read(lambda connection: commands.progress(connection, reader, bulk))
    if not states:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no bulk {bulk}")
    return models.Bulk.of(bulk, states)


@router.get("/commands", summary="Commands")
async def get_commands(  # noqa: PLR0913 - what the query may say
    reader: CommandReader,
    database: OpenDatabase,
    state: commands.State | None = None,
    system_title: str | None = None,
    bulk: str | None = None,
    after: After = 0,
    limit: Limit = 100,
) -> models.Commands:
    """Every command that was made, oldest first."""
    asked = partial(
        commands.commands,
        caller=reader,
        state=state,
        system_title=system_title,
        bulk=bulk,
        after=after,
        limit=limit + 1,
    )
    found = await database.read(asked)
    page = [models.Command.of(each) for each in found[:limit]]
    return models.Commands(commands=page, next_after=page[-1].number if len(found) > limit else None)


@router.get("/commands/{command_id}", summary="A command", responses=_MISSING)
async def get_command(reader: CommandReader, database: OpenDatabase, command_id: IdInPath) -> models.Command:
    """One command as it stands."""
    found = await database.read(lambda connection: commands.state_of(connection, reader, command_id))
    return models.Command.of(_found(found, command_id))


@router.delete(
    "/commands/{command_id}",
    summary="Take a command back",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
async def delete_command(operator: Operator, database: OpenDatabase, command_id: IdInPath) -> models.Command:
    """Take back what no gateway has yet; 409 when it is too late."""
    now = datetime.now(UTC)
    held = await database.write(lambda connection: commands.cancel(connection, operator, command_id, now=now))
    if _found(held, command_id).state is not commands.State.CANCELLED:
        raise ProblemError(HTTPStatus.CONFLICT, f"the command {command_id} is {_found(held, command_id).state}")
    return models.Command.of(_found(held, command_id))


@router.get("/meters/{system_title}/keys", summary="The keys of a meter, without the keys", responses=_MISSING)
async def get_keys(
    request: Request, reader: CommandReader, database: OpenDatabase, system_title: TitleInPath
) -> models.KeyStates:
    """Which generations there are, and how far their counters have gone."""
    root = _root_of(request)
    title = system_title.upper()
    found = await database.read(lambda connection: meter_keys.states(connection, reader, root, title))
    if not found:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"no keys of a meter {title} are kept here")
    names = models.KeyState.model_fields
    return models.KeyStates(keys=[models.KeyState(**{name: getattr(each, name) for name in names}) for each in found])


@router.post("/meters/{system_title}/key-rotations", summary="Replace keys", response_model=models.Command, **_CREATED)
async def post_rotation(  # noqa: PLR0913 - what a request is made of
    request: Request,
    operator: Operator,
    database: OpenDatabase,
    system_title: TitleInPath,
    key: IdempotencyKey,
    sent: models.RotationWanted,
) -> JSONResponse:
    """Replace the keys of an association by fresh ones. The old ones stay released until the meter confirmed."""
    root, title = _root_of(request), system_title.upper()

    def work(connection: Connection, now: datetime) -> models.Command:
        made = meter_keys.rotate(
            connection,
            operator,
            root,
            title,
            sent.role,
            command_id=identifier(operator, "rotation", key),
            now=now,
        )
        return models.Command.of(made)

    answer = await answered_once(
        database,
        operator,
        key,
        "key rotation",
        [title, sent.role],
        work,
        refusals=_REFUSALS,
    )
    request.app.state.bell.ring()
    return answer


def _require_ordinary(kind: CommandKind) -> None:
    if kind in (CommandKind.TOP_UP, CommandKind.KEY_TRANSFER):
        place = "top-ups" if kind is CommandKind.TOP_UP else "key-rotations"
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"a command {kind} is made by POST {place}")


def _found(command: commands.Command | None, command_id: str) -> commands.Command:
    if command is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no command {command_id}")
    return command


def _root_of(request: Request) -> RootKey:
    root: RootKey | None = request.app.state.root_key
    if root is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "this head-end keeps no keys: headend.toml names no root_key_file")
    return root
