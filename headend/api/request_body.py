"""Request bodies before anyone parses them: a limit on their length, and gzip. Imported by `application`."""

import zlib
from collections.abc import Mapping
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headend.api.problems import ProblemError, answer_to

_GZIP = 16 + zlib.MAX_WBITS


class RequestBody:
    """ASGI middleware: bodies in gzip are unpacked; one longer than `octets`, packed or unpacked, is answered 413.

    `smaller` are the limits of paths that begin so.
    """

    def __init__(self, application: ASGIApp, *, octets: int, smaller: Mapping[str, int] | None = None) -> None:
        """Stand before `application`."""
        self._application = application
        self._octets = octets
        self._smaller = dict(smaller or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its whole body, or refuse it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers = dict(scope["headers"])
        limit = self._limit_of(scope["path"])
        try:
            body = await _whole(receive, limit, declared=headers.get(b"content-length", b"0"))
            if body is None:
                return  # the client has gone
            coding = headers.get(b"content-encoding", b"identity").strip().lower()
            whole = [_message(_unpacked(body, limit, coding))]
        except ProblemError as error:
            await answer_to(error)(scope, receive, send)
            return

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        await self._application(scope, replay, send)

    def _limit_of(self, path: str) -> int:
        return min([self._octets, *(limit for begin, limit in self._smaller.items() if path.startswith(begin))])


async def _whole(receive: Receive, limit: int, *, declared: bytes) -> bytes | None:
    if declared.isdigit() and int(declared) > limit:
        raise _too_long(limit)
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_long(limit)
        if not message.get("more_body", False):
            return bytes(body)


def _unpacked(body: bytes, limit: int, coding: bytes) -> bytes:
    if coding == b"identity":
        return body
    if coding != b"gzip":
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a body may be packed with gzip only")
    unpacking = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacking.decompress(body, limit + 1)
    except zlib.error as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"the body is not gzip: {error}") from error
    if len(unpacked) > limit:
        raise _too_long(limit)
    if not unpacking.eof or unpacking.unused_data:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body is not one whole gzip member")
    return unpacked


def _too_long(limit: int) -> ProblemError:
    detail = f"a request body has at most {limit} octets"
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, headers={"Connection": "close"})


def _message(body: bytes) -> Message:
    return {"type": "http.request", "body": body, "more_body": False}
