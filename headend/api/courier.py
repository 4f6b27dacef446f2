"""What couriers hand in, without a login: a meter's sealed batch; the answer is sealed for the meter.

A refusal says no more than whoever holds the octets may know. Imported by `application`.
"""

import math
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from dlms_objects.classes.courier_frames import FRAME_PREFIX, FrameCollection, FrameError, courier_frames
from headend import courier
from headend.api.access import OpenDatabase, Recipients
from headend.api.problems import ProblemError, documented
from headend.courier import Refusal, Taken

if TYPE_CHECKING:
    from headend.api.rate_limit import RateLimit
    from headend.root_key import RootKey

PREFIX = "/api/courier/"
MAXIMUM_OCTETS = 64 * 1024
"""A batch has 255 rows at most, 25 KiB, and its frames are half as long again."""
OCTETS = "application/octet-stream"
FRAMES = "text/plain"

_ANSWERS: dict[Refusal, tuple[HTTPStatus, str]] = {
    Refusal.NOT_PROVEN: (HTTPStatus.FORBIDDEN, "not a batch of a meter that is known here, or it was altered"),
    Refusal.REPLAY: (HTTPStatus.CONFLICT, "a newer batch of this meter was handed in before; nothing is lost by that"),
    Refusal.CONFLICT: (
        HTTPStatus.CONFLICT,
        "the batch contradicts the books; it is kept for the operator, and nothing was booked",
    ),
    Refusal.GAP: (
        HTTPStatus.CONFLICT,
        "rows before these are missing here; nothing was booked, and the operator has to look",
    ),
}

router = APIRouter(prefix=f"{PREFIX}v1", tags=["courier"])

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            OCTETS: {
                "schema": {"type": "string", "format": "binary", "description": "The batch as the meter sealed it."}
            },
            FRAMES: {
                "schema": {"type": "string"},
                "example": f"{FRAME_PREFIX}BAM*ND:$V0RMW502VR$Y9MGA000100LHG336000...",
            },
        },
    }
}


@router.post(
    "/batches",
    summary="Hand in a sealed batch",
    response_class=Response,
    openapi_extra=_BODY,
    responses={
        HTTPStatus.OK.value: {
            "description": "The sealed acknowledgement, to be delivered to the meter; in the form that was sent.",
            "content": {
                OCTETS: {"schema": {"type": "string", "format": "binary"}},
                FRAMES: {"schema": {"type": "string"}},
            },
        },
        **documented(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.CONFLICT,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.TOO_MANY_REQUESTS,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    },
)
async def post_batches(request: Request, database: OpenDatabase, recipients: Recipients) -> Response:
    """Book what a meter sealed, exactly once, and seal what acknowledges it.

    The batch is octets, or frames as they are scanned from QR codes, one a line. No token is needed: the seal proves
    the meter. The newest batch of a meter handed in again is answered alike; an older one is refused. A refusal names
    one of four reasons and never what was wrong with a seal.
    """
    _require_place(request)
    root: RootKey | None = request.app.state.root_key
    if root is None:
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "this head-end keeps no keys, so no courier can be served")
    body = await request.body()
    form = request.headers.get("content-type", OCTETS).partition(";")[0].strip().lower()
    sealed = _sealed(body, form)
    keys = await database.read(lambda connection: courier.prove(connection, root, sealed))
    if keys is None:
        raise _refused(Refusal.NOT_PROVEN)
    proven = keys
    now = datetime.now(UTC)

    def work(connection: Connection) -> Taken | Refusal:
        return courier.take(connection, proven, sealed, recipients=recipients, now=now)

    taken = await database.write(work)
    if isinstance(taken, Refusal):
        raise _refused(taken)
    if form == FRAMES:
        return Response("".join(f"{frame}\n" for frame in courier_frames(taken.instruction)), media_type=FRAMES)
    return Response(taken.instruction, media_type=OCTETS)


def _require_place(request: Request) -> None:
    limit: RateLimit = request.app.state.courier_limit
    wait_s = limit.wait_s("-" if request.client is None else request.client.host, time.monotonic())
    if wait_s:
        raise ProblemError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too many batches from this address",
            headers={"Retry-After": str(math.ceil(wait_s))},
        )


def _sealed(body: bytes, form: str) -> bytes:
    if form == OCTETS:
        return body
    if form != FRAMES:
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"a batch is {OCTETS}, or frames as {FRAMES}")
    collection = FrameCollection()
    try:
        for line in body.decode("ascii", "replace").splitlines():
            if line.strip("\r\n"):
                collection.add(line)
        return collection.batch()
    except FrameError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from None


def _refused(refusal: Refusal) -> ProblemError:
    status, detail = _ANSWERS[refusal]
    return ProblemError(status, detail)
