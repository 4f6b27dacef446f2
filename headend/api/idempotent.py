"""Changing requests that may be sent any number of times: done once, answered alike. Imported by the routers."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType

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
    refusals: Mapping[type[LocalError], HTTPStatus] = MappingProxyType({}),
    status: HTTPStatus = HTTPStatus.CREATED,
) -> JSONResponse:
    """Do `work` in one transaction with its answer, or give the answer that was given under the caller's key.

    `content` is what the request said, as JSON. An error of `refusals` is answered with its status, changes nothing and
    leaves the key free; a key that meant another request is answered 422 unless `refusals` says otherwise.
    """
    now = datetime.now(UTC)

    def in_transaction(connection: Connection) -> Given:
        def done() -> Given:
            return Given(status=status.value, content=work(connection, now).model_dump(mode="json"))

        return once(connection, caller, Asked(key=key, action=action, content=content), done, now=now)

    try:
        given = await database.write(in_transaction)
    except LocalError as error:
        answers = {KeyUsedError: HTTPStatus.UNPROCESSABLE_ENTITY} | dict(refusals)
        refused = next((answers[kind] for kind in answers if isinstance(error, kind)), None)
        if refused is None:
            raise
        raise ProblemError(refused, str(error)) from None
    return JSONResponse(dict(given.content), given.status)
