"""The reader's routes."""

import httpx
import pytest
from sqlalchemy import Connection

from dlms_objects.purse.entry import EntryKind
from headend.database import Database
from headend.ingest import ingest
from tests.support.headend_books import OTHER_TITLE, RENT, TITLE, UNKNOWN_TITLE, batch_of, usual_journal

BALANCE = {"minor": 149_994, "text": "1499.94"}


@pytest.fixture(autouse=True)
def booked(database: Database) -> None:
    """The usual journal of the first meter."""

    def work(connection: Connection) -> None:
        ingest(connection, [usual_journal().batch(), usual_journal(UNKNOWN_TITLE).batch()])

    database.write_now(work)


def test_all_purses(reader: httpx.Client) -> None:
    first, second = reader.get("/api/v1/purses").json()["purses"]
    assert first == {
        "system_title": str(TITLE),
        "household": "一号楼301",
        "language": "zh-CN",
        "time_zone": "Asia/Shanghai",
        "currency": {"code": "CNY", "scale": -2},
        "balance": BALANCE,
        "sequence": 6,
        "digest": usual_journal().entries[-1].digest.hex(),
        "conflicts": 0,
    }
    assert (second["currency"], second["balance"]) == (None, {"minor": 0, "text": None})


def test_one_purse_has_its_fee_items(reader: httpx.Client) -> None:
    purse = reader.get(f"/api/v1/purses/{str(TITLE).lower()}").json()
    assert purse["balance"] == BALANCE
    assert purse["fee_items"][0] == {"number": 1, "revision": 1, "kind": 1, "label": "房租", "payee": "landlord"}


def test_an_entry_says_everything_of_its_row(reader: httpx.Client) -> None:
    journal = usual_journal()
    entry = reader.get(f"/api/v1/purses/{TITLE}/entries", params={"after": 1, "limit": 1}).json()["entries"][0]
    assert entry == {
        "sequence": 2,
        "time": "2026-01-01T10:00:00+08:00",
        "kind": "deduction",
        "fee_item": 1,
        "label": RENT.label,
        "payee": RENT.payee,
        "account": "payable:landlord",
        "due": "2026-01-01T10:00:00",
        "amount": {"minor": -350_000, "text": "-3500.00"},
        "balance": {"minor": 150_000, "text": "1500.00"},
        "reference": None,
        "revision": 1,
        "digest": journal.entries[1].digest.hex(),
    }
    last = reader.get(f"/api/v1/purses/{TITLE}/entries", params={"after": 5}).json()["entries"][0]
    assert (last["due"], last["reference"], last["label"]) == (None, b"aaaaaaaaaaaaaaaa".hex(), "")


@pytest.mark.parametrize(("place", "key", "name"), [("entries", "sequence", "entries"), ("mailbox", "id", "notices")])
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 100])
def test_pages_show_everything_once_and_then_end(
    reader: httpx.Client, place: str, key: str, name: str, limit: int
) -> None:
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = reader.get(f"/api/v1/purses/{TITLE}/{place}", params={"after": after, "limit": limit}).json()
        seen += [each[key] for each in page[name]]
        after = page["next_after"]
    assert len(seen) == 6
    assert seen == sorted(set(seen))


def test_the_mailbox_speaks_both_languages(reader: httpx.Client) -> None:
    path = f"/api/v1/purses/{TITLE}/mailbox"
    box = reader.get(path).json()
    assert (box["language"], box["notices"][1]["subject"]) == ("zh-CN", "房租已扣款¥3,500.00")
    english = reader.get(path, params={"language": "en"}).json()
    notice = english["notices"][1]
    assert (notice["kind"], notice["number"], notice["time"]) == ("deduction", 2, "2026-01-01T10:00:00+08:00")
    assert notice["subject"] == "CN¥3,500.00 paid for 房租"
    assert notice["body"].endswith("Balance before CN¥5,000.00, after CN¥1,500.00.")
    assert reader.get(path, params={"language": "de"}).status_code == 422


def test_the_reconciliation_agrees_with_the_journal(reader: httpx.Client, database: Database) -> None:
    forged = usual_journal()
    forged.entries = forged.entries[:2]
    other = forged.append(EntryKind.ADJUSTMENT, 1)
    database.write_now(lambda connection: ingest(connection, [batch_of(TITLE, 3, [other])]))
    counted = reader.get(f"/api/v1/reconciliation/{TITLE}").json()
    journal = usual_journal()
    assert counted == {
        "system_title": str(TITLE),
        "currency": {"code": "CNY", "scale": -2},
        "entries": {"deduction": 2, "top_up": 2, "reversal": 1, "adjustment": 1},
        "count": 6,
        "sum": BALANCE,
        "ledger_sum": BALANCE,
        "balance": BALANCE,
        "sequence": 6,
        "digest": journal.entries[-1].digest.hex(),
        "balanced": True,
        "conflicts": 1,
        "evidence": [
            {
                "sequence": 3,
                "cause": "different_row",
                "detail": "entry 3 is in the ledger with other content",
                "held_row": journal.entries[2].row().hex(),
                "received_row": other.row().hex(),
            }
        ],
    }
    empty = reader.get(f"/api/v1/reconciliation/{OTHER_TITLE}").json()
    assert (empty["count"], empty["balanced"], empty["evidence"]) == (0, True, [])


def test_meters_that_were_turned_away_are_shown(reader: httpx.Client) -> None:
    assert reader.get("/api/v1/fleet").json() == {
        "gateways": [],
        "unknown_meters": [{"system_title": str(UNKNOWN_TITLE), "batches": 1, "rows": 6}],
    }


@pytest.mark.parametrize("path", ["purses/{}", "purses/{}/entries", "purses/{}/mailbox", "reconciliation/{}"])
def test_an_unknown_meter_is_not_found(reader: httpx.Client, path: str) -> None:
    answer = reader.get("/api/v1/" + path.format(UNKNOWN_TITLE))
    assert answer.status_code == 404
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": f"no meter {UNKNOWN_TITLE} is registered",
    }
    assert reader.get("/api/v1/" + path.format("nonsense")).status_code == 422


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 1001}, {"after": -1}, {"after": 2**63}])
def test_a_page_out_of_bounds_is_refused(reader: httpx.Client, params: dict[str, int]) -> None:
    for place in ("entries", "mailbox"):
        assert reader.get(f"/api/v1/purses/{TITLE}/{place}", params=params).status_code == 422


def test_beyond_the_last_one_there_is_nothing(reader: httpx.Client) -> None:
    for place, name in (("entries", "entries"), ("mailbox", "notices")):
        page = reader.get(f"/api/v1/purses/{TITLE}/{place}", params={"after": 2**63 - 1}).json()
        assert (page[name], page["next_after"]) == ([], None)
