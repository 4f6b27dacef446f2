"""The routes about notices."""

import httpx
from fastapi.testclient import TestClient

from headend.api.application import make_application
from headend.database import Database
from tests.headend.api.conftest import ADMIN, BODY_LIMIT, GATEWAY, READER
from tests.support.deliveries import recipient
from tests.support.headend_books import usual_journal
from tests.support.headend_uploads import records_json


def test_what_is_uploaded_is_planned_in_the_same_breath_and_shown_without_addresses(database: Database) -> None:
    application = make_application(database, maximum_body_octets=BODY_LIMIT, recipients=(recipient(),))
    with TestClient(application) as client:
        client.post("/api/gateway/v1/records", json=records_json(usual_journal().batch()), headers=GATEWAY)
        page = client.get("/api/v1/notices/deliveries?limit=4&state=pending", headers=READER)
        assert [row["kind"] for row in page.json()["deliveries"]] == ["top_up", "deduction", "deduction", "reversal"]
        assert page.json()["next_after"] == 4
        assert "anna@example.org" not in page.text
        tested = client.post("/api/v1/notices/test", json={"recipient": "anna"}, headers=ADMIN)
        assert (tested.status_code, tested.json()) == (202, {"deliveries": [7]})
        rest = client.get("/api/v1/notices/deliveries?after=6&recipient=anna", headers=READER).json()
        assert [(row["kind"], row["system_title"]) for row in rest["deliveries"]] == [("test", None)]
        assert rest["next_after"] is None


def test_a_test_to_nobody_is_refused(reader: httpx.Client) -> None:
    assert reader.post("/api/v1/notices/test", json={"recipient": "x"}, headers=ADMIN).status_code == 404


def test_a_preview_has_every_form(reader: httpx.Client) -> None:
    shown = reader.get("/api/v1/notices/preview?kind=deduction&language=en").json()
    assert shown["subject"] == "CN¥3,500.00 paid for Rent"
    assert set(shown) == {"subject", "body", "short", "html"}
