"""Journals of many meters, made fast: rows as a meter makes them, and the requests in which gateways upload them."""

import base64
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from dlms_objects.purse.entry import JournalHead
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 1, 1, 1, tzinfo=UTC)
BETWEEN = timedelta(hours=12)
TOP_UP_EVERY = 10
TOP_UP_MINOR = 100_000
ITEMS = [
    {"number": 1, "revision": 1, "kind": 1, "label": "Rent", "payee": "landlord"},
    {"number": 2, "revision": 1, "kind": 3, "label": "水费", "payee": "waterworks"},
    {"number": 3, "revision": 1, "kind": 4, "label": "Electricity", "payee": "grid"},
]
CURRENCY = {"code": "CNY", "scale": -2}

_ROW = struct.Struct(">12sBIBBBB2s12sBqBq2s16sBI")
_NO_REFERENCE = bytes(16)
_UNSPECIFIED = CosemDateTime.NOT_SPECIFIED.octets


def title_of(number: int) -> SystemTitle:
    """The system title of meter `number`."""
    return SystemTitle(b"MPR" + number.to_bytes(5, "big"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One upload: its JSON, and how many rows are in it."""

    body: bytes
    rows: int

    def rows_by_meter(self) -> dict[str, bytes]:
        """What is in it of each meter, by system title."""
        return {
            batch["system_title"]: base64.b64decode(batch["rows"])
            for batch in msgspec.json.decode(self.body)["batches"]
        }


class Journal:
    """One meter's journal; only what the next row needs is kept."""

    __slots__ = ("balance", "digest", "sequence", "title")

    def __init__(self, title: SystemTitle) -> None:
        """An empty one."""
        self.title = title
        self.sequence = 0
        self.balance = 0
        self.digest = JournalHead.empty(title).digest

    def rows(self, count: int, times: "Times") -> bytes:
        """The next rows, 98 octets each."""
        made = []
        for _ in range(count):
            self.sequence += 1
            time, due = times.at(self.sequence)
            if self.sequence % TOP_UP_EVERY == 1:
                kind, item, amount, revision, due = 2, 0, TOP_UP_MINOR, 0, _UNSPECIFIED
            else:
                kind, item, amount, revision = 1, self.sequence % 3 + 1, -(self.sequence % 997) - 1, 1
            self.balance += amount
            chained = b"\x09\x0c" + _ROW.pack(
                time, 6, self.sequence, 22, kind, 17, item, b"\x09\x0c", due, 20, amount, 20, self.balance, b"\x09\x10",
                _NO_REFERENCE, 6, revision,
            )  # fmt: skip
            self.digest = hashlib.sha256(self.digest + b"\x02\x09" + chained).digest()[:16]
            made.append(b"\x02\x0a" + chained + b"\x09\x10" + self.digest)
        return b"".join(made)


class Times:
    """When the n-th row of any meter is made, and due."""

    def __init__(self) -> None:
        """None is known yet."""
        self._known: list[tuple[bytes, bytes]] = []

    def at(self, sequence: int) -> tuple[bytes, bytes]:
        """The time of row `sequence` and its due time, 12 octets each."""
        while len(self._known) < sequence:
            instant = FIRST + len(self._known) * BETWEEN
            civil = instant.astimezone(SHANGHAI).replace(tzinfo=None)
            made = CosemDateTime.from_instant(instant, SHANGHAI).octets, CosemDateTime.from_civil(civil).octets
            self._known.append(made)
        return self._known[sequence - 1]


class JournalStream:
    """All meters in turn, again and again, so that their journals grow together."""

    def __init__(self, *, meters: int, per_meter: int, request_rows: int, first: int = 0) -> None:
        """`per_meter` rows of each of `request_rows / per_meter` meters make a request; numbers begin with `first`."""
        self.journals = [Journal(title_of(number)) for number in range(first, first + meters)]
        self._times = Times()
        self._per_meter = per_meter
        self._meters = max(1, request_rows // per_meter)
        self._next = 0

    def bodies(self, rows: int) -> Iterator[Request]:
        """The next requests, of `rows` rows together."""
        while rows > 0:
            batches, count = [], 0
            while rows > 0 and len(batches) < min(self._meters, len(self.journals)):
                journal = self.journals[self._next]
                self._next = (self._next + 1) % len(self.journals)
                size = min(self._per_meter, rows)
                batches.append(self._batch(journal, size))
                count, rows = count + size, rows - size
            yield Request(body=msgspec.json.encode({"batches": batches}), rows=count)

    def _batch(self, journal: Journal, size: int) -> dict[str, object]:
        first = journal.sequence + 1
        return {
            "system_title": str(journal.title),
            "first": first,
            "rows": base64.b64encode(journal.rows(size, self._times)).decode(),
            "items": ITEMS,
            "currency": CURRENCY,
        }
