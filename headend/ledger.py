"""Double entry: which accounts an entry moves money between, and the accounts themselves.

Whole minor units only; no float, no division. A posting is signed as the account's holder sees it: what a purse loses,
a payee gains, and the two postings of one entry sum to zero. Imported by `booking`, `ingest` and `statements`.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, func, insert, select

from dlms_objects.purse.entry import EntryKind
from dlms_objects.values.money import MINIMUM_MINOR, Currency
from headend.schema import COUNTER_LINE, PURSE_LINE, account, meter, posting

CLEARING = "clearing:top_up"
"""Where the money of top-ups comes from: what was paid in and not yet matched with a bank statement."""
ADJUSTMENT = "adjustment"
"""The other side of corrections made by management."""
PAYABLE = "payable:"
"""What the name of a payee's account begins with."""
UNASSIGNED = f"{PAYABLE}unassigned"
"""What was deducted for a fee item whose payee the head-end has never been told."""


def purse_account(system_title: str) -> str:
    """The name of a household's purse account."""
    return f"purse:{system_title}"


def payable_account(payee: str) -> str:
    """The name of the account of what is owed to a payee; an empty payee is nobody we know."""
    return f"{PAYABLE}{payee}" if payee else UNASSIGNED


def counter_account(kind: int, fee_item: int, payee: str) -> str:
    """The account on the other side of an entry of an EntryKind and a fee item (0: none).

    A deduction pays the payee and its reversal (which names the fee item) takes back from the payee; a top-up comes
    from clearing and its reversal (fee item 0) goes back there.
    """
    if kind == EntryKind.ADJUSTMENT:
        return ADJUSTMENT
    return payable_account(payee) if needs_payee(kind, fee_item) else CLEARING


def needs_payee(kind: int, fee_item: int) -> bool:
    """True when an entry moves money to or from the payee of its fee item."""
    return kind == EntryKind.DEDUCTION or (kind == EntryKind.REVERSAL and fee_item != 0)


def is_bookable(amount: int) -> bool:
    """False for the one amount, -2^63, whose counter-posting does not fit 64 bits."""
    return amount > MINIMUM_MINOR


POSTING_COLUMNS = ("meter_id", "sequence", "line", "account_id", "amount_minor")
Posting = tuple[int, int, int, int, int]
"""A row of the posting table, in the order of POSTING_COLUMNS."""


def postings(*, meter_id: int, sequence: int, amount: int, purse_id: int, counter_id: int) -> tuple[Posting, Posting]:
    """The two postings of an entry; their amounts sum to zero."""
    return (
        (meter_id, sequence, PURSE_LINE, purse_id, amount),
        (meter_id, sequence, COUNTER_LINE, counter_id, -amount),
    )


class Accounts:
    """The accounts by organisation, name and currency in one transaction; one that is not there yet is opened."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is read before it is asked for."""
        self._connection = connection
        self._known: dict[tuple[int, str, Currency], int] = {}
        self._looked_up: set[str] = set()

    def look_up(self, names: Iterable[str]) -> None:
        """Read so many accounts at once, where they are there."""
        wanted = set(names)
        rows = self._connection.execute(select(account).where(account.c.name.in_(wanted)))
        self._looked_up |= wanted
        self._known |= {
            (row.organisation_id, row.name, Currency(row.currency_code, row.currency_scale)): row.id for row in rows
        }

    def number(self, organisation_id: int, name: str, currency: Currency) -> int:
        """The row id of an organisation's account."""
        key = organisation_id, name, currency
        known = self._known.get(key)
        if known is None:
            held = None if name in self._looked_up else self._find(*key)
            known = self._known[key] = held or self._open(*key)
        return known

    def _find(self, organisation_id: int, name: str, currency: Currency) -> int | None:
        return self._connection.execute(
            select(account.c.id).where(
                account.c.organisation_id == organisation_id,
                account.c.name == name,
                account.c.currency_code == currency.code,
                account.c.currency_scale == currency.scale,
            )
        ).scalar_one_or_none()

    def _open(self, organisation_id: int, name: str, currency: Currency) -> int:
        number: int = self._connection.execute(
            insert(account)
            .values(
                organisation_id=organisation_id,
                name=name,
                currency_code=currency.code,
                currency_scale=currency.scale,
            )
            .returning(account.c.id)
        ).scalar_one()
        return number


def new_posting_sums(connection: Connection, meter_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """The sums of what is posted beyond the head of each meter's books, on its purse and across, in minor units."""
    # A subquery for each meter, for PostgreSQL would join by reading the whole table.
    purse, counter = (
        select(func.coalesce(func.sum(posting.c.amount_minor), 0))
        .where(posting.c.meter_id == meter.c.id, posting.c.sequence > meter.c.sequence, posting.c.line == line)
        .scalar_subquery()
        for line in (PURSE_LINE, COUNTER_LINE)
    )
    rows = connection.execute(select(meter.c.id, purse, counter).where(meter.c.id.in_(list(meter_ids))))
    return {meter_id: (int(on_purse), int(across)) for meter_id, on_purse, across in rows}


def purse_sums(connection: Connection, meter_ids: Iterable[int]) -> dict[int, int]:
    """The sum of all purse postings per meter, in minor units; a meter without postings is absent."""
    rows = connection.execute(
        select(posting.c.meter_id, func.sum(posting.c.amount_minor))
        .where(posting.c.meter_id.in_(list(meter_ids)), posting.c.line == PURSE_LINE)
        .group_by(posting.c.meter_id)
    )
    return {meter_id: int(total) for meter_id, total in rows}
