"""A head-end process that writes to InfluxDB, journals to feed it with, and the ledger's own totals to compare with."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx

from deploy.demo.daemons import Daemon
from deploy.demo.influxdb import InfluxWorld, free_port
from dlms_objects.purse.outcome import EventCode
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle
from headend.config import MeterConfig
from headend.events import MeterEvent
from headend.influx.query import query
from headend.influx.target import Target
from headend.setup import create
from tests.support.headend_books import FIRST_INSTANT, RENT, SHANGHAI, WATER, MeterJournal
from tests.support.headend_uploads import event_json, records_json

PATIENCE_S = 60
Totals = dict[tuple[str, str, str, str, str], tuple[int, int]]
"""Count and sum of `amount_minor` by (meter, currency, kind, item, payee)."""

SERIES = ("meter", "currency", "kind", "item", "payee")
_COUNTED = f"""SELECT count("amount_minor"), sum("amount_minor") FROM "purse_entry" GROUP BY {", ".join(SERIES)}"""
_LEDGER_TOTALS = """
SELECT meter.system_title, account.currency_code, entry.kind, entry.fee_item, account.name,
       count(*), sum(entry.amount_minor)
FROM entry JOIN meter ON meter.id = entry.meter_id
JOIN posting ON posting.meter_id = entry.meter_id AND posting.sequence = entry.sequence AND posting.line = 1
JOIN account ON account.id = posting.account_id
GROUP BY 1, 2, 3, 4, 5
"""
_KINDS = {1: "deduction", 2: "top_up", 3: "reversal", 4: "adjustment"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FedHeadend:
    """A head-end in a process of its own that writes to an InfluxDB."""

    folder: Path
    url: str
    token: str
    daemon: Daemon

    def upload(self, journal: MeterJournal, first: int, last: int) -> None:
        """Upload rows as a gateway does: again and again until the head-end has answered for them."""
        self._post("records", records_json(journal.batch(first, last)))

    def upload_events(self, title: SystemTitle, events: list[MeterEvent]) -> None:
        """Upload event rows in the same way."""
        rows = [event_json(event) for event in events]
        self._post("events", {"batches": [{"system_title": str(title), "rows": rows}]})

    def _post(self, what: str, body: object) -> None:
        deadline = time.monotonic() + PATIENCE_S
        headers = {"Authorization": f"Bearer {self.token}"}
        while time.monotonic() < deadline:
            try:
                answer = httpx.post(f"{self.url}/api/gateway/v1/{what}", json=body, headers=headers, timeout=30)
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code == 200:
                assert answer.json()["meters"][0]["status"] == "accepted"
                return
            time.sleep(0.05)
        raise AssertionError("the head-end does not take the rows")

    def waiting(self) -> int:
        """Points that are still to be delivered."""
        with self._ledger() as ledger:
            return int(ledger.execute("SELECT coalesce(sum(points), 0) FROM point_bundle").fetchone()[0])

    def drained(self) -> None:
        """Wait until the outbox of points is empty, but for the head-end's own figures."""
        deadline = time.monotonic() + PATIENCE_S
        while self.waiting() > 1:
            assert time.monotonic() < deadline, f"{self.waiting()} points are still waiting"
            time.sleep(0.1)

    def refused(self) -> list[tuple[str, str]]:
        """The refused points and why."""
        with self._ledger() as ledger:
            return ledger.execute("SELECT line, reason FROM refused_point").fetchall()

    def totals(self) -> Totals:
        """The ledger's totals by series, counted by SQL alone."""
        labels = {0: "-", RENT.number: RENT.label, WATER.number: WATER.label}
        with self._ledger() as ledger:
            rows = ledger.execute(_LEDGER_TOTALS).fetchall()
        return {
            (meter, currency, _KINDS[kind], labels[item], _payee(account)): (count, total)
            for meter, currency, kind, item, account, count, total in rows
        }

    @contextmanager
    def _ledger(self) -> Iterator[sqlite3.Connection]:
        ledger = sqlite3.connect(f"file:{self.folder / 'headend.sqlite'}?mode=ro", uri=True, timeout=30)
        try:
            yield ledger
        finally:
            ledger.close()


@contextmanager
def fed_headend(folder: Path, titles: list[SystemTitle], world: InfluxWorld | None) -> Iterator[FedHeadend]:
    """A head-end for these meters, up, writing to that InfluxDB (None: to none)."""
    port = free_port()
    meters = [MeterConfig(system_title=str(title), household=f"Unit {title}") for title in titles]
    made = create(folder, meters=meters, listen=f"127.0.0.1:{port}")
    if world is not None:
        with made.config.open("a") as config:
            config.write(world.headend_toml())
    fed = FedHeadend(
        folder=folder,
        url=f"http://127.0.0.1:{port}",
        token=made.gateway_token.read_text().strip(),
        daemon=Daemon("head-end", ["headend", "run", str(folder)], folder.with_suffix(".log")),
    )
    fed.daemon.start()
    try:
        yield fed
    finally:
        fed.daemon.kill()


def bucket_totals(target: Target) -> Totals:
    """The same totals as InfluxDB has them."""
    return {
        (tags["meter"], tags["currency"], tags["kind"], tags["item"], tags["payee"]): (row["count"], row["sum"])
        for series in query(target, _COUNTED)
        for tags, row in [(series.tags, series.rows[0])]
    }


def made_journal(title: SystemTitle, entries: int) -> MeterJournal:
    """A journal of top-ups and deductions for two fee items, entries an hour apart."""
    journal = MeterJournal(title)
    for number in range(entries):
        if number % 10 == 0:
            journal.top_up(100_000)
        else:
            journal.deduct(1_000 + number % 7, WATER if number % 2 else RENT)
    return journal


def usual_events() -> list[MeterEvent]:
    """Three events: two that a household is told about, one refused association."""
    return [
        MeterEvent(
            number=number,
            time=CosemDateTime.from_instant(FIRST_INSTANT + timedelta(days=number), SHANGHAI),
            code=int(code),
            fee_item=1,
            value=value,
            due=None,
        )
        for number, (code, value) in enumerate(
            [(EventCode.LOW_BALANCE, 900), (EventCode.SHORTFALL_AHEAD, 350_000), (EventCode.ASSOCIATION_REFUSED, 0)], 1
        )
    ]


def _payee(account: str) -> str:
    return account.removeprefix("payable:") if account.startswith("payable:") else "-"
