"""The gateway's routes: records, events, readings, status."""

import base64
import gzip
import json
from datetime import datetime
from typing import Any

import httpx
import pytest

from dlms_objects.purse.entry import ROW_LENGTH, JournalHead
from dlms_objects.values.cosem_time import CosemDateTime
from headend.api.uploads import EventBatchSent, EventSent, RecordsSent
from headend.database import Database, DatabaseBusyError
from headend.events import MeterEvent
from tests.support.headend_books import OTHER_TITLE, SHANGHAI, TITLE, UNKNOWN_TITLE, usual_journal
from tests.support.headend_uploads import batch_json, event_json, records_json

RECORDS = "/api/gateway/v1/records"
EVENTS = "/api/gateway/v1/events"
READINGS = "/api/gateway/v1/readings"
STATUS = "/api/gateway/v1/status"

EVENT = MeterEvent(
    number=7,
    time=CosemDateTime.from_instant(datetime(2026, 11, 25, 8, 0, tzinfo=SHANGHAI), SHANGHAI),
    code=11,
    fee_item=0,
    value=120_050,
    due=CosemDateTime.from_civil(datetime(2026, 12, 1, 8, 0)),  # noqa: DTZ001 - civil
)


def test_records_are_booked_once_and_answered_alike(gateway: httpx.Client, reader: httpx.Client) -> None:
    journal = usual_journal()
    expected = {
        "meters": [
            {
                "system_title": str(TITLE),
                "status": "accepted",
                "sequence": 6,
                "digest": journal.entries[-1].digest.hex(),
            }
        ]
    }
    for _ in range(2):
        answer = gateway.post(RECORDS, json=records_json(journal.batch()))
        assert (answer.status_code, answer.json()) == (200, expected)
    assert reader.get(f"/api/v1/reconciliation/{TITLE}").json()["count"] == 6


def test_each_meter_has_its_own_answer(gateway: httpx.Client) -> None:
    journal = usual_journal()
    body = records_json(journal.batch(3), usual_journal(UNKNOWN_TITLE).batch(), usual_journal(OTHER_TITLE).batch())
    answer = gateway.post(RECORDS, json=body)
    assert answer.status_code == 200
    assert [(each["status"], each["sequence"]) for each in answer.json()["meters"]] == [
        ("gap", 0),
        ("unknown_meter", 0),
        ("accepted", 6),
    ]
    assert answer.json()["meters"][0] == {
        "system_title": str(TITLE),
        "status": "gap",
        "sequence": 0,
        "digest": JournalHead.empty(TITLE).digest.hex(),
        "detail": "entry 1 is wanted first",
    }


def test_a_packed_body_is_the_same(gateway: httpx.Client) -> None:
    packed = gzip.compress(json.dumps(records_json(usual_journal().batch())).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = gateway.post(RECORDS, content=packed, headers=headers)
    assert answer.json()["meters"][0]["status"] == "accepted"


def test_a_malformed_row_is_named_and_the_other_meters_are_booked(gateway: httpx.Client, reader: httpx.Client) -> None:
    bad = batch_json(usual_journal().batch())
    rows = bytearray(usual_journal().batch().rows)
    rows[ROW_LENGTH] ^= 1
    bad["rows"] = base64.b64encode(rows).decode()
    answer = gateway.post(RECORDS, json={"batches": [bad, batch_json(usual_journal(OTHER_TITLE).batch())]})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert [(each["system_title"], each["sequence"]) for each in problem["errors"]] == [(str(TITLE), 2)]
    assert problem["detail"].startswith(f"meter {TITLE}, entry 2: not a journal row")
    assert [(each["system_title"], each["status"]) for each in problem["meters"]] == [(str(OTHER_TITLE), "accepted")]
    assert reader.get(f"/api/v1/purses/{OTHER_TITLE}").json()["sequence"] == 6


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"system_title": "4D50"}, "/body/batches/0/system_title"),
        ({"system_title": 5}, "/body/batches/0/system_title"),
        ({"first": 0}, "/body/batches/0/first"),
        ({"first": 2**32}, "/body/batches/0/first"),
        ({"first": "1"}, "/body/batches/0/first"),
        ({"first": 1.0}, "/body/batches/0/first"),
        ({"rows": "%%%%"}, "/body/batches/0/rows"),
        ({"rows": "AAAA"}, "/body/batches/0/rows"),
        ({"rows": 5}, "/body/batches/0/rows"),
        ({"currency": {"code": "yuan", "scale": -2}}, "/body/batches/0/currency/code"),
        ({"currency": {"code": "CNY", "scale": 2}}, "/body/batches/0/currency/scale"),
        ({"currency": None}, "/body/batches/0/currency"),
        (
            {"items": [{"number": 0, "revision": 1, "kind": 1, "label": "", "payee": ""}]},
            "/body/batches/0/items/0/number",
        ),
        ({"surprise": 1}, "/body/batches/0/surprise"),
    ],
)
def test_a_request_of_another_form_is_refused_with_its_place(
    gateway: httpx.Client, reader: httpx.Client, changed: dict[str, Any], pointer: str
) -> None:
    bad = batch_json(usual_journal().batch()) | changed
    answer = gateway.post(RECORDS, json={"batches": [bad]})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
    assert reader.get(f"/api/v1/purses/{TITLE}").json()["sequence"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"batches": 1}', b"\xff", b'{"batches": [' * 2000])
def test_what_is_no_request_is_refused(gateway: httpx.Client, body: bytes) -> None:
    for path in (RECORDS, EVENTS):
        answer = gateway.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)
        assert answer.headers["content-type"] == "application/problem+json"


def test_events_are_kept_once_and_answered_alike(gateway: httpx.Client, reader: httpx.Client) -> None:
    body = {"batches": [{"system_title": str(TITLE), "rows": [event_json(EVENT)]}]}
    for _ in range(2):
        answer = gateway.post(EVENTS, json=body)
        assert answer.json() == {"meters": [{"system_title": str(TITLE), "status": "accepted", "number": 7}]}
    box = reader.get(f"/api/v1/purses/{TITLE}/mailbox").json()
    assert [notice["kind"] for notice in box["notices"]] == ["shortfall_ahead"]


@pytest.mark.parametrize(
    ("changed", "place"),
    [({"time": "00"}, "time"), ({"time": None}, "time"), ({"due": "zz" * 12}, "due"), ({"value": 2**63}, "value")],
)
def test_an_event_of_another_form_is_refused_with_its_place(
    gateway: httpx.Client, changed: dict[str, Any], place: str
) -> None:
    row = event_json(EVENT) | changed
    answer = gateway.post(EVENTS, json={"batches": [{"system_title": str(TITLE), "rows": [row]}]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/body/batches/0/rows/0/{place}"


def test_a_heartbeat_is_kept(gateway: httpx.Client, reader: httpx.Client) -> None:
    answer = gateway.put(STATUS, json={"lines": 1, "outbox_rows": 0})
    assert (answer.status_code, answer.content) == (204, b"")
    fleet = reader.get("/api/v1/fleet").json()
    assert [(each["gateway"], each["status"]) for each in fleet["gateways"]] == [
        ("gateway", {"lines": 1, "outbox_rows": 0})
    ]
    too_much = gateway.put(STATUS, json={str(number): 0 for number in range(257)})
    assert too_much.status_code == 422


def test_when_the_ledger_is_busy_the_gateway_is_asked_to_come_back(
    gateway: httpx.Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(_work: object) -> None:
        raise DatabaseBusyError("4 writes are waiting already")

    monkeypatch.setattr(database, "write", busy)
    answer = gateway.post(RECORDS, json=records_json(usual_journal().batch()))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


def test_what_a_gateway_sends_is_read_into_the_ledgers_own_values() -> None:
    batch = usual_journal().batch()
    assert [each.batch() for each in RecordsSent.model_validate(records_json(batch)).batches] == [batch]
    assert EventSent.model_validate(event_json(EVENT)).event() == EVENT
    sent = EventBatchSent.model_validate({"system_title": str(TITLE), "rows": [event_json(EVENT)]})
    assert sent.batch().events == (EVENT,)


def test_readings_are_taken_and_what_is_no_reading_is_refused(gateway: httpx.Client) -> None:
    item = {"number": 1, "state": 3, "due": None, "amount_minor": 350_000, "missed": 1}
    reading = {
        "system_title": str(TITLE),
        "time": EVENT.time.octets.hex(),
        "read_at_s": 1_795_000_000,
        "energy_wh": 1234,
        "flags": 4,
        "shortfall_minor": 0,
        "items": [item],
    }
    assert gateway.post(READINGS, json={"readings": [reading]}).status_code == 204
    for wrong in (
        {"flags": 65_536},
        {"time": "00"},
        {"read_at_s": -1},
        {"items": [{**item, "state": 5}]},
        {"items": [{**item, "number": 33}]},
        {"energy_wh": 0.5},
        {"firmware": "1"},
    ):
        assert gateway.post(READINGS, json={"readings": [{**reading, **wrong}]}).status_code == 422
