"""Short messages against a real HTTP service."""

import json
from pathlib import Path
from typing import Any

import pytest

from headend.delivery.config import SmsConfig
from headend.delivery.sending import ChannelUnusableError
from headend.delivery.sms import SmsChannel
from tests.support.deliveries import message, send
from tests.support.http_server import Answer, Request, http_server


def make(url: str, **told: Any) -> Any:
    config = SmsConfig.model_validate({"url": url, "allow": ["127.0.0.0/8"], "timeout_s": 2} | told)
    return lambda reactor: SmsChannel(config, reactor)


def exchange(answer: Answer, **told: Any) -> tuple[list[Request], Any]:
    got: list[Request] = []

    def record(request: Request) -> Answer:
        got.append(request)
        return answer

    with http_server(record) as url:
        (outcome,) = send(make(url + told.pop("path", "/send"), **told), message(sms="+8613800000000"))
    return got, outcome


def test_the_short_form_arrives_as_the_template_says(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    (request,), outcome = exchange(Answer(200, b'{"status": "ok"}'), token_file=tmp_path / "token")
    assert outcome is None
    assert json.loads(request.body) == {
        "to": "+8613800000000",
        "text": "Rent已扣款¥3,500.00，余额¥1,623.45。Building 3, flat 1204",
    }
    assert request.headers["Authorization"] == "Bearer t0ken"


def test_a_form_and_an_address_are_templates_too() -> None:
    (request,), outcome = exchange(
        Answer(200),
        path="/send?to={{ to | urlencode }}",
        content_type="application/x-www-form-urlencoded",
        body="text={{ text | urlencode }}",
    )
    assert outcome is None
    assert request.path == "/send?to=%2B8613800000000"
    assert request.body.startswith(b"text=Rent%E5%B7%B2")


def test_success_is_what_the_configuration_says() -> None:
    _, outcome = exchange(Answer(200, b'{"status": "failed"}'), success_pattern='"status": *"ok"')
    assert str(outcome) == "answers 200, but not with what success is told by"
    _, outcome = exchange(Answer(200, b'{"status": "ok"}'), success_pattern='"status": *"ok"')
    assert outcome is None


def test_a_wrong_template_is_said_and_runs_in_a_sandbox() -> None:
    with pytest.raises(ChannelUnusableError):
        make("http://x/{{ to", body="")(None)
    _, outcome = exchange(Answer(200), body="{{ ''.__class__.__mro__ }}")
    assert "template" in str(outcome)
