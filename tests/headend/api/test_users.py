"""An admin's routes: people, tokens, the audit log."""

import httpx
import pytest

from tests.headend.api.conftest import ADMIN, READER
from tests.support.headend_books import TITLE

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
ANNA = {"login": "anna", "password": PASSWORD, "role": "resident", "household": "一号楼301"}


@pytest.fixture
def admin(client: httpx.Client) -> httpx.Client:
    """The client with an admin's token."""
    client.headers.update(ADMIN)
    return client


def test_a_person_is_entered_sees_his_own_and_is_shut_out(admin: httpx.Client) -> None:
    shown = {"login": "anna", "role": "resident", "payee": None, "household": "一号楼301", "is_disabled": False}
    made = admin.post("/api/v1/users", json=ANNA)
    assert (made.status_code, made.json()) == (201, shown)
    assert admin.post("/api/v1/users", json=ANNA).status_code == 409
    assert admin.get("/api/v1/users").json() == {"users": [shown]}
    token = admin.post("/api/v1/session", json={"login": "anna", "password": PASSWORD}).json()["token"]
    session = {"Authorization": f"Bearer {token}"}
    purses = admin.get("/api/v1/purses", headers=session).json()["purses"]
    assert [purse["system_title"] for purse in purses] == [str(TITLE)]
    assert admin.delete("/api/v1/users/anna").status_code == 204
    assert admin.get("/api/v1/purses", headers=session).status_code == 401
    assert admin.delete("/api/v1/users/bert").status_code == 404


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"role": "resident", "household": None}, "a resident, and nobody else, has a `household`"),
        ({"role": "auditor"}, "a resident, and nobody else, has a `household`"),
        ({"role": "payee", "household": None}, "a payee, and nobody else, has a `payee`"),
        ({"role": "gateway", "household": None}, "a gateway is no person"),
        ({"password": "short"}, "/body/password"),
        ({"login": "an na"}, "/body/login"),
    ],
)
def test_who_cannot_be_is_refused_with_the_place(admin: httpx.Client, changed: dict[str, object], place: str) -> None:
    answer = admin.post("/api/v1/users", json=ANNA | changed)
    assert answer.status_code == 422
    assert place in answer.text
    assert PASSWORD not in answer.text


def test_a_token_is_made_used_and_revoked(admin: httpx.Client) -> None:
    made = admin.post("/api/v1/tokens", json={"name": "north", "role": "gateway"})
    assert (made.status_code, made.json()["role"]) == (201, "gateway")
    north = {"Authorization": f"Bearer {made.json()['token']}"}
    assert admin.put("/api/gateway/v1/status", json={}, headers=north).status_code == 204
    assert admin.post("/api/v1/tokens", json={"name": "north", "role": "auditor"}).status_code == 409
    assert admin.delete("/api/v1/tokens/north").status_code == 204
    assert admin.put("/api/gateway/v1/status", json={}, headers=north).status_code == 401
    assert admin.delete("/api/v1/tokens/north").status_code == 404


def test_every_change_is_in_the_audit_log_without_its_secrets(admin: httpx.Client) -> None:
    admin.post("/api/v1/users", json=ANNA)
    token = admin.post("/api/v1/tokens", json={"name": "north", "role": "gateway"}).json()["token"]
    admin.delete("/api/v1/users/anna")
    admin.delete("/api/v1/tokens/north")
    log = admin.get("/api/v1/audit", headers=READER, params={"limit": 3})
    rest = admin.get("/api/v1/audit", params={"after": log.json()["next_after"]})
    records = log.json()["records"] + rest.json()["records"]
    assert [(each["actor"], each["action"], each["subject"]) for each in records] == [
        ("admin admin", "add user", "anna"),
        ("admin admin", "make token", "north"),
        ("admin admin", "disable user", "anna"),
        ("admin admin", "revoke token", "north"),
    ]
    assert rest.json()["next_after"] is None
    assert PASSWORD not in log.text + rest.text
    assert token not in log.text + rest.text
