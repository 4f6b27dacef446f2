"""What the front panel shows at one moment, as plain texts: a pure view of the purse. Page and terminal draw the same.

Amounts are decimal texts of whole minor units, times civil. It reads the state and changes nothing; imported by the
panel, and by the terminal, which decodes it from JSON.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dlms_objects.meter import panel_texts as texts
from dlms_objects.meter.consumer_message import prompts
from dlms_objects.meter.panel_texts import Text
from dlms_objects.purse.fee_item import AmountSource, FeeItem
from dlms_objects.purse.metering import Registers
from dlms_objects.purse.prompt import Status, StatusFlag, item_status, status
from dlms_objects.purse.state import PurseState
from dlms_objects.values.civil import civil_of, time_zone
from dlms_objects.values.money import Currency, Money


class Level(StrEnum):
    """How a lamp shines; its words say the same."""

    GOOD = "good"
    CARE = "care"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """A status lamp: what it is about, what it says, how it shines."""

    name: Text
    words: Text
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One fee item: `due` and `amount` of its next occurrence, empty where there is none or nobody knows.

    `takes_amount`: a person may type in the amount of the occurrence of the day `due_day` (ISO), which is else empty.
    """

    number: int
    label: str
    kind: Text
    state: Text
    due: str
    due_day: str
    amount: str
    takes_amount: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelView:
    """All that the panel shows. `entry` says whether an amount may be typed in, and else why not."""

    time: str
    balance: str
    currency: str
    decimals: int
    prompt: Text
    next_due: str
    next_amount: str
    items: tuple[ItemView, ...]
    lamps: tuple[Lamp, ...]
    can_enter: bool
    entry: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLock:
    """The PIN as the view needs to know it: whether there is one, and for how many seconds more none is tried."""

    has_pin: bool = False
    locked_s: int = 0


def panel_view(
    state: PurseState, now: datetime, registers: Registers, lock: EntryLock, *, supply_on: bool
) -> PanelView:
    """The view at the instant `now`; items that are not configured are left out."""
    found = status(state, now, registers)
    items = tuple(_items(state, now, registers))
    zh, en = prompts(state, now, registers)
    entry = _entry(items, lock)
    return PanelView(
        time=f"{civil_of(now, time_zone(state.settings.time_zone)):%Y-%m-%d %H:%M}",
        balance=Money(state.balance, state.currency).decimal_text(),
        currency=state.currency.code,
        decimals=-state.currency.scale,
        prompt=Text(zh, en),
        next_due=_moment(found.next_due),
        next_amount=_amount(found.next_amount, state.currency),
        items=items,
        lamps=tuple(_lamps(found, supply_on=supply_on)),
        can_enter=entry is texts.ENTRY_OPEN,
        entry=entry,
    )


def _items(state: PurseState, now: datetime, registers: Registers) -> Iterator[ItemView]:
    for item in state.items:
        if item.parameters is None:
            continue
        shown = item_status(item, state, now, registers)
        by_hand = _takes_by_hand(item)
        yield ItemView(
            number=item.number,
            label=item.parameters.label,
            kind=texts.KINDS[item.parameters.kind],
            state=texts.STATES[shown.state],
            due=_moment(shown.next_due),
            due_day=shown.next_due.date().isoformat() if by_hand and shown.next_due is not None else "",
            amount=_amount(shown.next_amount, state.currency),
            takes_amount=by_hand,
        )


def _takes_by_hand(item: FeeItem) -> bool:
    """Whether the item's next occurrence takes an amount from the panel."""
    occurrence = item.next_occurrence
    return occurrence is not None and occurrence.parameters.amount_source is AmountSource.MANUAL


def _entry(items: tuple[ItemView, ...], lock: EntryLock) -> Text:
    if not lock.has_pin:
        return texts.ENTRY_NO_PIN
    if lock.locked_s:
        return texts.ENTRY_LOCKED.filled(seconds=lock.locked_s)
    return texts.ENTRY_OPEN if any(item.takes_amount for item in items) else texts.ENTRY_NO_ITEM


_GOOD = Text("正常", "OK")

_LAMPS = (
    (
        Text("余额", "Balance"),
        (
            (StatusFlag.WAITING_BALANCE, Text("欠费", "unpaid"), Level.BAD),
            (StatusFlag.SHORTFALL_AHEAD, Text("将不足", "short soon"), Level.CARE),
            (StatusFlag.LOW_BALANCE, Text("偏低", "low"), Level.CARE),
        ),
    ),
    (Text("金额", "Amount"), ((StatusFlag.WAITING_AMOUNT, Text("待录入", "missing"), Level.CARE),)),
    (Text("时钟", "Clock"), ((StatusFlag.CLOCK_INVALID, Text("无效", "not set"), Level.BAD),)),
    (
        Text("账本", "Journal"),
        (
            (StatusFlag.TAMPER, Text("异常", "broken"), Level.BAD),
            (StatusFlag.JOURNAL_FULL, Text("已满", "full"), Level.BAD),
        ),
    ),
)


def _lamps(found: Status, *, supply_on: bool) -> Iterator[Lamp]:
    """The first condition of a lamp that holds is what it says."""
    on, off = (Text("供电", "on"), Level.GOOD), (Text("断电", "off"), Level.BAD)
    words, level = on if supply_on else off
    yield Lamp(name=Text("供电", "Supply"), words=words, level=level)
    for name, conditions in _LAMPS:
        holding = ((words, level) for flag, words, level in conditions if found.flags & flag)
        words, level = next(holding, (_GOOD, Level.GOOD))
        yield Lamp(name=name, words=words, level=level)


def _moment(due: datetime | None) -> str:
    return "" if due is None else f"{due:%Y-%m-%d %H:%M}"


def _amount(minor: int, currency: Currency) -> str:
    """An amount not yet known is 0 in the rules, and nothing here."""
    return Money(minor, currency).decimal_text() if minor else ""
