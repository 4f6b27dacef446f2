"""Laws of what couriers hand in: only the meter's own, newest, sound batches are booked, once, and acknowledged."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from dlms_objects.purse.entry import Entry, JournalHead
from headend import courier, courier_keys
from headend.courier import Refusal, Taken
from headend.ingest import ingest
from headend.root_key import RootKey, create
from headend.schema import courier_key, entry, evidence, notice, posting
from tests.support.courier_meter import CourierMeter
from tests.support.headend_books import CNY, OTHER_TITLE, UNKNOWN_TITLE, MeterJournal, usual_journal

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> RootKey:
    create(tmp_path / "root.key")
    return RootKey.load(tmp_path / "root.key")


@pytest.fixture
def meter(connection: Connection, root: RootKey) -> CourierMeter:
    return known(connection, root, usual_journal())


def known(connection: Connection, root: RootKey, journal: MeterJournal) -> CourierMeter:
    """A meter whose keys the head-end has."""
    meter = CourierMeter(journal)
    courier_keys.store(connection, root, meter.credentials, CNY)
    return meter


def hand_in(connection: Connection, root: RootKey, sealed: bytes) -> Taken | Refusal:
    keys = courier.prove(connection, root, sealed)
    return Refusal.NOT_PROVEN if keys is None else courier.take(connection, keys, sealed, recipients=(), now=NOW)


def booked(connection: Connection) -> tuple[int, int, int]:
    """Entries, postings, notices."""
    entries, postings, notices = (
        connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (entry, posting, notice)
    )
    return entries, postings, notices


def test_a_batch_is_booked_and_acknowledged(connection: Connection, root: RootKey, meter: CourierMeter) -> None:
    taken = hand_in(connection, root, meter.batch())
    assert isinstance(taken, Taken)
    assert (taken.sequence, taken.new_rows) == (6, 6)
    assert meter.acknowledged(taken.instruction) == meter.head
    assert booked(connection) == (6, 12, 6)


def test_the_newest_batch_again_gets_the_same_answer(
    connection: Connection, root: RootKey, meter: CourierMeter
) -> None:
    sealed = meter.batch(1, 4)
    first = hand_in(connection, root, sealed)
    assert isinstance(first, Taken)
    ingest(connection, [meter.journal.batch()])  # a gateway has come by meanwhile
    again = hand_in(connection, root, sealed)
    assert isinstance(again, Taken)
    assert (again.instruction, again.new_rows) == (first.instruction, 0)


def test_an_older_batch_is_a_replay(connection: Connection, root: RootKey, meter: CourierMeter) -> None:
    older, newer = meter.batch(1, 4), meter.batch()
    assert isinstance(hand_in(connection, root, newer), Taken)
    before = connection.execute(select(courier_key)).one()
    assert hand_in(connection, root, older) is Refusal.REPLAY
    assert connection.execute(select(courier_key)).one() == before


def test_rows_that_are_here_already_are_no_harm(connection: Connection, root: RootKey, meter: CourierMeter) -> None:
    ingest(connection, [meter.journal.batch(1, 3)])
    taken = hand_in(connection, root, meter.batch(2))
    assert isinstance(taken, Taken)
    assert (taken.sequence, taken.new_rows) == (6, 3)
    assert booked(connection)[:2] == (6, 12)


def test_a_batch_without_rows_is_answered_with_what_is_held(
    connection: Connection, root: RootKey, meter: CourierMeter
) -> None:
    ingest(connection, [meter.journal.batch()])
    taken = hand_in(connection, root, meter.batch(7))
    assert isinstance(taken, Taken)
    assert meter.acknowledged(taken.instruction) == meter.head


def test_every_altered_octet_and_every_cut_is_refused_and_changes_nothing(
    connection: Connection, root: RootKey, meter: CourierMeter
) -> None:
    sealed = meter.batch()
    before = connection.execute(select(courier_key)).one()
    for place in range(len(sealed)):
        altered = sealed[:place] + bytes((sealed[place] ^ 0x40,)) + sealed[place + 1 :]
        assert hand_in(connection, root, altered) is Refusal.NOT_PROVEN
        assert hand_in(connection, root, sealed[:place]) is Refusal.NOT_PROVEN
    assert hand_in(connection, root, sealed + b"\x00") is Refusal.NOT_PROVEN
    assert (connection.execute(select(courier_key)).one(), booked(connection)) == (before, (0, 0, 0))
    assert isinstance(hand_in(connection, root, sealed), Taken)


def test_a_batch_of_another_meter_is_refused(connection: Connection, root: RootKey, meter: CourierMeter) -> None:
    other = known(connection, root, usual_journal(OTHER_TITLE))
    mixed = CourierMeter(usual_journal(), replace(other.credentials, system_title=meter.journal.title))
    assert hand_in(connection, root, mixed.batch()) is Refusal.NOT_PROVEN  # sealed with the other meter's keys
    assert hand_in(connection, root, CourierMeter(usual_journal(UNKNOWN_TITLE)).batch()) is Refusal.NOT_PROVEN
    foreign_rows = CourierMeter(usual_journal(OTHER_TITLE), meter.credentials)
    sealed_by_us = CourierMeter(usual_journal(), meter.credentials)
    sealed_by_us.journal = foreign_rows.journal
    assert hand_in(connection, root, sealed_by_us.batch()) is Refusal.CONFLICT


def forged_balance(entries: list[Entry]) -> list[bytes]:
    rows = [each.row() for each in entries]
    rows[-1] = rows[-1][:56] + bytes((rows[-1][56] ^ 1,)) + rows[-1][57:]
    return rows


@pytest.mark.parametrize(
    ("altered", "cause"),
    [
        (forged_balance, "fork"),
        (lambda entries: [each.row() for each in (entries[0], entries[2], entries[5])], "malformed"),
        (lambda entries: [*(each.row() for each in entries[:5]), b"\x03" * 98], "malformed"),
        (lambda entries: [b"\x03" * 98, *(each.row() for each in entries[1:])], "malformed"),
    ],
    ids=["another balance", "rows left out", "no row at the end", "no row at the start"],
)
def test_a_meter_that_seals_a_wrong_journal_is_not_acknowledged_and_leaves_evidence(
    connection: Connection,
    root: RootKey,
    meter: CourierMeter,
    altered: Callable[[list[Entry]], list[bytes]],
    cause: str,
) -> None:
    sealed = meter.batch(altered=altered)
    assert hand_in(connection, root, sealed) is Refusal.CONFLICT
    assert [row.cause for row in connection.execute(select(evidence.c.cause))] == [cause]
    assert booked(connection) == (0, 0, 0)
    assert hand_in(connection, root, sealed) is Refusal.REPLAY


@pytest.mark.parametrize("head", [JournalHead(sequence=5, digest=bytes(16)), JournalHead(sequence=6, digest=bytes(16))])
def test_a_head_that_is_not_that_of_the_rows_is_a_conflict(
    connection: Connection, root: RootKey, meter: CourierMeter, head: JournalHead
) -> None:
    assert hand_in(connection, root, meter.batch(head=head)) is Refusal.CONFLICT
    assert connection.execute(select(evidence.c.cause)).scalar_one() == "head"


def test_rows_that_do_not_follow_are_a_gap(connection: Connection, root: RootKey, meter: CourierMeter) -> None:
    assert hand_in(connection, root, meter.batch(3)) is Refusal.GAP
    assert booked(connection) == (0, 0, 0)
    assert isinstance(hand_in(connection, root, meter.batch()), Taken)


def test_what_is_sealed_but_no_batch_is_refused(connection: Connection, root: RootKey, meter: CourierMeter) -> None:
    assert hand_in(connection, root, meter.seal(b"\xc0\x01\xc1\x00")) is Refusal.NOT_PROVEN
