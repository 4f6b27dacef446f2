"""What a household is told: which entries and events make a notice, and the facts each one keeps.

A notice is there once per meter, kind and number. Its text is made when it is read (`rendering`); so are the facts of
an entry's notice (`told`), which are all in the books, while those of other notices are stored with them. Imported by
`booking`, `told`, `events`, `monthly`, `rendering`, `statements`, `delivery` and the configuration.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

import msgspec

from dlms_objects.purse.entry import Entry, EntryKind

Language = Literal["en", "zh-CN"]
"""A language that notices are written in."""


class NoticeKind(StrEnum):
    """What a notice is about; also the name of its template."""

    DEDUCTION = "deduction"
    TOP_UP = "top_up"
    REVERSAL = "reversal"
    ADJUSTMENT = "adjustment"
    LOW_BALANCE = "low_balance"
    SHORTFALL_AHEAD = "shortfall_ahead"
    INSUFFICIENT = "insufficient"
    SETTLED = "settled"
    WAITING_AMOUNT = "waiting_amount"
    PARAMETERS_CHANGED = "parameters_changed"
    STATEMENT = "statement"


MADE_FROM_ENTRY = ""
"""In the place of facts: they are those of the entry with the notice's number."""
OF_ENTRY = MappingProxyType(
    {
        EntryKind.DEDUCTION: NoticeKind.DEDUCTION,
        EntryKind.TOP_UP: NoticeKind.TOP_UP,
        EntryKind.REVERSAL: NoticeKind.REVERSAL,
        EntryKind.ADJUSTMENT: NoticeKind.ADJUSTMENT,
    }
)
OF_EVENT_CODE = MappingProxyType(
    {
        10: NoticeKind.LOW_BALANCE,
        11: NoticeKind.SHORTFALL_AHEAD,
        12: NoticeKind.INSUFFICIENT,
        13: NoticeKind.SETTLED,
        14: NoticeKind.WAITING_AMOUNT,
        20: NoticeKind.PARAMETERS_CHANGED,
        21: NoticeKind.PARAMETERS_CHANGED,
    }
)
"""The event codes of the object model that a household is told about; the others are the operator's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeTotal:
    """What a statement says of one fee item: the sum of its deductions, less what was given back (minor units)."""

    fee_item: int
    label: str
    payee: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a template may say, as it was when the entry was booked or the event came in.

    `time` and `due` are COSEM date-times, 24 hexadecimal digits. An entry has `amount_minor` (signed) and the balance
    before and after it; an event has `value_minor`, whose meaning depends on its code, or the new `revision` of changed
    parameters. A statement has `month` (`2026-03`), the balance before and after it, and how the one became the other:
    before + topped_up - deducted + adjusted == after; `totals` sum to `deducted_minor`.
    """

    time: str
    fee_item: int = 0
    label: str = ""
    payee: str = ""
    due: str | None = None
    amount_minor: int | None = None
    before_minor: int | None = None
    after_minor: int | None = None
    value_minor: int | None = None
    revision: int | None = None
    month: str | None = None
    through_sequence: int | None = None
    topped_up_minor: int | None = None
    deducted_minor: int | None = None
    adjusted_minor: int | None = None
    totals: tuple[FeeTotal, ...] = ()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Facts)
_UNTOLD: tuple[object, ...] = (None, "", [])


def facts_of_entry(entry: Entry, *, label: str, payee: str) -> Facts:
    """The facts of the notice that every entry makes; `label` and `payee` are its fee item's, as it was booked."""
    return Facts(
        time=entry.time.octets.hex(),
        fee_item=entry.fee_item,
        label=label,
        payee=payee,
        due=entry.due.octets.hex() if entry.due.is_specified else None,
        amount_minor=entry.amount,
        before_minor=entry.balance - entry.amount,
        after_minor=entry.balance,
    )


def facts_of(text: str) -> Facts:
    """The facts as they were stored."""
    return _decoder.decode(text)


def row_of(meter_id: int, kind: NoticeKind, number: int, facts: Facts) -> dict[str, object]:
    """The row of the notice table; `number` is the entry's sequence, the event's number or a month such as 202603."""
    told = {name: fact for name, fact in msgspec.to_builtins(facts).items() if fact not in _UNTOLD}
    return {"meter_id": meter_id, "kind": kind.value, "number": number, "facts": _encoder.encode(told).decode()}
