"""gateway/intake.py: a page and its cursor are one; what does not fit is not stored at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from dlms_objects.purse.entry import JournalHead
from dlms_objects.values.money import Currency
from gateway import intake
from gateway.intake import CursorMovedError, EventPage, Evidence, OutboxFullError, Page
from gateway.records import EventRow, ItemDescriptor
from gateway.store import Store
from tests.support.fake_session import TITLE, FakeMeter

EMPTY = JournalHead.empty(TITLE)
CNY = Currency("CNY", -2)
RENT = ItemDescriptor(number=1, revision=1, kind=1, label="Rent", payee="landlord")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "outbox.sqlite3")


@pytest.fixture
def meter() -> FakeMeter:
    meter = FakeMeter()
    for _ in range(6):
        meter.book(10)
    return meter


def page(meter: FakeMeter, first: int, last: int, **rest: object) -> Page:
    """Rows first..last of a meter, 10 minor units each."""

    def head(sequence: int) -> JournalHead:
        return JournalHead(sequence=sequence, digest=meter.rows[sequence - 1][-16:]) if sequence else EMPTY

    whole = Page(
        title=TITLE,
        after=head(first - 1),
        rows=meter.rows[first - 1 : last],
        head=head(last),
        balance=10 * last,
        currency=CNY,
        items=[],
        collected_at_s=1,
    )
    return replace(whole, **rest)  # type: ignore[arg-type]


def commit(store: Store, page: Page, *, maximum_rows: int = 100) -> list[str]:
    """Commit a page; what was done with the counters."""
    done: list[str] = []
    store.run(
        lambda connection: intake.commit_page(
            connection, page, maximum_rows=maximum_rows, counters=lambda _connection: done.append("kept")
        )
    )
    return done


def test_a_meter_never_seen_stands_before_its_first_entry(store: Store) -> None:
    standing = store.run(lambda connection: intake.standing(connection, TITLE))
    assert (standing.head, standing.balance, standing.event_number) == (EMPTY, 0, 0)
    assert (standing.currency, standing.acknowledgement, standing.revisions) == (None, None, {})


def test_a_page_moves_the_cursor_and_brings_its_descriptors(store: Store, meter: FakeMeter) -> None:
    assert commit(store, page(meter, 1, 4, items=[RENT])) == ["kept"]
    standing = store.run(lambda connection: intake.standing(connection, TITLE))
    assert standing.head == JournalHead(sequence=4, digest=meter.rows[3][-16:])
    assert (standing.balance, standing.currency, standing.revisions) == (40, CNY, {1: 1})
    assert standing.held_rows == 4


def test_a_page_that_does_not_begin_at_the_cursor_is_not_stored(store: Store, meter: FakeMeter) -> None:
    commit(store, page(meter, 1, 4))
    for wrong in (page(meter, 1, 4), page(meter, 3, 6), page(meter, 5, 6, after=JournalHead(sequence=4, digest=b""))):
        with pytest.raises(CursorMovedError):
            commit(store, wrong)
    commit(store, page(meter, 5, 6))
    assert store.run(lambda connection: connection.execute("select count(*) from row").fetchone()) == (6,)


def test_what_does_not_fit_is_not_stored(store: Store, meter: FakeMeter) -> None:
    commit(store, page(meter, 1, 4), maximum_rows=5)
    with pytest.raises(OutboxFullError):
        commit(store, page(meter, 5, 6), maximum_rows=5)
    standing = store.run(lambda connection: intake.standing(connection, TITLE))
    assert (standing.head.sequence, standing.held_rows) == (4, 4)
    commit(store, page(meter, 5, 5), maximum_rows=5)


def test_events_count_against_the_same_limit(store: Store, meter: FakeMeter) -> None:
    rows = [EventRow(time=bytes(12), number=n, code=10, fee_item=0, value=0, due=None) for n in (1, 2)]
    events = EventPage(title=TITLE, rows=rows, through=5, currency=CNY, items=[RENT])

    def commit_events(maximum_rows: int) -> None:
        store.run(
            lambda connection: intake.commit_events(
                connection, events, maximum_rows=maximum_rows, counters=lambda _connection: None
            )
        )

    with pytest.raises(OutboxFullError):
        commit_events(1)
    commit_events(2)
    standing = store.run(lambda connection: intake.standing(connection, TITLE))
    assert (standing.event_number, standing.revisions, standing.held_rows) == (5, {1: 1}, 2)
    with pytest.raises(OutboxFullError):
        commit(store, page(meter, 1, 1), maximum_rows=2)


def test_a_descriptor_read_again_is_to_be_sent_again(store: Store, meter: FakeMeter) -> None:
    commit(store, page(meter, 1, 2, items=[RENT]))
    store.run(lambda connection: connection.execute("update item set sent_revision = 1").rowcount)
    commit(store, page(meter, 3, 4, items=[replace(RENT, revision=2, label="New")]))
    items = store.run(
        lambda connection: connection.execute("select revision, label, sent_revision from item").fetchall()
    )
    assert items == [(2, "New", 1)]


def test_evidence_is_kept_once_for_the_same_two_ends(store: Store) -> None:
    evidence = Evidence(
        title=TITLE,
        cause="fork",
        expected=EMPTY,
        found=JournalHead(sequence=1, digest=bytes(16)),
        rows=b"rows",
        found_at_s=1,
    )

    def keep(evidence: Evidence) -> bool:
        return store.run(
            lambda connection: intake.keep_evidence(connection, evidence, counters=lambda _connection: None)
        )

    assert keep(evidence)
    assert not keep(replace(evidence, found_at_s=2))
    assert keep(replace(evidence, cause="gap"))
    assert keep(replace(evidence, found=JournalHead(sequence=2, digest=bytes(16))))


def test_a_newer_acknowledgement_is_still_to_be_delivered(store: Store) -> None:
    def say(sql: str) -> None:
        store.run(lambda connection: connection.execute(sql, (TITLE.octets,)).rowcount)

    def waiting() -> JournalHead | None:
        return store.run(lambda connection: intake.standing(connection, TITLE)).acknowledgement

    say("insert into acknowledgement values (?, 3, x'03', 0)")
    assert waiting() == JournalHead(sequence=3, digest=b"\x03")
    say("update acknowledgement set sequence = 5, digest = x'05' where title = ?")
    for delivered in (3, 2):
        head = JournalHead(sequence=delivered, digest=b"")
        store.run(
            lambda connection, head=head: intake.acknowledgement_delivered(  # type: ignore[misc]
                connection, TITLE, head, counters=lambda _connection: None
            )
        )
        assert waiting() == JournalHead(sequence=5, digest=b"\x05")
    head = JournalHead(sequence=5, digest=b"")
    store.run(
        lambda connection: intake.acknowledgement_delivered(connection, TITLE, head, counters=lambda _connection: None)
    )
    assert waiting() is None
