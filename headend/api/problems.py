"""Every error answer of the API is a problem detail (RFC 9457, `application/problem+json`).

Imported by the routers and by `application`.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError, OperationalError
from starlette.exceptions import HTTPException
from twisted.logger import Logger
from twisted.python.failure import Failure

from headend.database import DatabaseBusyError
from headend.engines import DatabaseUnusableError, reason

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2
ERRORS_IN_DETAIL = 3

_log = Logger()


class Problem(BaseModel):
    """What went wrong, for programs (`type`, `status`) and for people (`title`, `detail`)."""

    type: str = Field(default="about:blank", description="What kind of problem; `about:blank`: the status says it.")
    title: str = Field(description="The kind of problem in words.", examples=["Unprocessable Entity"])
    status: int = Field(description="The HTTP status once more.", examples=[422])
    detail: str | None = Field(default=None, description="What is wrong this time.")
    errors: list[dict[str, Any]] | None = Field(default=None, description="Where in the request, one by one.")


class ProblemError(Exception):
    """Answer the request with a problem detail; `extensions` become further members of it."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> None:
        """`status` also gives the title."""
        self.status = status
        self.headers = dict(headers or {})
        self.extensions = dict(extensions or {})
        super().__init__(detail)


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems, for its OpenAPI description."""
    return {
        status.value: {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": _SCHEMA}}}
        for status in statuses
    }


def install(application: FastAPI) -> None:
    """Make every error of the application a problem detail; an unforeseen one is logged and says nothing."""
    application.add_exception_handler(ProblemError, _raised)
    application.add_exception_handler(RequestValidationError, _invalid)
    application.add_exception_handler(HTTPException, _http)
    application.add_exception_handler(DatabaseBusyError, _not_now)
    application.add_exception_handler(DatabaseUnusableError, _not_now)
    application.add_exception_handler(DBAPIError, _unwritable)
    application.add_exception_handler(Exception, _unforeseen)


def answer_to(error: ProblemError) -> JSONResponse:
    """The answer that carries a problem detail."""
    problem = Problem(title=error.status.phrase, status=error.status.value, detail=str(error) or None)
    content = problem.model_dump(exclude_none=True) | error.extensions
    return JSONResponse(content, error.status.value, error.headers, MEDIA_TYPE)


_SCHEMA = Problem.model_json_schema()


async def _raised(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    return answer_to(error)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [{"pointer": _pointer(each["loc"]), "detail": each["msg"]} for each in error.errors()]
    detail = "; ".join(f"{each['pointer']}: {each['detail']}" for each in errors[:ERRORS_IN_DETAIL])
    return answer_to(ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, extensions={"errors": errors}))


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = "" if error.detail == status.phrase else str(error.detail)
    return answer_to(ProblemError(status, detail, headers=error.headers))


async def _not_now(_request: Request, error: Exception) -> JSONResponse:
    return answer_to(_unavailable(str(error)))


async def _unwritable(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DBAPIError)
    if error.connection_invalidated:
        _log.error("the connection to the database was lost: {reason}", reason=reason(error))
        return answer_to(_unavailable("the connection to the database was lost; send it again, it is booked once"))
    if not isinstance(error, OperationalError):
        return await _unforeseen(request, error)
    _log.error("the database cannot work: {reason}", reason=reason(error))
    return answer_to(_unavailable("the database cannot work at the moment; nothing was booked"))


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    """The catch-all at the seam: one faulty request never ends the process."""
    _log.failure(
        "unforeseen while answering {method} {path}",
        failure=Failure(error),
        method=request.method,
        path=request.url.path,
    )
    return answer_to(ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, "an unforeseen error; it has been logged"))


def _unavailable(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def _pointer(location: Sequence[str | int]) -> str:
    """`/body/batches/0/rows` for pydantic's location."""
    return "/" + "/".join(str(step) for step in location)
