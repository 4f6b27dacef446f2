"""Who may call a route: a bearer token of the right role. Imported by the routers."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from headend.api.problems import ProblemError
from headend.authentication import Bearer, Role, bearer_of
from headend.database import Database
from headend.delivery.config import RecipientConfig

_scheme = HTTPBearer(
    auto_error=False,
    description="A token that `headend init` wrote into `gateway.token` (uploads) or `reader.token` (reading).",
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


def bearer_with(role: Role) -> Callable[..., Awaitable[Bearer]]:
    """A dependency that lets only bearers of that role pass: 401 without a known token, 403 with another role."""

    async def check(
        database: OpenDatabase,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)],
    ) -> Bearer:
        token = None if credentials is None else credentials.credentials
        bearer = None if token is None else await database.read(lambda connection: bearer_of(connection, token))
        if bearer is None:
            said = "no bearer token was sent" if token is None else "this token is not known"
            raise ProblemError(HTTPStatus.UNAUTHORIZED, said, headers={"WWW-Authenticate": "Bearer"})
        if bearer.role is not role:
            raise ProblemError(
                HTTPStatus.FORBIDDEN, f"this is for a {role.value}, the token is a {bearer.role.value}'s"
            )
        return bearer

    return check


GatewayBearer = Annotated[Bearer, Depends(bearer_with(Role.GATEWAY))]
ReaderBearer = Annotated[Bearer, Depends(bearer_with(Role.READER))]
