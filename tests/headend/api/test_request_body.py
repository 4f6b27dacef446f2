"""Laws of request bodies: a limit that cannot be talked around, and gzip."""

import asyncio
import gzip
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive

from headend.api.request_body import RequestBody

LIMIT = 1000


@pytest.fixture(scope="module")
def client() -> TestClient:
    application = FastAPI()
    application.add_middleware(RequestBody, octets=LIMIT)

    @application.post("/echo")
    async def echo(request: Request) -> str:
        return (await request.body()).hex()

    return TestClient(application)


@given(body=st.binary(max_size=LIMIT), packed=st.booleans())
def test_a_body_arrives_as_it_was_sent(client: TestClient, body: bytes, packed: bool) -> None:
    content = gzip.compress(body) if packed else body
    if len(content) <= LIMIT:
        headers = {"Content-Encoding": "gzip"} if packed else {}
        assert client.post("/echo", content=content, headers=headers).json() == body.hex()


def test_a_body_may_come_in_pieces(client: TestClient) -> None:
    assert client.post("/echo", content=iter([b"a", b"", b"bc"])).json() == b"abc".hex()


def pieces(octets: int) -> Iterator[bytes]:
    for _ in range(0, octets, 100):
        yield b"x" * 100


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"x" * (LIMIT + 1), {}),
        (pieces(LIMIT + 100), {}),
        (gzip.compress(b"x" * (LIMIT + 1), mtime=0), {"Content-Encoding": "gzip"}),
        (gzip.compress(b"x" * 10_000_000, mtime=0)[:LIMIT], {"Content-Encoding": "gzip"}),
    ],
)
def test_a_longer_body_is_refused(client: TestClient, content: bytes, headers: dict[str, str]) -> None:
    answer = client.post("/echo", content=content, headers=headers)
    assert answer.status_code == 413
    assert answer.json()["detail"] == "a request body has at most 1000 octets"


@pytest.mark.parametrize(
    ("content", "coding", "status"),
    [
        (b"not gzip", "gzip", 400),
        (gzip.compress(b"x" * 500, mtime=0)[:-4], "gzip", 400),
        (gzip.compress(b"x", mtime=0) + b"tail", "gzip", 400),
        (b"x", "br", 415),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_refused(
    client: TestClient, content: bytes, coding: str, status: int
) -> None:
    answer = client.post("/echo", content=content, headers={"Content-Encoding": coding})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_client_that_goes_away_is_let_go() -> None:
    async def application(*_: object) -> None:
        raise AssertionError("reached the application")

    async def gone() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(_message: object) -> None:
        raise AssertionError("answered")

    asyncio.run(RequestBody(application, octets=LIMIT)({"type": "http", "path": "/", "headers": []}, gone, send))


def test_after_its_body_a_request_hears_that_the_client_has_gone() -> None:
    heard: list[object] = []
    messages: list[dict[str, object]] = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"bc"},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, object]:
        return messages.pop(0)

    async def application(_scope: object, receive: Receive, _send: object) -> None:
        heard.extend([(await receive())["body"], (await receive())["type"]])

    asyncio.run(RequestBody(application, octets=LIMIT)({"type": "http", "path": "/", "headers": []}, receive, None))
    assert heard == [b"abc", "http.disconnect"]


def test_what_is_no_http_request_passes() -> None:
    seen: list[object] = []

    async def application(scope: dict[str, object], *_: object) -> None:
        seen.append(scope["type"])

    asyncio.run(RequestBody(application, octets=LIMIT)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]


def test_a_path_may_have_a_smaller_limit() -> None:
    application = FastAPI()
    application.add_middleware(RequestBody, octets=LIMIT, smaller={"/small/": 10, "/large/": LIMIT * 2})

    @application.post("/{path:path}")
    async def take(request: Request) -> int:
        return len(await request.body())

    client = TestClient(application)
    packed = {"Content-Encoding": "gzip"}
    assert client.post("/small/a", content=bytes(10)).json() == 10
    assert client.post("/small/a", content=bytes(11)).status_code == 413
    assert client.post("/small/a", content=gzip.compress(bytes(11)), headers=packed).status_code == 413
    assert client.post("/large/a", content=bytes(LIMIT + 1)).status_code == 413
    assert client.post("/other", content=bytes(11)).json() == 11
