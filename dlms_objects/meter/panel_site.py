"""The front panel's page: served on loopback, to this machine's own browser and terminal only.

Every answer is JSON but the files of the page and the pictures of codes. Requests under another host's name, and
changes that another page asks for, are refused: the Host must be the address listened on, and a change must carry this
page's Origin and the token that only this page can read. Imported by the meter's service.
"""

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from dlms_objects.meter import panel_texts as texts
from dlms_objects.meter.panel import AmountAnswer, Panel, TypedAmount
from dlms_objects.meter.panel_texts import Text
from dlms_objects.meter.panel_view import PanelView
from dlms_objects.transport.courier_codes import frame_svg

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN_HEADER: Final = "X-Panel-Token"
MOST_OCTETS: Final = 4096  # of a request's body
FORM_OCTETS: Final = 16
SILENCE_S: Final = 60

_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "MeterPurse",
}
_JSON: Final = "application/json"
_SVG: Final = "image/svg+xml"
_FILES: Final = {
    b"/": ("panel.html", "text/html; charset=utf-8"),
    b"/panel.css": ("panel.css", "text/css; charset=utf-8"),
    b"/panel.js": ("panel.js", "text/javascript; charset=utf-8"),
    b"/panel.svg": ("panel.svg", _SVG),
}

T = TypeVar("T")

log = Logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelPage:
    """What a page asks for again and again: the view, the token of a change, a new name for the next form."""

    view: PanelView
    token: str
    form: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierPage:
    """The frames of the courier's batch, in order, and a name that changes with the batch."""

    batch: str
    frames: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    content: T
    media_type: str = _JSON
    status: HTTPStatus = HTTPStatus.OK


class PanelRequest(Request):
    """A request whose body, if it has one, is short and says how long it is; any other is cut off."""

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """The header said so; None: it did not say."""
        super().gotLength(length)  # type: ignore[no-untyped-call]
        if length is None or length > MOST_OCTETS:
            self.channel.forceAbortClient()


def panel_site(panel: Panel, reactor: IReactorTime) -> Site:
    """The site of that panel, to be listened for on a loopback address; a silent connection is dropped."""
    site = Site(PanelResource(panel), requestFactory=PanelRequest, timeout=SILENCE_S, reactor=reactor)
    site.displayTracebacks = False
    return site


class PanelResource(Resource):
    """All the paths of one panel."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(self, panel: Panel) -> None:
        """The token of changes is drawn anew each time the meter starts."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._panel = panel
        self._token = secrets.token_hex(FORM_OCTETS)
        self._courier = CourierPage(batch="", frames=())
        self._paths: dict[bytes, Callable[[], _Answer[Any]]] = {
            b"/panel.json": self._page,
            b"/courier.json": self._courier_page,
        }

    def render(self, request: Request) -> bytes:
        """Answer; a fault of ours is logged and told as one, and the meter goes on."""
        try:
            answer = self._answer(request)
        except Exception:  # noqa: BLE001 - the seam: a fault of one request ends nothing but that request
            log.failure("a request to the front panel failed")
            answer = _refused(HTTPStatus.INTERNAL_SERVER_ERROR, texts.FAULT)
        for name, words in _HEADERS.items():
            request.setHeader(name, words)
        request.setHeader("Content-Type", answer.media_type)
        request.setResponseCode(answer.status.value)
        content = answer.content if isinstance(answer.content, bytes) else msgspec.json.encode(answer.content)
        request.setHeader("Content-Length", str(len(content)))
        return b"" if request.method == b"HEAD" else content

    def _answer(self, request: Request) -> _Answer[Any]:
        origin = _own_origin(request)
        if origin is None or not _is_same_site(request):
            return _refused(HTTPStatus.FORBIDDEN, texts.NOT_FROM_HERE)
        if request.path == b"/amount":
            return self._amount(request, origin)
        if request.method not in (b"GET", b"HEAD"):
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED, texts.NOT_UNDERSTOOD)
        if request.path in _FILES:
            name, media_type = _FILES[request.path]
            return _Answer(files(__package__).joinpath("panel_page", name).read_bytes(), media_type)
        if request.path in self._paths:
            return self._paths[request.path]()
        return self._picture(request.path)

    def _page(self) -> _Answer[PanelPage]:
        view = self._panel.view()
        return _Answer(PanelPage(view=view, token=self._token, form=secrets.token_hex(FORM_OCTETS)))

    def _courier_page(self) -> _Answer[Any]:
        frames = tuple(self._panel.frames())
        if not frames:
            return _refused(HTTPStatus.NOT_FOUND, texts.NO_BATCH)
        if frames != self._courier.frames:
            self._courier = CourierPage(batch=secrets.token_hex(FORM_OCTETS), frames=frames)
        return _Answer(self._courier)

    def _picture(self, path: bytes) -> _Answer[Any]:
        """`/courier/BATCH/NUMBER.svg` of the batch last asked for."""
        for number, frame in enumerate(self._courier.frames, start=1):
            if path == f"/courier/{self._courier.batch}/{number}.svg".encode():
                return _Answer(frame_svg(frame).encode(), _SVG)
        return _refused(HTTPStatus.NOT_FOUND, texts.NO_SUCH_PAGE)

    def _amount(self, request: Request, origin: str) -> _Answer[AmountAnswer]:
        if request.method != b"POST":
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED, texts.NOT_UNDERSTOOD)
        token = request.getHeader(TOKEN_HEADER) or ""
        if request.getHeader("Origin") != origin or not secrets.compare_digest(token.encode(), self._token.encode()):
            return _refused(HTTPStatus.FORBIDDEN, texts.NOT_FROM_HERE)
        if request.getHeader("Content-Type") != _JSON:
            return _refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, texts.NOT_UNDERSTOOD)
        body = b"" if request.content is None else request.content.read()
        try:
            typed = msgspec.json.decode(body, type=TypedAmount)
        except msgspec.DecodeError:
            return _refused(HTTPStatus.BAD_REQUEST, texts.NOT_UNDERSTOOD)
        return _Answer(self._panel.enter(typed))


def _own_origin(request: Request) -> str | None:
    """The origin of this page, if the request names it as its host; None for any other name (DNS rebinding)."""
    address = request.getHost()
    host = f"[{address.host}]" if ":" in address.host else address.host
    named = request.getHeader("Host")
    return f"http://{named}" if named in (f"{host}:{address.port}", f"localhost:{address.port}") else None


def _is_same_site(request: Request) -> bool:
    """Whether no other page asked for it, as far as the browser says who did."""
    return request.getHeader("Sec-Fetch-Site") in (None, "none", "same-origin")


def _refused(status: HTTPStatus, words: Text) -> _Answer[AmountAnswer]:
    return _Answer(AmountAnswer(is_done=False, words=words), status=status)
