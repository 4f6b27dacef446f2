"""Is it alive, is it ready: for monitors, without a token. Imported by `application`."""

from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import Connection

from headend.api.access import OpenDatabase
from headend.api.problems import documented
from headend.database import require_newest_shape

router = APIRouter(prefix="/healthz", tags=["health"])


class Health(BaseModel):
    """All is well."""

    status: Literal["ok"] = "ok"


@router.get("/live", summary="The process answers")
async def get_live() -> Health:
    """Answers as long as the event loop turns."""
    return Health()


@router.get("/ready", summary="The ledger can book", responses=documented(HTTPStatus.SERVICE_UNAVAILABLE))
async def get_ready(database: OpenDatabase) -> Health:
    """Takes the writer's turn and a writing transaction, so it is ready only when a batch could be booked."""

    def work(connection: Connection) -> None:
        require_newest_shape(connection)

    await database.write(work)
    return Health()
