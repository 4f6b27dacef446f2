"""The HTTP client to the head-end: one request, a bounded answer, a deadline, and errors in two kinds.

What is said is in `exchange.py`; when to try again is the uplink's business. Imported by `service.py`.
"""

import gzip
from typing import Any, Protocol, cast

from treq.client import HTTPClient
from treq.content import collect
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as DeadlineError
from twisted.internet.error import ConnectError, ConnectingCancelledError, ConnectionClosed
from twisted.internet.interfaces import IConsumer
from twisted.web._newclient import RequestNotSent
from twisted.web.client import Agent, HTTPConnectionPool, ResponseFailed
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

from dlms_objects.errors import RefusedError, TransportLostError

ANSWER_LIMIT_OCTETS = 4 * 1024 * 1024
ECHO_LIMIT_CHARACTERS = 200
GZIP_FROM_OCTETS = 1024
BATCH_REFUSALS = (400, 413, 422)
SUCCESSES = (200, 204)
_LOST = (
    DeadlineError,
    ConnectError,
    ConnectingCancelledError,
    ConnectionClosed,
    RequestNotSent,
    ResponseFailed,
    PotentialDataLoss,
    OSError,
)


class HeadendUnavailableError(TransportLostError):
    """The head-end was not reached, was too slow, turned this gateway away, or failed: try the same again later.

    `status` is that of its answer (HTTP); None when none came.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        """Say what was asked and what came of it."""
        super().__init__(message)
        self.status = status


class BatchRefusedError(RefusedError):
    """The head-end cannot take this very request (400, 413 or 422): the same again would be refused again."""


class Headend(Protocol):
    """What the uplink asks of the head-end."""

    async def request(self, method: str, path: str, body: bytes) -> bytes:
        """The body of a 2xx answer; HeadendUnavailableError or BatchRefusedError otherwise."""
        ...


class HeadendClient:
    """Requests to one head-end with a bearer token; connections are kept open between requests."""

    def __init__(self, reactor: Any, url: str, token: str, *, timeout_s: float, compress: bool = False) -> None:
        """`url` without a slash at its end; `compress` sends bodies from 1 KiB on with gzip."""
        self._reactor = reactor
        self._url = url
        self._token = token
        self._timeout_s = timeout_s
        self._compress = compress
        self._pool = HTTPConnectionPool(reactor)
        self._http = HTTPClient(Agent(reactor, connectTimeout=timeout_s, pool=self._pool))

    async def request(self, method: str, path: str, body: bytes) -> bytes:
        """See `Headend.request`."""
        try:
            return await Deferred.fromCoroutine(self._exchange(method, path, body)).addTimeout(
                self._timeout_s, self._reactor
            )
        except _LOST as error:
            raise HeadendUnavailableError(f"{self._url}{path}: {self._reason(error)}") from error

    def close(self) -> "Deferred[Any]":
        """Close the kept connections; fires when they are gone."""
        return cast("Deferred[Any]", self._pool.closeCachedConnections())

    def _reason(self, error: Exception) -> str:
        reasons = getattr(error, "reasons", None)
        cause = reasons[0].value if reasons else error
        if isinstance(cause, DeadlineError | CancelledError):
            return f"no answer within {self._timeout_s:g} s"
        return f"{type(cause).__name__} {cause}".strip()

    async def _exchange(self, method: str, path: str, body: bytes) -> bytes:
        headers: dict[bytes | str, bytes | str] = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
        }
        if self._compress and len(body) >= GZIP_FROM_OCTETS:
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        response = await self._http.request(
            method,
            self._url + path,
            headers=headers,
            data=_Body(body),
            allow_redirects=False,
            unbuffered=True,
            reactor=self._reactor,
        )
        answer = await _read(response)
        if response.code in SUCCESSES:
            return answer
        shown = answer[:ECHO_LIMIT_CHARACTERS].decode("utf-8", "replace")
        message = f"{method} {self._url}{path}: {response.code} {shown}"
        if response.code in BATCH_REFUSALS:
            raise BatchRefusedError(message)
        raise HeadendUnavailableError(message, response.code)


@implementer(IBodyProducer)
class _Body:
    """A request body that is written at once, without the global cooperator that treq's own producer uses."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.length = len(octets)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._octets)
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def pauseProducing(self) -> None:
        """Nothing to pause: all is written."""

    def resumeProducing(self) -> None:
        """Nothing to resume."""

    def stopProducing(self) -> None:
        """Nothing to stop."""


async def _read(response: Any) -> bytes:
    parts: list[bytes] = []
    length = 0

    def take(part: bytes) -> None:
        nonlocal length
        length += len(part)
        if length <= ANSWER_LIMIT_OCTETS:
            parts.append(part)

    await collect(response, take)
    if length > ANSWER_LIMIT_OCTETS:
        raise HeadendUnavailableError(f"an answer of {length} octets, the limit is {ANSWER_LIMIT_OCTETS}")
    return b"".join(parts)
