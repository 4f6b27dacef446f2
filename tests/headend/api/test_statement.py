"""A household's statement over HTTP."""

import httpx
from sqlalchemy import Connection

from headend.database import Database
from tests.headend.test_spending import booked
from tests.support.headend_books import TITLE, UNKNOWN_TITLE

DAYS = {"first": "2026-01-02", "last": "2026-01-03"}


def test_a_statement_says_before_and_after_and_the_way(reader: httpx.Client, database: Database) -> None:
    def work(connection: Connection) -> None:
        booked(connection)

    database.write_now(work)
    statement = reader.get(f"/api/v1/purses/{TITLE}/statement", params=DAYS).json()
    assert (statement["balance_before"]["minor"], statement["balance_after"]["minor"]) == (990, 990 + 990 + 990)
    assert len(statement["entries"]) == 4
    deduction = statement["entries"][1]
    assert (deduction["kind"], deduction["revision"], deduction["path"]) == ("deduction", 1, "gateway")
    assert deduction["balance_before"]["minor"] + deduction["amount"]["minor"] == deduction["balance"]["minor"]
    assert [fee["amount"]["minor"] for fee in statement["fees"]] == [11 + 12]


def test_what_cannot_be_is_refused(reader: httpx.Client) -> None:
    place = f"/api/v1/purses/{TITLE}/statement"
    backwards = reader.get(place, params={"first": "2026-01-03", "last": "2026-01-02"})
    assert (backwards.status_code, "is before the first" in backwards.text) == (422, True)
    assert reader.get(place, params={"first": "1999-01-01", "last": "2026-01-02"}).status_code == 422
    assert reader.get(f"/api/v1/purses/{UNKNOWN_TITLE}/statement", params=DAYS).status_code == 404
