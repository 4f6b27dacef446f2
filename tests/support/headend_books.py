"""Journals made as a meter makes them, and a database to put them into: shared by the tests of `headend/`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from dlms_objects.purse.entry import Entry, EntryKind, JournalHead
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle
from headend.books import register
from headend.config import MeterConfig
from headend.database import migrate, transaction
from headend.descriptors import Descriptor
from headend.engines import Purpose, connect
from headend.ingest import Batch
from headend.place import Place

PlaceT = TypeVar("PlaceT", bound=Place)

TITLE = SystemTitle.parse("4D50520000000001")
OTHER_TITLE = SystemTitle.parse("4D50520000000002")
UNKNOWN_TITLE = SystemTitle.parse("4D505200000000FF")
CNY = Currency("CNY", -2)
SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST_INSTANT = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
RENT = Descriptor(number=1, revision=1, kind=1, label="房租", payee="landlord")
WATER = Descriptor(number=2, revision=1, kind=3, label="Water", payee="waterworks")


class MeterJournal:
    """Writes a meter's journal: each call appends one entry, numbered, chained and balanced."""

    def __init__(self, title: SystemTitle = TITLE) -> None:
        """An empty journal."""
        self.title = title
        self.entries: list[Entry] = []

    @property
    def balance(self) -> int:
        """The balance after the last entry, in minor units."""
        return self.entries[-1].balance if self.entries else 0

    def append(
        self,
        kind: EntryKind,
        amount: int,
        *,
        fee_item: int = 0,
        revision: int = 0,
        reference: bytes = bytes(16),
        balance: int | None = None,
        time: CosemDateTime | None = None,
    ) -> Entry:
        """Append an entry of that signed amount; `balance` forges the running balance, `time` the meter's clock."""
        head = self.entries[-1].head if self.entries else JournalHead.empty(self.title)
        now = FIRST_INSTANT + timedelta(hours=len(self.entries))
        due = CosemDateTime.NOT_SPECIFIED
        if kind is EntryKind.DEDUCTION:
            due = CosemDateTime.from_civil(now.astimezone(SHANGHAI).replace(tzinfo=None, minute=0))
        entry = Entry.chained(
            head,
            time=CosemDateTime.from_instant(now, SHANGHAI) if time is None else time,
            kind=kind,
            amount=amount,
            balance=self.balance + amount if balance is None else balance,
            fee_item=fee_item,
            due=due,
            reference=reference,
            revision=revision,
        )
        self.entries.append(entry)
        return entry

    def top_up(self, amount: int) -> Entry:
        """Append a top-up."""
        return self.append(EntryKind.TOP_UP, amount, reference=bytes(15) + b"\x01")

    def deduct(self, amount: int, item: Descriptor = RENT) -> Entry:
        """Append a deduction of a positive amount for a fee item."""
        return self.append(EntryKind.DEDUCTION, -amount, fee_item=item.number, revision=item.revision)

    def batch(self, first: int = 1, last: int | None = None, *, items: Sequence[Descriptor] = (RENT, WATER)) -> Batch:
        """Entries `first` to `last` (default: all) as a gateway sends them."""
        return batch_of(self.title, first, self.entries[first - 1 : last], items=items)


def batch_of(
    title: SystemTitle,
    first: int,
    entries: Sequence[Entry],
    *,
    items: Sequence[Descriptor] = (RENT, WATER),
    currency: Currency = CNY,
) -> Batch:
    """Any entries as a batch that begins with `first`."""
    rows = b"".join(entry.row() for entry in entries)
    return Batch(title=title, first=first, rows=rows, items=tuple(items), currency=currency)


def usual_journal(title: SystemTitle = TITLE) -> MeterJournal:
    """Six entries of all kinds: two top-ups, two deductions, one of them reversed, an adjustment."""
    journal = MeterJournal(title)
    journal.top_up(500_000)
    journal.deduct(350_000, RENT)
    journal.deduct(4_310, WATER)
    journal.append(EntryKind.REVERSAL, 4_310, fee_item=WATER.number, revision=WATER.revision, reference=b"r" * 16)
    journal.top_up(1)
    journal.append(EntryKind.ADJUSTMENT, -7, reference=b"a" * 16)
    return journal


def make_database(place: PlaceT) -> PlaceT:
    """A migrated database with the meters TITLE (zh-CN) and OTHER_TITLE (en) registered."""
    if isinstance(place, Path):
        place.touch()
    with transaction(place, Purpose.MIGRATE) as connection:
        migrate(connection)
        register(connection, MeterConfig(system_title=str(TITLE), household="一号楼301"))
        register(connection, MeterConfig(system_title=str(OTHER_TITLE), household="Unit 2", language="en"))
    return place


@contextmanager
def books(place: Place) -> Iterator[Connection]:
    """A connection to work on, of which nothing stays."""
    engine = connect(place)
    try:
        with engine.connect() as connection, connection.begin() as work:
            yield connection
            work.rollback()
    finally:
        engine.dispose()
