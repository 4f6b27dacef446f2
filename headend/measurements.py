"""The points of MeterPurse, one function per measurement: what becomes a tag, a field, and the timestamp.

`purse_entry` and `meter_event` follow from the ledger alone, to the last digit, so they can be made again at any time:
the same facts make the same line, and InfluxDB keeps a point once per measurement, tags and timestamp. The timestamp is
the meter's time in hundredths of a second with the row's number in the seven digits below, which keeps rows of the same
moment apart. The other measurements tell what the head-end saw when it happened. `docs/timeseries.md` is the reference.
Imported by `ingest`, `events`, `fleet`, `readings`, `delivery` and `influx`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from dlms_objects.purse.entry import Entry, EntryKind
from dlms_objects.purse.outcome import EventCode
from dlms_objects.values.cosem_time import CosemDateTime
from headend.line_protocol import MAXIMUM_FIELD, MINIMUM_FIELD, line, tag_value

NOBODY = "-"
"""The item and payee of an entry that has none."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HUNDREDTH_NS = 10_000_000
_PAYABLE = "payable:"
_EVENT_NAMES = {int(code): code.name.lower() for code in EventCode}
_KIND_NAMES = {kind: kind.name.lower() for kind in EntryKind}
_tag_value = lru_cache(maxsize=4096)(tag_value)


def row_timestamp_ns(time: CosemDateTime, number: int) -> int:
    """The timestamp of row `number` of a meter: unique, repeatable, and within 1/100 s of `time`.

    A time that is no instant (clock not set) counts as the beginning of 1970: the row is kept, and its sum with it.
    """
    instant = time.instant()
    hundredths = 0 if instant is None else (instant - _EPOCH) // timedelta(milliseconds=10)
    return hundredths * _HUNDREDTH_NS + number % _HUNDREDTH_NS


def purse_entry(entry: Entry, *, meter: str, currency: str, account: str, label: str) -> str:
    """A journal entry. `account` is the ledger's account on its other side, `label` what its fee item was called.

    Fields: `amount_minor` (signed), `balance_minor` after it, `sequence`, `item_number`, and of a deduction `late_s`,
    the seconds from its due time to its deduction.
    """
    fields = {
        "amount_minor": entry.amount,
        "balance_minor": entry.balance,
        "sequence": entry.sequence,
        "item_number": entry.fee_item,
    }
    due, made = entry.due.civil(), entry.time.civil()
    if due is not None and made is not None:
        fields["late_s"] = (made - due) // timedelta(seconds=1)
    tags = {
        "meter": meter,
        "currency": _tag_value(currency),
        "kind": _KIND_NAMES[entry.kind],
        "item": _tag_value(label or (str(entry.fee_item) if entry.fee_item else NOBODY)),
        "payee": _tag_value(account.removeprefix(_PAYABLE)) if account.startswith(_PAYABLE) else NOBODY,
    }
    return line("purse_entry", tags, fields, row_timestamp_ns(entry.time, entry.sequence))


def meter_event(*, meter: str, number: int, time: CosemDateTime, code: int, fee_item: int, value: int) -> str:
    """A row of a meter's event log; the tag `code` is the object model's name of it, or its number."""
    tags = {"meter": meter, "code": _EVENT_NAMES.get(code, str(code))}
    fields = {"value": value, "item_number": fee_item, "number": number}
    return line("meter_event", tags, fields, row_timestamp_ns(time, number))


def meter_status(
    *, meter: str, status: str, sequence: int, rows: int, last: CosemDateTime | None, now: datetime
) -> str:
    """A batch of a meter's records was answered: `status` as in the answer, `sequence` the ledger's last entry.

    `latency_s` is the time from the last row of the batch (`last`; None: it had no rows) to now; it holds the
    difference of the clocks too.
    """
    fields = {"sequence": sequence, "rows": rows}
    instant = None if last is None else last.instant()
    if instant is not None:
        fields["latency_s"] = (now - instant) // timedelta(seconds=1)
    return line("meter_status", {"meter": meter, "status": status}, fields, _timestamp_ns(now))


def gateway_status(*, gateway: str, status: Mapping[str, object], now: datetime) -> str | None:
    """A gateway's heartbeat: each whole number of it is a field under its own name. None when there is no number.

    What is null counts as 0: a gateway says so of an age when there is nothing to be old.
    """
    fields = {
        tag_value(name): number or 0
        for name, number in status.items()
        if number is None or (type(number) is int and MINIMUM_FIELD <= number <= MAXIMUM_FIELD)
    }
    return line("gateway_status", {"gateway": tag_value(gateway)}, fields, _timestamp_ns(now)) if fields else None


AGES = (("days_0_7_minor", 8), ("days_8_30_minor", 31), ("days_31_90_minor", 91), ("days_91_minor", None))
"""The classes of arrears: the field, and the day of age from which the next class holds."""
_DAY_S = 86_400


def fee_status(  # noqa: PLR0913 - what there is to say of a fee item
    *,
    meter: str,
    currency: str,
    item: str,
    payee: str,
    state: str,
    amount_minor: int,
    missed: int,
    age_s: int | None,
    now: datetime,
) -> str:
    """How a fee item stands: `age_s` is for how long its oldest unpaid occurrence is due, None when none is.

    Fields: `unpaid_minor`, what that occurrence asks (0: nothing is due, or its amount is not known), the same in the
    field of its age class (AGES; 0 in the others), `missed` occurrences in all, `age_s`.
    """
    unpaid = 0 if age_s is None else amount_minor
    fields = {"unpaid_minor": unpaid, "missed": missed, "age_s": age_s or 0}
    days, rest = (age_s or 0) // _DAY_S, unpaid
    for field, until in AGES:
        here = until is None or days < until
        fields[field] = rest if here else 0
        rest = 0 if here else rest
    tags = {
        "meter": meter,
        "currency": tag_value(currency),
        "item": tag_value(item),
        "payee": tag_value(payee),
        "state": state,
    }
    return line("fee_status", tags, fields, _timestamp_ns(now))


def purse_status(  # noqa: PLR0913 - what there is to say of a purse
    *, meter: str, currency: str, flags: int, shortfall_minor: int, clock_offset_s: int | None, now: datetime
) -> str:
    """How a purse stands: `flags` (flag n of the object model is bit n), what is missing within the look-ahead.

    `clock_offset_s` is the meter's clock less the gateway's, None when the meter does not know the time.
    """
    fields = {"flags": flags, "shortfall_minor": shortfall_minor}
    if clock_offset_s is not None:
        fields["clock_offset_s"] = clock_offset_s
    return line("purse_status", {"meter": meter, "currency": tag_value(currency)}, fields, _timestamp_ns(now))


def reading(*, meter: str, register: str, value: int, now: datetime) -> str:
    """What a register of a meter showed, in its unit (Wh for active energy); `register` is its logical name."""
    return line("reading", {"meter": meter, "register": register}, {"value": value}, _timestamp_ns(now))


def headend_status(figures: Mapping[str, int], *, now: datetime) -> str:
    """The head-end's own figures, under their names."""
    return line("headend_status", {}, figures, _timestamp_ns(now))


def notice_delivery(  # noqa: PLR0913 - what there is to say of one attempt
    *, meter: str, kind: str, channel: str, outcome: str, number: int, attempts: int, waited_s: int, now: datetime
) -> str:
    """One attempt to send a notice ended: `outcome` in a word such as `sent` or `failed`; `attempts` so far.

    `waited_s` is the time since the notice was written, `number` its id, which keeps attempts of one moment apart.
    """
    tags = {
        "meter": meter,
        "kind": tag_value(kind),
        "channel": tag_value(channel),
        "outcome": tag_value(outcome),
    }
    fields = {"attempts": attempts, "waited_s": waited_s, "notice": number}
    return line("notice_delivery", tags, fields, _timestamp_ns(now) + number % 1000)


def _timestamp_ns(instant: datetime) -> int:
    """Exact nanoseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1) * 1000
