"""Changing requests that may be sent any number of times: done once, answered alike. Imported by the routers."""

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import Connection

from dlms_objects.errors import LocalError
from headend.api.problems import ProblemError
from headend.authentication import Caller
from headend.database import Database
from headend.idempotency import Asked, Given, KeyUsedError, once

Work = Callable[[Connection, datetime], BaseModel]


async def answered_once(  # noqa: PLR0913 - what a request is made of
    database: Database,
    caller: Caller,
    key: str,
    action: str,
    content: object,
    work: Work,
    *,
    refusals: tuple[type[LocalError], ...] = (),
    status: HTTPStatus = HTTPStatus.CREATED,
) -> JSONResponse:
    """Do `work` in one transaction with its answer, or give the answer that was given under the caller's key.

    `content` is what the request said, as JSON. A refusal (an error of `refusals`) is answered 422, changes nothing and
    leaves the key free; so is a key that meant another request.
    """
    now = datetime.now(UTC)

    def in_transaction(connection: Connection) -> Given:
        def done() -> Given:
            return Given(status=status.value, content=work(connection, now).model_dump(mode="json"))

        return once(connection, caller, Asked(key=key, action=action, content=content), done, now=now)

    try:
        given = await database.write(in_transaction)
    except LocalError as error:
        if not isinstance(error, (KeyUsedError, *refusals)):
            raise
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
    return JSONResponse(dict(given.content), given.status)
