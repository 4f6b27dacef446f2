"""What gateways send and are answered: the JSON of records, events and status. Imported by `gateway`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from dlms_objects.purse.prompt import ItemState
from dlms_objects.values.money import Currency
from headend.api.fields import (
    EXAMPLE_TITLE,
    CosemTimeText,
    CurrencyModel,
    Rows,
    Sequence32,
    Signed64,
    Title,
    Unsigned8,
    Unsigned16,
    Unsigned32,
)
from headend.descriptors import Descriptor
from headend.events import EventAnswer, EventBatch, MeterEvent
from headend.ingest import Answer, Batch, Status
from headend.readings import ItemReading, MeterReading

MAXIMUM_BATCHES = 1000
MAXIMUM_EVENTS = 10_000
MAXIMUM_UNIX_S = 253_402_300_799


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class ItemSent(_Sent):
    """A fee item as last read from the meter: what its deductions are called and who is owed."""

    number: Annotated[int, Field(strict=True, ge=1, le=255, description="The fee item's number.", examples=[1])]
    revision: Unsigned32 = Field(description="The revision these words belong to.", examples=[1])
    kind: Unsigned8 = Field(description="The object model's kind: 1 rent, 2 property management, ...", examples=[1])
    label: Annotated[str, Field(max_length=64, examples=["Rent"])]
    payee: Annotated[str, Field(max_length=32, examples=["landlord"])]

    def descriptor(self) -> Descriptor:
        """The same for the ledger."""
        return Descriptor(
            number=self.number, revision=self.revision, kind=self.kind, label=self.label, payee=self.payee
        )


class BatchSent(_Sent):
    """Consecutive journal rows of one meter, as the meter made them."""

    system_title: Title
    first: Sequence32 = Field(description="The sequence number of the first row.", examples=[1])
    rows: Rows = Field(description="The rows, 98 octets each, in base64; may be empty.")
    items: list[ItemSent] = Field(default_factory=list, description="Fee items of this meter, as last read.")
    currency: CurrencyModel

    def batch(self) -> Batch:
        """The same for the ledger."""
        return Batch(
            title=self.system_title,
            first=self.first,
            rows=self.rows,
            items=tuple(item.descriptor() for item in self.items),
            currency=Currency(self.currency.code, self.currency.scale),
        )


class RecordsSent(_Sent):
    """Batches of any number of meters; one that cannot be booked never holds up the others."""

    batches: Annotated[list[BatchSent], Field(max_length=MAXIMUM_BATCHES)]


class MeterAnswer(BaseModel):
    """What the ledger holds of one meter after its batch."""

    system_title: str = Field(examples=[EXAMPLE_TITLE])
    status: Status = Field(
        description="`accepted`: all rows are booked (again, or for the first time). `gap`: rows before these are "
        "missing, nothing was kept. `conflict`: the rows contradict the ledger, nothing was booked, they are kept as "
        "evidence. `unknown_meter`: not registered, nothing was kept."
    )
    sequence: int = Field(description="Entries 1 to this one are all in the ledger.", examples=[12])
    digest: str = Field(
        description="The digest of that entry, 32 hexadecimal digits, for `Purse.acknowledge`; empty for an unknown "
        "meter.",
        examples=["00112233445566778899aabbccddeeff"],
    )
    detail: str | None = Field(default=None, description="Why, when it was not accepted.")

    @classmethod
    def of(cls, answer: Answer) -> "MeterAnswer":
        """The ledger's answer as JSON."""
        return cls(
            system_title=str(answer.title),
            status=answer.status,
            sequence=answer.sequence,
            digest=answer.digest.hex(),
            detail=answer.detail,
        )


class RecordsAnswer(BaseModel):
    """One answer per batch, in the order of the request."""

    meters: list[MeterAnswer]


class EventSent(_Sent):
    """One row of a meter's event log."""

    number: Unsigned32 = Field(examples=[7])
    time: CosemTimeText
    code: Unsigned16 = Field(description="The object model's event code.", examples=[11])
    fee_item: Unsigned8 = Field(description="0: none.", examples=[0])
    value: Signed64 = Field(examples=[120050])
    due: CosemTimeText | None = None

    def event(self) -> MeterEvent:
        """The same for the event log."""
        return MeterEvent(
            number=self.number,
            time=self.time,
            code=self.code,
            fee_item=self.fee_item,
            value=self.value,
            due=self.due,
        )


class EventBatchSent(_Sent):
    """Events of one meter, in any order."""

    system_title: Title
    rows: Annotated[list[EventSent], Field(max_length=MAXIMUM_EVENTS)]

    def batch(self) -> EventBatch:
        """The same for the event log."""
        return EventBatch(title=self.system_title, events=tuple(row.event() for row in self.rows))


class EventsSent(_Sent):
    """Event batches of any number of meters."""

    batches: Annotated[list[EventBatchSent], Field(max_length=MAXIMUM_BATCHES)]


class ItemReadingSent(_Sent):
    """How a fee item stands."""

    number: Annotated[int, Field(strict=True, ge=1, le=32, examples=[1])]
    state: Annotated[int, Field(strict=True, ge=0, le=4, description="The object model's state.", examples=[1])]
    due: CosemTimeText | None = Field(default=None, description="Of the oldest occurrence that is not deducted.")
    amount_minor: Signed64 = Field(description="What that occurrence asks; 0: not known.", examples=[350000])
    missed: Unsigned16 = Field(description="Occurrences that are due and not deducted.", examples=[0])


class ReadingSent(_Sent):
    """How a meter stands at a moment."""

    system_title: Title
    time: CosemTimeText
    read_at_s: Annotated[int, Field(strict=True, ge=0, le=MAXIMUM_UNIX_S, description="The gateway's unix time.")]
    energy_wh: Signed64 | None = Field(default=None, description="Active energy import, where there is a register.")
    flags: Unsigned16 = Field(description="Flag n of the purse's status is bit n.", examples=[0])
    shortfall_minor: Signed64 = Field(description="Missing within the look-ahead.", examples=[0])
    items: Annotated[list[ItemReadingSent], Field(max_length=32)]

    def reading(self) -> MeterReading:
        """The same for InfluxDB."""
        items = (
            ItemReading(
                number=item.number,
                state=ItemState(item.state),
                due=item.due,
                amount_minor=item.amount_minor,
                missed=item.missed,
            )
            for item in self.items
        )
        return MeterReading(
            title=self.system_title,
            time=self.time,
            read_at_s=self.read_at_s,
            energy_wh=self.energy_wh,
            flags=self.flags,
            shortfall_minor=self.shortfall_minor,
            items=tuple(items),
        )


class ReadingsSent(_Sent):
    """Readings of any number of meters."""

    readings: Annotated[list[ReadingSent], Field(max_length=MAXIMUM_BATCHES)]


class EventMeterAnswer(BaseModel):
    """What is held of one meter's events."""

    system_title: str = Field(examples=[EXAMPLE_TITLE])
    status: Status = Field(
        description="`accepted`, `conflict` (an event is known with other content; nothing of the batch was kept) or "
        "`unknown_meter`."
    )
    number: int = Field(description="The highest event number held.", examples=[7])
    detail: str | None = Field(default=None, description="Why, when it was not accepted.")

    @classmethod
    def of(cls, answer: EventAnswer) -> "EventMeterAnswer":
        """The log's answer as JSON."""
        return cls(system_title=str(answer.title), status=answer.status, number=answer.number, detail=answer.detail)


class EventsAnswer(BaseModel):
    """One answer per batch, in the order of the request."""

    meters: list[EventMeterAnswer]
