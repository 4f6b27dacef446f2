"""The meter's store: its purse, journal, event log, used ids, keys, counters and clock, in an SQLite file.

A meter has a file of its own, or shares one with others (`database`), apart by its number. One writer, WAL,
synchronous=FULL; what belongs together is one transaction, and a call returns only after its commit. A lock file beside
it keeps a second process out. The money rules are not here: the store keeps what `purse` decided and answers what it
asks of the past.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path

from dlms_objects.meter.clock import MeterClock
from dlms_objects.meter.database import MeterDatabase, Statement
from dlms_objects.meter.kept_values import kept_statements, read_kept
from dlms_objects.meter.key_table import key_statements, read_keys
from dlms_objects.meter.meter_keys import MeterKeys
from dlms_objects.meter.store_file import NewMeter, StorageError, create_store, storage_errors
from dlms_objects.purse import snapshot
from dlms_objects.purse.entry import Entry, EntryKind
from dlms_objects.purse.outcome import Event, EventCode, Operation, OutcomeCode, UsedId
from dlms_objects.purse.state import Change, PurseState
from dlms_objects.transport.durable_counters import DurableReceivedCounters
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.counters import CounterBlocks, Counters

__all__ = ["EVENT_LOG_ROWS", "History", "MeterStore", "NumberedEvent", "StorageError", "StoredReceivedCounters"]

EVENT_LOG_ROWS = 10_000


# Left to itself SQLite goes through the whole journal wherever rows are wanted in its order.
_BY_TIME = "entry INDEXED BY entry_instant"
_BY_HISTORY = "entry INDEXED BY entry_history"


class History(IntEnum):
    """In which of the standard's histories an entry stands."""

    NONE = 0
    CHARGE_COLLECTION = 1
    """Deductions, and what was given back of them."""
    TOKEN_CREDIT = 2
    """Top-ups, and what was taken back of them."""

    @classmethod
    def of(cls, entry: Entry) -> "History":
        """An adjustment is in neither; a reversal in that of what it reverses, which its fee item tells."""
        if entry.kind is EntryKind.ADJUSTMENT:
            return cls.NONE
        return cls.CHARGE_COLLECTION if entry.fee_item else cls.TOKEN_CREDIT


@dataclass(frozen=True, slots=True)
class NumberedEvent:
    """One row of the event log: its number, from 1 and never repeated, and the event."""

    number: int
    event: Event


class StoredReceivedCounters:
    """The received counters of one key in the meter's store; StorageError when one cannot be stored."""

    def __init__(self, durable: DurableReceivedCounters) -> None:
        """Pass on what these answer."""
        self.highest = durable.highest
        self.highest_of_all = durable.highest_of_all
        self._durable = durable

    def accept(self, title: SystemTitle, counter: int) -> None:
        """Store a counter durably; it returns after the commit."""
        with storage_errors():
            self._durable.accept(title, counter)


ONLY_METER = 1
"""The number of the meter in a file of its own."""


class MeterStore:
    """The store of one meter in an open file. It is also the `Journal` that the purse rules ask about the past."""

    def __init__(self, database: MeterDatabase, number: int = ONLY_METER, *, has_own_file: bool = False) -> None:
        """Meter `number` of that file; one that has the file to itself closes it."""
        self._database = database
        self._connection = database.connection
        self._number = number
        self._has_own_file = has_own_file

    @classmethod
    def create(cls, path: Path, serial_number: str, state: PurseState) -> None:
        """Make a store with an empty journal; it appears under its name only once it is whole and synced."""
        create_store(path, [NewMeter(serial_number, snapshot.encode(state))])

    @classmethod
    def open(cls, path: Path) -> "MeterStore":
        """Open the file of one meter; StorageError where there is none, it is not one, or another process has it."""
        return cls(MeterDatabase.open(path), has_own_file=True)

    def close(self) -> None:
        """Close the file if it is the meter's own, and let another process have it; everything committed stays."""
        if self._has_own_file:
            self._database.close()

    def received_counters(self, key_id: str) -> StoredReceivedCounters:
        """The received counters of one key."""
        with storage_errors():
            return StoredReceivedCounters(self._database.counters.received(f"{self._number}/{key_id}"))

    def counters(self, key_id: str, received: StoredReceivedCounters) -> Counters:
        """Both counters of one key; StorageError when one cannot be reserved or stored."""
        reserve = self._database.counters.reserve(f"{self._number}/{key_id}")

        def reserved(count: int) -> range:
            with storage_errors():
                return reserve(count)

        return Counters(sent=CounterBlocks(reserved), received=received)

    def keys(self) -> MeterKeys | None:
        """The keys as last committed; None before the first."""
        with storage_errors():
            return read_keys(self._connection, self._number)

    def save_keys(self, keys: MeterKeys, events: Iterable[Event]) -> None:
        """Make the keys durable, together with the events that tell of it."""
        self._change([*key_statements(keys, self._number), *_event_statements(self._number, events)])

    def kept(self, name: str) -> bytes | None:
        """What an object keeps under that name, as last committed; None before the first."""
        with storage_errors():
            return read_kept(self._connection, self._number, name)

    def keep(self, values: Mapping[str, bytes], events: Iterable[Event]) -> None:
        """Make what objects keep durable, together with the events that tell of it."""
        self._change([*kept_statements(values, self._number), *_event_statements(self._number, events)])

    def serial_number(self) -> str:
        """The serial number given at `create`."""
        ((serial_number,),) = self._all("SELECT serial_number FROM meter WHERE number = ?")
        return str(serial_number)

    def state(self) -> PurseState:
        """The purse as last committed."""
        ((octets,),) = self._all("SELECT state FROM meter WHERE number = ?")
        with storage_errors():
            return snapshot.decode(octets)

    def clock(self) -> MeterClock | None:
        """The clock as last saved; None before the first time."""
        columns = "clock_epoch_s, clock_start, clock_rate"
        ((epoch_s, start, rate),) = self._all(f"SELECT {columns} FROM meter WHERE number = ?")
        if start is None:
            return None
        with storage_errors():
            return MeterClock(epoch_s=epoch_s, start=datetime.fromisoformat(start), rate=rate)

    def save_clock(self, clock: MeterClock) -> None:
        """Keep the clock, so that it runs on after a restart."""
        self._change(
            [
                (
                    "UPDATE meter SET clock_epoch_s = ?, clock_start = ?, clock_rate = ? WHERE number = ?",
                    (clock.epoch_s, clock.start.astimezone(UTC).isoformat(), clock.rate, self._number),
                )
            ]
        )

    def commit(self, change: Change) -> None:
        """Make a change durable, all of it or nothing: state, entries, events and used ids in one transaction."""
        self._change(self.statements_of(change))

    def statements_of(self, change: Change) -> Sequence[Statement]:
        """What `commit` does, to be carried out together with the changes of other meters of the same file."""
        number = self._number
        return [
            ("UPDATE meter SET state = ? WHERE number = ?", (snapshot.encode(change.state), number)),
            *(("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", (*_entry_row(entry), number)) for entry in change.entries),
            *(
                (
                    "INSERT INTO used_id VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(used.identifier, used.operation, used.arguments),
                        *(used.outcome, used.sequence, used.balance, number),
                    ),
                )
                for used in change.used_ids
            ),
            *(
                ("INSERT INTO reversed_entry VALUES (?, ?)", (int(used.arguments), number))
                for used in change.used_ids
                if used.operation is Operation.REVERSE
            ),
            *_event_statements(number, change.events),
        ]

    def log(self, event: Event) -> None:
        """Append one event that is not part of a change of the purse."""
        self._change(_event_statements(self._number, [event]))

    def used_id(self, identifier: bytes) -> UsedId | None:
        """What a caller-made id was used for, and what came of it."""
        rows = self._all("SELECT * FROM used_id WHERE meter = ? AND identifier = ?", identifier)
        if not rows:
            return None
        _, operation, arguments, outcome, sequence, balance, _ = rows[0]
        return UsedId(
            identifier=identifier,
            operation=Operation(operation),
            arguments=arguments,
            outcome=OutcomeCode(outcome),
            sequence=sequence,
            balance=balance,
        )

    def entry(self, sequence: int) -> Entry | None:
        """The journal entry of that number."""
        rows = self._all("SELECT row FROM entry WHERE meter = ? AND sequence = ?", sequence)
        with storage_errors():
            return Entry.from_row(rows[0][0]) if rows else None

    def is_reversed(self, sequence: int) -> bool:
        """True when a reversal of that entry was journaled."""
        return bool(self._all("SELECT 1 FROM reversed_entry WHERE meter = ? AND sequence = ?", sequence))

    def last_sequence(self) -> int:
        """The sequence number of the last entry; 0 in an empty journal."""
        ((last,),) = self._all("SELECT coalesce(max(sequence), 0) FROM entry WHERE meter = ?")
        return int(last)

    def rows(self, first: int, last: int, limit: int) -> list[bytes]:
        """The 98-octet rows of the entries first..last, in order, at most `limit`."""
        return self._rows("entry", "sequence BETWEEN ? AND ?", first, last, limit)

    def rows_of_period(self, begin: datetime, end: datetime, limit: int) -> list[bytes]:
        """The rows whose time lies in begin..end (both included, to the second), by sequence, at most `limit`."""
        period = int(begin.timestamp()), int(end.timestamp())
        return self._rows(_BY_TIME, "instant_s BETWEEN ? AND ?", *period, limit)

    def history_count(self, history: History) -> int:
        """How many entries stand in that history."""
        ((count,),) = self._all(f"SELECT count(*) FROM {_BY_HISTORY} WHERE meter = ? AND history = ?", history)
        return int(count)

    def history_entries(self, history: History, skip: int, limit: int) -> list[bytes]:
        """The rows of a history, in order, at most `limit` after the first `skip`."""
        statement = f"SELECT row FROM {_BY_HISTORY} WHERE meter = ? AND history = ? ORDER BY sequence LIMIT ? OFFSET ?"
        return [row for (row,) in self._all(statement, history, limit, skip)]

    def history_rows(self, history: History, first: int, last: int, limit: int) -> list[bytes]:
        """The rows of a history with these sequence numbers, in order, at most `limit`."""
        return self._rows(_BY_HISTORY, "history = ? AND sequence BETWEEN ? AND ?", history, first, last, limit)

    def history_of_period(self, history: History, begin: datetime, end: datetime, limit: int) -> list[bytes]:
        """The rows of a history whose time lies in begin..end (both included, to the second), at most `limit`."""
        period = int(begin.timestamp()), int(end.timestamp())
        return self._rows(_BY_TIME, "history = ? AND instant_s BETWEEN ? AND ?", history, *period, limit)

    def alarms(self) -> int:
        """The alarm bits that events have set and nobody has cleared."""
        ((alarms,),) = self._all("SELECT alarms FROM meter WHERE number = ?")
        return int(alarms)

    def save_alarms(self, alarms: int) -> None:
        """Keep these alarm bits in place of those before."""
        self._change([("UPDATE meter SET alarms = ? WHERE number = ?", (alarms, self._number))])

    def event_numbers(self) -> tuple[int, int]:
        """The lowest and highest number in the event log; (1, 0) when it is empty."""
        ((lowest, highest),) = self._all(
            "SELECT coalesce(min(number), 1), coalesce(max(number), 0) FROM event WHERE meter = ?"
        )
        return int(lowest), int(highest)

    def last_event_instant(self) -> datetime | None:
        """When the last event in the log happened; None when the log is empty."""
        _, highest = self.event_numbers()
        rows = self.events(highest, highest, 1)
        return rows[0].event.time.instant() if rows else None

    def last_event(self) -> NumberedEvent | None:
        """The newest event; None in an empty log."""
        _lowest, highest = self.event_numbers()
        found = self.events(highest, highest, 1)
        return found[0] if found else None

    def events(self, first: int, last: int, limit: int) -> list[NumberedEvent]:
        """The events first..last that the log still holds, in order, at most `limit`."""
        return self._events("number BETWEEN ? AND ?", first, last, limit)

    def events_of_period(self, begin: datetime, end: datetime, limit: int) -> list[NumberedEvent]:
        """The events whose time lies in begin..end (both included, to the second), by number, at most `limit`."""
        return self._events("instant_s BETWEEN ? AND ?", int(begin.timestamp()), int(end.timestamp()), limit)

    def _rows(self, entries: str, condition: str, *parameters: int) -> list[bytes]:
        statement = f"SELECT row FROM {entries} WHERE meter = ? AND {condition} ORDER BY sequence LIMIT ?"
        return [row for (row,) in self._all(statement, *parameters)]

    def _events(self, condition: str, *parameters: int) -> list[NumberedEvent]:
        columns = "number, time, code, fee_item, value, due"
        statement = f"SELECT {columns} FROM event WHERE meter = ? AND {condition} ORDER BY number LIMIT ?"
        return [_numbered_event(*row) for row in self._all(statement, *parameters)]

    def _all(self, statement: str, *parameters: object) -> list[tuple]:  # type: ignore[type-arg]  # rows as they come
        """The rows of this meter: its number is the first parameter of every statement."""
        with storage_errors():
            return self._connection.execute(statement, (self._number, *parameters)).fetchall()

    def _change(self, statements: Iterable[Statement]) -> None:
        self._database.change(statements)


def _entry_row(entry: Entry) -> tuple[int, int, bytes, int]:
    return entry.sequence, _instant_s(entry.time), entry.row(), History.of(entry)


def _event_statements(number: int, events: Iterable[Event]) -> list[Statement]:
    statements: list[Statement] = []
    for event in events:
        due = None if event.due is None else event.due.octets
        statements.append(
            (
                "INSERT INTO event SELECT coalesce(max(number), 0) + 1, ?, ?, ?, ?, ?, ?, ? FROM event WHERE meter = ?",
                (
                    *(_instant_s(event.time), event.time.octets, event.code, event.fee_item, event.value, due),
                    *(number, number),
                ),
            )
        )
    if statements:
        oldest = "(SELECT max(number) FROM event WHERE meter = ?) - ?"
        statements.append(
            (f"DELETE FROM event WHERE meter = ? AND number <= {oldest}", (number, number, EVENT_LOG_ROWS))
        )
    return statements


def _numbered_event(number: int, time: bytes, code: int, fee_item: int, value: int, due: bytes | None) -> NumberedEvent:
    event = Event(
        time=CosemDateTime(time),
        code=EventCode(code),
        fee_item=fee_item,
        value=value,
        due=None if due is None else CosemDateTime(due),
    )
    return NumberedEvent(number, event)


def _instant_s(time: CosemDateTime) -> int:
    instant = time.instant()
    return 0 if instant is None else int(instant.timestamp())
