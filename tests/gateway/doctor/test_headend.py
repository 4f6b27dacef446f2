"""The way to the head-end: a name, a port, a certificate, a token, each wrong in turn."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.config import HeadendSection
from gateway.doctor.findings import Findings, Outcome, Step
from gateway.doctor.headend import NO_RECORDS, examine_headend
from gateway.exchange import RECORDS_PATH
from tests.support.certificates import Identity, self_signed
from tests.support.http_server import Answer, Request, http_server
from tests.support.real_reactor import run_for_real
from tests.support.wiring import failure


def examined(folder: Path, url: str) -> Findings:
    """The findings on a head-end at that address."""
    token = folder / "token"
    token.write_text("a-token\n")
    section = HeadendSection(url=url, token_file=token, timeout_s=5)
    return run_for_real(lambda reactor: examine_headend(reactor, section))


@contextmanager
def tls_server(identity: Identity) -> Iterator[int]:
    """A server that shakes hands with this certificate, and no more; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                connection, _ = server.accept()
                with connection:
                    context.wrap_socket(connection, server_side=True).close()
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def test_a_head_end_that_is_well_takes_an_upload_of_nothing(tmp_path: Path) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        asked.append(request)
        return Answer(body=b'{"meters": []}')

    with http_server(answer) as url:
        found = examined(tmp_path, url)
    assert [finding.outcome for finding in found.found] == [Outcome.OK, Outcome.OK]
    (request,) = asked
    assert (request.path, request.body) == (RECORDS_PATH, NO_RECORDS)
    assert request.headers["Authorization"] == "Bearer a-token"


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused(status: int, tmp_path: Path) -> None:
    with http_server(lambda _request: Answer(status=status)) as url:
        found = failure(examined(tmp_path, url))
    assert found.step is Step.TOKEN
    assert "does not know this token" in found.cause
    assert "a-token" not in str(found)


@pytest.mark.parametrize(("status", "words"), [(404, "not a head-end that is well"), (422, "not a head-end of this")])
def test_something_else_that_answers(status: int, words: str, tmp_path: Path) -> None:
    with http_server(lambda _request: Answer(status=status)) as url:
        found = failure(examined(tmp_path, url))
    assert (found.step, words in found.cause) == (Step.TOKEN, True)


def test_a_name_and_a_port_that_are_wrong(tmp_path: Path) -> None:
    nameless = failure(examined(tmp_path, "http://no-such-head.invalid"))
    assert "no-such-head.invalid is misspelt" in nameless.cause
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    closed = examined(tmp_path, f"http://127.0.0.1:{port}")
    assert f"nothing listens on port {port}" in failure(closed).cause
    assert [finding.outcome for finding in closed.found] == [Outcome.FAILED, Outcome.SKIPPED]


@pytest.mark.parametrize(
    ("name", "days", "is_trusted", "words"),
    [
        ("localhost", 2, False, "is not trusted by this machine"),
        ("localhost", -1, True, "has expired"),
        ("elsewhere.example", 2, True, "is for another name than localhost"),
    ],
)
def test_a_certificate_that_is_wrong(
    name: str, days: int, is_trusted: bool, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = self_signed(tmp_path, name, days=days)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(identity.certificate))
    with tls_server(identity) as port:
        found = failure(examined(tmp_path, f"https://localhost:{port}"))
    assert found.step is Step.HEADEND
    assert words in found.cause


def test_a_server_without_tls(tmp_path: Path) -> None:
    with http_server(lambda _request: Answer()) as url:
        found = failure(examined(tmp_path, url.replace("http:", "https:")))
    assert "does not speak TLS" in found.cause
