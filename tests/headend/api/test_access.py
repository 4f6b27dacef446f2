"""Who may call what: roles x routes, the whole table, and nothing that is not in it."""

import itertools

import httpx
import pytest
from fastapi.testclient import TestClient

from headend.api.application import make_application
from headend.authentication import new_token, store_token
from headend.database import Database, transaction
from headend.permissions import PERMISSIONS, Permission, Role
from headend.place import Place
from tests.headend.api.conftest import BODY_LIMIT
from tests.support.headend_books import TITLE

OPEN = "open"
ANYONE = "any known caller"
WANTED: dict[str, Permission | str] = {
    "GET /healthz/live": OPEN,
    "GET /healthz/ready": OPEN,
    "POST /api/courier/v1/batches": OPEN,
    "POST /api/v1/session": OPEN,
    "GET /api/v1/session": ANYONE,
    "DELETE /api/v1/session": ANYONE,
    "POST /api/gateway/v1/records": Permission.UPLOAD,
    "POST /api/gateway/v1/events": Permission.UPLOAD,
    "POST /api/gateway/v1/readings": Permission.UPLOAD,
    "PUT /api/gateway/v1/status": Permission.UPLOAD,
    "GET /api/gateway/v1/commands": Permission.UPLOAD,
    "POST /api/gateway/v1/commands/{command_id}/result": Permission.UPLOAD,
    "GET /api/gateway/v1/meters": Permission.UPLOAD,
    "GET /api/gateway/v1/meters/{system_title}/keys": Permission.UPLOAD,
    "PUT /api/gateway/v1/recipient": Permission.UPLOAD,
    "POST /api/gateway/v1/counters": Permission.UPLOAD,
    "POST /api/v1/commands": Permission.COMMAND,
    "GET /api/v1/commands": Permission.READ_COMMANDS,
    "GET /api/v1/commands/{command_id}": Permission.READ_COMMANDS,
    "DELETE /api/v1/commands/{command_id}": Permission.COMMAND,
    "POST /api/v1/bulks": Permission.COMMAND,
    "GET /api/v1/bulks/{bulk}": Permission.READ_COMMANDS,
    "GET /api/v1/meters/{system_title}/keys": Permission.READ_COMMANDS,
    "POST /api/v1/meters/{system_title}/key-rotations": Permission.COMMAND,
    "POST /api/v1/purses/{system_title}/top-ups": Permission.TOP_UP,
    "GET /api/v1/purses/{system_title}/top-ups/{top_up_id}": Permission.READ_COMMANDS,
    "POST /api/v1/purses/{system_title}/top-ups/{top_up_id}/refund": Permission.TOP_UP,
    "GET /api/v1/settlements": Permission.READ_SETTLEMENT,
    "GET /api/v1/settlements/{payee}/periods": Permission.READ_SETTLEMENT,
    "GET /api/v1/settlements/{payee}/periods/{number}": Permission.READ_SETTLEMENT,
    "GET /api/v1/settlements/{payee}/periods/{number}.csv": Permission.READ_SETTLEMENT,
    "POST /api/v1/settlements/{payee}/close": Permission.CLOSE_PERIODS,
    "GET /api/v1/purses": Permission.READ_PURSES,
    "GET /api/v1/purses/{system_title}": Permission.READ_PURSES,
    "GET /api/v1/purses/{system_title}/entries": Permission.READ_PURSES,
    "GET /api/v1/purses/{system_title}/mailbox": Permission.READ_PURSES,
    "GET /api/v1/purses/{system_title}/series/{month}": Permission.READ_PURSES,
    "GET /api/v1/purses/{system_title}/pictures/{month}/{name}.svg": Permission.READ_PURSES,
    "GET /api/v1/purses/{system_title}/statement": Permission.READ_PURSES,
    "GET /api/v1/reconciliation/{system_title}": Permission.READ_PURSES,
    "GET /api/v1/fleet": Permission.READ_FLEET,
    "GET /api/v1/notices/deliveries": Permission.READ_FLEET,
    "GET /api/v1/notices/preview": Permission.READ_FLEET,
    "POST /api/v1/notices/test": Permission.COMMAND,
    "GET /api/v1/users": Permission.MANAGE_USERS,
    "POST /api/v1/users": Permission.MANAGE_USERS,
    "DELETE /api/v1/users/{login}": Permission.MANAGE_USERS,
    "POST /api/v1/tokens": Permission.MANAGE_USERS,
    "DELETE /api/v1/tokens/{name}": Permission.MANAGE_USERS,
    "GET /api/v1/audit": Permission.READ_AUDIT,
}
SCOPE: dict[Role, dict[str, str]] = {Role.PAYEE: {"payee": "landlord"}, Role.RESIDENT: {"household": "一号楼301"}}
NAMES = {
    "system_title": str(TITLE),
    "month": "2026-01",
    "name": "balance",
    "login": "nobody",
    "command_id": "0" * 32,
    "top_up_id": "0" * 32,
    "bulk": "0" * 32,
    "payee": "landlord",
    "number": "1",
}
TOKENS = {role: new_token() for role in Role}
SECURED = [route for route, wanted in WANTED.items() if wanted != OPEN]


@pytest.fixture
def api(fresh: Place) -> httpx.Client:
    """A client of a head-end that knows a token for each role."""
    with transaction(fresh) as connection:
        for role in Role:
            store_token(connection, name=role.value, role=role, token=TOKENS[role], **SCOPE.get(role, {}))
    application = make_application(Database(fresh, write_queue=4), maximum_body_octets=BODY_LIMIT)
    return TestClient(application, raise_server_exceptions=False)


def call(api: httpx.Client, route: str, headers: dict[str, str]) -> httpx.Response:
    method, path = route.split()
    return api.request(method, path.format_map(NAMES), headers=headers, json={})


def test_the_table_has_every_route(api: httpx.Client) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    assert {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods} == set(WANTED)


def test_without_a_known_token_nothing_is_answered(api: httpx.Client) -> None:
    for route, headers in itertools.product(
        SECURED,
        (
            {},
            {"Authorization": "Bearer "},
            {"Authorization": "Bearer wrong"},
            {"Authorization": f"Basic {TOKENS[Role.ADMIN]}"},
            {"Cookie": "meterpurse_session=wrong"},
        ),
    ):
        answer = call(api, route, headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), route
        assert answer.headers["content-type"] == "application/problem+json"


def test_each_role_may_what_the_table_says_and_nothing_else(api: httpx.Client) -> None:
    tried = 0
    for route, role in itertools.product(SECURED, Role):
        wanted = WANTED[route]
        is_allowed = wanted == ANYONE or wanted in PERMISSIONS[role]
        answer = call(api, route, {"Authorization": f"Bearer {TOKENS[role]}"})
        assert (answer.status_code != 403) == is_allowed, (route, role, answer.text)
        assert answer.status_code < 500
        if not is_allowed:
            assert answer.json()["detail"] == f"a caller in the role {role.value} may not {wanted}"
        tried += 1
    assert tried == len(SECURED) * len(Role)


def test_health_needs_no_token(api: httpx.Client) -> None:
    assert [api.get(f"/healthz/{path}").status_code for path in ("live", "ready")] == [200, 200]


def test_a_token_is_checked_before_the_body_is_believed(api: httpx.Client) -> None:
    assert api.post("/api/gateway/v1/records", json={"batches": 5}).status_code == 401


def test_a_cookie_is_taken_for_reading_only(api: httpx.Client) -> None:
    cookie = {"Cookie": f"meterpurse_session={TOKENS[Role.ADMIN]}"}
    assert api.get("/api/v1/purses", headers=cookie).status_code == 200
    assert api.post("/api/v1/tokens", headers=cookie, json={"name": "x", "role": "auditor"}).status_code == 401
