"""gateway/collector.py: every row once, in order, verified; and nothing asked that is not needed."""

from pathlib import Path

import pytest

from dlms_objects.errors import TransportLostError
from dlms_objects.purse.entry import JournalHead
from dlms_objects.purse.outcome import EventCode
from dlms_objects.wire.errors import MalformedError
from gateway.collector import CollectionLimits, JournalFault
from gateway.intake import OutboxFullError
from tests.support.fake_headend import FakeHeadend
from tests.support.fake_session import FakeItem, FakeMeter, FakeSession, NotPermittedError, page_of
from tests.support.gateway_world import World


@pytest.fixture
def meter() -> FakeMeter:
    meter = FakeMeter(items={1: FakeItem("Rent", "landlord"), 5: FakeItem("Gas", "gas works", kind="gas", revision=2)})
    meter.book(1_000_000)
    for _ in range(3):
        meter.book(-350_000, fee_item=1)
        meter.book(-5_000, fee_item=5)
    return meter


@pytest.fixture
def world(tmp_path: Path, meter: FakeMeter) -> World:
    return World(tmp_path / "outbox.sqlite3", [meter], FakeHeadend(meter.title))


def held_rows(world: World) -> list[bytes]:
    return [row for (row,) in world.query("select row from row order by sequence")]


def test_a_collection_stores_every_row_as_the_meters_own_octets(world: World, meter: FakeMeter) -> None:
    collected = world.collect()
    assert (collected.rows, collected.complete) == (7, True)
    assert held_rows(world) == meter.rows
    assert world.query("select sequence, digest, balance from meter") == [(7, meter.head.digest, meter.balance)]
    assert world.query("select held_rows from fill") == [(7,)]


def test_only_new_rows_are_asked_for(world: World, meter: FakeMeter) -> None:
    world.collect()
    meter.book(5)
    asked: list[tuple[int, int]] = []

    class Session(FakeSession):
        def journal(self, first: int, last: int) -> bytes:
            asked.append((first, last))
            return super().journal(first, last)

    assert world.collect(session=Session(meter)).rows == 1
    assert asked == [(8, 8)]


def test_an_idle_meter_costs_one_question_and_no_write(world: World, meter: FakeMeter) -> None:
    world.collect()
    session = FakeSession(meter)
    before = world.path.with_name("outbox.sqlite3-wal").stat().st_size
    world.collect(session=session)
    assert session.asked == ["20101/0.0.128.0.0.255:5", "20101/0.0.128.0.0.255:9"]
    assert session.questions == 1
    assert world.path.with_name("outbox.sqlite3-wal").stat().st_size == before


def test_descriptors_are_read_once_for_each_revision(world: World, meter: FakeMeter) -> None:
    session = FakeSession(meter)
    world.collect(session=session)
    assert session.questions == 5, "opening, three pages of rows, fee items"
    assert sum(question.startswith("20102/") for question in session.asked) == 2 * 2
    assert world.query("select number, revision, kind, label, payee from item order by number") == [
        (1, 1, 1, "Rent", "landlord"),
        (5, 2, 5, "Gas", "gas works"),
    ]
    meter.items[1] = FakeItem("New rent", "landlord", revision=3)
    meter.book(-1, fee_item=1)
    world.collect()
    assert world.query("select revision, label from item where number = 1") == [(3, "New rent")]


def test_a_fee_item_that_the_meter_does_not_show_holds_back_no_money(world: World, meter: FakeMeter) -> None:
    meter.book(-1, fee_item=9)
    assert world.collect().rows == 8


def test_an_event_names_its_fee_item_before_anything_is_deducted(world: World, meter: FakeMeter) -> None:
    meter.items[7] = FakeItem("Parking", "garage", kind="parking", revision=4)
    meter.happen(EventCode.PARAMETERS_CHANGED, fee_item=7, value=4)
    assert world.collect().events == 1
    assert world.query("select revision, label from item where number = 7") == [(4, "Parking")]
    meter.items[7].revision = 5
    meter.happen(EventCode.WAITING_AMOUNT, fee_item=7)
    world.collect()
    assert world.query("select revision from item where number = 7") == [(4,)], "no row or event names revision 5"


def test_events_are_collected_in_pages_and_once(world: World, meter: FakeMeter) -> None:
    for _ in range(7):
        meter.happen(EventCode.LOW_BALANCE, value=-3)
    assert world.collect().events == 7
    meter.happen(EventCode.SETTLED)
    assert world.collect().events == 1
    assert world.query(
        "select number, code, value, length(time), length(due) from event where number in (1, 2, 8)"
    ) == [
        (1, 10, -3, 12, None),
        (2, 10, -3, 12, 12),
        (8, 13, 0, 12, 12),
    ]


def test_events_that_the_meter_forgot_are_passed_over(world: World, meter: FakeMeter) -> None:
    for _ in range(8):
        meter.happen(EventCode.LOW_BALANCE)
    del meter.events[:5]
    assert world.collect().events == 3
    assert world.query("select event_number from meter") == [(8,)]


def test_an_event_log_that_begins_anew_stops_nothing(world: World, meter: FakeMeter) -> None:
    meter.happen(EventCode.LOW_BALANCE)
    meter.happen(EventCode.LOW_BALANCE)
    world.collect()
    del meter.events[1:]
    meter.book(1)
    assert world.collect().rows == 1


def test_a_waiting_acknowledgement_is_carried_to_the_meter_once(world: World, meter: FakeMeter) -> None:
    world.collect()
    while world.upload() == 0:
        pass
    session = FakeSession(meter)
    assert world.collect(session=session).acknowledged == meter.head
    assert meter.acknowledged == meter.head
    assert world.collect().acknowledged is None


@pytest.mark.parametrize("refusal", ["exception", "outcome"])
def test_a_refused_acknowledgement_waits_and_the_rows_go_on(world: World, meter: FakeMeter, refusal: str) -> None:
    world.collect()
    while world.upload() == 0:
        pass

    class Session(FakeSession):
        async def action(self, method: object, parameters: object) -> bytes:
            if refusal == "exception":
                raise NotPermittedError("read-write-denied")
            return b"\x16\x05"

    meter.book(1)
    assert world.collect(session=Session(meter)).rows == 1
    assert world.collect().acknowledged == JournalHead(sequence=7, digest=meter.rows[6][-16:])


def test_a_full_outbox_leaves_the_rest_in_the_meter(world: World, meter: FakeMeter) -> None:
    meter.happen(EventCode.LOW_BALANCE)
    world.limits = CollectionLimits(page_rows=3, maximum_rows=5)
    collected = world.collect()
    assert (collected.rows, collected.events, collected.complete) == (3, 0, False)
    while world.upload() == 0:
        pass
    collected = world.collect()
    assert (collected.rows, collected.events, collected.complete) == (4, 1, True)
    assert held_rows(world) == meter.rows[3:]


def test_rows_that_filled_the_outbox_meanwhile_are_not_stored_over_the_limit(tmp_path: Path, meter: FakeMeter) -> None:
    other = FakeMeter(title=type(meter.title)(b"MPR\x00\x00\x00\x00\x02"))
    other.book(1)
    other.book(1)
    world = World(tmp_path / "outbox.sqlite3", [meter, other], FakeHeadend(meter.title))
    world.limits = CollectionLimits(page_rows=3, maximum_rows=4)

    class Session(FakeSession):
        def journal(self, first: int, last: int) -> bytes:
            world.collect(other)
            return super().journal(first, last)

    with pytest.raises(OutboxFullError):
        world.collect(session=Session(meter))
    assert world.query("select held_rows from fill") == [(2,)]


def test_asked_to_stop_a_collection_ends_after_its_page(world: World, meter: FakeMeter) -> None:
    class Session(FakeSession):
        def journal(self, first: int, last: int) -> bytes:
            world.stopping = True
            return super().journal(first, last)

    collected = world.collect(session=Session(meter))
    assert (collected.rows, collected.complete) == (3, False)


def test_a_lost_line_keeps_the_pages_before_it(world: World, meter: FakeMeter) -> None:
    class Session(FakeSession):
        def journal(self, first: int, last: int) -> bytes:
            if first > 4:
                raise TransportLostError("gone")
            return super().journal(first, last)

    with pytest.raises(TransportLostError):
        world.collect(session=Session(meter))
    assert held_rows(world) == meter.rows[:6]
    assert world.collect().rows == 1


class Tampered(FakeSession):
    """Gives a page that was changed on the way."""

    def __init__(self, meter: FakeMeter, page: list[bytes]) -> None:
        super().__init__(meter)
        self.page = page

    def journal(self, first: int, last: int) -> bytes:
        return page_of(self.page) if self.page else b"\x01\x00"


def altered(row: bytes, at: int) -> bytes:
    return row[:at] + bytes((row[at] ^ 1,)) + row[at + 1 :]


@pytest.mark.parametrize(
    ("change", "cause", "found"),
    [
        (lambda rows: [rows[0], rows[2]], "gap", 2),
        (lambda rows: [rows[1]], "gap", 1),
        (lambda rows: [], "gap", 1),
        (lambda rows: [rows[0], altered(rows[1], 47), rows[2]], "fork", 2),
        (lambda rows: [rows[0], altered(rows[1], 97), rows[2]], "fork", 2),
        (lambda rows: [altered(rows[0], 60), *rows[1:3]], "fork", 1),
    ],
)
def test_rows_that_do_not_follow_are_evidence_and_not_stored(
    world: World, meter: FakeMeter, change: object, cause: str, found: int
) -> None:
    meter.happen(EventCode.TAMPER)
    page = change(meter.rows)  # type: ignore[operator]
    for _ in range(2):
        with pytest.raises(JournalFault):
            world.collect(session=Tampered(meter, page))
    assert held_rows(world) == []
    evidence = world.query("select cause, expected_sequence, expected_digest, found_sequence, rows from evidence")
    empty = JournalHead.empty(meter.title)
    assert evidence == [(cause, 0, empty.digest, found, b"".join(page))], "once for the same two ends"
    assert world.query("select code from event") == [(EventCode.TAMPER,)], "events are collected all the same"


def test_a_wrong_balance_is_evidence(world: World, meter: FakeMeter) -> None:
    meter.balance += 1  # the meter's sums are wrong, its chain is right
    meter.book(-10)
    with pytest.raises(JournalFault, match="balance"):
        world.collect()
    assert world.query("select cause, found_sequence from evidence") == [("wrongbalance", 8)]
    assert held_rows(world) == meter.rows[:6]


def test_a_meter_that_went_back_in_time_is_a_fork(world: World, meter: FakeMeter) -> None:
    world.collect()
    short = FakeMeter()
    short.book(3)
    with pytest.raises(JournalFault, match="fork"):
        world.collect(session=FakeSession(short))
    assert world.query("select cause, expected_sequence, found_sequence from evidence") == [("fork", 7, 1)]


def test_a_head_that_is_not_that_of_the_rows_is_a_fork(world: World, meter: FakeMeter) -> None:
    class Session(FakeSession):
        def journal(self, first: int, last: int) -> bytes:
            self.meter.head = meter.head
            return super().journal(first, last)

    liar = FakeMeter(rows=meter.rows, items=meter.items)
    liar.head = JournalHead(sequence=7, digest=bytes(16))
    with pytest.raises(JournalFault, match="head"):
        world.collect(session=Session(liar))


@pytest.mark.parametrize(
    "page",
    [
        b"\x02\x00",
        b"\x01\x01\x02\x01\x06\x00\x00\x00\x01",
        b"",
        b"\x01\x02" + bytes(98),
    ],
)
def test_a_page_that_is_no_page_changes_nothing(world: World, meter: FakeMeter, page: bytes) -> None:
    class Session(FakeSession):
        def journal(self, first: int, last: int) -> bytes:
            return page

    with pytest.raises(MalformedError):
        world.collect(session=Session(meter))
    assert held_rows(world) == []


def test_more_rows_than_asked_for_are_refused(world: World, meter: FakeMeter) -> None:
    with pytest.raises(MalformedError, match="asked for"):
        world.collect(session=Tampered(meter, meter.rows))


def test_received_counters_are_durable_with_the_page(world: World, meter: FakeMeter) -> None:
    world.collect()
    assert world.query("select highest from received_counter") == [(3,)]
    world.collect()
    assert world.query("select highest from received_counter") == [(3,)], "an idle session stores nothing"
    meter.book(1)
    world.collect()
    assert world.query("select highest from received_counter") == [(9,)]
