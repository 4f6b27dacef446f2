"""Logging in and out: a login and a password for a session's token. Imported by `application`.

The token is in the answer, for programs, and in a cookie that only reading requests are taken with, for browsers.
"""

import math
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from headend import users
from headend.api.access import SESSION_COOKIE, AnyCaller, OpenDatabase, SentToken
from headend.api.problems import ProblemError, documented
from headend.permissions import PERMISSIONS, Permission, Role

if TYPE_CHECKING:
    from headend.api.rate_limit import RateLimit

router = APIRouter(prefix="/api/v1/session", tags=["access"], responses=documented(HTTPStatus.UNAUTHORIZED))


class Login(BaseModel):
    """Who wants in."""

    model_config = ConfigDict(extra="forbid")

    login: Annotated[str, Field(min_length=1, max_length=64, examples=["anna"])]
    password: Annotated[str, Field(min_length=1, max_length=1024, repr=False, examples=["correct horse battery"])]


class Session(BaseModel):
    """An open session."""

    token: str = Field(description="To be sent as a bearer token.")
    expires_in_s: int = Field(description="The session ends by itself after that.")


class Myself(BaseModel):
    """Who the caller is."""

    name: str = Field(examples=["anna"])
    role: Role
    payee: str | None = Field(description="Whose bills and settlements a payee sees.")
    household: str | None = Field(description="Whose purse a resident sees.")
    may: list[Permission]


@router.post(
    "",
    summary="Log in",
    responses=documented(HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.UNPROCESSABLE_ENTITY),
)
async def post_session(request: Request, response: Response, database: OpenDatabase, sent: Login) -> Session:
    """Open a session. A login is tried a few times a minute at most, whoever tries."""
    limit: RateLimit = request.app.state.login_limit
    address = "-" if request.client is None else request.client.host
    for tried in (f"login {sent.login}", f"from {address}"):
        if wait_s := limit.wait_s(tried, time.monotonic()):
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too many attempts to log in",
                headers={"Retry-After": str(math.ceil(wait_s))},
            )
    known = await database.read(lambda connection: users.known(connection, sent.login))
    is_right = await run_in_threadpool(known.has_password, sent.password)
    user_id = known.user_id
    if not is_right or user_id is None:
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "login and password do not belong together")
    now = datetime.now(UTC)
    token = await database.write(lambda connection: users.open_session(connection, user_id, now=now))
    expires_in_s = int(users.SESSION.total_seconds())
    response.set_cookie(
        SESSION_COOKIE, token, max_age=expires_in_s, path="/api/", secure=True, httponly=True, samesite="strict"
    )
    return Session(token=token, expires_in_s=expires_in_s)


@router.get("", summary="Who am I")
async def get_session(caller: AnyCaller) -> Myself:
    """The caller's own name, role and permissions."""
    return Myself(
        name=caller.name,
        role=caller.role,
        payee=caller.payee,
        household=caller.household,
        may=sorted(PERMISSIONS[caller.role]),
    )


@router.delete("", summary="Log out", status_code=HTTPStatus.NO_CONTENT)
async def delete_session(_caller: AnyCaller, database: OpenDatabase, token: SentToken) -> Response:
    """End the session whose token is sent; a program's token stays good."""
    assert token is not None
    await database.write(lambda connection: users.close_session(connection, token))
    answer = Response(status_code=HTTPStatus.NO_CONTENT)
    answer.delete_cookie(SESSION_COOKIE, path="/api/", secure=True, httponly=True, samesite="strict")
    return answer
