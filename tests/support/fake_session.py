"""A meter in memory, as the gateway sees it through an open session: journal, events, fee items, acknowledgement.

Rows are made by `Entry.chained` and answers are encoded by `wire.axdr`, so what travels is what a real meter sends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dlms_objects.classes.fee_item_class import FEE_ITEM, PARAMETERS
from dlms_objects.classes.purse_class import EVENT_LOG_NAME, JOURNAL_NAME, PURSE, PURSE_NAME
from dlms_objects.classes.shape import from_plain
from dlms_objects.classes.standard import CLOCK, REGISTER
from dlms_objects.errors import RefusedError
from dlms_objects.purse.entry import Entry, EntryKind, JournalHead
from dlms_objects.purse.outcome import EventCode, OutcomeCode
from dlms_objects.values import data as cosem
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.data import Data
from dlms_objects.values.logical_name import AttributeDescriptor, MethodDescriptor
from dlms_objects.values.results import DataAccessResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import axdr
from dlms_objects.wire.lengths import encode_length
from dlms_objects.wire.lists import AttributeWithSelection
from dlms_objects.wire.selection import RangeDescriptor, SelectiveAccess, profile_selection
from tests.support.plain_fee_item import RENT

TITLE = SystemTitle(b"MPR\x00\x00\x00\x00\x01")
START = datetime(2026, 1, 1, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")


class NotPermittedError(RefusedError):
    """The fake meter's legal no."""


@dataclass
class FakeItem:
    """A fee item: what its descriptor says."""

    label: str
    payee: str
    kind: str = "rent"
    revision: int = 1
    state: int = 1
    due: CosemDateTime = CosemDateTime.NOT_SPECIFIED
    amount: int = 0
    missed: int = 0


@dataclass
class FakeMeter:
    """One meter's purse; `acknowledged` is what the gateway brought last."""

    title: SystemTitle = TITLE
    rows: list[bytes] = field(default_factory=list)
    events: list[Data] = field(default_factory=list)
    items: dict[int, FakeItem] = field(default_factory=dict)
    balance: int = 0
    head: JournalHead = field(init=False)
    acknowledged: JournalHead = field(init=False)
    energy_wh: int | None = 1234
    shortfall_minor: int = 0
    flags: str = "0" * 16
    now: CosemDateTime = CosemDateTime.from_instant(START, ZONE)

    def __post_init__(self) -> None:
        self.head = self.acknowledged = JournalHead.empty(self.title)

    def book(self, amount: int, *, fee_item: int = 0) -> bytes:
        """One more entry: a deduction of that fee item, or else a top-up; its row."""
        self.balance += amount
        now = CosemDateTime.from_instant(START + timedelta(hours=self.head.sequence), ZONE)
        item = self.items.get(fee_item)
        entry = Entry.chained(
            self.head,
            time=now,
            kind=EntryKind.DEDUCTION if fee_item else EntryKind.TOP_UP,
            amount=amount,
            balance=self.balance,
            fee_item=fee_item,
            reference=self.head.sequence.to_bytes(16, "big"),
            revision=0 if item is None else item.revision,
        )
        self.rows.append(entry.row())
        self.head = entry.head
        return self.rows[-1]

    def happen(self, code: EventCode, *, fee_item: int = 0, value: int = 0) -> None:
        """One more event."""
        self.events.append(_event(len(self.events) + 1, code, fee_item, value))

    def acknowledge(self, head: JournalHead) -> OutcomeCode:
        """As the purse's rule: only a head of its own journal, forward only."""
        if not 1 <= head.sequence <= len(self.rows) or self.rows[head.sequence - 1][-16:] != head.digest:
            return OutcomeCode.NO_SUCH_ENTRY
        if head.sequence > self.acknowledged.sequence:
            self.acknowledged = head
        return OutcomeCode.DONE


class FakeSession:
    """An open association with a FakeMeter.

    `step(what)` is called before and after each answer and may raise, as a line or a process may end there. `asked`
    lists the attributes that were asked for, `questions` counts the requests.
    """

    def __init__(self, meter: FakeMeter, step: Callable[[str], None] = lambda _what: None) -> None:
        self.meter = meter
        self.asked: list[str] = []
        self.questions = 0
        self.ended = ""
        self._step = step

    async def get(self, attribute: AttributeDescriptor, selection: SelectiveAccess | None = None) -> bytes:
        """As a meter answers GET."""
        self.questions += 1
        self.asked.append(str(attribute))
        self._step(f"before get {attribute}")
        answer = self._get(attribute, selection)
        self._step(f"after get {attribute}")
        return answer

    async def get_list(self, attributes: Sequence[AttributeWithSelection]) -> tuple[bytes | DataAccessResult, ...]:
        """As a meter answers GET with a list: what it does not show has its result."""
        answers: list[bytes | DataAccessResult] = []
        for wanted in attributes:
            try:
                answers.append(await self.get(wanted.attribute, wanted.selection))
            except NotPermittedError:
                answers.append(DataAccessResult.OBJECT_UNDEFINED)
        self.questions -= len(attributes) - 1
        return tuple(answers)

    async def action(self, method: MethodDescriptor, parameters: bytes | None) -> bytes | None:
        """As a meter answers ACTION of Purse.acknowledge."""
        self.asked.append(str(method))
        assert method == MethodDescriptor(PURSE.class_id, PURSE_NAME, 4)
        self._step("before acknowledge")
        sequence, digest = axdr.decode(parameters or b"").value
        outcome = self.meter.acknowledge(JournalHead(sequence=sequence.value, digest=digest.value))
        self._step("after acknowledge")
        return axdr.encode(cosem.enum(outcome))

    async def release(self) -> None:
        """As a session ends well."""
        self._step("before release")
        self.ended = "released"

    def abort(self) -> None:
        """As a session is dropped."""
        self.ended = "aborted"

    def _get(self, attribute: AttributeDescriptor, selection: SelectiveAccess | None) -> bytes:
        if attribute.logical_name == JOURNAL_NAME:
            return self.journal(*_wanted(selection, attribute_wanted=8))
        if attribute.logical_name == EVENT_LOG_NAME:
            first, last = _wanted(selection, attribute_wanted=9)
            return axdr.encode(cosem.array(row for row in self.meter.events if first <= row.value[1].value <= last))
        if attribute.class_id == CLOCK.class_id:
            return axdr.encode(cosem.octet_string(self.meter.now.octets))
        if attribute.class_id == REGISTER.class_id:
            if self.meter.energy_wh is None:
                raise NotPermittedError("object-undefined")
            return axdr.encode(cosem.double_long_unsigned(self.meter.energy_wh))
        if attribute.class_id == FEE_ITEM.class_id:
            return axdr.encode(self._fee_item(attribute))
        return axdr.encode(self._purse(PURSE.attribute(attribute.attribute).name))

    def journal(self, first: int, last: int) -> bytes:
        """The page of rows whose sequence number lies in that range."""
        return page_of(self.meter.rows[first - 1 : last])

    def _purse(self, name: str) -> Data:
        match name:
            case "currency":
                return cosem.structure(cosem.visible_string("CNY"), cosem.integer(-2))
            case "journal_head":
                return cosem.structure(
                    cosem.double_long_unsigned(self.meter.head.sequence), cosem.octet_string(self.meter.head.digest)
                )
            case "status":
                return cosem.structure(
                    cosem.bit_string(self.meter.flags),
                    cosem.long64(self.meter.shortfall_minor),
                    cosem.octet_string(CosemDateTime.NOT_SPECIFIED.octets),
                    cosem.long64(0),
                )
            case "last_event":
                return self.meter.events[-1] if self.meter.events else _event(0, 0, 0, 0)
        raise AssertionError(f"nobody should ask for {name}")

    def _fee_item(self, attribute: AttributeDescriptor) -> Data:
        item = self.meter.items.get(attribute.logical_name.octets[4])
        if item is None:
            raise NotPermittedError("object-undefined")
        if FEE_ITEM.attribute(attribute.attribute).name == "revision":
            return cosem.double_long_unsigned(item.revision)
        if FEE_ITEM.attribute(attribute.attribute).name == "status":
            return status_of(item)
        return parameters_of(item)


def page_of(rows: Sequence[bytes]) -> bytes:
    """An array of raw rows."""
    return b"\x01" + encode_length(len(rows)) + b"".join(rows)


def parameters_of(item: FakeItem) -> Data:
    """The parameters of a fee item with that descriptor, disabled, everything else at rest."""
    told = {"kind": item.kind, "label": item.label, "payee": item.payee, "enabled": False, "amount": 0}
    return from_plain(PARAMETERS, RENT | told)


def status_of(item: FakeItem) -> Data:
    """The status of a fee item that was never deducted."""
    return cosem.structure(
        cosem.enum(item.state),
        cosem.octet_string(item.due.octets),
        cosem.long64(item.amount),
        cosem.octet_string(CosemDateTime.NOT_SPECIFIED.octets),
        cosem.long64(0),
        cosem.long64(0),
        cosem.long_unsigned(item.missed),
    )


def _event(number: int, code: int, fee_item: int, value: int) -> Data:
    now = CosemDateTime.from_instant(START + timedelta(hours=number), ZONE) if number else CosemDateTime.NOT_SPECIFIED
    return cosem.structure(
        cosem.octet_string(now.octets),
        cosem.double_long_unsigned(number),
        cosem.long_unsigned(code),
        cosem.unsigned(fee_item),
        cosem.long64(value),
        cosem.NULL if number % 2 else cosem.octet_string(now.octets),
    )


def _wanted(selection: SelectiveAccess | None, *, attribute_wanted: int) -> tuple[int, int]:
    assert selection is not None, "a whole profile is never asked for"
    wanted = profile_selection(selection)
    assert isinstance(wanted, RangeDescriptor)
    column = wanted.restricting_object
    assert (column.class_id, column.logical_name, column.attribute, column.data_index) == (
        PURSE.class_id,
        PURSE_NAME,
        attribute_wanted,
        2,
    )
    return wanted.from_value.value, wanted.to_value.value
