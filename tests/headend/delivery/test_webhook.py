"""Webhooks against a real receiver: what is signed, and what a receiver that misbehaves leads to."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headend.delivery.config import WebhookConfig
from headend.delivery.sending import ChannelUnusableError, SendError
from headend.delivery.webhook import WebhookChannel
from tests.support.deliveries import NOW, clock, message, send
from tests.support.http_server import Answer, Request, http_server

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of this test


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Callable[[Any], WebhookChannel]]:
    (tmp_path / "secret").write_text(SECRET + "\n")

    def configured(url: str, **told: Any) -> Callable[[Any], WebhookChannel]:
        config = WebhookConfig.model_validate(
            {"name": "w", "url": url, "secret_file": tmp_path / "secret", "allow": ["127.0.0.0/8"], "timeout_s": 1}
            | told
        )
        return lambda reactor: WebhookChannel(config, reactor, clock)

    return configured


def test_a_receiver_can_prove_from_whom_and_when_and_know_a_repeat(make: Any) -> None:
    got: list[Request] = []

    def answer(request: Request) -> Answer:
        got.append(request)
        return Answer(204)

    sent = message(webhook="w")
    with http_server(answer) as url:
        assert send(make(url + "/hook"), sent, sent) == [None, None]
    first, second = got
    for request in got:
        request.headers = {name.lower(): told for name, told in request.headers.items()}
    assert (first.method, first.path) == ("POST", "/hook")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == sent.key
    assert first.headers["meterpurse-timestamp"] == str(int(NOW.timestamp()))
    proof = hmac.new(SECRET.encode(), f"{int(NOW.timestamp())}.".encode() + first.body, hashlib.sha256).hexdigest()
    assert first.headers["meterpurse-signature"] == f"v1={proof}"
    told = json.loads(first.body)
    assert (told["key"], told["notices"][0]["facts"]["amount_minor"]) == (sent.key, -350_000)
    assert first.body == second.body


@pytest.mark.parametrize(
    ("status", "is_final"), [(500, False), (503, False), (429, False), (408, False), (400, True), (404, True)]
)
def test_a_receiver_that_fails_is_tried_again_unless_it_refuses(make: Any, status: int, *, is_final: bool) -> None:
    with http_server(lambda _: Answer(status)) as url:
        (error,) = send(make(url), message(webhook="w"))
    assert (str(error), error and error.is_final) == (f"answers {status}", is_final)


def test_a_receiver_that_hangs_is_left_after_the_deadline(make: Any) -> None:
    def hang(_request: Request) -> Answer:
        time.sleep(2)
        return Answer(200)

    began = time.monotonic()
    with http_server(hang) as url:
        (error,) = send(make(url), message(webhook="w"))
        assert time.monotonic() - began < 1.8
    assert str(error) == "no answer within 1 s"


def test_a_receiver_that_cuts_off_is_tried_again(make: Any) -> None:
    with http_server(lambda _: Answer(200, b"x" * 100, cut=True)) as url:
        assert send(make(url), message(webhook="w")) == [None]  # 200 was said; the body is of no interest


def test_a_redirect_to_the_loopback_is_never_followed(make: Any) -> None:
    inner: list[Request] = []

    def record(request: Request) -> Answer:
        inner.append(request)
        return Answer(200)

    with (
        http_server(record) as inside,
        http_server(lambda _: Answer(302, headers={"Location": inside})) as url,
    ):
        (error,) = send(make(url), message(webhook="w"))
    assert str(error) == "answers 302; redirects are not followed"
    assert inner == []


def test_the_own_network_is_not_called_unless_allowed(make: Any) -> None:
    got: list[Request] = []

    def record(request: Request) -> Answer:
        got.append(request)
        return Answer(200)

    with http_server(record) as url:
        port = url.rpartition(":")[2]
        for address in (url, f"http://localhost:{port}"):
            (error,) = send(make(address, allow=[]), message(webhook="w"))
            assert isinstance(error, SendError)
            assert "is not a public address" in str(error)
    assert got == []


def test_a_short_or_missing_secret_is_said_at_once(make: Any, tmp_path: Path) -> None:
    (tmp_path / "short").write_text("too short")
    with pytest.raises(ChannelUnusableError, match="16 octets"):
        make("https://example.org", secret_file=tmp_path / "short")(None)
    with pytest.raises(ChannelUnusableError, match="cannot be read"):
        make("https://example.org", secret_file=tmp_path / "none")(None)
