"""Every chain of every meter, streamed: rows, columns, postings and notices of each entry, and the heads.

Entries are read in order through one cursor, so that memory stays the same however long the books are. Whole minor
units only. Imported by `whole`.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, and_, case, literal, select

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.entry import Entry, EntryKind, JournalHead, row_digest
from dlms_objects.values.system_title import SystemTitle
from headend.books import descriptors_of
from headend.descriptors import Descriptors
from headend.ledger import UNASSIGNED, counter_account, needs_payee, purse_account
from headend.notices import OF_ENTRY
from headend.schema import COUNTER_LINE, PURSE_LINE, account, entry, meter, notice, posting
from headend.verify.findings import Findings

PAGE = 10_000
"""Entries that are in memory at once."""
METERS = 500
"""Meters whose fee items are in memory at once."""

_PURSE, _COUNTER = posting.alias("purse"), posting.alias("counter")
_NOTICE_KIND = case({int(kind): told.value for kind, told in OF_ENTRY.items()}, value=entry.c.kind, else_=literal(""))


def check_chains(connection: Connection, findings: Findings) -> tuple[int, int]:
    """Look through all entries of all meters; how many meters and entries there were."""
    accounts = _Accounts(connection)
    meters = entries = last = 0
    while True:
        page = connection.execute(select(meter).where(meter.c.id > last).order_by(meter.c.id).limit(METERS)).all()
        if not page:
            return meters, entries
        known = descriptors_of(connection, [row.id for row in page])
        first, last = page[0].id, page[-1].id
        streamed = groupby(_entries(connection, first, last), key=lambda row: row.meter_id)
        of_meter = next(streamed, None)
        for row in page:
            while of_meter is not None and of_meter[0] < row.id:  # entries of a meter that is lost: `books` tells
                of_meter = next(streamed, None)
            rows: Iterable[Row[Any]] = ()
            if of_meter is not None and of_meter[0] == row.id:
                rows = of_meter[1]
            chain = _Chain(row, known.get(row.id, Descriptors()), accounts, findings)
            for each in rows:
                chain.follow(each)
            chain.finish()
            entries += chain.count
            if of_meter is not None and of_meter[0] == row.id:
                of_meter = next(streamed, None)
        meters += len(page)


def _entries(connection: Connection, first: int, last: int) -> Iterator[Row[Any]]:
    def of_entry(line: Any, number: int) -> Any:
        return and_(line.c.meter_id == entry.c.meter_id, line.c.sequence == entry.c.sequence, line.c.line == number)

    return iter(
        connection.execution_options(yield_per=PAGE).execute(
            select(
                entry,
                _PURSE.c.account_id.label("purse_id"),
                _PURSE.c.amount_minor.label("purse_amount"),
                _COUNTER.c.account_id.label("counter_id"),
                _COUNTER.c.amount_minor.label("counter_amount"),
                notice.c.id.label("notice_id"),
            )
            .select_from(entry)
            .outerjoin(_PURSE, of_entry(_PURSE, PURSE_LINE))
            .outerjoin(_COUNTER, of_entry(_COUNTER, COUNTER_LINE))
            .outerjoin(
                notice,
                and_(
                    notice.c.meter_id == entry.c.meter_id,
                    notice.c.kind == _NOTICE_KIND,
                    notice.c.number == entry.c.sequence,
                ),
            )
            .where(entry.c.meter_id.between(first, last))
            .order_by(entry.c.meter_id, entry.c.sequence)
        )
    )


class _Accounts:
    """Organisation, name and currency of an account by its number; the latest asked for are remembered."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.of = lru_cache(PAGE)(self._read)

    def _read(self, number: int) -> tuple[int, str, str, int] | None:
        row = self._connection.execute(select(account).where(account.c.id == number)).one_or_none()
        return None if row is None else (row.organisation_id, row.name, row.currency_code, row.currency_scale)


class _Chain:
    """One meter's journal as far as it has been followed; what is at fault is told and the next row taken as it is."""

    def __init__(self, of: Row[Any], known: Descriptors, accounts: _Accounts, findings: Findings) -> None:
        self._meter = of
        self._known = known
        self._accounts = accounts
        self._findings = findings
        self._sequence, self._balance, self.count = 0, 0, 0
        try:
            self._digest: bytes = JournalHead.empty(SystemTitle.parse(of.system_title)).digest
        except InvalidValueError:
            self._digest = b""
            self._say("head", "its system title is none")

    def _say(self, kind: str, what: str, sequence: int | None = None) -> None:
        self._findings.add(kind, what, meter=self._meter.system_title, sequence=sequence)

    def follow(self, row: Row[Any]) -> None:
        """Take the next entry."""
        self.count += 1
        sequence = row.sequence
        try:
            made = Entry.from_row(row.row)
        except InvalidValueError as error:
            self._say("chain", f"its octets are no journal row ({error})", sequence)
            self._sequence, self._balance = sequence, row.balance_minor
            return
        if sequence != self._sequence + 1:
            self._say("chain", f"entry {self._sequence + 1} is wanted here", sequence)
        if row_digest(self._digest, row.row) != made.digest:
            self._say("chain", "its digest does not follow from the entries before it", sequence)
        if self._balance + made.amount != made.balance:
            self._say("chain", f"its balance is {made.balance}, not {self._balance + made.amount}", sequence)
        self._compare(row, made)
        self._postings(row, made)
        if row.notice_id is None:
            self._say("notice", "it has no notice of its kind", sequence)
        self._sequence, self._digest, self._balance = sequence, made.digest, made.balance

    def finish(self) -> None:
        """Hold the meter's own columns against the last entry."""
        of = self._meter
        if of.sequence != self._sequence:
            self._say("head", f"the meter's head is entry {of.sequence}, the last entry is {self._sequence}")
        if of.digest != self._digest:
            self._say("head", "the digest of the meter's head is not that of the last entry")
        if of.balance_minor != self._balance:
            self._say("head", f"the meter's balance is {of.balance_minor}, the last entry leaves {self._balance}")
        if of.stated_sequence > self._sequence:
            self._say("head", f"statements reach to entry {of.stated_sequence}, past the last, {self._sequence}")
        if self.count and of.currency_code is None:
            self._say("head", "it has entries but no currency")

    def _compare(self, row: Row[Any], made: Entry) -> None:
        for name, column, octets in (
            ("sequence", row.sequence, made.sequence),
            ("kind", row.kind, made.kind),
            ("fee_item", row.fee_item, made.fee_item),
            ("amount_minor", row.amount_minor, made.amount),
            ("balance_minor", row.balance_minor, made.balance),
        ):
            if column != octets:
                self._say("columns", f"the column {name} says {column}, the meter's row {octets}", row.sequence)
        if row.item_revision is not None:
            if row.item_revision > made.revision or not needs_payee(made.kind, made.fee_item):
                self._say("columns", f"item_revision {row.item_revision} cannot be this entry's", row.sequence)
            elif self._known.at(made.fee_item, row.item_revision).revision != row.item_revision:
                self._say("reference", f"fee item {made.fee_item} has no revision {row.item_revision}", row.sequence)

    def _postings(self, row: Row[Any], made: Entry) -> None:
        for side, amount, wanted, number, names in (
            ("purse", row.purse_amount, made.amount, row.purse_id, {purse_account(self._meter.system_title)}),
            ("counter", row.counter_amount, -made.amount, row.counter_id, self._counters(made, row.item_revision)),
        ):
            if amount is None:
                self._say("posting", f"its {side} posting is missing", row.sequence)
                continue
            if amount != wanted:
                self._say("posting", f"its {side} posting is of {amount}, not {wanted}", row.sequence)
            self._account(side, number, names, row.sequence)

    def _account(self, side: str, number: int, names: set[str], sequence: int) -> None:
        found = self._accounts.of(number)
        if found is None:
            self._say("account", f"its {side} account {number} is not there", sequence)
            return
        organisation, name, code, scale = found
        if name not in names:
            self._say("account", f"its {side} posting is on account {number}, the wrong one", sequence)
        if organisation != self._meter.organisation_id:
            self._say("account", f"its {side} account {number} is another organisation's", sequence)
        if (code, scale) != (self._meter.currency_code, self._meter.currency_scale):
            self._say("account", f"its {side} account {number} is in another currency", sequence)

    def _counters(self, made: Entry, item_revision: int | None) -> set[str]:
        """The accounts that may stand on the other side: one, but for entries older than `item_revision`."""
        if not needs_payee(made.kind, made.fee_item):
            return {counter_account(made.kind, made.fee_item, "")}
        if item_revision is not None:
            payee = self._known.at(made.fee_item, item_revision).payee
            return {counter_account(made.kind, made.fee_item, payee)}
        told = {self._known.at(made.fee_item, revision).payee for revision in range(made.revision + 1)[-8:]}
        return {UNASSIGNED} | {counter_account(EntryKind.DEDUCTION, made.fee_item, payee) for payee in told}
