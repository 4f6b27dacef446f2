"""Who may call what: every route but health and documentation wants a token of its role."""

import httpx
import pytest
from fastapi.routing import APIRoute

from headend.api import gateway as gateway_module
from headend.api import health, purses
from tests.headend.api.conftest import GATEWAY, READER
from tests.support.headend_books import TITLE

ROUTES = [
    (method, route.path.format(system_title=TITLE), role)
    for module, role in ((gateway_module, "gateway"), (purses, "reader"))
    for route in module.router.routes
    if isinstance(route, APIRoute)
    for method in route.methods
]
HEADERS = {"gateway": GATEWAY, "reader": READER}


def test_the_table_of_routes_is_not_empty() -> None:
    assert len(ROUTES) == 10
    assert {role for _method, _path, role in ROUTES} == {"gateway", "reader"}


@pytest.mark.parametrize(("method", "path", "role"), ROUTES)
def test_without_a_known_token_nothing_is_answered(client: httpx.Client, method: str, path: str, role: str) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic " + HEADERS[role]["Authorization"].split()[1]},
    ):
        answer = client.request(method, path, headers=headers, json={"batches": []})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path", "role"), ROUTES)
def test_a_token_opens_its_own_role_only(client: httpx.Client, method: str, path: str, role: str) -> None:
    other = "reader" if role == "gateway" else "gateway"
    body: dict[str, list[object]] = {"readings" if path.endswith("/readings") else "batches": []}
    assert client.request(method, path, headers=HEADERS[role], json=body).status_code in (200, 204)
    refused = client.request(method, path, headers=HEADERS[other], json=body)
    assert refused.status_code == 403
    assert refused.json()["detail"] == f"this is for a {role}, the token is a {other}'s"


def test_health_needs_no_token(client: httpx.Client) -> None:
    paths = [route.path for route in health.router.routes if isinstance(route, APIRoute)]
    assert [client.get(path).status_code for path in paths] == [200, 200]


def test_a_token_is_checked_before_the_body_is_believed(client: httpx.Client) -> None:
    assert client.post("/api/gateway/v1/records", json={"batches": 5}).status_code == 401
