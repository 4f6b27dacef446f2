"""The books of registered meters: registering one, and what is known of each at the start of a transaction.

Imported by `ingest`, `events`, `statements` and `setup`.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from dlms_objects.errors import LocalError
from dlms_objects.purse.entry import JournalHead, row_figures
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle
from headend.authentication import FIRST_ORGANISATION
from headend.config import MeterConfig
from headend.descriptors import Descriptor, Descriptors
from headend.schema import entry, fee_item, meter


class Book:
    """What the ledger holds of one meter, kept in step by the transaction that works on it."""

    __slots__ = (
        "_last_row",
        "balance",
        "currency",
        "descriptors",
        "event_number",
        "head",
        "household",
        "meter_id",
        "organisation_id",
        "title",
    )

    def __init__(  # noqa: PLR0913 - the columns of a meter
        self,
        *,
        meter_id: int,
        organisation_id: int,
        title: SystemTitle,
        household: str,
        currency: Currency | None,
        head: JournalHead,
        balance: int,
        event_number: int,
        descriptors: Descriptors,
        last_row: bytes | None,
    ) -> None:
        """`balance` in minor units after the entry at `head`; `currency` None until the first batch told it.

        `last_row` is the entry that the journal has at `head`, as it was when the book was read.
        """
        self.meter_id = meter_id
        self.organisation_id = organisation_id
        self.title = title
        self.household = household
        self.currency = currency
        self.head = head
        self.balance = balance
        self.event_number = event_number
        self.descriptors = descriptors
        self._last_row = last_row

    def fault(self) -> str | None:
        """How the book, as it was read, contradicts the last entry in it; None when it does not."""
        head, balance = JournalHead.empty(self.title), 0
        if self._last_row is not None:
            sequence, _amount, balance, digest = row_figures(self._last_row)
            head = JournalHead(sequence=sequence, digest=digest)
        if (head, balance) == (self.head, self.balance):
            return None
        return (
            f"the last entry is {head.sequence} and leaves {balance}, the books say {self.head.sequence} and "
            f"{self.balance}"
        )


class RegisteredElsewhereError(LocalError):
    """The meter belongs to another organisation."""


def register(connection: Connection, registration: MeterConfig, *, organisation_id: int = FIRST_ORGANISATION) -> None:
    """Enter a meter, or bring household, language and zone of a registered one up to date.

    RegisteredElsewhereError when it belongs to another organisation.
    """
    title = SystemTitle.parse(registration.system_title)
    owner = connection.execute(
        select(meter.c.organisation_id).where(meter.c.system_title == str(title))
    ).scalar_one_or_none()
    if owner not in (None, organisation_id):
        raise RegisteredElsewhereError(f"meter {title} cannot be registered here: it is another organisation's")
    told = {
        "household": registration.household,
        "language": registration.language,
        "time_zone": registration.time_zone,
    }
    if owner is not None:
        connection.execute(update(meter).where(meter.c.system_title == str(title)).values(told))
        return
    head = JournalHead.empty(title)
    connection.execute(
        insert(meter).values(
            organisation_id=organisation_id,
            system_title=str(title),
            sequence=head.sequence,
            digest=head.digest,
            balance_minor=0,
            event_number=0,
            **told,
        )
    )


def books_of(
    connection: Connection, titles: Iterable[SystemTitle], *, owner: int | None = None
) -> dict[SystemTitle, Book]:
    """The books of those meters that are registered, and belong to the organisation `owner` (None: to any)."""
    wanted: ColumnElement[bool] = meter.c.system_title.in_({str(title) for title in titles})
    if owner is not None:
        wanted = and_(wanted, meter.c.organisation_id == owner)
    rows = connection.execute(
        select(meter, entry.c.row.label("last_row"))
        .join(entry, (entry.c.meter_id == meter.c.id) & (entry.c.sequence == meter.c.sequence), isouter=True)
        .where(wanted)
    ).all()
    descriptors = descriptors_of(connection, [row.id for row in rows])
    books = (
        Book(
            meter_id=row.id,
            organisation_id=row.organisation_id,
            title=SystemTitle.parse(row.system_title),
            household=row.household,
            currency=None if row.currency_code is None else Currency(row.currency_code, row.currency_scale),
            head=JournalHead(sequence=row.sequence, digest=row.digest),
            balance=row.balance_minor,
            event_number=row.event_number,
            descriptors=descriptors.get(row.id, Descriptors()),
            last_row=row.last_row,
        )
        for row in rows
    )
    return {book.title: book for book in books}


def descriptors_of(connection: Connection, meter_ids: Iterable[int]) -> dict[int, Descriptors]:
    """The descriptors per meter; a meter without any is absent."""
    found: dict[int, Descriptors] = {}
    for row in connection.execute(select(fee_item).where(fee_item.c.meter_id.in_(list(meter_ids)))):
        found.setdefault(row.meter_id, Descriptors()).add(
            Descriptor(number=row.number, revision=row.revision, kind=row.kind, label=row.label, payee=row.payee)
        )
    return found
