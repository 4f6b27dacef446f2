"""gateway/headend_client.py over real sockets: one answer or one of two kinds of error, always in time."""

import gzip
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from gateway import headend_client
from gateway.headend_client import BatchRefusedError, HeadendClient, HeadendUnavailableError
from tests.support.http_server import Answer, Request, http_server
from tests.support.twisted_testing import run_in_reactor

TOKEN = "t0ken-that-nobody-may-see"


def ask(url: str, *bodies: bytes, compress: bool = False, timeout_s: float = 5) -> list[bytes]:
    """The answers to requests with these bodies, one after the other."""

    async def work(reactor: Any) -> list[bytes]:
        client = HeadendClient(reactor, url, TOKEN, timeout_s=timeout_s, compress=compress)
        try:
            return [await client.request("POST", "/api/gateway/v1/records", body) for body in bodies]
        finally:
            await client.close()

    return run_in_reactor(work)


def served(answer: Callable[[Request], Answer], *bodies: bytes, **rest: Any) -> tuple[list[bytes], list[Request]]:
    seen: list[Request] = []

    def note(request: Request) -> Answer:
        seen.append(request)
        return answer(request)

    with http_server(note) as url:
        return ask(url, *bodies, **rest), seen


def test_a_request_arrives_whole_with_the_token() -> None:
    body = b"x" * 300_000
    answers, seen = served(lambda _: Answer(body=b"thanks"), body, b"{}")
    assert answers == [b"thanks", b"thanks"]
    assert [(request.method, request.path) for request in seen] == [("POST", "/api/gateway/v1/records")] * 2
    assert [request.body for request in seen] == [body, b"{}"]
    assert seen[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert seen[0].headers["Content-Type"] == "application/json"


def test_long_bodies_travel_compressed_when_asked_to() -> None:
    body = b"row" * 10_000
    _, seen = served(lambda _: Answer(), body, b"{}", compress=True)
    assert seen[0].headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(seen[0].body) == body
    assert len(seen[0].body) < len(body)
    assert "Content-Encoding" not in seen[1].headers, "a short one is not worth it"


def test_no_content_is_an_answer() -> None:
    assert served(lambda _: Answer(status=204), b"{}")[0] == [b""]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_the_head_end_cannot_take_is_not_to_be_repeated(status: int) -> None:
    with pytest.raises(BatchRefusedError, match=f"{status} what was wrong"):
        served(lambda _: Answer(status=status, body=b"what was wrong"), b"{}")


@pytest.mark.parametrize("status", [301, 302, 401, 403, 404, 429, 500, 503])
def test_everything_else_is_to_be_tried_again(status: int) -> None:
    answer = Answer(status=status, body=b"words", headers={"Location": "/elsewhere"})
    with pytest.raises(HeadendUnavailableError, match=str(status)) as caught:
        served(lambda _: answer, b"{}")
    assert TOKEN not in str(caught.value)


def test_an_answer_cut_short_is_no_answer() -> None:
    with pytest.raises(HeadendUnavailableError):
        served(lambda _: Answer(body=b"half an answer", cut=True), b"{}")


def test_an_answer_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headend_client, "ANSWER_LIMIT_OCTETS", 1000)
    with pytest.raises(HeadendUnavailableError, match="1001"):
        served(lambda _: Answer(body=bytes(1001)), b"{}")
    assert served(lambda _: Answer(body=bytes(1000)), b"{}")[0] == [bytes(1000)]


def test_a_head_end_that_is_not_there_is_told_from_one_that_is() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(HeadendUnavailableError, match="refused"):
        ask(f"http://127.0.0.1:{port}", b"{}")
    with pytest.raises(HeadendUnavailableError, match=r"no\.such\.host\.invalid"):
        ask("http://no.such.host.invalid", b"{}")


def test_a_silent_head_end_is_given_up_in_time() -> None:
    began = time.monotonic()
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(HeadendUnavailableError, match=r"within 0\.3 s"),
    ):
        ask(f"http://127.0.0.1:{silent.getsockname()[1]}", b"{}", timeout_s=0.3)
    assert time.monotonic() - began < 3
