"""Live, ready and metrics over real sockets: true while they hold, 503 with the reason when they do not."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.web.client import Agent, ResponseNeverReceived, readBody

from dlms_objects.values.system_title import SystemTitle
from gateway.store import Store
from gateway.watch import Watch, WatchAddressError
from gateway.writer import Writer
from tests.support.fake_headend import FakeHeadend
from tests.support.fake_session import FakeMeter
from tests.support.gateway_world import World
from tests.support.real_reactor import run_for_real

FIGURES = {"lines": 1, "lines_failing": 0, "sessions": 2, "sessions_failed": 0, "upload_failures": 0}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    meter = FakeMeter()
    meter.book(5)
    world = World(tmp_path / "outbox.sqlite3", [meter], FakeHeadend(SystemTitle(b"MPG\0\0\0\0\1")))
    world.collect()
    return world.store


Ask = Callable[[Any, str], Awaitable[Any]]


def asked(store: Any, ask: Ask, *, failing_s: float = 0.0, in_thread: Any = None) -> Any:
    """What comes of asking a watch over real sockets."""

    async def work(reactor: Any) -> Any:
        writer = Writer(store, in_thread or maybeDeferred)
        watch = Watch(
            reactor,
            "127.0.0.1:0",
            writer,
            lambda: FIGURES,
            lambda: failing_s,
            maximum_rows=100,
            ready_limit_s=900,
        )
        watch.startService()
        try:
            return await ask(reactor, f"http://127.0.0.1:{watch.port}")
        finally:
            await watch.stopService()

    return run_for_real(work)


def getting(path: str) -> Ask:
    """Asks for a page: status, content type, text."""

    async def get(reactor: Any, url: str) -> tuple[int, str, str]:
        answer = await Agent(reactor).request(b"GET", (url + path).encode())
        body = await readBody(answer)
        return answer.code, answer.headers.getRawHeaders("content-type")[0], body.decode()

    return get


def test_a_gateway_that_works_is_live_and_ready(store: Store) -> None:
    for path in ("live", "ready"):
        assert asked(store, getting(f"/healthz/{path}"))[::2] == (200, "ok\n")


def test_metrics_come_from_the_outbox(store: Store) -> None:
    code, form, text = asked(store, getting("/metrics"))
    assert (code, form.split(";")[0]) == (200, "text/plain")
    assert "meterpurse_gateway_outbox_rows 1.0" in text
    assert "meterpurse_gateway_sessions_total 2.0" in text


def test_a_head_end_that_is_away_too_long_is_not_ready_but_live(store: Store) -> None:
    code, _, text = asked(store, getting("/healthz/ready"), failing_s=901)
    assert (code, text) == (503, "the head-end was not reached for 901 s\n")
    assert asked(store, getting("/healthz/ready"), failing_s=899)[0] == 200
    assert asked(store, getting("/healthz/live"), failing_s=901)[0] == 200


def test_an_outbox_that_cannot_be_written_is_not_ready_but_live(store: Store) -> None:
    store._connection.execute("PRAGMA query_only = 1")
    code, _, text = asked(store, getting("/healthz/ready"))
    assert (code, "cannot be written" in text) == (503, True)


def test_a_writer_that_does_not_answer_is_not_live(store: Store) -> None:
    async def impatient(reactor: Any, url: str) -> str:
        asking = Agent(reactor).request(b"GET", f"{url}/healthz/live".encode())
        reactor.callLater(0.5, asking.cancel)
        try:
            await asking
        except (CancelledError, ResponseNeverReceived):
            return "no answer"
        return "answered"

    assert asked(store, impatient, in_thread=lambda *_: Deferred()) == "no answer"


def test_what_is_not_there_is_404(store: Store) -> None:
    assert asked(store, getting("/healthz/other"))[0] == 404
    assert asked(store, getting("/"))[0] == 404


def test_an_address_in_use_is_one_clear_error(store: Store) -> None:
    async def work(reactor: Any) -> str:
        writer = Writer(store, maybeDeferred)

        def watch(port: int) -> Watch:
            listen = f"127.0.0.1:{port}"
            return Watch(reactor, listen, writer, dict, float, maximum_rows=1, ready_limit_s=1)

        first = watch(0)
        first.startService()
        try:
            watch(first.port).startService()
        except WatchAddressError as error:
            return str(error)
        finally:
            await first.stopService()
        return "no error"

    assert "cannot listen for HTTP on 127.0.0.1:" in run_for_real(work)
