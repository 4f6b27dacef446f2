"""The profiles of the meter, purse journal, its views and event log, with selective access by range and by entry.

A GET that selects more than MAXIMUM_ROWS rows is refused (scope-of-access-violated): the answer is made in memory, and
half an answer would look whole. Who wants more asks for ranges.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from dlms_objects.classes.purse_class import EVENT_ROW, JOURNAL_ROW, PURSE, PURSE_NAME
from dlms_objects.classes.shape import Structure
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.clock import EARLIEST, LATEST
from dlms_objects.meter.cosem_object import AccessRefusedError, ActionRefusedError, Requester, capture_object
from dlms_objects.meter.moments import instant_meant
from dlms_objects.meter.store import EVENT_LOG_ROWS, MeterStore, NumberedEvent
from dlms_objects.values import data as cosem
from dlms_objects.values.data import Data, DataType
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import axdr
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.lengths import encode_length
from dlms_objects.wire.selection import (
    CaptureObject,
    EntryDescriptor,
    RangeDescriptor,
    SelectiveAccess,
    profile_selection,
)

LAST_ENTRY_ATTRIBUTE = 8
LAST_EVENT_ATTRIBUTE = 9
TIME_COLUMN = 1
NUMBER_COLUMN = 2
SORT_FIFO = 1
LARGEST_NUMBER = 2**32 - 1
MAXIMUM_ROWS = 20_000  # 2 MB of journal
_CLOCK = CaptureObject(class_id=8, logical_name=LogicalName.parse("0.0.1.0.0.255"), attribute=2)


class ProfileSource(Protocol):
    """The rows behind a profile, each as its A-XDR octets. Numbers rise from row to row and never repeat."""

    attribute: int
    row_shape: Structure
    profile_entries: int

    def count(self) -> int:
        """How many rows there are."""

    def entries(self, skip: int, limit: int) -> Sequence[bytes]:
        """The rows after the oldest `skip`, in order, at most `limit`."""

    def rows(self, first: int, last: int, limit: int) -> Sequence[bytes]:
        """The rows numbered first..last that exist, in order, at most `limit`."""

    def rows_of_period(self, begin: datetime, end: datetime, limit: int) -> Sequence[bytes]:
        """The rows whose time lies in begin..end, both included, in order, at most `limit`."""


class JournalSource:
    """The purse journal: every entry, never overwritten."""

    attribute = LAST_ENTRY_ATTRIBUTE
    row_shape = JOURNAL_ROW
    profile_entries = LARGEST_NUMBER

    def __init__(self, store: MeterStore) -> None:
        """Read from this store."""
        self.count = store.last_sequence
        self.rows = store.rows
        self.rows_of_period = store.rows_of_period

    def entries(self, skip: int, limit: int) -> Sequence[bytes]:
        """The entries after the first `skip`: their numbers are their places."""
        return self.rows(skip + 1, LARGEST_NUMBER, limit)


class EventSource:
    """The event log: the last 10 000 events."""

    attribute = LAST_EVENT_ATTRIBUTE
    row_shape = EVENT_ROW
    profile_entries = EVENT_LOG_ROWS

    def __init__(self, store: MeterStore) -> None:
        """Read from this store."""
        self._store = store

    def count(self) -> int:
        """How many events the log still holds."""
        lowest, highest = self._store.event_numbers()
        return highest - lowest + 1

    def entries(self, skip: int, limit: int) -> list[bytes]:
        """The events after the oldest `skip` that the log still holds."""
        lowest, highest = self._store.event_numbers()
        return self.rows(lowest + skip, highest, limit)

    def rows(self, first: int, last: int, limit: int) -> list[bytes]:
        """The events of those numbers as rows, at most `limit`."""
        return [axdr.encode(event_row(event)) for event in self._store.events(first, last, limit)]

    def rows_of_period(self, begin: datetime, end: datetime, limit: int) -> list[bytes]:
        """The events of that period as rows, at most `limit`."""
        return [axdr.encode(event_row(event)) for event in self._store.events_of_period(begin, end, limit)]


def event_row(numbered: NumberedEvent) -> Data:
    """The six columns of an event log row."""
    event = numbered.event
    return cosem.structure(
        cosem.octet_string(event.time.octets),
        cosem.double_long_unsigned(numbered.number),
        cosem.long_unsigned(event.code),
        cosem.unsigned(event.fee_item),
        cosem.long64(event.value),
        cosem.NULL if event.due is None else cosem.octet_string(event.due.octets),
    )


class ProfileObject:
    """A profile generic object over a source of rows; column k captures attribute data index k of the purse."""

    def __init__(self, source: ProfileSource, zone: "ZoneSource") -> None:
        """`zone` tells the meter's zone at the time of asking, for bounds given in civil time."""
        self._source = source
        self._zone = zone
        self._columns = tuple(
            CaptureObject(
                class_id=PURSE.class_id, logical_name=PURSE_NAME, attribute=source.attribute, data_index=column
            )
            for column in range(1, len(source.row_shape.members) + 1)
        )

    def get(self, attribute: int, selection: SelectiveAccess | None, requester: Requester) -> Data | bytes:
        """The buffer as encoded octets, the other attributes as typed data."""
        if attribute == 2:
            return self._buffer(selection)
        if selection is not None:
            raise AccessRefusedError(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        values: dict[int, Data] = {
            3: cosem.array(_definition(column) for column in self._columns),
            4: cosem.double_long_unsigned(0),  # captured when it happens, not periodically
            5: cosem.enum(SORT_FIFO),
            6: _definition(self._columns[0]),
            7: cosem.double_long_unsigned(self._source.count()),
            8: cosem.double_long_unsigned(self._source.profile_entries),
        }
        return values[attribute]

    def set(self, attribute: int, value: Data, requester: Requester) -> None:
        """Nothing can be written."""
        raise AccessRefusedError(DataAccessResult.READ_WRITE_DENIED)

    def invoke(self, method: int, parameter: Data, requester: Requester) -> Data | None:
        """A journal of money is neither reset nor captured from outside."""
        raise ActionRefusedError(ActionResult.READ_WRITE_DENIED)

    def _buffer(self, selection: SelectiveAccess | None) -> bytes:
        columns: Sequence[int] = range(1, len(self._columns) + 1)
        if selection is None:
            rows = self._source.entries(0, MAXIMUM_ROWS + 1)
        else:
            try:
                wanted = profile_selection(selection)
            except MalformedError as error:
                raise AccessRefusedError(DataAccessResult.TYPE_UNMATCHED) from error
            if isinstance(wanted, EntryDescriptor):
                columns = self._columns_from_to(wanted.from_selected_value, wanted.to_selected_value)
                rows = self._by_entry(wanted)
            else:
                columns = self._columns_named(wanted.selected_values)
                rows = self._by_range(wanted)
        if len(rows) > MAXIMUM_ROWS:
            raise AccessRefusedError(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        return _array(rows if len(columns) == len(self._columns) else [_cut(row, columns) for row in rows])

    def _by_entry(self, wanted: EntryDescriptor) -> Sequence[bytes]:
        """The rows by their place, 1 being the oldest; a `to` of 0 is the newest."""
        if wanted.from_entry < 1:
            raise AccessRefusedError(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        skip = wanted.from_entry - 1
        limit = MAXIMUM_ROWS + 1
        if wanted.to_entry:
            limit = min(limit, max(0, wanted.to_entry - skip))
        return self._source.entries(skip, limit)

    def _by_range(self, wanted: RangeDescriptor) -> Sequence[bytes]:
        restricting = wanted.restricting_object
        if restricting in (self._columns[TIME_COLUMN - 1], _CLOCK):
            begin, end = self._instant(wanted.from_value, EARLIEST), self._instant(wanted.to_value, LATEST)
            return self._source.rows_of_period(begin, end, MAXIMUM_ROWS + 1)
        if restricting == self._columns[NUMBER_COLUMN - 1]:
            return self._source.rows(_number(wanted.from_value), _number(wanted.to_value), MAXIMUM_ROWS + 1)
        raise AccessRefusedError(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)

    def _instant(self, bound: Data, open_end: datetime) -> datetime:
        """A bound of a range on time: an octet-string or date-time; one that is not specified is open."""
        if bound.type not in (DataType.OCTET_STRING, DataType.DATE_TIME):
            raise AccessRefusedError(DataAccessResult.TYPE_UNMATCHED)
        try:
            return instant_meant(bound.value, self._zone()) or open_end
        except InvalidValueError as error:
            raise AccessRefusedError(DataAccessResult.TYPE_UNMATCHED) from error

    def _columns_from_to(self, first: int, last: int) -> Sequence[int]:
        """The columns of an entry descriptor; a `to` of 0 is the last."""
        last = last or len(self._columns)
        if not 1 <= first <= last <= len(self._columns):
            raise AccessRefusedError(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        return range(first, last + 1)

    def _columns_named(self, selected: Sequence[CaptureObject]) -> Sequence[int]:
        """The columns of a range descriptor, in the order of the profile; none named means all."""
        if any(column not in self._columns for column in selected):
            raise AccessRefusedError(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        return [number for number, column in enumerate(self._columns, start=1) if not selected or column in selected]


class ZoneSource(Protocol):
    """Tells the meter's time zone at the time of asking."""

    def __call__(self) -> ZoneInfo:
        """The zone that the purse's settings name."""


def _definition(column: CaptureObject) -> Data:
    return capture_object(column.class_id, column.logical_name, column.attribute, column.data_index)


def _number(bound: Data) -> int:
    """A bound of a range on numbers; one that no row can have is as good as the nearest that one can."""
    if bound.type not in cosem.WHOLE_NUMBER_RANGES:
        raise AccessRefusedError(DataAccessResult.TYPE_UNMATCHED)
    return max(0, min(int(bound.value), LARGEST_NUMBER))


def _cut(row: bytes, columns: Sequence[int]) -> bytes:
    members = axdr.decode(row).value
    return axdr.encode(cosem.structure(*(members[column - 1] for column in columns)))


def _array(rows: Sequence[bytes]) -> bytes:
    return b"".join((b"\x01", encode_length(len(rows)), *rows))
