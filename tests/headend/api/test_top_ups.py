"""Money paid in, from the intent to the ledger, and taken back."""

import httpx
import pytest
from sqlalchemy import Connection

from headend.assignments import assign
from headend.authentication import FIRST_ORGANISATION
from headend.database import Database
from headend.ingest import ingest
from tests.headend.api.conftest import ADMIN, GATEWAY, READER
from tests.support.headend_books import OTHER_TITLE, TITLE, MeterJournal

PLACE = f"/api/v1/purses/{TITLE}/top-ups"
AT = "2026-07-01T08:00:00Z"


@pytest.fixture(autouse=True)
def assigned(database: Database) -> None:
    """The first meter is the gateway's."""
    database.write_now(lambda connection: assign(connection, FIRST_ORGANISATION, str(TITLE), "gateway"))


def key(number: int) -> dict[str, str]:
    return ADMIN | {"Idempotency-Key": f"key-{number:08}"}


def carried_out(client: httpx.Client, answer: dict[str, object], state: str = "confirmed") -> None:
    """The gateway fetches the one command and reports it."""
    (command,) = client.get("/api/gateway/v1/commands", headers=GATEWAY).json()["commands"]
    sent = {"state": state, "reason": None if state == "confirmed" else "too much", "answer": answer, "at": AT}
    reported = client.post(f"/api/gateway/v1/commands/{command['id']}/result", json=sent, headers=GATEWAY)
    assert reported.status_code == 204


def test_from_the_intent_to_the_ledger_and_back(client: httpx.Client, database: Database) -> None:
    made = [client.post(PLACE, json={"amount_minor": 500}, headers=key(1)) for _ in range(2)]
    assert (made[0].status_code, made[0].content) == (201, made[1].content)
    top_up = made[0].json()
    assert (top_up["state"], top_up["amount"]["minor"], top_up["sequence"]) == ("queued", 500, None)
    early = client.post(f"{PLACE}/{top_up['id']}/refund", headers=key(2))
    assert (early.status_code, "is no top-up that the meter confirmed; it is queued" in early.text) == (422, True)
    carried_out(client, {"outcome": "done", "sequence": 1, "balance_minor": 500})
    shown = client.get(f"{PLACE}/{top_up['id']}", headers=READER).json()
    assert (shown["state"], shown["sequence"], shown["balance"]["minor"], shown["is_booked"]) == (
        "confirmed",
        1,
        500,
        False,
    )
    journal = MeterJournal()
    journal.top_up(500)

    def book(connection: Connection) -> None:
        ingest(connection, [journal.batch()])

    database.write_now(book)
    assert client.get(f"{PLACE}/{top_up['id']}", headers=READER).json()["is_booked"]
    refund = client.post(f"{PLACE}/{top_up['id']}/refund", headers=key(3)).json()
    assert (refund["kind"], refund["amount"]) == ("refund", {"minor": -500, "text": "-5.00"})
    again = client.post(f"{PLACE}/{top_up['id']}/refund", headers=key(4)).json()
    assert again["id"] == refund["id"]
    carried_out(client, {"sequence": 2, "balance_minor": 0})
    assert client.get(f"{PLACE}/{refund['id']}", headers=READER).json()["state"] == "confirmed"


def test_a_refusal_of_the_meter_is_told_with_its_reason(client: httpx.Client) -> None:
    top_up = client.post(PLACE, json={"amount_minor": 500}, headers=key(1)).json()
    carried_out(client, {}, state="refused")
    shown = client.get(f"{PLACE}/{top_up['id']}", headers=READER).json()
    assert (shown["state"], shown["reason"]) == ("refused", "too much")
    assert client.get(f"/api/v1/purses/{OTHER_TITLE}/top-ups/{top_up['id']}", headers=READER).status_code == 404


@pytest.mark.parametrize("minor", [0, -1, 1.5, 2**63, "5"])
def test_an_amount_that_is_none_is_refused(client: httpx.Client, minor: object) -> None:
    assert client.post(PLACE, json={"amount_minor": minor}, headers=key(1)).status_code == 422
