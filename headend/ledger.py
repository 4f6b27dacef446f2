"""Double entry: which accounts an entry moves money between, and the accounts themselves.

Whole minor units only; no float, no division. A posting is signed as the account's holder sees it: what a purse loses,
a payee gains, and the two postings of one entry sum to zero. Imported by `ingest` and `statements`.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, func, insert, select

from dlms_objects.purse.entry import Entry, EntryKind
from dlms_objects.values.money import MINIMUM_MINOR, Currency
from headend.schema import COUNTER_LINE, PURSE_LINE, account, posting

CLEARING = "clearing:top_up"
"""Where the money of top-ups comes from: what was paid in and not yet matched with a bank statement."""
ADJUSTMENT = "adjustment"
"""The other side of corrections made by management."""
UNASSIGNED = "payable:unassigned"
"""What was deducted for a fee item whose payee the head-end has never been told."""


def purse_account(system_title: str) -> str:
    """The name of a household's purse account."""
    return f"purse:{system_title}"


def payable_account(payee: str) -> str:
    """The name of the account of what is owed to a payee; an empty payee is nobody we know."""
    return f"payable:{payee}" if payee else UNASSIGNED


def counter_account(entry: Entry, payee: str) -> str:
    """The account on the other side of an entry.

    A deduction pays the payee and its reversal (which names the fee item) takes back from the payee; a top-up comes
    from clearing and its reversal (fee item 0) goes back there.
    """
    if entry.kind is EntryKind.ADJUSTMENT:
        return ADJUSTMENT
    return payable_account(payee) if needs_payee(entry) else CLEARING


def needs_payee(entry: Entry) -> bool:
    """True when the entry moves money to or from the payee of its fee item."""
    return entry.kind is EntryKind.DEDUCTION or (entry.kind is EntryKind.REVERSAL and entry.fee_item != 0)


def is_bookable(entry: Entry) -> bool:
    """False for the one amount, -2^63, whose counter-posting does not fit 64 bits."""
    return entry.amount > MINIMUM_MINOR


def postings(entry: Entry, *, meter_id: int, purse_id: int, counter_id: int) -> tuple[dict[str, int], dict[str, int]]:
    """The two rows of the posting table for an entry; their amounts sum to zero."""
    return (
        {
            "meter_id": meter_id,
            "sequence": entry.sequence,
            "line": PURSE_LINE,
            "account_id": purse_id,
            "amount_minor": entry.amount,
        },
        {
            "meter_id": meter_id,
            "sequence": entry.sequence,
            "line": COUNTER_LINE,
            "account_id": counter_id,
            "amount_minor": -entry.amount,
        },
    )


class Accounts:
    """The accounts by name and currency within one transaction; one that is not there yet is opened."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is read before it is asked for."""
        self._connection = connection
        self._known: dict[tuple[str, Currency], int] = {}

    def number(self, name: str, currency: Currency) -> int:
        """The row id of an account."""
        known = self._known.get((name, currency))
        if known is None:
            known = self._known[name, currency] = self._find(name, currency) or self._open(name, currency)
        return known

    def _find(self, name: str, currency: Currency) -> int | None:
        return self._connection.execute(
            select(account.c.id).where(
                account.c.name == name,
                account.c.currency_code == currency.code,
                account.c.currency_scale == currency.scale,
            )
        ).scalar_one_or_none()

    def _open(self, name: str, currency: Currency) -> int:
        return self._connection.execute(
            insert(account)
            .values(name=name, currency_code=currency.code, currency_scale=currency.scale)
            .returning(account.c.id)
        ).scalar_one()


def purse_sums(connection: Connection, meter_ids: Iterable[int]) -> dict[int, int]:
    """The sum of all purse postings per meter, in minor units; a meter without postings is absent."""
    rows = connection.execute(
        select(posting.c.meter_id, func.sum(posting.c.amount_minor))
        .where(posting.c.meter_id.in_(list(meter_ids)), posting.c.line == PURSE_LINE)
        .group_by(posting.c.meter_id)
    )
    return {meter_id: int(total) for meter_id, total in rows}
