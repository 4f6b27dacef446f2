"""Who may call a route: a token or session whose role has the permission. Imported by the routers.

A session's token comes as a bearer token, or, for what changes nothing, in a cookie: so no page of another site can
have a browser change anything.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from headend.api.problems import ProblemError
from headend.authentication import Caller, caller_of
from headend.database import Database
from headend.delivery.config import RecipientConfig
from headend.permissions import Permission

SESSION_COOKIE = "meterpurse_session"
SAFE_METHODS = ("GET", "HEAD")

_scheme = HTTPBearer(
    auto_error=False,
    description="A token that `headend init` wrote into a file, one that an admin made, or that of a session.",
)


def database_of(request: Request) -> Database:
    """The database of the application that serves this request."""
    database: Database = request.app.state.database
    return database


def recipients_of(request: Request) -> tuple[RecipientConfig, ...]:
    """Who is sent notices by the application that serves this request."""
    recipients: tuple[RecipientConfig, ...] = request.app.state.recipients
    return recipients


OpenDatabase = Annotated[Database, Depends(database_of)]
Recipients = Annotated[tuple[RecipientConfig, ...], Depends(recipients_of)]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=64,
        pattern="^[A-Za-z0-9_.:-]+$",
        description="Made by the caller, a new one for each thing to be done: the request sent again with the same "
        "key does nothing more and is answered alike.",
        examples=["5f0c7b3e-9a1d-4e57-8f0a-2b6c1d9e4a10"],
    ),
]


def token_of(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)]
) -> str | None:
    """The token that a request carries, None when it carries none."""
    if credentials is not None:
        return credentials.credentials
    return request.cookies.get(SESSION_COOKIE) if request.method in SAFE_METHODS else None


SentToken = Annotated[str | None, Depends(token_of)]


async def known_caller(database: OpenDatabase, token: SentToken) -> Caller:
    """Who calls; 401 without a token that is known."""
    now = datetime.now(UTC)
    caller = None if not token else await database.read(lambda connection: caller_of(connection, token, now=now))
    if caller is None:
        said = "this token is not known" if token else "no bearer token was sent"
        raise ProblemError(HTTPStatus.UNAUTHORIZED, said, headers={"WWW-Authenticate": "Bearer"})
    return caller


AnyCaller = Annotated[Caller, Depends(known_caller)]


def may(permission: Permission) -> Callable[..., Awaitable[Caller]]:
    """A dependency that lets only callers with that permission pass: 401 without a known token, 403 otherwise."""

    async def check(caller: AnyCaller) -> Caller:
        if not caller.may(permission):
            raise ProblemError(HTTPStatus.FORBIDDEN, f"a caller in the role {caller.role.value} may not {permission}")
        return caller

    return check


GatewayCaller = Annotated[Caller, Depends(may(Permission.UPLOAD))]
PurseReader = Annotated[Caller, Depends(may(Permission.READ_PURSES))]
FleetReader = Annotated[Caller, Depends(may(Permission.READ_FLEET))]
Operator = Annotated[Caller, Depends(may(Permission.COMMAND))]
TopUpper = Annotated[Caller, Depends(may(Permission.TOP_UP))]
CommandReader = Annotated[Caller, Depends(may(Permission.READ_COMMANDS))]
SettlementReader = Annotated[Caller, Depends(may(Permission.READ_SETTLEMENT))]
PeriodCloser = Annotated[Caller, Depends(may(Permission.CLOSE_PERIODS))]
AuditReader = Annotated[Caller, Depends(may(Permission.READ_AUDIT))]
UserAdmin = Annotated[Caller, Depends(may(Permission.MANAGE_USERS))]
