"""A head-end in memory, as the gateway sees it over HTTP: takes rows and events, answers with what it has in all.

It follows the contract of `design/pipeline.md`: exactly once by (meter, sequence), the row compared and the chain
checked; cumulative answers; gap, conflict, unknown meter.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dlms_objects.errors import RemoteError
from dlms_objects.purse.chain import verify_octets
from dlms_objects.purse.entry import ROW_LENGTH, JournalHead
from dlms_objects.values.system_title import SystemTitle
from gateway.headend_client import HeadendUnavailableError


@dataclass
class Books:
    """What the head-end has of one meter; `times_seen` counts how often each row arrived."""

    title: SystemTitle
    rows: list[bytes] = field(default_factory=list)
    balance: int = 0
    head: JournalHead = field(init=False)
    events: dict[int, dict[str, Any]] = field(default_factory=dict)
    items: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    currency: dict[str, Any] | None = None
    times_seen: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.head = JournalHead.empty(self.title)


class FakeHeadend:
    """Satisfies `gateway.headend_client.Headend`.

    `step(what)` is called when a request arrives, before anything is kept, and before the answer leaves, when all is
    kept; it may raise, as a line or a process may end there.
    """

    def __init__(self, *titles: SystemTitle, step: Callable[[str], None] = lambda _what: None) -> None:
        self.books = {str(title): Books(title) for title in titles}
        self.requests: list[tuple[str, str, Any]] = []
        self.step = step
        self.commands: dict[str, dict[str, Any]] = {}
        self.results: dict[str, dict[str, Any]] = {}

    async def request(self, method: str, path: str, body: bytes) -> bytes:
        """Answer as the head-end's API does."""
        document = json.loads(body or b"{}")
        path = path.partition("?")[0]
        self.requests.append((method, path, document))
        self.step(f"before {path}")
        match path.rsplit("/", 1)[-1]:
            case "records":
                answer = {"meters": [self.take_records(batch) for batch in document["batches"]]}
            case "events":
                answer = {"meters": [self._take_events(batch) for batch in document["batches"]]}
            case "commands":
                answer = {"commands": [row for key, row in self.commands.items() if key not in self.results]}
            case "result":
                answer = self._take_result(path.split("/")[-2], document)
            case _:
                answer = {}
        self.step(f"after {path}")
        return json.dumps(answer).encode()

    def take_records(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Book one batch, or say why not."""
        books = self.books.get(batch["system_title"])
        if books is None:
            return {"system_title": batch["system_title"], "status": "unknown_meter", "sequence": 0, "digest": ""}
        octets = base64.b64decode(batch["rows"], validate=True)
        rows = [octets[start : start + ROW_LENGTH] for start in range(0, len(octets), ROW_LENGTH)]
        if batch["first"] > books.head.sequence + 1:
            return _answer(books, "gap", "rows before these are missing")
        known = books.rows[batch["first"] - 1 :][: len(rows)]
        if rows[: len(known)] != known:
            return _answer(books, "conflict", "different rows")
        fresh = b"".join(rows[len(known) :])
        try:
            books.head, books.balance = verify_octets(fresh, books.head, books.balance)
        except RemoteError as error:
            return _answer(books, "conflict", str(error))
        for sequence in range(batch["first"], batch["first"] + len(rows)):
            books.times_seen[sequence] = books.times_seen.get(sequence, 0) + 1
        books.rows += rows[len(known) :]
        books.currency = batch["currency"]
        books.items |= {(item["number"], item["revision"]): item for item in batch["items"]}
        return _answer(books, "accepted", None)

    def command(self, identifier: str, title: SystemTitle, kind: str, **rest: Any) -> None:
        """Order something of a meter; `parameters`, `priority` and `expires_at` as they travel."""
        self.commands[identifier] = {"id": identifier, "system_title": str(title), "kind": kind, **rest}

    def _take_result(self, identifier: str, document: dict[str, Any]) -> dict[str, Any]:
        if identifier not in self.commands:
            raise HeadendUnavailableError("unknown", 404)
        if self.results.setdefault(identifier, document) != document:
            raise HeadendUnavailableError("another result is there", 409)
        return {}

    def _take_events(self, batch: dict[str, Any]) -> dict[str, Any]:
        title = batch["system_title"]
        books = self.books.get(title)
        if books is None:
            return {"system_title": title, "status": "unknown_meter", "number": 0}
        for row in batch["rows"]:
            if books.events.setdefault(row["number"], row) != row:
                return {"system_title": title, "status": "conflict", "number": max(books.events)}
        return {"system_title": title, "status": "accepted", "number": max(books.events, default=0)}


def _answer(books: Books, status: str, detail: str | None) -> dict[str, Any]:
    return {
        "system_title": str(books.title),
        "status": status,
        "sequence": books.head.sequence,
        "digest": books.head.digest.hex(),
        "detail": detail,
    }
