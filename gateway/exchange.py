"""The documents between gateway and head-end: what is posted, and the head-end's cumulative answers.

JSON only, no I/O: `/records`, `/events`, `/readings` and `/status` of `design/pipeline.md`. Rows travel as the
meter's own octets (base64). An answer that is not of the agreed form is an AnswerError. Imported by the uplink.
"""

from collections.abc import Mapping, Sequence

import msgspec

from dlms_objects.errors import InvalidValueError, RemoteError
from dlms_objects.purse.entry import DIGEST_LENGTH
from dlms_objects.values.system_title import SystemTitle
from gateway.records import EventBatch, RecordBatch, UplinkStatus

RECORDS_PATH = "/api/gateway/v1/records"
EVENTS_PATH = "/api/gateway/v1/events"
READINGS_PATH = "/api/gateway/v1/readings"
STATUS_PATH = "/api/gateway/v1/status"


class AnswerError(RemoteError):
    """The head-end's answer is not of the agreed form, or contradicts what was sent; nothing was let go."""


class RecordAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the head-end says of one meter's rows: it has 1..`sequence`, of which `digest` (hex) is the last."""

    system_title: str
    status: UplinkStatus
    sequence: int = 0
    digest: str = ""
    detail: str | None = ""

    def digest_octets(self) -> bytes:
        """The 16 octets of the digest; AnswerError when it is not one."""
        try:
            octets = bytes.fromhex(self.digest)
        except ValueError:
            octets = b""
        if len(octets) != DIGEST_LENGTH:
            raise AnswerError(f"{self.system_title}: not a digest: {self.digest!r}")
        return octets


class EventAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the head-end says of one meter's events: it has those up to `number`."""

    system_title: str
    status: UplinkStatus
    number: int = 0
    detail: str | None = ""


class _RecordAnswers(msgspec.Struct):
    meters: list[RecordAnswer]


class _EventAnswers(msgspec.Struct):
    meters: list[EventAnswer]


def records_document(batches: Sequence[RecordBatch]) -> bytes:
    """The body of POST records."""
    return msgspec.json.encode(
        {
            "batches": [
                {
                    "system_title": str(batch.title),
                    "first": batch.first,
                    "rows": b"".join(batch.rows),
                    "items": [
                        {
                            "number": item.number,
                            "revision": item.revision,
                            "kind": item.kind,
                            "label": item.label,
                            "payee": item.payee,
                        }
                        for item in batch.items
                    ],
                    "currency": {"code": batch.currency.code, "scale": batch.currency.scale},
                }
                for batch in batches
            ]
        }
    )


def events_document(batches: Sequence[EventBatch]) -> bytes:
    """The body of POST events; times as the 24 hexadecimal digits of a COSEM date-time."""
    return msgspec.json.encode(
        {
            "batches": [
                {
                    "system_title": str(batch.title),
                    "rows": [
                        {
                            "number": row.number,
                            "time": row.time.hex(),
                            "code": row.code,
                            "fee_item": row.fee_item,
                            "value": row.value,
                            "due": None if row.due is None else row.due.hex(),
                        }
                        for row in batch.rows
                    ],
                }
                for batch in batches
            ]
        }
    )


def readings_document(readings: Sequence[Mapping[str, object]]) -> bytes:
    """The body of POST readings."""
    return msgspec.json.encode({"readings": readings})


def record_answers(body: bytes) -> dict[SystemTitle, RecordAnswer]:
    """The answer to POST records, by meter; AnswerError when it is not one."""
    try:
        answers = msgspec.json.decode(body, type=_RecordAnswers).meters
        return {SystemTitle.parse(answer.system_title): answer for answer in answers}
    except (msgspec.DecodeError, InvalidValueError) as error:
        raise AnswerError(f"not an answer to records: {error}") from error


def event_answers(body: bytes) -> dict[SystemTitle, EventAnswer]:
    """The answer to POST events, by meter; AnswerError when it is not one."""
    try:
        answers = msgspec.json.decode(body, type=_EventAnswers).meters
        return {SystemTitle.parse(answer.system_title): answer for answer in answers}
    except (msgspec.DecodeError, InvalidValueError) as error:
        raise AnswerError(f"not an answer to events: {error}") from error
