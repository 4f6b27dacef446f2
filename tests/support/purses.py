"""A purse to test with: builders, a journal in memory, and an actor that applies changes to both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from dlms_objects.purse import operations, snapshot
from dlms_objects.purse.check import check
from dlms_objects.purse.entry import Entry, EntryKind
from dlms_objects.purse.fee_item import (
    AmountSource,
    FeeItem,
    Frequency,
    Parameters,
    RegisterReference,
    Schedule,
    UnitPrice,
)
from dlms_objects.purse.outcome import Event, EventCode, Operation, OutcomeCode, UsedId
from dlms_objects.purse.state import Change, PurseState, Settings
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.values.money import Currency
from dlms_objects.values.system_title import SystemTitle

TITLE = SystemTitle(b"MPR\x00\x00\x00\x00\x01")
CNY = Currency("CNY", -2)
ENERGY = RegisterReference(3, LogicalName.parse("1.0.1.8.0.255"), 2)
START = datetime(2026, 1, 1, tzinfo=UTC)


def identifier(number: int) -> bytes:
    """The caller-made identifier of that number (1..)."""
    return number.to_bytes(16, "big")


def at(month: int, day: int, hour: int = 8, minute: int = 0) -> datetime:
    """An instant in 2026, UTC."""
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def monthly(day: int = 1, **changes: Any) -> Schedule:
    """Every month on `day` at 08:00 since 2025."""
    columns = {"frequency": Frequency.MONTHLY, "day": day, "time": time(8), "first": date(2025, 1, 1)}
    return Schedule(**{**columns, **changes})


def daily(clock: time = time(8), first: date = date(2026, 1, 1), **changes: Any) -> Schedule:
    """Every day, at 08:00 from New Year 2026 unless told otherwise."""
    return Schedule(frequency=Frequency.DAILY, time=clock, first=first, **changes)


def fixed(amount: int, schedule: Schedule | None = None, **changes: Any) -> Parameters:
    """A fixed fee, on the first of the month unless told otherwise."""
    return Parameters(amount=amount, schedule=schedule or monthly(), **changes)


def billed(source: AmountSource = AmountSource.CLOUD, schedule: Schedule | None = None, **changes: Any) -> Parameters:
    """A fee whose amounts somebody sets."""
    return Parameters(amount_source=source, schedule=schedule or monthly(), **changes)


def metered(price: int, scaler: int = 0, schedule: Schedule | None = None, **changes: Any) -> Parameters:
    """A fee for the meter's own energy register."""
    unit_price = UnitPrice(price=price, scaler=scaler, register=ENERGY)
    return Parameters(
        amount_source=AmountSource.METERED, unit_price=unit_price, schedule=schedule or monthly(), **changes
    )


@dataclass
class MemoryJournal:
    """Every entry and used identifier, in memory: what the meter's store answers to the rules."""

    entries: list[Entry] = field(default_factory=list)
    used_ids: dict[bytes, UsedId] = field(default_factory=dict)

    def used_id(self, identifier: bytes) -> UsedId | None:
        """As `Journal.used_id`."""
        return self.used_ids.get(identifier)

    def entry(self, sequence: int) -> Entry | None:
        """As `Journal.entry`."""
        return self.entries[sequence - 1] if 1 <= sequence <= len(self.entries) else None

    def is_reversed(self, sequence: int) -> bool:
        """As `Journal.is_reversed`."""
        return any(
            used.operation is Operation.REVERSE and used.arguments == str(sequence) for used in self.used_ids.values()
        )

    def keep(self, change: Change) -> None:
        """Make a change durable."""
        self.entries.extend(change.entries)
        for used in change.used_ids:
            assert used.identifier not in self.used_ids
            self.used_ids[used.identifier] = used


class Purse:
    """A purse with its journal, its clock and its registers, driven by the tests as the meter drives one."""

    def __init__(self, settings: Settings | None = None, now: datetime = START) -> None:
        """An empty purse."""
        self.state = PurseState.new(TITLE, CNY, settings or Settings())
        self.journal = MemoryJournal()
        self.events: list[Event] = []
        self.now = now
        self.registers: dict[RegisterReference, int] = {ENERGY: 0}
        self.clock_valid = True
        self.checks: Callable[..., Change] = check

    def keep(self, change: Change) -> Change:
        """Take a change as the meter does: journal, events, then the state."""
        self.journal.keep(change)
        self.events.extend(change.events)
        self.state = change.state
        return change

    def check(self, now: datetime | None = None, registers: Mapping[RegisterReference, int] | None = None) -> Change:
        """Check, at another instant or with other registers if given."""
        self.now = now or self.now
        if registers is not None:
            self.registers = dict(registers)
        return self.keep(self.checks(self.state, self.now, self.registers, clock_valid=self.clock_valid))

    def restart(self) -> None:
        """Power off and on: the state goes through its snapshot."""
        self.state = snapshot.decode(snapshot.encode(self.state))

    def configure(self, number: int, parameters: Parameters) -> Change:
        """Configure an item, and check as the meter does after it."""
        change = self.keep(operations.set_parameters(self.state, self.now, number, parameters))
        self.check()
        return change

    def top_up(self, amount: int, number: int | None = None) -> Change:
        """Top up under a fresh identifier (or that of `number`), and check."""
        name = identifier(len(self.journal.used_ids) + 1000 if number is None else number)
        change = self.keep(operations.top_up(self.state, self.journal, self.now, name, amount))
        self.check()
        return change

    def set_amount(
        self, number: int, due: date, amount: int, reference: int = 0, source: AmountSource = AmountSource.CLOUD
    ) -> Change:
        """Set the amount of an occurrence, and check."""
        change = self.keep(
            operations.set_amount(
                self.state, self.journal, self.now, number, due, amount, identifier(reference), source
            )
        )
        self.check()
        return change

    def item(self, number: int = 1) -> FeeItem:
        """The item of that number."""
        return self.state.item(number)

    def deductions(self, number: int | None = None) -> list[tuple[str, int]]:
        """(due, amount taken) of every deduction, of one item if given."""
        return [
            (str(entry.due), -entry.amount)
            for entry in self.journal.entries
            if entry.kind is EntryKind.DEDUCTION and number in (None, entry.fee_item)
        ]

    def codes(self) -> list[EventCode]:
        """The codes of all events so far, without those of configuration."""
        quiet = (EventCode.PARAMETERS_CHANGED, EventCode.AMOUNT_SET)
        return [event.code for event in self.events if event.code not in quiet]

    def forget_events(self) -> None:
        """Begin a new list of events."""
        self.events.clear()


def household(balance: int = 0, **settings: Any) -> Purse:
    """A purse in UTC with so much in it, that looks no further ahead than the present."""
    purse = Purse(Settings(look_ahead_s=0, **settings))
    if balance:
        purse.top_up(balance)
    return purse


def done(change: Change) -> Change:
    """The change, which must be done."""
    assert change.outcome is OutcomeCode.DONE
    return change
