"""What watches a gateway asks of it over HTTP: `/metrics`, `/healthz/live`, `/healthz/ready`. Imported by `service.py`.

Live is a gateway whose reactor turns and whose writer answers; ready is one that moreover can write its outbox and has
not failed to reach the head-end for longer than `ready_limit_s`. Answers are for a loopback address or a network of
one's own: they tell no key and no meter by name, but they are not secret.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from dlms_objects.errors import LocalError, MeterPurseError
from dlms_objects.program_folder import host_and_port
from gateway.metrics import CONTENT_TYPE, exposition
from gateway.rate import CollectionRate
from gateway.status import outbox_figures
from gateway.store import touch
from gateway.writer import Writer

if TYPE_CHECKING:
    from twisted.internet.interfaces import IListeningPort

PLAIN = "text/plain; charset=utf-8"

log = Logger()


class WatchAddressError(LocalError):
    """The address in `http.listen` cannot be listened on."""


class Watch(Service):
    """Answers over HTTP while it runs."""

    def __init__(  # noqa: PLR0913 - what it is given instead of reaching for it
        self,
        reactor: Any,
        listen: str,
        writer: Writer,
        figures: Callable[[], dict[str, int]],
        upload_failing_s: Callable[[], float],
        *,
        maximum_rows: int,
        ready_limit_s: float,
    ) -> None:
        """`figures` are those of the service, `upload_failing_s` how long the head-end was not reached (0: it is)."""
        self._reactor = reactor
        self._listen = listen
        self._writer = writer
        self._figures = figures
        self._upload_failing_s = upload_failing_s
        self._maximum_rows = maximum_rows
        self._ready_limit_s = ready_limit_s
        self._rate = CollectionRate()
        self._listening: IListeningPort | None = None

    def startService(self) -> None:  # noqa: N802 - Twisted's name
        """Listen; WatchAddressError when that cannot be."""
        super().startService()  # type: ignore[no-untyped-call]
        host, port = host_and_port(self._listen)
        try:
            self._listening = self._reactor.listenTCP(port, self.site(), interface=host)
        except CannotListenError as error:
            raise WatchAddressError(f"cannot listen for HTTP on {self._listen}: {error.socketError}") from error
        log.info("metrics and health on http://{host}:{port}", host=host, port=self.port)

    def stopService(self) -> "Deferred[Any]":  # noqa: N802 - Twisted's name
        """Listen no more."""
        super().stopService()  # type: ignore[no-untyped-call]
        listening, self._listening = self._listening, None
        return succeed(None) if listening is None else maybeDeferred(listening.stopListening)

    @property
    def port(self) -> int:
        """The port, also where the system chose it."""
        assert self._listening is not None
        return int(cast("Any", self._listening.getHost()).port)

    def site(self) -> Site:
        """What is served."""
        root, health = Resource(), Resource()
        root.putChild(b"metrics", _Page(self.metrics, CONTENT_TYPE))
        root.putChild(b"healthz", health)
        health.putChild(b"live", _Page(self.live, PLAIN))
        health.putChild(b"ready", _Page(self.ready, PLAIN))
        site = Site(root)
        site.noisy = False
        site.displayTracebacks = False
        return site

    async def live(self) -> bytes:
        """`ok`, once the writer has answered."""
        await self._writer.run(lambda _connection: None)
        return b"ok\n"

    async def ready(self) -> bytes:
        """`ok`; LocalError when the outbox cannot be written, or the head-end was not reached for too long."""
        await self._writer.run(touch)
        failing_s = self._upload_failing_s()
        if failing_s > self._ready_limit_s:
            raise LocalError(f"the head-end was not reached for {failing_s:.0f} s")
        return b"ok\n"

    async def metrics(self) -> bytes:
        """All figures in Prometheus's text format."""
        limits = {"maximum_rows": self._maximum_rows, "now_s": int(self._reactor.seconds())}
        outbox = await self._writer.run(lambda connection: outbox_figures(connection, **limits))
        self._rate.sample(limits["now_s"], outbox.collected_entries)
        room = self._maximum_rows - outbox.held_rows
        return exposition(outbox, self._figures(), seconds_left=self._rate.seconds_left(room))


class _Page(Resource):
    """A page that may take its time; an error of ours is 503 with its words."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(self, make: Callable[[], Any], content_type: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._make = make
        self._content_type = content_type

    def render_GET(self, request: Request) -> int:  # noqa: N802 - Twisted's name
        """Begin to make the answer."""
        gone = request.notifyFinish()
        gone.addErrback(lambda _: None)
        made = Deferred.fromCoroutine(self._make())
        made.addCallbacks(self._answer, self._refuse, callbackArgs=(request,), errbackArgs=(request,))
        made.addErrback(lambda failure: log.failure("an answer could not be given", failure))
        return int(NOT_DONE_YET)

    def _answer(self, body: bytes, request: Request) -> None:
        request.setHeader("Content-Type", self._content_type)
        self._finish(request, body)

    def _refuse(self, failure: Failure, request: Request) -> None:
        if not isinstance(failure.value, MeterPurseError):
            log.failure("an answer could not be given", failure)
        request.setResponseCode(503)
        request.setHeader("Content-Type", PLAIN)
        self._finish(request, f"{failure.value}\n".encode())

    @staticmethod
    def _finish(request: Request, body: bytes) -> None:
        if not request._disconnected:
            request.write(body)
            request.finish()
