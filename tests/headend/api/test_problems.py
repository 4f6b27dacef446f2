"""Every error is a problem detail, and an unforeseen one says nothing but is logged."""

from http import HTTPStatus

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.exc import IntegrityError, OperationalError
from twisted.logger import globalLogPublisher

from headend.api.problems import MEDIA_TYPE, Problem, ProblemError, documented, install


@pytest.fixture
def client() -> TestClient:
    application = FastAPI()
    install(application)

    @application.get("/known")
    async def known() -> None:
        raise ProblemError(HTTPStatus.CONFLICT, "why", headers={"X-A": "b"}, extensions={"meters": [1]})

    @application.get("/disk")
    async def disk() -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    @application.get("/lost")
    async def lost() -> None:
        raise OperationalError("COMMIT", {}, Exception("server closed\n\tunexpectedly"), connection_invalidated=True)

    @application.get("/wrong")
    async def wrong() -> None:
        raise IntegrityError("INSERT", {}, Exception("secret"))

    @application.get("/unforeseen")
    async def unforeseen() -> None:
        raise LookupError("secret")

    return TestClient(application, raise_server_exceptions=False)


def checked(answer: httpx.Response) -> dict[str, object]:
    assert answer.headers["content-type"] == MEDIA_TYPE
    problem: dict[str, object] = answer.json()
    assert problem["status"] == answer.status_code
    Problem.model_validate(problem)
    return problem


def test_a_problem_carries_its_extensions_and_headers(client: TestClient) -> None:
    answer = client.get("/known")
    assert answer.headers["x-a"] == "b"
    assert checked(answer) == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "why",
        "meters": [1],
    }


def test_what_is_not_there_and_what_is_not_allowed(client: TestClient) -> None:
    assert checked(client.get("/none")) == {"type": "about:blank", "title": "Not Found", "status": 404}
    assert checked(client.post("/known"))["title"] == "Method Not Allowed"


def test_a_database_that_went_away_is_a_reason_to_come_back(client: TestClient) -> None:
    answer = client.get("/lost")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert checked(answer)["detail"] == "the connection to the database was lost; send it again, it is booked once"


def test_what_the_database_says_of_a_fault_of_ours_is_not_passed_on(client: TestClient) -> None:
    answer = client.get("/wrong")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert checked(answer)["title"] == "Internal Server Error"


def test_a_full_disk_is_a_reason_to_come_back(client: TestClient) -> None:
    answer = client.get("/disk")
    assert answer.headers["retry-after"] == "2"
    assert checked(answer)["status"] == 503


def test_an_unforeseen_error_is_logged_and_kept_to_ourselves(client: TestClient) -> None:
    logged: list[dict[str, object]] = []
    globalLogPublisher.addObserver(logged.append)
    try:
        answer = client.get("/unforeseen")
    finally:
        globalLogPublisher.removeObserver(logged.append)
    assert checked(answer)["status"] == 500
    assert "secret" not in answer.text
    assert any("secret" in repr(event.get("log_failure")) for event in logged)


def test_documented_problems_show_their_schema() -> None:
    shown = documented(HTTPStatus.NOT_FOUND)[404]
    assert shown["description"] == "Not Found"
    assert set(shown["content"]) == {MEDIA_TYPE}
