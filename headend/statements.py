"""Reading the books: purses, entries, mailboxes and reconciliations, as the API shows them.

Only reads. Amounts are minor units. Imported by `api`.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Row, Select, func, select

from dlms_objects.purse.entry import Entry, EntryKind
from dlms_objects.values.civil import time_zone
from dlms_objects.values.money import Currency
from headend.books import descriptors_of
from headend.descriptors import UNKNOWN, Descriptor, Descriptors
from headend.ledger import needs_payee, purse_sums
from headend.notices import Facts, Language, NoticeKind
from headend.rendering import Text, render
from headend.schema import COUNTER_LINE, account, evidence, meter, notice, posting
from headend.schema import entry as entry_table
from headend.told import FACTS_COLUMNS, facts_from, with_entries
from headend.visibility import Condition

EVIDENCE_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """One household's purse: the balance in the books, and how far they reach."""

    meter_id: int
    system_title: str
    household: str
    language: Language
    time_zone: str
    currency: Currency | None
    balance: int
    sequence: int
    digest: bytes
    conflicts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedEntry:
    """A journal entry, the account on its other side, and what its fee item was called."""

    entry: Entry
    account: str
    descriptor: Descriptor


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A notice in a mailbox: its facts and its text in the language asked for."""

    notice_id: int
    kind: NoticeKind
    number: int
    facts: Facts
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A row that was turned away; `held_row` is what the ledger has instead, None when it is empty."""

    sequence: int
    cause: str
    detail: str
    held_row: bytes | None
    received_row: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The books of one meter, counted afresh from its entries and postings; amounts in minor units."""

    purse: Purse
    counts: dict[EntryKind, int]
    entries_sum: int
    postings_sum: int
    unbalanced_entries: int
    evidence: tuple[Evidence, ...]

    @property
    def is_balanced(self) -> bool:
        """Entries, purse postings and the meter's running balance agree, and each entry's postings sum to zero."""
        return (
            self.entries_sum == self.postings_sum == self.purse.balance
            and self.unbalanced_entries == 0
            and sum(self.counts.values()) == self.purse.sequence
        )


def purses(connection: Connection, seen: Condition) -> list[Purse]:
    """The purses of the meters that are seen (a condition of `visibility`), by system title."""
    return [_purse(row) for row in connection.execute(_PURSES.where(seen).order_by(meter.c.system_title))]


def purse(connection: Connection, system_title: str, seen: Condition) -> Purse | None:
    """One purse, or None when no such meter is seen."""
    row = connection.execute(_PURSES.where(meter.c.system_title == system_title, seen)).one_or_none()
    return None if row is None else _purse(row)


def purse_numbered(connection: Connection, meter_id: int) -> Purse:
    """The purse of a meter by its number in the database, which must be there."""
    return _purse(connection.execute(_PURSES.where(meter.c.id == meter_id)).one())


def fee_items(connection: Connection, meter_id: int) -> tuple[Descriptor, ...]:
    """The newest known descriptor of every fee item of a meter."""
    return descriptors_of(connection, [meter_id]).get(meter_id, Descriptors()).all_newest()


def entries(connection: Connection, meter_id: int, *, after: int, limit: int) -> list[BookedEntry]:
    """At most `limit` entries with a sequence above `after`, in order."""
    rows = connection.execute(
        select(entry_table.c.row, account.c.name)
        .join(
            posting,
            (posting.c.meter_id == entry_table.c.meter_id)
            & (posting.c.sequence == entry_table.c.sequence)
            & (posting.c.line == COUNTER_LINE),
        )
        .join(account, account.c.id == posting.c.account_id)
        .where(entry_table.c.meter_id == meter_id, entry_table.c.sequence > after)
        .order_by(entry_table.c.sequence)
        .limit(limit)
    ).all()
    known = descriptors_of(connection, [meter_id]).get(meter_id, Descriptors())
    return [_booked(Entry.from_row(row.row), row.name, known) for row in rows]


def mailbox(
    connection: Connection, reader: Purse, *, language: Language | None, after: int, limit: int
) -> list[Letter]:
    """At most `limit` notices with an id above `after`, oldest first, in `language` (default: the household's)."""
    rows = connection.execute(
        select(notice.c.id, notice.c.kind, notice.c.number, *FACTS_COLUMNS)
        .select_from(with_entries(notice))
        .where(notice.c.meter_id == reader.meter_id, notice.c.id > after)
        .order_by(notice.c.id)
        .limit(limit)
    )
    zone = time_zone(reader.time_zone)
    letters = []
    for row in rows:
        kind, facts = NoticeKind(row.kind), facts_from(row)
        text = render(kind, facts, language=language or reader.language, currency=reader.currency, zone=zone)
        letters.append(Letter(notice_id=row.id, kind=kind, number=row.number, facts=facts, text=text))
    return letters


def reconciliation(connection: Connection, system_title: str, seen: Condition) -> Reconciliation | None:
    """Count the books of a meter afresh, or None when no such meter is seen."""
    found = purse(connection, system_title, seen)
    if found is None:
        return None
    kinds = connection.execute(
        select(entry_table.c.kind, func.count())
        .where(entry_table.c.meter_id == found.meter_id)
        .group_by(entry_table.c.kind)
    )
    counts = dict.fromkeys(EntryKind, 0) | {EntryKind(kind): count for kind, count in kinds}
    return Reconciliation(
        purse=found,
        counts=counts,
        entries_sum=_entries_sum(connection, found.meter_id),
        postings_sum=purse_sums(connection, [found.meter_id]).get(found.meter_id, 0),
        unbalanced_entries=_unbalanced_entries(connection, found.meter_id),
        evidence=_evidence(connection, found.meter_id),
    )


_PURSES: Select[tuple[object, ...]] = select(
    meter,
    select(func.count()).where(evidence.c.meter_id == meter.c.id).scalar_subquery().label("conflicts"),
)


def _purse(row: Row[tuple[object, ...]]) -> Purse:
    return Purse(
        meter_id=row.id,
        system_title=row.system_title,
        household=row.household,
        language=row.language,
        time_zone=row.time_zone,
        currency=None if row.currency_code is None else Currency(row.currency_code, row.currency_scale),
        balance=row.balance_minor,
        sequence=row.sequence,
        digest=row.digest,
        conflicts=row.conflicts,
    )


def _booked(entry: Entry, counter: str, known: Descriptors) -> BookedEntry:
    descriptor = known.at(entry.fee_item, entry.revision) if needs_payee(entry.kind, entry.fee_item) else UNKNOWN
    return BookedEntry(entry=entry, account=counter, descriptor=descriptor)


def _entries_sum(connection: Connection, meter_id: int) -> int:
    total = connection.execute(
        select(func.sum(entry_table.c.amount_minor)).where(entry_table.c.meter_id == meter_id)
    ).scalar_one()
    return int(total or 0)


def _unbalanced_entries(connection: Connection, meter_id: int) -> int:
    """How many entries do not have two postings that sum to zero."""
    unbalanced = (
        select(entry_table.c.sequence)
        .join(
            posting,
            (posting.c.meter_id == entry_table.c.meter_id) & (posting.c.sequence == entry_table.c.sequence),
            isouter=True,
        )
        .where(entry_table.c.meter_id == meter_id)
        .group_by(entry_table.c.sequence)
        .having((func.count(posting.c.line) != 2) | (func.sum(posting.c.amount_minor) != 0))
        .subquery()
    )
    return connection.execute(select(func.count()).select_from(unbalanced)).scalar_one()


def _evidence(connection: Connection, meter_id: int) -> tuple[Evidence, ...]:
    rows = connection.execute(
        select(evidence).where(evidence.c.meter_id == meter_id).order_by(evidence.c.id).limit(EVIDENCE_SHOWN)
    )
    return tuple(
        Evidence(
            sequence=row.sequence,
            cause=row.cause,
            detail=row.detail,
            held_row=row.held_row,
            received_row=row.received_row,
        )
        for row in rows
    )
