"""gateway/exchange.py: the documents of the uplink, to the letter."""

import base64
import json

import pytest

from dlms_objects.values.money import Currency
from gateway import exchange
from gateway.exchange import AnswerError
from gateway.records import EventBatch, EventRow, ItemDescriptor, RecordBatch, UplinkStatus
from tests.support.fake_session import TITLE, FakeMeter


def test_rows_travel_as_the_meters_own_octets() -> None:
    meter = FakeMeter()
    rows = (meter.book(5), meter.book(-2))
    item = ItemDescriptor(number=1, revision=3, kind=1, label="房租", payee="landlord")
    batch = RecordBatch(title=TITLE, first=1, rows=rows, items=(item,), currency=Currency("CNY", -2))
    assert json.loads(exchange.records_document([batch])) == {
        "batches": [
            {
                "system_title": "4D50520000000001",
                "first": 1,
                "rows": base64.b64encode(b"".join(rows)).decode(),
                "items": [{"number": 1, "revision": 3, "kind": 1, "label": "房租", "payee": "landlord"}],
                "currency": {"code": "CNY", "scale": -2},
            }
        ]
    }


def test_events_travel_with_their_times_as_digits() -> None:
    time = bytes(range(12))
    rows = (
        EventRow(time=time, number=7, code=10, fee_item=0, value=-5, due=None),
        EventRow(time=time, number=8, code=12, fee_item=3, value=0, due=time),
    )
    assert json.loads(exchange.events_document([EventBatch(title=TITLE, rows=rows)])) == {
        "batches": [
            {
                "system_title": "4D50520000000001",
                "rows": [
                    {"number": 7, "time": time.hex(), "code": 10, "fee_item": 0, "value": -5, "due": None},
                    {"number": 8, "time": time.hex(), "code": 12, "fee_item": 3, "value": 0, "due": time.hex()},
                ],
            }
        ]
    }


def test_answers_are_read_by_meter() -> None:
    body = json.dumps(
        {
            "meters": [
                {"system_title": str(TITLE), "status": "accepted", "sequence": 4, "digest": "00" * 16, "detail": None},
                {"system_title": "4D50520000000002", "status": "unknown_meter", "a later version": 1},
            ]
        }
    ).encode()
    answers = exchange.record_answers(body)
    assert answers[TITLE].digest_octets() == bytes(16)
    assert [each.status for each in answers.values()] == [UplinkStatus.ACCEPTED, UplinkStatus.UNKNOWN_METER]
    events = json.dumps({"meters": [{"system_title": str(TITLE), "status": "accepted", "number": 9}]}).encode()
    assert exchange.event_answers(events)[TITLE].number == 9


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"[]",
        b'{"meters": 1}',
        b'{"meters": [{"system_title": "xx", "status": "accepted"}]}',
        b'{"meters": [{"system_title": "4D50520000000001", "status": "splendid"}]}',
        b'{"meters": [{"system_title": "4D50520000000001", "status": "accepted", "sequence": "4", "number": "4"}]}',
        b"\xff\xfe",
    ],
)
def test_an_answer_of_another_form_is_refused(body: bytes) -> None:
    for read in (exchange.record_answers, exchange.event_answers):
        with pytest.raises(AnswerError):
            read(body)
