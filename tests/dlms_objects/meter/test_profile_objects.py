"""The journal and the event log: rows to the octet, ranges, entries, columns, and what is no selection."""

from datetime import timedelta

import pytest

from dlms_objects.classes.catalogue import CLOCK_NAME, Role
from dlms_objects.classes.purse_class import EVENT_LOG_NAME, EVENT_ROW, JOURNAL_NAME, JOURNAL_ROW, PURSE, PURSE_NAME
from dlms_objects.classes.shape import conforms
from dlms_objects.classes.standard import PROFILE_GENERIC
from dlms_objects.meter import profile_objects
from dlms_objects.meter.cosem_object import AccessRefusedError, ActionRefusedError
from dlms_objects.meter.profile_objects import MAXIMUM_ROWS, EventSource, JournalSource, ProfileObject
from dlms_objects.purse.chain import fold, verify
from dlms_objects.purse.entry import ROW_LENGTH
from dlms_objects.values import data as cosem
from dlms_objects.values.civil import time_zone
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire import axdr
from dlms_objects.wire.selection import CaptureObject, EntryDescriptor, RangeDescriptor, SelectiveAccess
from tests.support.meters import EVENT_BUFFER, JOURNAL_BUFFER, NOW, MeterWorld, identifier

SHANGHAI = time_zone("Asia/Shanghai")
ROWS = 6
HOUR = timedelta(hours=1)
ZERO, LAST = cosem.double_long_unsigned(0), cosem.double_long_unsigned(2**32 - 1)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A meter with ROWS top-ups, one an hour from NOW on, and as many events beside the first."""
    world = MeterWorld(tmp_path_factory.mktemp("profiles") / "meter")
    for number in range(1, ROWS + 1):
        client = world.connect()
        client.top_up(number, number * 100)
        settings = client.purse("settings") | {"overdraft_limit": number}
        client.set(PURSE, PURSE_NAME, "settings", settings)
        client.release()
        world.pass_time(3600)
    yield world
    world.meter.close()


@pytest.fixture
def reader(world):
    """A session of the reader, released at the end."""
    reader = world.connect(Role.READER)
    yield reader
    reader.release()


def column(attribute, index):
    return CaptureObject(class_id=PURSE.class_id, logical_name=PURSE_NAME, attribute=attribute, data_index=index)


JOURNAL_COLUMNS = [column(8, index) for index in range(1, 11)]
EVENT_COLUMNS = [column(9, index) for index in range(1, 7)]
CLOCK_COLUMN = CaptureObject(class_id=8, logical_name=CLOCK_NAME, attribute=2, data_index=0)


def local(instant):
    return cosem.octet_string(CosemDateTime.from_instant(instant, SHANGHAI).octets)


def civil(instant):
    return cosem.octet_string(CosemDateTime.from_civil(instant.astimezone(SHANGHAI).replace(tzinfo=None)).octets)


OPEN = cosem.octet_string(CosemDateTime.NOT_SPECIFIED.octets)


def by_range(restricting, first, last, columns=()):
    return RangeDescriptor(
        restricting_object=restricting, from_value=first, to_value=last, selected_values=tuple(columns)
    ).selective_access()


def by_entry(*numbers):
    names = ("from_entry", "to_entry", "from_selected_value", "to_selected_value")
    return EntryDescriptor(**dict(zip(names, numbers, strict=False))).selective_access()


def sequences(reader, selection):
    return [entry.sequence for entry in reader.journal(selection)]


def event_numbers(reader, selection):
    return [number for number, _code, _value in reader.events(selection)]


def refusal(world, selection, attribute=JOURNAL_BUFFER):
    return world.meter.device.get(attribute, selection, world.requester(Role.READER))


def test_a_row_is_exactly_its_98_octets_as_they_rest_in_the_store(world, reader):
    octets = reader.read(JOURNAL_BUFFER)
    rows = world.sql("SELECT row FROM entry ORDER BY sequence")
    assert octets == bytes((1, ROWS)) + b"".join(row for (row,) in rows)
    assert {len(row) for (row,) in rows} == {ROW_LENGTH}
    assert all(conforms(JOURNAL_ROW, row) for row in axdr.decode(octets).value)


def test_the_whole_journal_is_a_chain_that_adds_up_to_the_balance(world, reader):
    entries = reader.journal()
    head = verify(entries, world.empty_head(), 0)
    assert (head.sequence, head.digest.hex()) == tuple(reader.purse("journal_head").values())
    assert fold(entries) == reader.purse("balance") == 2_100


def test_event_rows_have_their_six_columns(reader):
    rows = axdr.decode(reader.read(EVENT_BUFFER)).value
    assert len(rows) == ROWS + 1
    assert all(conforms(EVENT_ROW, row) for row in rows)


@pytest.mark.parametrize(
    ("name", "columns", "attribute", "in_use", "entries"),
    [
        (JOURNAL_NAME, 10, 8, ROWS, 2**32 - 1),
        (EVENT_LOG_NAME, 6, 9, ROWS + 1, 10_000),
    ],
)
def test_a_profile_tells_its_columns_and_its_size(reader, name, columns, attribute, in_use, entries):
    expected = [
        {"class_id": 20101, "logical_name": "0.0.128.0.0.255", "attribute_index": attribute, "data_index": index}
        for index in range(1, columns + 1)
    ]
    shown = {a.name: reader.get(PROFILE_GENERIC, name, a.name) for a in PROFILE_GENERIC.attributes[2:]}
    assert shown == {
        "capture_objects": expected,
        "capture_period": 0,
        "sort_method": 1,
        "sort_object": expected[0],
        "entries_in_use": in_use,
        "profile_entries": entries,
    }


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((1, 0), [1, 2, 3, 4, 5, 6]),
        ((2, 4), [2, 3, 4]),
        ((3, 3), [3]),
        ((5, 0), [5, 6]),
        ((5, 100), [5, 6]),
        ((7, 0), []),
        ((7, 9), []),
        ((4, 2), []),
        ((2**32 - 1, 2**32 - 1), []),
    ],
)
def test_entries_are_selected_by_place_with_an_open_end(reader, numbers, expected):
    assert sequences(reader, by_entry(*numbers)) == expected


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (ZERO, LAST, [1, 2, 3, 4, 5, 6]),
        (cosem.double_long_unsigned(2), cosem.double_long_unsigned(4), [2, 3, 4]),
        (cosem.double_long_unsigned(6), LAST, [6]),
        (cosem.double_long_unsigned(7), LAST, []),
        (cosem.double_long_unsigned(4), cosem.double_long_unsigned(2), []),
        (cosem.unsigned(2), cosem.long64(3), [2, 3]),
        (cosem.long64(-5), cosem.integer(1), [1]),
        (cosem.long64(-5), cosem.long64(-1), []),
        (cosem.long_unsigned(5), cosem.Data(cosem.DataType.LONG64_UNSIGNED, 2**64 - 1), [5, 6]),
    ],
)
def test_a_range_on_sequence_takes_both_ends(reader, first, last, expected):
    assert sequences(reader, by_range(JOURNAL_COLUMNS[1], first, last)) == expected
    assert event_numbers(reader, by_range(EVENT_COLUMNS[1], first, last)) == [
        n for n in range(1, ROWS + 2) if first.value <= n <= last.value
    ]


@pytest.mark.parametrize("restricting", [JOURNAL_COLUMNS[0], CLOCK_COLUMN], ids=["time column", "clock"])
@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (OPEN, OPEN, [1, 2, 3, 4, 5, 6]),
        (local(NOW), local(NOW + 5 * HOUR), [1, 2, 3, 4, 5, 6]),
        (local(NOW + HOUR), local(NOW + 2 * HOUR), [2, 3]),
        (civil(NOW + HOUR), civil(NOW + 2 * HOUR), [2, 3]),
        (local(NOW + timedelta(seconds=1)), local(NOW + HOUR), [2]),
        (local(NOW + 4 * HOUR), OPEN, [5, 6]),
        (OPEN, civil(NOW), [1]),
        (local(NOW + 6 * HOUR), OPEN, []),
        (local(NOW + 2 * HOUR), local(NOW), []),
        (cosem.Data(cosem.DataType.DATE_TIME, local(NOW + 5 * HOUR).value), OPEN, [6]),
    ],
)
def test_a_range_on_time_takes_both_ends_civil_or_with_deviation_or_open(reader, restricting, first, last, expected):
    assert sequences(reader, by_range(restricting, first, last)) == expected


def test_the_event_log_is_selected_by_time_and_by_entry_too(reader):
    assert event_numbers(reader, by_range(EVENT_COLUMNS[0], local(NOW + HOUR), local(NOW + 2 * HOUR))) == [3, 4]
    assert event_numbers(reader, by_range(CLOCK_COLUMN, local(NOW + 5 * HOUR), OPEN)) == [7]
    assert event_numbers(reader, by_entry(6, 0)) == [6, 7]
    assert event_numbers(reader, by_entry(8, 0)) == []


def test_entries_of_the_event_log_count_from_the_oldest_that_is_left(tmp_path):
    world = MeterWorld(tmp_path / "meter")
    for _ in range(5):
        world.restart()
    world.sql("DELETE FROM event WHERE number < 4")
    reader = world.connect(Role.READER)
    assert event_numbers(reader, by_entry(1, 2)) == [4, 5]
    assert event_numbers(reader, None) == [4, 5, 6]
    assert reader.get(PROFILE_GENERIC, EVENT_LOG_NAME, "entries_in_use") == 3
    world.meter.close()


def columns_of(reader, selection, attribute=JOURNAL_BUFFER):
    rows = axdr.decode(reader.read(attribute, selection)).value
    return [[member.value for member in row.value] for row in rows]


def test_columns_are_selected_by_their_numbers(reader):
    assert columns_of(reader, by_entry(2, 3, 6, 7)) == [[200, 300], [300, 600]]
    assert columns_of(reader, by_entry(2, 2, 2, 2)) == [[2]]
    assert columns_of(reader, by_entry(6, 0, 8, 0))[0][0].hex() == identifier(6)
    assert len(columns_of(reader, by_entry(1, 1, 1, 10))[0]) == 10


def test_columns_are_selected_by_name_and_come_in_the_order_of_the_profile(reader):
    sequence_and_balance = [JOURNAL_COLUMNS[6], JOURNAL_COLUMNS[1]]
    selection = by_range(JOURNAL_COLUMNS[1], cosem.unsigned(2), cosem.unsigned(3), sequence_and_balance)
    assert columns_of(reader, selection) == [[2, 300], [3, 600]]
    nothing = by_range(JOURNAL_COLUMNS[1], cosem.unsigned(9), cosem.unsigned(9), sequence_and_balance)
    assert columns_of(reader, nothing) == []
    everything = by_range(JOURNAL_COLUMNS[1], ZERO, LAST, JOURNAL_COLUMNS)
    assert reader.read(JOURNAL_BUFFER, everything) == reader.read(JOURNAL_BUFFER)
    events = by_range(EVENT_COLUMNS[1], cosem.unsigned(7), cosem.unsigned(7), [EVENT_COLUMNS[2]])
    assert columns_of(reader, events, EVENT_BUFFER) == [[20]]


@pytest.mark.parametrize(
    "selection",
    [
        by_entry(0, 1),
        by_entry(1, 0, 0, 1),
        by_entry(1, 0, 1, 11),
        by_entry(1, 0, 3, 2),
        by_entry(1, 0, 11, 0),
        by_range(JOURNAL_COLUMNS[2], ZERO, LAST),
        by_range(EVENT_COLUMNS[1], ZERO, LAST),
        by_range(column(8, 0), ZERO, LAST),
        by_range(CaptureObject(class_id=3, logical_name=PURSE_NAME, attribute=8, data_index=2), ZERO, LAST),
        by_range(
            CaptureObject(class_id=8, logical_name=LogicalName.parse("0.0.1.0.1.255"), attribute=2, data_index=0),
            OPEN,
            OPEN,
        ),
        by_range(JOURNAL_COLUMNS[1], ZERO, LAST, [EVENT_COLUMNS[1]]),
        by_range(JOURNAL_COLUMNS[1], ZERO, LAST, [JOURNAL_COLUMNS[1], column(8, 11)]),
    ],
)
def test_a_selection_of_what_is_not_there_is_out_of_scope(world, selection):
    assert refusal(world, selection) is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED


@pytest.mark.parametrize(
    "selection",
    [
        SelectiveAccess(selector=3, parameters=axdr.encode(cosem.NULL)),
        SelectiveAccess(selector=2, parameters=axdr.encode(cosem.structure(ZERO, ZERO))),
        SelectiveAccess(selector=1, parameters=axdr.encode(cosem.structure(ZERO, ZERO, ZERO, cosem.array(())))),
        SelectiveAccess(selector=1, parameters=b"\x02\x04\x02"),
        by_range(JOURNAL_COLUMNS[1], OPEN, OPEN),
        by_range(JOURNAL_COLUMNS[1], ZERO, cosem.NULL),
        by_range(JOURNAL_COLUMNS[0], ZERO, LAST),
        by_range(JOURNAL_COLUMNS[0], OPEN, cosem.octet_string(bytes(5))),
        by_range(JOURNAL_COLUMNS[0], OPEN, cosem.octet_string(bytes.fromhex("07ea021eff00000000000000"))),
        by_range(JOURNAL_COLUMNS[0], cosem.octet_string(bytes.fromhex("000101010100000000fcb800")), OPEN),
        by_range(CLOCK_COLUMN, cosem.visible_string("2026"), OPEN),
    ],
)
def test_a_selection_of_another_type_is_type_unmatched(world, selection):
    assert refusal(world, selection) is DataAccessResult.TYPE_UNMATCHED


def test_a_journal_is_neither_written_nor_reset_nor_captured_from_outside(world):
    journal = world.meter.device._objects[JOURNAL_NAME]
    with pytest.raises(AccessRefusedError):
        journal.set(2, cosem.array(()), world.requester(Role.MANAGEMENT))
    for method in (1, 2):
        with pytest.raises(ActionRefusedError):
            journal.invoke(method, cosem.integer(0), world.requester(Role.MANAGEMENT))


def test_more_rows_than_one_answer_may_hold_are_refused_not_cut_off(world, reader, monkeypatch):
    monkeypatch.setattr(profile_objects, "MAXIMUM_ROWS", ROWS - 1)
    too_many = [None, by_entry(1, 0), by_range(JOURNAL_COLUMNS[1], ZERO, LAST), by_range(CLOCK_COLUMN, OPEN, OPEN)]
    for selection in too_many:
        assert refusal(world, selection) is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    assert sequences(reader, by_entry(2, 0)) == [2, 3, 4, 5, 6]
    assert MAXIMUM_ROWS == 20_000


def test_no_answer_asks_the_store_for_more_rows_than_it_may_hold(monkeypatch):
    asked = []

    class Endless:
        attribute, row_shape, profile_entries = JournalSource.attribute, JOURNAL_ROW, 2**32 - 1

        def count(self):
            return 2**32 - 1

        def entries(self, _skip, limit):
            asked.append(limit)
            return []

        def rows(self, _first, _last, limit):
            asked.append(limit)
            return []

        rows_of_period = rows

    profile = ProfileObject(Endless(), lambda: SHANGHAI)
    for selection in (
        None,
        by_entry(1, 0),
        by_range(JOURNAL_COLUMNS[1], ZERO, LAST),
        by_range(CLOCK_COLUMN, OPEN, OPEN),
    ):
        profile.get(2, selection, None)
    assert asked == [MAXIMUM_ROWS + 1] * 4


def test_an_empty_journal_is_an_empty_array(tmp_path):
    world = MeterWorld(tmp_path / "empty")
    reader = world.connect(Role.READER)
    assert reader.read(JOURNAL_BUFFER) == b"\x01\x00"
    for selection in (by_entry(1, 0), by_range(JOURNAL_COLUMNS[1], ZERO, LAST), by_range(CLOCK_COLUMN, OPEN, OPEN)):
        assert reader.read(JOURNAL_BUFFER, selection) == b"\x01\x00"
    assert reader.get(PROFILE_GENERIC, JOURNAL_NAME, "entries_in_use") == 0
    assert EventSource.profile_entries == 10_000
    world.meter.close()


def test_a_journal_longer_than_127_rows_is_counted_in_more_than_one_octet(tmp_path):
    world = MeterWorld(tmp_path / "long")
    client = world.connect()
    for number in range(1, 131):
        client.top_up(number, 1)
    octets = client.read(JOURNAL_BUFFER)
    assert octets[:3] == b"\x01\x81\x82"
    rows = [octets[at : at + ROW_LENGTH] for at in range(3, len(octets), ROW_LENGTH)]
    assert len(rows) == 130
    world.meter.close()
