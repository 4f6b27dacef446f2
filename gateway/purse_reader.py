"""One meter's purse seen through an open session: typed questions, checked answers.

Every answer is checked against the declared shape (MalformedError otherwise); journal rows stay the meter's own 98
octets. What the answers mean for the outbox is the collector's business. Imported by the collector.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from dlms_objects.classes.catalogue import ACTIVE_ENERGY_IMPORT, CLOCK_NAME
from dlms_objects.classes.fee_item_class import FEE_ITEM, fee_item_name
from dlms_objects.classes.purse_class import EVENT_LOG_NAME, EVENT_ROW, JOURNAL_NAME, JOURNAL_ROW, PURSE, PURSE_NAME
from dlms_objects.classes.shape import DATE_TIME, Leaf, Shape, conforms
from dlms_objects.classes.standard import CLOCK, PROFILE_GENERIC, REGISTER
from dlms_objects.errors import InvalidValueError, RefusedError
from dlms_objects.purse.entry import ROW_LENGTH, JournalHead
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.data import Data, DataType, double_long_unsigned, octet_string, structure
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.money import Currency
from dlms_objects.wire import axdr
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.row_plan import Column, RowPlan
from dlms_objects.wire.selection import CaptureObject, RangeDescriptor, SelectiveAccess
from gateway.records import EventRow, ItemDescriptor

SEQUENCE_COLUMN = 2
"""Column 2 of the journal (attribute last_entry) is the sequence; of the event log (last_event) the number."""

_BUFFER = 2
_WHOLE_NUMBERS = (
    DataType.UNSIGNED,
    DataType.LONG_UNSIGNED,
    DataType.DOUBLE_LONG_UNSIGNED,
    DataType.LONG64_UNSIGNED,
    DataType.LONG64,
)
_FEE_ITEM, _REVISION = 3, 8
_JOURNAL_PLAN = RowPlan(
    [Column(type=cell.type, length=cell.length) for _, cell in JOURNAL_ROW.members if isinstance(cell, Leaf)]
)


class Session(Protocol):
    """An open association with a meter, as `dlms_objects.transport.client` gives it."""

    def get(self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None) -> Awaitable[bytes]:
        """The attribute's value, raw A-XDR; RefusedError, RemoteError or TransportLostError."""
        ...

    def action(self, method: MethodDescriptor, parameters: bytes | None) -> Awaitable[bytes | None]:
        """Carry out a method with raw A-XDR parameters; its raw result, or None."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRows:
    """Raw rows of 98 octets, not yet verified, and the highest revision they carry of each fee item they name."""

    rows: list[bytes]
    revisions: dict[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurseStanding:
    """How a purse stands: `flags` with flag n of the object model as bit n, what is missing within the look-ahead."""

    flags: int
    shortfall_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStanding:
    """How a fee item stands: its oldest occurrence that is not deducted (`due` civil, 12 octets; None: none).

    `state` as the object model numbers it, `amount_minor` of that occurrence (0: not known), `missed` occurrences are
    due and not deducted.
    """

    number: int
    state: int
    due: bytes | None
    amount_minor: int
    missed: int


class PurseReader:
    """The questions that collection asks of one meter."""

    def __init__(self, session: Session) -> None:
        """Ask over this session."""
        self._session = session

    async def currency(self) -> Currency:
        """The purse's currency."""
        code, scale = _members(await self._purse("currency"), PURSE.attribute("currency").shape)
        try:
            return Currency(code.value, scale.value)
        except InvalidValueError as error:
            raise MalformedError(f"the purse's currency: {error}") from error

    async def journal_head(self) -> JournalHead:
        """The sequence and digest of the last entry."""
        sequence, digest = _members(await self._purse("journal_head"), PURSE.attribute("journal_head").shape)
        return JournalHead(sequence=sequence.value, digest=digest.value)

    async def last_event_number(self) -> int:
        """The number of the last event; 0 before the first."""
        return _event(axdr.decode(await self._purse("last_event"))).number

    async def journal(self, first: int, last: int) -> JournalRows:
        """The rows `first`..`last` of the journal that the meter holds; never more than asked for."""
        raw = await self._session.get(_buffer(JOURNAL_NAME), _range(PURSE.attribute("last_entry").number, first, last))
        rows = _JOURNAL_PLAN.split(raw)
        if len(rows) > last - first + 1:
            raise MalformedError(f"{len(rows)} journal rows came, {last - first + 1} were asked for")
        if any(len(row) != ROW_LENGTH for row in rows):
            raise MalformedError(f"a journal row is {ROW_LENGTH} octets")
        revisions: dict[int, int] = {}
        for columns in _JOURNAL_PLAN.decode(raw):
            fee_item, revision = columns[_FEE_ITEM], columns[_REVISION]
            if fee_item:
                revisions[fee_item] = max(revision, revisions.get(fee_item, 0))
        return JournalRows(rows=rows, revisions=revisions)

    async def events(self, first: int, last: int) -> list[EventRow]:
        """The events numbered `first`..`last` that the meter still holds, in order of number."""
        raw = await self._session.get(
            _buffer(EVENT_LOG_NAME), _range(PURSE.attribute("last_event").number, first, last)
        )
        table = axdr.decode(raw)
        if table.type is not DataType.ARRAY:
            raise MalformedError(f"an event log is an array, not {table.type.name.lower()}")
        rows = [_event(row) for row in table.value]
        numbers = [row.number for row in rows]
        if numbers != sorted(set(numbers)) or not all(first <= number <= last for number in numbers):
            raise MalformedError(f"events {first}..{last} were asked for and {numbers} came")
        return rows

    async def fee_item(self, number: int) -> ItemDescriptor:
        """The descriptor of a fee item; the revision is read first, so it is never newer than the rest."""
        name = fee_item_name(number)
        revision_number = FEE_ITEM.attribute("revision").number
        revision = axdr.decode(await self._session.get(AttributeDescriptor(FEE_ITEM.class_id, name, revision_number)))
        parameters = FEE_ITEM.attribute("parameters")
        raw = await self._session.get(AttributeDescriptor(FEE_ITEM.class_id, name, parameters.number))
        if revision.type is not DataType.DOUBLE_LONG_UNSIGNED:
            raise MalformedError(f"a revision is double-long-unsigned, not {revision.type.name.lower()}")
        kind, label, payee, *_ = _members(raw, parameters.shape)
        return ItemDescriptor(
            number=number, revision=revision.value, kind=kind.value, label=label.value, payee=payee.value
        )

    async def clock_time(self) -> bytes:
        """The meter's time, the 12 octets of a COSEM date-time."""
        raw = await self._session.get(AttributeDescriptor(CLOCK.class_id, CLOCK_NAME, CLOCK.attribute("time").number))
        time = axdr.decode(raw)
        if not conforms(CLOCK.attribute("time").shape or DATE_TIME, time):
            raise MalformedError(f"not a time: {raw[:24].hex()}")
        return _date_time(time.value)

    async def energy_wh(self) -> int | None:
        """The active energy import register, in Wh as the object model fixes it; None where the meter shows none."""
        value = REGISTER.attribute("value").number
        try:
            raw = await self._session.get(AttributeDescriptor(REGISTER.class_id, ACTIVE_ENERGY_IMPORT, value))
        except RefusedError:
            return None
        energy = axdr.decode(raw)
        if energy.type not in _WHOLE_NUMBERS:
            raise MalformedError(f"a register of whole Wh is wanted, not {energy.type.name.lower()}")
        return int(energy.value)

    async def purse_standing(self) -> PurseStanding:
        """The purse's flags and shortfall."""
        flags, shortfall, *_ = _members(await self._purse("status"), PURSE.attribute("status").shape)
        bits = sum(1 << place for place, bit in enumerate(flags.value) if bit == "1")
        return PurseStanding(flags=bits, shortfall_minor=shortfall.value)

    async def item_standing(self, number: int) -> ItemStanding | None:
        """How a fee item stands; None where the meter does not show it."""
        status = FEE_ITEM.attribute("status")
        try:
            raw = await self._session.get(AttributeDescriptor(FEE_ITEM.class_id, fee_item_name(number), status.number))
        except RefusedError:
            return None
        state, due, amount, _last, _last_amount, _total, missed = _members(raw, status.shape)
        octets = _date_time(due.value)
        return ItemStanding(
            number=number,
            state=state.value,
            due=octets if CosemDateTime(octets).is_specified else None,
            amount_minor=amount.value,
            missed=missed.value,
        )

    async def acknowledge(self, head: JournalHead) -> int:
        """Tell the meter that everything up to `head` is in the ledger; the outcome it answers (0 done)."""
        method = PURSE.method("acknowledge")
        parameters = axdr.encode(structure(double_long_unsigned(head.sequence), octet_string(head.digest)))
        raw = await self._session.action(MethodDescriptor(PURSE.class_id, PURSE_NAME, method.number), parameters)
        outcome = axdr.decode(raw or b"")
        if outcome.type is not DataType.ENUM:
            raise MalformedError(f"an outcome is enum, not {outcome.type.name.lower()}")
        return int(outcome.value)

    def _purse(self, attribute: str) -> Awaitable[bytes]:
        number = PURSE.attribute(attribute).number
        return self._session.get(AttributeDescriptor(PURSE.class_id, PURSE_NAME, number))


def _members(raw: bytes, shape: Shape | None) -> tuple[Data, ...]:
    value = axdr.decode(raw)
    if shape is None or not conforms(shape, value):
        raise MalformedError(f"the answer is not of the declared type: {raw[:24].hex()}...")
    members: tuple[Data, ...] = value.value
    return members


def _date_time(octets: bytes) -> bytes:
    try:
        return CosemDateTime(octets).octets
    except InvalidValueError as error:
        raise MalformedError(str(error)) from error


def _event(value: Data) -> EventRow:
    if not conforms(EVENT_ROW, value):
        raise MalformedError(f"not an event row: {value!r}")
    time, number, code, fee_item, amount, due = (member.value for member in value.value)
    try:
        CosemDateTime(time)
        CosemDateTime(due or time)
    except InvalidValueError as error:
        raise MalformedError(f"event {number}: {error}") from error
    return EventRow(time=time, number=number, code=code, fee_item=fee_item, value=amount, due=due)


def _buffer(name: LogicalName) -> AttributeDescriptor:
    return AttributeDescriptor(PROFILE_GENERIC.class_id, name, _BUFFER)


def _range(attribute: int, first: int, last: int) -> SelectiveAccess:
    return RangeDescriptor(
        restricting_object=CaptureObject(
            class_id=PURSE.class_id, logical_name=PURSE_NAME, attribute=attribute, data_index=SEQUENCE_COLUMN
        ),
        from_value=double_long_unsigned(first),
        to_value=double_long_unsigned(last),
    ).selective_access()
