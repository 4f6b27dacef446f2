"""Closing and reading a payee's periods over HTTP."""

import csv
import io

import httpx
import pytest

from headend.api.settlements import _harmless
from headend.authentication import new_token, store_token
from headend.database import Database
from headend.permissions import Role
from tests.headend.api.conftest import GATEWAY, READER
from tests.support.headend_books import usual_journal
from tests.support.headend_uploads import records_json

FEBRUARY = {"end": "2026-02-01", "time_zone": "Asia/Shanghai"}
ROOT = "/api/v1/settlements"


def headers(database: Database, role: Role, payee: str | None = None) -> dict[str, str]:
    token = new_token()
    database.write_now(lambda connection: store_token(connection, name=token[:9], role=role, token=token, payee=payee))
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": "first-key-1"}


@pytest.fixture
def operator(client: httpx.Client, database: Database) -> dict[str, str]:
    client.post("/api/gateway/v1/records", headers=GATEWAY, json=records_json(usual_journal().batch()))
    return headers(database, Role.OPERATOR)


def test_a_period_is_closed_once_however_often_that_is_asked(client: httpx.Client, operator: dict[str, str]) -> None:
    first, again = (client.post(f"{ROOT}/landlord/close", headers=operator, json=FEBRUARY) for _ in range(2))
    assert (first.status_code, first.json()) == (200, again.json())
    (period,) = first.json()["periods"]
    assert (period["number"], period["totals"]["payable"]["text"]) == (1, "3500.00")
    other = client.post(f"{ROOT}/waterworks/close", headers=operator, json=FEBRUARY)
    assert other.status_code == 409
    shown = client.get(f"{ROOT}/landlord/periods", headers=READER).json()
    assert shown == {"periods": [period], "next_after": None}
    left = {each["payee"]: each["open"]["entries"] for each in client.get(ROOT, headers=READER).json()["payees"]}
    assert left == {"landlord": 0, "waterworks": 2}


def test_the_table_of_a_closed_period_is_exact_and_has_a_tag(client: httpx.Client, operator: dict[str, str]) -> None:
    client.post(f"{ROOT}/waterworks/close", headers=operator, json=FEBRUARY)
    answer = client.get(f"{ROOT}/waterworks/periods/1.csv", headers=READER)
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["amount"] for row in rows] == ["43.10", "-43.10"]
    assert answer.text.endswith("\r\n")
    known = {**READER, "If-None-Match": answer.headers["etag"]}
    assert client.get(f"{ROOT}/waterworks/periods/1.csv", headers=known).status_code == 304


def test_a_payee_sees_its_own_and_closes_nothing(
    client: httpx.Client, database: Database, operator: dict[str, str]
) -> None:
    client.post(f"{ROOT}/landlord/close", headers=operator, json=FEBRUARY)
    payee = headers(database, Role.PAYEE, "waterworks")
    assert [each["payee"] for each in client.get(ROOT, headers=payee).json()["payees"]] == ["waterworks"]
    assert client.get(f"{ROOT}/landlord/periods", headers=payee).json()["periods"] == []
    assert client.get(f"{ROOT}/landlord/periods/1.csv", headers=payee).status_code == 404
    assert client.post(f"{ROOT}/waterworks/close", headers=payee, json=FEBRUARY).status_code == 403


def test_what_cannot_be_closed_is_said_in_a_line(client: httpx.Client, operator: dict[str, str]) -> None:
    for path, body, status in (
        ("nobody", FEBRUARY, 404),
        ("landlord", {**FEBRUARY, "time_zone": "Mars"}, 422),
        ("landlord", {**FEBRUARY, "end": "2999-01-01"}, 409),
    ):
        assert client.post(f"{ROOT}/{path}/close", headers=operator, json=body).status_code == status


def test_a_closed_period_is_shown_in_pages(client: httpx.Client, operator: dict[str, str]) -> None:
    client.post(f"{ROOT}/waterworks/close", headers=operator, json=FEBRUARY)
    path = f"{ROOT}/waterworks/periods/1"
    first = client.get(path, headers=READER, params={"limit": 1})
    second = client.get(path, headers=READER, params={"limit": 1, "after": first.json()["next_after"]}).json()
    lines = first.json()["lines"] + second["lines"]
    assert [(line["kind"], line["amount"]["minor"]) for line in lines] == [("deduction", 4310), ("reversal", -4310)]
    assert second["next_after"] is None
    assert [item["label"] for item in second["items"]] == ["Water"]
    known = {**READER, "If-None-Match": first.headers["etag"]}
    assert client.get(path, headers=known, params={"limit": 1}).status_code == 304
    assert client.get(path, headers=known).status_code == 200


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1"])
def test_no_text_is_a_formula(text: str) -> None:
    assert _harmless(text) == f"'{text}"
    assert _harmless("一号楼301") == "一号楼301"
