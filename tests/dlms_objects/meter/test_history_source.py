"""The histories: their own rows of the journal, selected as the journal is, and found by an index."""

import pytest

from dlms_objects.classes.catalogue import CHARGE_COLLECTION_HISTORY, TOKEN_CREDIT_HISTORY, Role
from dlms_objects.classes.standard import PROFILE_GENERIC
from dlms_objects.meter.store import History
from dlms_objects.purse.entry import ROW_LENGTH, Entry
from dlms_objects.values import data as cosem
from dlms_objects.values.logical_name import AttributeDescriptor
from tests.dlms_objects.meter.test_profile_objects import (
    CLOCK_COLUMN,
    HOUR,
    JOURNAL_COLUMNS,
    LAST,
    OPEN,
    ZERO,
    by_entry,
    by_range,
    local,
)
from tests.support.meters import NOW, MeterWorld, daily, identifier

CHARGES, CREDITS = (
    AttributeDescriptor(PROFILE_GENERIC.class_id, name, 2) for name in (CHARGE_COLLECTION_HISTORY, TOKEN_CREDIT_HISTORY)
)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A meter with entries of every kind, one an hour: top-ups, deductions, reversals of both, an adjustment."""
    world = MeterWorld(tmp_path_factory.mktemp("histories") / "meter")
    client = world.connect()
    client.top_up(1, 900_000)  # 1
    client.set_item("parameters", daily())
    world.pass_time(86_400)  # 2: the first deduction
    client = world.connect()
    client.top_up(2, 50)  # 3
    client.do("reverse", {"transaction_id": identifier(3), "sequence": 2})  # 4
    client.do("adjust", {"transaction_id": identifier(4), "amount": -7})  # 5
    client.do("reverse", {"transaction_id": identifier(5), "sequence": 3})  # 6
    world.pass_time(86_400)  # 7: the second deduction
    yield world
    world.meter.close()


def history(world, attribute, selection=None):
    """The rows of a history, as entries."""
    reader = world.connect(Role.READER)
    octets = reader.read(attribute, selection)
    reader.release()
    rows = octets[len(octets) % ROW_LENGTH :]
    return [Entry.from_row(rows[at : at + ROW_LENGTH]) for at in range(0, len(rows), ROW_LENGTH)]


def numbers(world, attribute, selection=None):
    return [entry.sequence for entry in history(world, attribute, selection)]


def test_the_histories_have_their_own_entries_of_the_journal_and_no_adjustment(mixed):
    client = mixed.connect()
    journal = client.journal()
    client.release()
    assert [entry.kind.name for entry in journal] == [
        *("TOP_UP", "DEDUCTION", "TOP_UP", "REVERSAL", "ADJUSTMENT", "REVERSAL", "DEDUCTION"),
    ]
    charges, credits = history(mixed, CHARGES), history(mixed, CREDITS)
    assert charges == [journal[1], journal[3], journal[6]]
    assert credits == [journal[0], journal[2], journal[5]]


@pytest.mark.parametrize(
    ("selection", "charges", "credits"),
    [
        (by_entry(1, 1), [2], [1]),
        (by_entry(2, 0), [4, 7], [3, 6]),
        (by_entry(2, 2), [4], [3]),
        (by_entry(3, 9), [7], [6]),
        (by_entry(4, 0), [], []),
        (by_range(JOURNAL_COLUMNS[1], cosem.double_long_unsigned(3), cosem.double_long_unsigned(6)), [4], [3, 6]),
        (by_range(JOURNAL_COLUMNS[1], ZERO, LAST), [2, 4, 7], [1, 3, 6]),
        (by_range(CLOCK_COLUMN, local(NOW), local(NOW + HOUR)), [], [1]),
        (by_range(CLOCK_COLUMN, local(NOW + 25 * HOUR), OPEN), [7], []),
    ],
)
def test_a_history_is_selected_as_the_journal_is(mixed, selection, charges, credits):
    assert numbers(mixed, CHARGES, selection) == charges
    assert numbers(mixed, CREDITS, selection) == credits


def test_a_history_counts_its_own_entries(mixed):
    reader = mixed.connect(Role.READER)
    for name in (CHARGE_COLLECTION_HISTORY, TOKEN_CREDIT_HISTORY):
        assert reader.get(PROFILE_GENERIC, name, "entries_in_use") == 3
        assert len(reader.get(PROFILE_GENERIC, name, "capture_objects")) == 10
    reader.release()


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (lambda store: store.history_rows(History.TOKEN_CREDIT, 3, 6, 10), "entry_history"),
        (lambda store: store.history_entries(History.TOKEN_CREDIT, 0, 10), "entry_history"),
        (lambda store: store.history_count(History.TOKEN_CREDIT), "entry_history"),
        (lambda store: store.history_of_period(History.TOKEN_CREDIT, NOW, NOW + HOUR, 10), "entry_instant"),
        (lambda store: store.rows_of_period(NOW, NOW + HOUR, 10), "entry_instant"),
    ],
)
def test_a_part_of_a_profile_is_found_by_an_index_and_not_by_looking_through_the_journal(mixed, read, index):
    connection, asked = mixed.meter.store._connection, []
    connection.set_trace_callback(asked.append)
    read(mixed.meter.store)
    connection.set_trace_callback(None)
    plan = mixed.sql(f"EXPLAIN QUERY PLAN {asked[-1]}")
    assert any(f"USING INDEX {index}" in row[-1] or f"USING COVERING INDEX {index}" in row[-1] for row in plan), plan
