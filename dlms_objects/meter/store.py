"""The meter's store: one SQLite file that holds the purse, its journal, the event log, used ids, keys, counters, clock.

One writer, WAL, synchronous=FULL; what belongs together is one transaction, and a call returns only after its commit.
A lock file beside it keeps a second process out. The money rules are not here: the store keeps what `purse` decided and
answers what it asks of the past.
"""

import os
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dlms_objects.meter.clock import MeterClock
from dlms_objects.meter.kept_values import KEPT_VALUE_TABLE, kept_statements, read_kept
from dlms_objects.meter.key_table import KEY_TABLES, key_statements, read_keys
from dlms_objects.meter.meter_keys import MeterKeys
from dlms_objects.meter.store_file import StorageError, create_store, lock_store, open_store, storage_errors
from dlms_objects.purse import snapshot
from dlms_objects.purse.entry import Entry
from dlms_objects.purse.outcome import Event, EventCode, Operation, OutcomeCode, UsedId
from dlms_objects.purse.state import Change, PurseState
from dlms_objects.transport.durable_counters import DurableCounters, DurableReceivedCounters
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.counters import CounterBlocks, Counters

__all__ = ["EVENT_LOG_ROWS", "MeterStore", "NumberedEvent", "StorageError", "StoredReceivedCounters"]

EVENT_LOG_ROWS = 10_000


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


class MeterStore:
    """An open store. It is also the `Journal` that the purse rules ask about the past."""

    def __init__(self, connection: sqlite3.Connection, counters: DurableCounters, resources: ExitStack) -> None:
        """Use a connection to a complete store; `open` makes one, and `resources` that ends it with its lock."""
        self._connection = connection
        self._counters = counters
        self._resources = resources

    @classmethod
    def create(cls, path: Path, serial_number: str, state: PurseState) -> None:
        """Make a store with an empty journal; it appears under its name only once it is whole and synced."""
        create_store(path, serial_number, snapshot.encode(state))

    @classmethod
    def open(cls, path: Path) -> "MeterStore":
        """Open an existing store; StorageError where there is none, it is not a meter's, or another process has it."""
        with ExitStack() as resources:
            resources.callback(os.close, lock_store(path))
            connection = open_store(path)
            resources.callback(connection.close)
            with storage_errors(f"{path}: cannot open the meter's store"):
                counters = DurableCounters(connection)
                connection.executescript(KEY_TABLES + KEPT_VALUE_TABLE)
            return cls(connection, counters, resources.pop_all())

    def close(self) -> None:
        """Close the file, and let another process have it; everything committed stays."""
        self._resources.close()

    def received_counters(self, key_id: str) -> StoredReceivedCounters:
        """The received counters of one key."""
        with storage_errors():
            return StoredReceivedCounters(self._counters.received(key_id))

    def counters(self, key_id: str, received: StoredReceivedCounters) -> Counters:
        """Both counters of one key; StorageError when one cannot be reserved or stored."""
        reserve = self._counters.reserve(key_id)

        def reserved(count: int) -> range:
            with storage_errors():
                return reserve(count)

        return Counters(sent=CounterBlocks(reserved), received=received)

    def keys(self) -> MeterKeys | None:
        """The keys as last committed; None before the first."""
        with storage_errors():
            return read_keys(self._connection)

    def save_keys(self, keys: MeterKeys, events: Iterable[Event]) -> None:
        """Make the keys durable, together with the events that tell of it."""
        self._change([*key_statements(keys), *_event_statements(events)])

    def kept(self, name: str) -> bytes | None:
        """What an object keeps under that name, as last committed; None before the first."""
        with storage_errors():
            return read_kept(self._connection, name)

    def keep(self, values: Mapping[str, bytes], events: Iterable[Event]) -> None:
        """Make what objects keep durable, together with the events that tell of it."""
        self._change([*kept_statements(values), *_event_statements(events)])

    def serial_number(self) -> str:
        """The serial number given at `create`."""
        ((serial_number,),) = self._all("SELECT serial_number FROM meter")
        return str(serial_number)

    def state(self) -> PurseState:
        """The purse as last committed."""
        ((octets,),) = self._all("SELECT state FROM meter")
        with storage_errors():
            return snapshot.decode(octets)

    def clock(self) -> MeterClock | None:
        """The clock as last saved; None before the first time."""
        ((epoch_s, start, rate),) = self._all("SELECT clock_epoch_s, clock_start, clock_rate FROM meter")
        if start is None:
            return None
        with storage_errors():
            return MeterClock(epoch_s=epoch_s, start=datetime.fromisoformat(start), rate=rate)

    def save_clock(self, clock: MeterClock) -> None:
        """Keep the clock, so that it runs on after a restart."""
        self._change(
            [
                (
                    "UPDATE meter SET clock_epoch_s = ?, clock_start = ?, clock_rate = ?",
                    (clock.epoch_s, clock.start.astimezone(UTC).isoformat(), clock.rate),
                )
            ]
        )

    def commit(self, change: Change) -> None:
        """Make a change durable, all of it or nothing: state, entries, events and used ids in one transaction."""
        self._change(
            [
                ("UPDATE meter SET state = ?", (snapshot.encode(change.state),)),
                *(("INSERT INTO entry VALUES (?, ?, ?)", _entry_row(entry)) for entry in change.entries),
                *(
                    (
                        "INSERT INTO used_id VALUES (?, ?, ?, ?, ?, ?)",
                        (used.identifier, used.operation, used.arguments, used.outcome, used.sequence, used.balance),
                    )
                    for used in change.used_ids
                ),
                *(
                    ("INSERT INTO reversed_entry VALUES (?)", (int(used.arguments),))
                    for used in change.used_ids
                    if used.operation is Operation.REVERSE
                ),
                *_event_statements(change.events),
            ]
        )

    def log(self, event: Event) -> None:
        """Append one event that is not part of a change of the purse."""
        self._change(_event_statements([event]))

    def used_id(self, identifier: bytes) -> UsedId | None:
        """What a caller-made id was used for, and what came of it."""
        rows = self._all("SELECT * FROM used_id WHERE identifier = ?", identifier)
        if not rows:
            return None
        _, operation, arguments, outcome, sequence, balance = rows[0]
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
        rows = self._all("SELECT row FROM entry WHERE sequence = ?", sequence)
        with storage_errors():
            return Entry.from_row(rows[0][0]) if rows else None

    def is_reversed(self, sequence: int) -> bool:
        """True when a reversal of that entry was journaled."""
        return bool(self._all("SELECT 1 FROM reversed_entry WHERE sequence = ?", sequence))

    def last_sequence(self) -> int:
        """The sequence number of the last entry; 0 in an empty journal."""
        ((last,),) = self._all("SELECT coalesce(max(sequence), 0) FROM entry")
        return int(last)

    def rows(self, first: int, last: int, limit: int) -> list[bytes]:
        """The 98-octet rows of the entries first..last, in order, at most `limit`."""
        found = self._all(
            "SELECT row FROM entry WHERE sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?", first, last, limit
        )
        return [row for (row,) in found]

    def rows_of_period(self, begin: datetime, end: datetime, limit: int) -> list[bytes]:
        """The rows whose time lies in begin..end (both included, to the second), by sequence, at most `limit`."""
        found = self._all(
            "SELECT row FROM entry WHERE instant_s BETWEEN ? AND ? ORDER BY sequence LIMIT ?",
            int(begin.timestamp()),
            int(end.timestamp()),
            limit,
        )
        return [row for (row,) in found]

    def event_numbers(self) -> tuple[int, int]:
        """The lowest and highest number in the event log; (1, 0) when it is empty."""
        ((lowest, highest),) = self._all(
            "SELECT coalesce((SELECT min(number) FROM event), 1), coalesce((SELECT max(number) FROM event), 0)"
        )
        return int(lowest), int(highest)

    def events(self, first: int, last: int, limit: int) -> list[NumberedEvent]:
        """The events first..last that the log still holds, in order, at most `limit`."""
        return self._events("number BETWEEN ? AND ?", first, last, limit)

    def events_of_period(self, begin: datetime, end: datetime, limit: int) -> list[NumberedEvent]:
        """The events whose time lies in begin..end (both included, to the second), by number, at most `limit`."""
        return self._events("instant_s BETWEEN ? AND ?", int(begin.timestamp()), int(end.timestamp()), limit)

    def _events(self, condition: str, *parameters: int) -> list[NumberedEvent]:
        columns = "number, time, code, fee_item, value, due"
        found = self._all(f"SELECT {columns} FROM event WHERE {condition} ORDER BY number LIMIT ?", *parameters)
        return [_numbered_event(*row) for row in found]

    def _all(self, statement: str, *parameters: object) -> list[tuple]:  # type: ignore[type-arg]  # rows as they come
        with storage_errors():
            return self._connection.execute(statement, parameters).fetchall()

    def _change(self, statements: Iterable[tuple[str, tuple[object, ...]]]) -> None:
        connection = self._connection
        with storage_errors():
            connection.execute("BEGIN IMMEDIATE")
            try:
                for statement, parameters in statements:
                    connection.execute(statement, parameters)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _entry_row(entry: Entry) -> tuple[int, int, bytes]:
    return entry.sequence, _instant_s(entry.time), entry.row()


def _event_statements(events: Iterable[Event]) -> list[tuple[str, tuple[object, ...]]]:
    statements: list[tuple[str, tuple[object, ...]]] = []
    for event in events:
        due = None if event.due is None else event.due.octets
        statements.append(
            (
                "INSERT INTO event SELECT coalesce(max(number), 0) + 1, ?, ?, ?, ?, ?, ? FROM event",
                (_instant_s(event.time), event.time.octets, event.code, event.fee_item, event.value, due),
            )
        )
    if statements:
        statements.append(("DELETE FROM event WHERE number <= (SELECT max(number) FROM event) - ?", (EVENT_LOG_ROWS,)))
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
