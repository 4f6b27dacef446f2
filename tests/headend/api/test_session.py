"""Logging in and out over HTTP."""

import httpx
import pytest

from tests.headend.api.conftest import ADMIN

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody


@pytest.fixture
def anna(client: httpx.Client) -> httpx.Client:
    """A head-end that knows an auditor anna."""
    sent = {"login": "anna", "password": PASSWORD, "role": "auditor"}
    assert client.post("/api/v1/users", json=sent, headers=ADMIN).status_code == 201
    return client


def test_a_session_is_opened_used_and_closed(anna: httpx.Client) -> None:
    answer = anna.post("/api/v1/session", json={"login": "anna", "password": PASSWORD})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=strict", "Path=/api/"))
    token = {"Authorization": f"Bearer {answer.json()['token']}"}
    myself = anna.get("/api/v1/session", headers=token).json()
    assert (myself["name"], myself["role"], "read the audit log" in myself["may"]) == ("anna", "auditor", True)
    assert anna.get("/api/v1/purses", headers=token).status_code == 200
    assert anna.delete("/api/v1/session", headers=token).status_code == 204
    assert anna.get("/api/v1/session", headers=token).status_code == 401


def test_what_does_not_belong_together_is_told_alike_and_soon_not_tried_any_more(anna: httpx.Client) -> None:
    tries = [anna.post("/api/v1/session", json={"login": name, "password": "x" * 12}) for name in ("anna", "bert")]
    assert [answer.status_code for answer in tries] == [401, 401]
    assert tries[0].json() == tries[1].json()
    later = [anna.post("/api/v1/session", json={"login": "anna", "password": "x" * 12}) for _ in range(10)]
    assert later[-1].status_code == 429
    assert int(later[-1].headers["retry-after"]) >= 1
    right = anna.post("/api/v1/session", json={"login": "anna", "password": PASSWORD})
    assert right.status_code == 429


def test_a_program_token_outlives_a_log_out(client: httpx.Client) -> None:
    assert client.delete("/api/v1/session", headers=ADMIN).status_code == 204
    assert client.get("/api/v1/session", headers=ADMIN).json()["role"] == "admin"
