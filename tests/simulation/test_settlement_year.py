"""A year of a thousand households: what each payee is owed is what was deducted less what was given back, to the fen.

The expected sums are kept beside the journals as they are made, and know nothing of the ledger. Each month some meters
are out of reach and come a month late, so that periods close without them.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from dlms_objects.purse.entry import EntryKind
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle
from headend import settled, settlement
from headend.books import register
from headend.config import MeterConfig
from headend.database import transaction
from headend.descriptors import Descriptor
from headend.engines import Purpose
from headend.ingest import Status, ingest
from headend.settlement import PeriodEnd, Sums
from headend.visibility import EVERY_METER
from tests.support.headend_books import SHANGHAI, MeterJournal, make_database

HOUSEHOLDS = 1_000
SEED = 20261127
ZONE = "Asia/Shanghai"
AFTER_THE_YEAR = datetime(2027, 2, 1, tzinfo=UTC)
ITEMS = tuple(
    Descriptor(number=number, revision=1, kind=number, label=label, payee=payee)
    for number, (label, payee) in enumerate(
        (
            ("Rent", "landlord"),
            ("Property", "property"),
            ("Water", "waterworks"),
            ("Electricity", "grid"),
            ("Gas", "gasworks"),
        ),
        1,
    )
)


@dataclass
class Expected:
    """What a payee is owed by period, counted beside the ledger: what has come and was made before the period's end."""

    arrived: list[tuple[date, int]] = field(default_factory=list)

    def closed(self, end: date) -> int:
        """The sum of what is taken by a period that ends so; it is taken once."""
        taken = sum(amount for day, amount in self.arrived if day < end)
        self.arrived = [(day, amount) for day, amount in self.arrived if day >= end]
        return taken


class Household:
    """One meter's journal, month by month."""

    def __init__(self, number: int, dice: random.Random) -> None:
        """Nothing has happened yet."""
        self.title = SystemTitle.parse(f"4D5052{number:010X}")
        self.journal = MeterJournal(self.title)
        self.sent = 0
        self._dice = dice

    def live(self, month: int) -> Iterator[tuple[str, date, int]]:
        """A top-up and five deductions, now and then a reversal: payee, day and what the payee gains."""
        self.journal.top_up(5_000_00)
        for item in ITEMS:
            day = self._dice.randint(1, 28)
            amount = self._dice.randint(1, 4_000_00)
            self._append(EntryKind.DEDUCTION, -amount, item, month, day)
            yield item.payee, date(2026, month, day), amount
            if self._dice.random() < 0.02:
                self._append(EntryKind.REVERSAL, amount, item, month, day)
                yield item.payee, date(2026, month, day), -amount

    def _append(self, kind: EntryKind, amount: int, item: Descriptor, month: int, day: int) -> None:
        time = CosemDateTime.from_instant(datetime(2026, month, day, 12, tzinfo=SHANGHAI), SHANGHAI)
        self.journal.append(kind, amount, fee_item=item.number, revision=1, time=time)

    def upload(self, connection: Connection) -> None:
        """Send what was not sent yet."""
        first, self.sent = self.sent + 1, len(self.journal.entries)
        answers, malformed = ingest(connection, [self.journal.batch(first, items=ITEMS)])
        assert (answers[0].status, malformed) == (Status.ACCEPTED, [])


def first_of_next(month: int) -> date:
    return (date(2026, month, 28) + timedelta(days=4)).replace(day=1)


def live_a_year(connection: Connection, households: int, dice: random.Random) -> list[str]:
    """Live, upload, and close month by month; where the periods are not what was counted beside them."""
    homes = [Household(number, dice) for number in range(1, households + 1)]
    for home in homes:
        register(connection, MeterConfig(system_title=str(home.title), household=f"flat {home.title}"))
    expected = {item.payee: Expected() for item in ITEMS}
    held: dict[int, list[tuple[str, date, int]]] = {number: [] for number in range(households)}
    wrong: list[str] = []
    for month in range(1, 13):
        for number, home in enumerate(homes):
            held[number] += home.live(month)
            if dice.random() < 0.05 and month < 12:
                continue  # out of reach this month
            home.upload(connection)
            for payee, day, amount in held[number]:
                expected[payee].arrived.append((day, amount))
            held[number] = []
        end = first_of_next(month)
        for payable in settlement.payables(connection, EVERY_METER):
            number = settlement.close(connection, payable, PeriodEnd(day=end, zone=ZONE), by="year", now=AFTER_THE_YEAR)
            period = settled.period(connection, payable.payee, number, EVERY_METER)
            wanted = expected[payable.payee].closed(end)
            if period is None or period.sums.payable_minor != wanted:
                wrong.append(f"{payable.payee} {end}: {period and period.sums.payable_minor}, not {wanted}")
    assert all(not each.arrived for each in expected.values())
    return wrong


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A fresh ledger on SQLite; that PostgreSQL settles alike is shown by tests/headend/test_settlement.py."""
    return make_database(tmp_path / "headend.sqlite")


def test_a_year_of_a_thousand_households_is_settled_to_the_fen(ledger: Path) -> None:
    with transaction(ledger, Purpose.WRITE) as connection:
        assert live_a_year(connection, HOUSEHOLDS, random.Random(SEED)) == []
        payees = settlement.payables(connection, EVERY_METER)
        assert len(payees) == len(ITEMS)
        late = 0
        for payable in payees:
            assert settlement.open_lines(connection, payable) == []
            found = settled.periods(connection, payable.payee, EVERY_METER, after=0, limit=99)
            assert len(found) == 12
            late += sum(period.sums.late_entries for period in found)
        assert late > HOUSEHOLDS


@pytest.mark.parametrize("fault", ["reversals forgotten", "late entries lost"])
def test_a_settlement_with_a_fault_is_found_out(ledger: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    if fault == "reversals forgotten":
        sums = Sums.of
        monkeypatch.setattr(Sums, "of", lambda lines: replace(sums(lines), reversed_minor=0))
    else:
        lines = settlement.open_lines
        monkeypatch.setattr(settlement, "open_lines", lambda *told: [line for line in lines(*told) if not line.is_late])
    with transaction(ledger, Purpose.WRITE) as connection:
        assert live_a_year(connection, 40, random.Random(SEED)) != []
