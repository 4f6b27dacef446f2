"""One meter's purse seen through an open session: typed questions, checked answers.

Every answer is checked against the declared shape (MalformedError otherwise); journal rows stay the meter's own 98
octets. What the answers mean for the outbox is the collector's business. Imported by the collector.
"""

from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from dlms_objects.classes.catalogue import ACTIVE_ENERGY_IMPORT, CLOCK_NAME
from dlms_objects.classes.fee_item_class import FEE_ITEM, fee_item_name
from dlms_objects.classes.purse_class import EVENT_LOG_NAME, EVENT_ROW, JOURNAL_NAME, JOURNAL_ROW, PURSE, PURSE_NAME
from dlms_objects.classes.shape import DATE_TIME, Leaf, Shape, conforms
from dlms_objects.classes.standard import CLOCK, PROFILE_GENERIC, REGISTER
from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.entry import ROW_LENGTH, JournalHead
from dlms_objects.transport.client import AccessRefusedByMeterError
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.data import Data, DataType, double_long_unsigned, octet_string, structure
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.money import Currency
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire import axdr
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.row_plan import Column, RowPlan
from dlms_objects.wire.selection import CaptureObject, RangeDescriptor, SelectiveAccess
from gateway.records import EventRow, ItemDescriptor

SEQUENCE_COLUMN = 2
"""Column 2 of the journal (attribute last_entry) is the sequence; of the event log (last_event) the number."""

LIST_ATTRIBUTES = 64
"""Attributes in one question at most; a MeterPurse meter takes 128."""

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

    def get_list(self, attributes: Sequence[AttributeWithSelection]) -> Awaitable[tuple[bytes | DataAccessResult, ...]]:
        """Each attribute's value, or why there is none; RemoteError or TransportLostError."""
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
class Opening:
    """What a collection begins with: the journal's head, the number of the last event (0 before the first).

    `currency` only where it was asked for.
    """

    head: JournalHead
    last_event: int
    currency: Currency | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterStanding:
    """How a meter stands: its time (12 octets of a COSEM date-time), its energy register, its purse, its fee items.

    `energy_wh` is in Wh as the object model fixes it, None where the meter shows no such register; a fee item that it
    does not show is left out.
    """

    time: bytes
    energy_wh: int | None
    purse: PurseStanding
    items: tuple[ItemStanding, ...]


class PurseReader:
    """The questions that collection asks of one meter."""

    def __init__(self, session: Session) -> None:
        """Ask over this session."""
        self._session = session

    async def opening(self, *, with_currency: bool) -> Opening:
        """What every collection begins with, by one question."""
        names = ("journal_head", "last_event", *(("currency",) if with_currency else ()))
        head, event, *currency = await self._all([_purse(name) for name in names])
        sequence, digest = _members(head, PURSE.attribute("journal_head").shape)
        return Opening(
            head=JournalHead(sequence=sequence.value, digest=digest.value),
            last_event=_event(axdr.decode(event)).number,
            currency=_currency(currency[0]) if currency else None,
        )

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

    async def fee_items(self, numbers: Sequence[int]) -> tuple[list[ItemDescriptor], list[int]]:
        """The descriptors of fee items, and the numbers of those that the meter does not show.

        The revision is read before the rest, so it is never newer.
        """
        found: list[ItemDescriptor] = []
        missing: list[int] = []
        for some in _parts(numbers, LIST_ATTRIBUTES // 2):
            answers = iter(await self._list([_fee_item(n, name) for n in some for name in ("revision", "parameters")]))
            for number in some:
                revision, parameters = next(answers), next(answers)
                if isinstance(revision, bytes) and isinstance(parameters, bytes):
                    found.append(_descriptor(number, revision, parameters))
                else:
                    missing.append(number)
        return found, missing

    async def standing(self, numbers: Sequence[int]) -> MeterStanding:
        """How the meter stands; RefusedError when it shows neither its clock nor its purse."""
        clock = AttributeDescriptor(CLOCK.class_id, CLOCK_NAME, CLOCK.attribute("time").number)
        energy = AttributeDescriptor(REGISTER.class_id, ACTIVE_ENERGY_IMPORT, REGISTER.attribute("value").number)
        time, purse, register = await self._list([clock, _purse("status"), energy])
        items: list[ItemStanding] = []
        for some in _parts(numbers, LIST_ATTRIBUTES):
            answers = await self._list([_fee_item(number, "status") for number in some])
            items += (_item(n, raw) for n, raw in zip(some, answers, strict=True) if isinstance(raw, bytes))
        return MeterStanding(
            time=_time(_shown(time, clock)),
            energy_wh=_energy_wh(register) if isinstance(register, bytes) else None,
            purse=_purse_standing(_shown(purse, _purse("status"))),
            items=tuple(items),
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

    async def _all(self, attributes: Sequence[AttributeDescriptor]) -> list[bytes]:
        """Every one of these, or RefusedError for the first that the meter does not show."""
        answers = await self._list(attributes)
        return [_shown(answer, attribute) for attribute, answer in zip(attributes, answers, strict=True)]

    async def _list(self, attributes: Sequence[AttributeDescriptor]) -> Sequence[bytes | DataAccessResult]:
        return await self._session.get_list([AttributeWithSelection(attribute=attribute) for attribute in attributes])


def _purse(attribute: str) -> AttributeDescriptor:
    return AttributeDescriptor(PURSE.class_id, PURSE_NAME, PURSE.attribute(attribute).number)


def _fee_item(number: int, attribute: str) -> AttributeDescriptor:
    return AttributeDescriptor(FEE_ITEM.class_id, fee_item_name(number), FEE_ITEM.attribute(attribute).number)


def _parts(numbers: Sequence[int], length: int) -> Iterator[Sequence[int]]:
    return (numbers[start : start + length] for start in range(0, len(numbers), length))


def _shown(answer: bytes | DataAccessResult, attribute: AttributeDescriptor) -> bytes:
    if isinstance(answer, bytes):
        return answer
    raise AccessRefusedByMeterError(str(attribute), answer)


def _currency(raw: bytes) -> Currency:
    code, scale = _members(raw, PURSE.attribute("currency").shape)
    try:
        return Currency(code.value, scale.value)
    except InvalidValueError as error:
        raise MalformedError(f"the purse's currency: {error}") from error


def _descriptor(number: int, revision: bytes, parameters: bytes) -> ItemDescriptor:
    counted = axdr.decode(revision)
    if counted.type is not DataType.DOUBLE_LONG_UNSIGNED:
        raise MalformedError(f"a revision is double-long-unsigned, not {counted.type.name.lower()}")
    kind, label, payee, *_ = _members(parameters, FEE_ITEM.attribute("parameters").shape)
    return ItemDescriptor(number=number, revision=counted.value, kind=kind.value, label=label.value, payee=payee.value)


def _time(raw: bytes) -> bytes:
    time = axdr.decode(raw)
    if not conforms(CLOCK.attribute("time").shape or DATE_TIME, time):
        raise MalformedError(f"not a time: {raw[:24].hex()}")
    return _date_time(time.value)


def _energy_wh(raw: bytes) -> int:
    energy = axdr.decode(raw)
    if energy.type not in _WHOLE_NUMBERS:
        raise MalformedError(f"a register of whole Wh is wanted, not {energy.type.name.lower()}")
    return int(energy.value)


def _purse_standing(raw: bytes) -> PurseStanding:
    flags, shortfall, *_ = _members(raw, PURSE.attribute("status").shape)
    bits = sum(1 << place for place, bit in enumerate(flags.value) if bit == "1")
    return PurseStanding(flags=bits, shortfall_minor=shortfall.value)


def _item(number: int, raw: bytes) -> ItemStanding:
    state, due, amount, _last, _last_amount, _total, missed = _members(raw, FEE_ITEM.attribute("status").shape)
    octets = _date_time(due.value)
    return ItemStanding(
        number=number,
        state=state.value,
        due=octets if CosemDateTime(octets).is_specified else None,
        amount_minor=amount.value,
        missed=missed.value,
    )


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
