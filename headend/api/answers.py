"""What readers are answered: the JSON of purses, entries, mailboxes and reconciliations. Imported by `purses`."""

from datetime import datetime

from pydantic import BaseModel, Field

from dlms_objects.purse.entry import NO_REFERENCE
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.money import Currency
from headend import statements
from headend.api.fields import EXAMPLE_TITLE, Amount, CurrencyModel, amount, instant_or_civil
from headend.descriptors import Descriptor
from headend.fleet import GatewayStatus, UnknownMeter
from headend.notices import Language, NoticeKind

_TITLE = Field(description="The meter's system title.", examples=[EXAMPLE_TITLE])
_DIGEST = Field(description="32 hexadecimal digits.", examples=["00112233445566778899aabbccddeeff"])


class FeeItem(BaseModel):
    """A fee item as last told by a gateway."""

    number: int = Field(examples=[1])
    revision: int = Field(examples=[1])
    kind: int = Field(description="The object model's kind.", examples=[1])
    label: str = Field(examples=["Rent"])
    payee: str = Field(examples=["landlord"])

    @classmethod
    def of(cls, descriptor: Descriptor) -> "FeeItem":
        """A descriptor as JSON."""
        return cls(
            number=descriptor.number,
            revision=descriptor.revision,
            kind=descriptor.kind,
            label=descriptor.label,
            payee=descriptor.payee,
        )


class Purse(BaseModel):
    """One household's purse as the books have it."""

    system_title: str = _TITLE
    household: str = Field(examples=["Unit 1, room 301"])
    language: Language = Field(description="The language of its notices unless another is asked for.")
    time_zone: str = Field(examples=["Asia/Shanghai"])
    currency: CurrencyModel | None = Field(description="Null until the first batch has told it.")
    balance: Amount = Field(description="The balance after the last booked entry.")
    sequence: int = Field(description="Entries 1 to this one are booked.", examples=[12])
    digest: str = _DIGEST
    conflicts: int = Field(description="Rows that contradicted the ledger and are kept as evidence.", examples=[0])

    @classmethod
    def of(cls, purse: statements.Purse) -> "Purse":
        """A purse as JSON."""
        currency = purse.currency
        return cls(
            system_title=purse.system_title,
            household=purse.household,
            language=purse.language,
            time_zone=purse.time_zone,
            currency=None if currency is None else CurrencyModel(code=currency.code, scale=currency.scale),
            balance=amount(purse.balance, currency),
            sequence=purse.sequence,
            digest=purse.digest.hex(),
            conflicts=purse.conflicts,
        )


class PurseWithItems(Purse):
    """One purse and its fee items."""

    fee_items: list[FeeItem]


class Purses(BaseModel):
    """All purses, by system title."""

    purses: list[Purse]


class Entry(BaseModel):
    """One movement of the balance: a journal row and where the ledger put it."""

    sequence: int = Field(examples=[12])
    time: datetime | None = Field(description="When the meter did it, with the meter's offset from UTC.")
    kind: str = Field(description="deduction, top_up, reversal or adjustment.", examples=["deduction"])
    fee_item: int = Field(description="0: none.", examples=[1])
    label: str = Field(examples=["Rent"])
    payee: str = Field(examples=["landlord"])
    account: str = Field(description="The ledger account on the other side.", examples=["payable:landlord"])
    due: datetime | None = Field(description="The occurrence that was paid, in the meter's civil time.")
    amount: Amount = Field(description="The signed change of the balance.")
    balance: Amount = Field(description="The balance after it.")
    reference: str | None = Field(description="The caller's id or bill reference, 32 hexadecimal digits.")
    revision: int = Field(description="The fee item's revision.", examples=[1])
    digest: str = _DIGEST

    @classmethod
    def of(cls, booked: statements.BookedEntry, currency: Currency | None) -> "Entry":
        """A booked entry as JSON."""
        entry = booked.entry
        return cls(
            sequence=entry.sequence,
            time=instant_or_civil(entry.time),
            kind=entry.kind.name.lower(),
            fee_item=entry.fee_item,
            label=booked.descriptor.label,
            payee=booked.descriptor.payee,
            account=booked.account,
            due=instant_or_civil(entry.due),
            amount=amount(entry.amount, currency),
            balance=amount(entry.balance, currency),
            reference=None if entry.reference == NO_REFERENCE else entry.reference.hex(),
            revision=entry.revision,
            digest=entry.digest.hex(),
        )


class Entries(BaseModel):
    """A page of entries, oldest first."""

    entries: list[Entry]
    next_after: int | None = Field(description="`after` of the next page; null on the last one.", examples=[100])


class Notice(BaseModel):
    """One notice to the household; amounts in the text are exact."""

    id: int = Field(description="Grows with every notice.", examples=[34])
    kind: NoticeKind = Field(description="What it is about: an entry of that kind, or a shortage.")
    number: int = Field(description="The entry's sequence or the event's number.", examples=[12])
    time: datetime | None = Field(description="When the meter did or noticed it, with the meter's offset from UTC.")
    subject: str = Field(examples=["CN¥3,500.00 paid for Rent"])
    body: str = Field(description="A few lines of plain text.")

    @classmethod
    def of(cls, letter: statements.Letter) -> "Notice":
        """A notice as JSON."""
        return cls(
            id=letter.notice_id,
            kind=letter.kind,
            number=letter.number,
            time=instant_or_civil(CosemDateTime(bytes.fromhex(letter.facts.time))),
            subject=letter.text.subject,
            body=letter.text.body,
        )


class Mailbox(BaseModel):
    """A page of notices, oldest first."""

    language: Language = Field(description="The language of the texts.")
    notices: list[Notice]
    next_after: int | None = Field(description="`after` of the next page; null on the last one.", examples=[100])


class KeptRow(BaseModel):
    """A row that was turned away, and what the ledger holds instead."""

    sequence: int
    cause: str
    detail: str
    held_row: str | None = Field(
        description="The ledger's row of that sequence (its last row, if it holds none yet), hexadecimal."
    )
    received_row: str = Field(description="The row that came, hexadecimal.")


class Reconciliation(BaseModel):
    """The books of one meter, counted afresh, to be held against the meter's own journal head and balance."""

    system_title: str = _TITLE
    currency: CurrencyModel | None = Field(description="Null until the first batch has told it.")
    entries: dict[str, int] = Field(
        description="How many entries of each kind.",
        examples=[{"deduction": 10, "top_up": 2, "reversal": 0, "adjustment": 0}],
    )
    count: int = Field(description="How many entries in all.", examples=[12])
    sum: Amount = Field(description="The sum of all entries.")
    ledger_sum: Amount = Field(description="The sum of the purse's postings.")
    balance: Amount = Field(description="The running balance after the last entry.")
    sequence: int = Field(examples=[12])
    digest: str = _DIGEST
    balanced: bool = Field(
        description="True when all three amounts agree, no entry is missing and each entry's postings sum to zero."
    )
    conflicts: int = Field(examples=[0])
    evidence: list[KeptRow] = Field(description="The first hundred rows that were turned away.")

    @classmethod
    def of(cls, counted: statements.Reconciliation) -> "Reconciliation":
        """A reconciliation as JSON."""
        purse = Purse.of(counted.purse)
        currency = counted.purse.currency
        return cls(
            system_title=purse.system_title,
            currency=purse.currency,
            entries={kind.name.lower(): count for kind, count in counted.counts.items()},
            count=sum(counted.counts.values()),
            sum=amount(counted.entries_sum, currency),
            ledger_sum=amount(counted.postings_sum, currency),
            balance=purse.balance,
            sequence=purse.sequence,
            digest=purse.digest,
            balanced=counted.is_balanced,
            conflicts=purse.conflicts,
            evidence=[
                KeptRow(
                    sequence=each.sequence,
                    cause=each.cause,
                    detail=each.detail,
                    held_row=None if each.held_row is None else each.held_row.hex(),
                    received_row=each.received_row.hex(),
                )
                for each in counted.evidence
            ],
        )


class Gateway(BaseModel):
    """The last status of a gateway."""

    gateway: str = Field(description="The name of its token.", examples=["gateway"])
    received_at: datetime
    status: dict[str, object]

    @classmethod
    def of(cls, reported: GatewayStatus) -> "Gateway":
        """A status as JSON."""
        return cls(gateway=reported.gateway, received_at=reported.received_at, status=reported.status)


class TurnedAway(BaseModel):
    """A meter that is not registered and what came of it."""

    system_title: str = _TITLE
    batches: int
    rows: int

    @classmethod
    def of(cls, unknown: UnknownMeter) -> "TurnedAway":
        """An unknown meter as JSON."""
        return cls(system_title=unknown.system_title, batches=unknown.batches, rows=unknown.rows)


class Fleet(BaseModel):
    """The gateways, and the meters that nobody registered."""

    gateways: list[Gateway]
    unknown_meters: list[TurnedAway]
