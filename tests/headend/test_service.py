"""The service in a process of its own, as it is run: real HTTP, an orderly end, one line when it cannot start."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from dlms_objects.errors import LocalError
from headend.books import register
from headend.config import HeadendConfig, MeterConfig
from headend.database import Database, transaction
from headend.delivery import log
from headend.ingest import ingest
from headend.service import AddressInUseError, HeadendEndedError, _listening, make_service
from headend.setup import create
from tests.support.headend_books import TITLE, usual_journal
from tests.support.headend_uploads import records_json
from tests.support.mail_server import mail_server

T = TypeVar("T")

PROGRAM = """
import sys
from pathlib import Path
from deploy.configuration import load
from deploy.running import serve
from headend.books import register
from headend.config import HeadendConfig
from headend.service import make_service
config = load(Path(sys.argv[1]) / "headend.toml", HeadendConfig)
{before}
serve(lambda reactor: make_service(config, reactor), lambda service: service.when_ready())
"""
SLOW_WRITES = """
import time
import headend.api.gateway as routes
ingest = routes.ingest
def slow(connection, batches, **told):
    sys.stderr.write("begun\\n")
    sys.stderr.flush()
    time.sleep(1)
    return ingest(connection, batches, **told)
routes.ingest = slow
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path, meters=[MeterConfig(system_title=str(TITLE), household="一号楼301")], listen="127.0.0.1:0")
    return tmp_path


@contextmanager
def running(folder: Path, *, before: str = "") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The head-end of `folder` in a process of its own, and its URL."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(before=before), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        word, _, url = process.stdout.readline().strip().partition(" ")
        assert word == "ready", process.stderr.read() if process.stderr else ""
        yield process, url
    finally:
        process.kill()
        process.communicate()


def bearer(folder: Path, role: str) -> dict[str, str]:
    return {"Authorization": "Bearer " + (folder / f"{role}.token").read_text().strip()}


def test_it_serves_and_ends_at_once_when_told_to(folder: Path) -> None:
    with running(folder) as (process, url), httpx.Client(base_url=url) as client:
        assert client.get("/healthz/ready").json() == {"status": "ok"}
        sent = client.post(
            "/api/gateway/v1/records", json=records_json(usual_journal().batch()), headers=bearer(folder, "gateway")
        )
        assert sent.json()["meters"][0]["status"] == "accepted"
        counted = client.get(f"/api/v1/reconciliation/{TITLE}", headers=bearer(folder, "auditor")).json()
        assert (counted["balanced"], counted["count"]) == (True, 6)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    assert not (folder / "headend.sqlite-wal").exists()


def test_what_was_answered_survives_a_kill(folder: Path) -> None:
    with running(folder) as (process, url):
        httpx.post(
            url + "/api/gateway/v1/records",
            json=records_json(usual_journal().batch()),
            headers=bearer(folder, "gateway"),
        ).raise_for_status()
        process.kill()
    with running(folder) as (_process, url):
        purse = httpx.get(f"{url}/api/v1/purses/{TITLE}", headers=bearer(folder, "auditor")).json()
        assert purse["sequence"] == 6


def test_a_request_in_flight_is_answered_before_the_end(folder: Path) -> None:
    with running(folder, before=SLOW_WRITES) as (process, url):
        answers: list[httpx.Response] = []

        def send() -> None:
            answers.append(
                httpx.post(
                    url + "/api/gateway/v1/records",
                    json=records_json(usual_journal().batch()),
                    headers=bearer(folder, "gateway"),
                )
            )

        sending = threading.Thread(target=send)
        sending.start()
        assert process.stderr is not None
        while "begun" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGTERM)
        sending.join(timeout=10)
        assert [answer.json()["meters"][0]["sequence"] for answer in answers] == [6]
        assert process.wait(timeout=10) == 0


def test_a_port_in_use_is_one_clear_error(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        toml = folder / "headend.toml"
        toml.write_text(toml.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(before=""), str(folder)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert ended.returncode == 1
    last = ended.stderr.strip().splitlines()[-1]
    assert last == f"headend.service.AddressInUseError: cannot listen on 127.0.0.1:{port}: Address already in use"


def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(AddressInUseError, match="cannot listen on 192.0.2.1:80: "):
        _listening("192.0.2.1:80")


def test_another_reactor_is_refused() -> None:
    with pytest.raises(LocalError, match="asyncio reactor, not on Clock"):
        make_service(HeadendConfig(), Clock())  # type: ignore[arg-type]


@pytest.fixture
def reactor() -> Iterator[AsyncioSelectorReactor]:
    """A reactor of our own, turned by `asyncio` alone."""
    loop = asyncio.new_event_loop()
    yield AsyncioSelectorReactor(loop)
    loop.close()


def turned(reactor: AsyncioSelectorReactor, deferred: Deferred[T]) -> T:
    """The result of a Deferred, turning the reactor's loop until it is there."""
    loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop
    return loop.run_until_complete(asyncio.wait_for(deferred.asFuture(loop), 10))


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0"])
def test_ready_is_said_with_the_address_and_a_stop_closes_everything(
    folder: Path, reactor: AsyncioSelectorReactor, listen: str
) -> None:
    config = HeadendConfig(listen=listen, database=folder / "headend.sqlite")
    service = make_service(config, reactor)
    ready = service.when_ready()
    service.startService()
    url = turned(reactor, ready)
    assert url.startswith(f"http://{listen[:-1]}")
    turned(reactor, service.stopService())
    _listening(url.removeprefix("http://")).close()
    assert service.stopService().called
    Database(config.database, write_queue=1).close()


def test_a_stop_before_it_serves_closes_everything(folder: Path, reactor: AsyncioSelectorReactor) -> None:
    service = make_service(HeadendConfig(listen="127.0.0.1:0", database=folder / "headend.sqlite"), reactor)
    service.startService()
    turned(reactor, service.stopService())
    assert not (folder / "headend.sqlite-wal").exists()


def test_a_server_that_ends_by_a_fault_says_so_to_whoever_waits(
    folder: Path, reactor: AsyncioSelectorReactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise LookupError("planted")

    monkeypatch.setattr("uvicorn.Server.startup", fail)
    service = make_service(HeadendConfig(listen="127.0.0.1:0", database=folder / "headend.sqlite"), reactor)
    ready = service.when_ready()
    service.startService()
    with pytest.raises(HeadendEndedError, match="LookupError: planted"):
        turned(reactor, ready)
    turned(reactor, service.stopService())


async def raise_planted(_self: object) -> None:
    raise LookupError("planted")


async def return_at_once(_self: object) -> None:
    return


@pytest.mark.parametrize(
    ("what", "ends", "said"),
    [
        ("uvicorn.Server.main_loop", raise_planted, "LookupError: planted"),
        ("uvicorn.Server.main_loop", return_at_once, "RuntimeError: the HTTP server stopped by itself"),
        ("headend.delivery.dispatcher.Dispatcher.run", raise_planted, "LookupError: planted"),
    ],
)
def test_what_ends_by_itself_ends_all_and_says_so(  # noqa: PLR0913 - what ends how, and where
    what: str,
    ends: Callable[[object], Awaitable[None]],
    said: str,
    folder: Path,
    reactor: AsyncioSelectorReactor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(what, ends)
    service = make_service(mailing(folder, port=9), reactor)
    ready, lost = service.when_ready(), service.when_lost()
    service.startService()
    url = turned(reactor, ready)
    with pytest.raises(HeadendEndedError, match=f"^the head-end ended by a fault: {said}$"):
        turned(reactor, lost)
    turned(reactor, service.stopService())
    _listening(url.removeprefix("http://")).close()
    assert not (folder / "headend.sqlite-wal").exists()


DIES = """
import asyncio, uvicorn
async def main_loop(self):
    await asyncio.sleep(0.2)
    raise LookupError("planted")
uvicorn.Server.main_loop = main_loop
"""


def test_the_process_of_a_server_that_died_ends_with_one_line(folder: Path) -> None:
    command = f"{DIES}\nfrom deploy.cli import run\nraise SystemExit(run(['headend', 'run', {str(folder)!r}]))"
    ended = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout.startswith("ready http://127.0.0.1:")
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == "the head-end ended by a fault: LookupError: planted"


def mailing(folder: Path, *, port: int) -> HeadendConfig:
    """The head-end of a folder, with mails of deductions to a server on this port and a second to stop."""
    document = {
        "listen": "127.0.0.1:0",
        "database": "headend.sqlite",
        "stop_timeout_s": 1,
        "meter": [{"system_title": str(TITLE), "household": "一号楼301"}],
        "notices": {"look_every_s": 0.01, "retry_first_s": 0.001},
        "smtp": {"host": "127.0.0.1", "port": port, "security": "none", "sender": "purse@example.org"},
        "recipient": [{"name": "anna", "email": "anna@example.org", "events": ["deduction"]}],
    }
    return HeadendConfig.model_validate(document, context={"folder": folder})


def mailed_until(config: HeadendConfig, reactor: AsyncioSelectorReactor, *states: str) -> list[log.Delivery]:
    """Start, wait until the two deliveries have these states, stop; the deliveries after that."""

    def rows() -> list[log.Delivery]:
        with transaction(config.database, rehearsal=True) as connection:
            return log.deliveries(connection)

    async def reached() -> None:
        while [row.state.value for row in rows()] != list(states):
            await asyncio.sleep(0.01)

    service = make_service(config, reactor)
    ready = service.when_ready()
    service.startService()
    turned(reactor, ready)
    loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop
    loop.run_until_complete(asyncio.wait_for(reached(), 20))
    turned(reactor, service.stopService())
    return rows()


@pytest.mark.parametrize("takes_it", [False, True], ids=["never says a word", "takes the mail and never says so"])
def test_a_silent_mail_server_cannot_hold_up_a_stop_and_its_mail_is_neither_lost_nor_doubled_unsaid(
    folder: Path, reactor: AsyncioSelectorReactor, *, takes_it: bool
) -> None:
    with transaction(folder / "headend.sqlite") as connection:
        register(connection, mailing(folder, port=9).meter[0])
        ingest(connection, [usual_journal().batch()])
    with mail_server() as silent, socket.create_server(("127.0.0.1", 0)) as mute:
        silent.falls_silent = True
        config = mailing(folder, port=silent.port if takes_it else mute.getsockname()[1])
        rows = mailed_until(config, reactor, "sending", "pending")  # SMTP itself would wait for two minutes
    assert [(row.state.value, row.attempts, row.reason) for row in rows] == [
        ("failed", 1, log.INTERRUPTED),
        ("pending", 0, None),
    ]
    with mail_server() as good:
        rows = mailed_until(mailing(folder, port=good.port), reactor, "sent", "sent")
    assert [(row.attempts, row.reason) for row in rows] == [(2, log.INTERRUPTED), (1, None)]
    keys = [mail["Message-ID"] for mail in good.mails]
    assert len(keys) == len(set(keys)) == 2
    assert [mail["Message-ID"] in keys for mail in silent.mails] == [True] * takes_it


def test_without_a_database_it_does_not_start_and_lets_the_port_go(
    tmp_path: Path, reactor: AsyncioSelectorReactor
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listen = f"127.0.0.1:{port}"
    service = make_service(HeadendConfig(listen=listen, database=tmp_path / "none.sqlite"), reactor)
    with pytest.raises(LocalError, match="no database"):
        service.startService()
    _listening(listen).close()
    assert service.stopService().called
