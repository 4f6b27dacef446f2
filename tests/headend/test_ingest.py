"""Laws of taking in journal rows."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from dlms_objects.purse.entry import ROW_LENGTH, EntryKind, JournalHead
from dlms_objects.values.money import Currency
from headend import schema
from headend.descriptors import Descriptor
from headend.ingest import Answer, Batch, Status, ingest
from headend.ledger import purse_sums
from headend.place import Place
from headend.statements import reconciliation
from headend.visibility import EVERY_METER
from tests.support.headend_books import (
    OTHER_TITLE,
    RENT,
    TITLE,
    UNKNOWN_TITLE,
    WATER,
    MeterJournal,
    batch_of,
    books,
    usual_journal,
)


def take(connection: Connection, *batches: Batch) -> list[Answer]:
    answers, malformed = ingest(connection, batches)
    assert malformed == []
    return answers


def snapshot(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    """Everything booked, without the row ids that depend on the order of arrival."""
    postings = (
        select(
            schema.posting.c.meter_id,
            schema.posting.c.sequence,
            schema.posting.c.line,
            schema.account.c.name,
            schema.posting.c.amount_minor,
        )
        .join(schema.account, schema.account.c.id == schema.posting.c.account_id)
        .order_by(schema.posting.c.meter_id, schema.posting.c.sequence, schema.posting.c.line)
    )
    notices = select(
        schema.notice.c.meter_id, schema.notice.c.kind, schema.notice.c.number, schema.notice.c.facts
    ).order_by(schema.notice.c.meter_id, schema.notice.c.number, schema.notice.c.kind)
    queries = {
        "meters": select(schema.meter).order_by(schema.meter.c.id),
        "entries": select(schema.entry).order_by(schema.entry.c.meter_id, schema.entry.c.sequence),
        "postings": postings,
        "notices": notices,
    }
    return {name: [tuple(row) for row in connection.execute(query)] for name, query in queries.items()}


def accounts(connection: Connection) -> dict[str, int]:
    rows = connection.execute(
        text("SELECT name, SUM(amount_minor) FROM posting JOIN account ON account.id = account_id GROUP BY name")
    )
    return {name: total for name, total in rows}


def evidence(connection: Connection) -> list[tuple[int, str, bytes | None, bytes]]:
    columns = schema.evidence.c
    query = select(columns.sequence, columns.cause, columns.held_row, columns.received_row).order_by(columns.id)
    return [tuple(row) for row in connection.execute(query)]


def test_a_journal_is_booked_in_double_entry(connection: Connection) -> None:
    journal = usual_journal()
    answer = take(connection, journal.batch())[0]
    last = journal.entries[-1]
    assert (answer.status, answer.sequence, answer.digest) == (Status.ACCEPTED, 6, last.digest)
    assert accounts(connection) == {
        f"purse:{TITLE}": 149_994,
        "payable:landlord": 350_000,
        "payable:waterworks": 0,
        "clearing:top_up": -500_001,
        "adjustment": 7,
    }
    counted = reconciliation(connection, str(TITLE), EVERY_METER)
    assert counted is not None
    assert counted.is_balanced
    assert counted.counts == {
        EntryKind.DEDUCTION: 2,
        EntryKind.TOP_UP: 2,
        EntryKind.REVERSAL: 1,
        EntryKind.ADJUSTMENT: 1,
    }


def test_a_reversed_top_up_goes_back_to_clearing(connection: Connection) -> None:
    journal = MeterJournal()
    journal.top_up(900)
    journal.append(EntryKind.REVERSAL, -900, reference=b"r" * 16)
    take(connection, journal.batch())
    assert accounts(connection) == {f"purse:{TITLE}": 0, "clearing:top_up": 0}


def test_the_rows_are_kept_to_the_byte(connection: Connection) -> None:
    journal = usual_journal()
    take(connection, journal.batch())
    kept = connection.execute(select(schema.entry.c.row).order_by(schema.entry.c.sequence)).scalars().all()
    assert kept == [entry.row() for entry in journal.entries]


def test_each_entry_makes_one_notice(connection: Connection) -> None:
    take(connection, usual_journal().batch())
    take(connection, usual_journal().batch())
    kinds = connection.execute(select(schema.notice.c.kind).order_by(schema.notice.c.id)).scalars().all()
    assert kinds == ["top_up", "deduction", "deduction", "reversal", "top_up", "adjustment"]


_slices = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=8)
_amounts = st.lists(
    st.tuples(st.sampled_from(EntryKind), st.integers(-(10**12), 10**12), st.integers(0, 3)), min_size=12, max_size=12
)


def _journal_of(amounts: list[tuple[EntryKind, int, int]]) -> MeterJournal:
    journal = MeterJournal()
    for kind, amount, fee_item in amounts:
        journal.append(kind, amount, fee_item=fee_item, revision=1)
    return journal


@settings(max_examples=60, deadline=None)
@given(amounts=_amounts, slices=_slices, together=st.booleans())
def test_any_order_overlap_and_repetition_makes_the_same_ledger(
    migrated: Place, amounts: list[tuple[EntryKind, int, int]], slices: list[tuple[int, int]], together: bool
) -> None:
    journal = _journal_of(amounts)
    with books(migrated) as connection:
        take(connection, journal.batch())
        expected = snapshot(connection)
    batches = [journal.batch(min(ends), max(ends)) for ends in slices]
    with books(migrated) as connection:
        for part in [batches] if together else [[batch] for batch in batches]:
            take(connection, *part)
        take(connection, journal.batch())
        assert snapshot(connection) == expected


@settings(max_examples=40, deadline=None)
@given(amounts=_amounts, upto=st.integers(1, 12))
def test_money_is_conserved_and_the_running_balance_holds(
    migrated: Place, amounts: list[tuple[EntryKind, int, int]], upto: int
) -> None:
    journal = _journal_of(amounts)
    with books(migrated) as connection:
        take(connection, journal.batch(1, upto))
        assert sum(accounts(connection).values()) == 0
        assert list(purse_sums(connection, [1]).values()) == [journal.entries[upto - 1].balance]
        counted = reconciliation(connection, str(TITLE), EVERY_METER)
        assert counted is not None
        assert counted.is_balanced


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 6 * ROW_LENGTH - 1), bit=st.integers(0, 7), before=st.integers(0, 6))
def test_a_flipped_bit_is_never_booked(migrated: Place, position: int, bit: int, before: int) -> None:
    journal = usual_journal()
    whole = journal.batch()
    octets = bytearray(whole.rows)
    octets[position] ^= 1 << bit
    forged = replace(whole, rows=bytes(octets))
    with books(migrated) as connection:
        if before:
            take(connection, journal.batch(1, before))
        held = snapshot(connection)
        answers, malformed = ingest(connection, [forged])
        assert malformed or answers[0].status is Status.CONFLICT
        assert snapshot(connection) == held


def test_without_the_chain_a_flipped_bit_would_be_booked(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deliberate fault: the law above would fail if ingest did not verify."""
    monkeypatch.setattr("headend.ingest.verify_page", lambda *_: None)
    forged = replace(usual_journal().entries[0], digest=b"x" * 16)
    assert take(connection, batch_of(TITLE, 1, [forged]))[0].status is Status.ACCEPTED


def test_the_same_key_with_another_row_is_a_conflict_and_both_rows_are_kept(connection: Connection) -> None:
    journal = usual_journal()
    take(connection, journal.batch())
    held = snapshot(connection)
    other = usual_journal()
    other.entries = other.entries[:2]
    other.deduct(4_311, WATER)
    other.top_up(5)
    for _ in range(2):
        answer = take(connection, other.batch())[0]
        assert (answer.status, answer.sequence, answer.digest) == (Status.CONFLICT, 6, journal.entries[-1].digest)
        assert answer.detail == "entry 3 is in the ledger with other content"
    assert evidence(connection) == [(3, "different_row", journal.entries[2].row(), other.entries[2].row())]
    assert snapshot(connection) == held


def test_rows_past_a_fork_are_not_accepted_however_they_are_cut(connection: Connection) -> None:
    journal = usual_journal()
    take(connection, journal.batch(1, 3))
    other = MeterJournal()
    other.top_up(1)
    for amount in (2, 3, 4, 5):
        other.top_up(amount)
    held = snapshot(connection)
    for first in (1, 4, 3):
        assert take(connection, other.batch(first))[0].status is Status.CONFLICT
    assert snapshot(connection) == held
    assert [(sequence, cause) for sequence, cause, _held, _received in evidence(connection)] == [
        (1, "different_row"),
        (4, "fork"),
        (3, "different_row"),
    ]
    fork = evidence(connection)[1]
    assert fork[2:] == (journal.entries[2].row(), other.entries[3].row())


def test_the_true_journal_goes_on_after_a_forged_batch(connection: Connection) -> None:
    journal = usual_journal()
    take(connection, journal.batch(1, 3))
    other = MeterJournal()
    other.top_up(1)
    take(connection, other.batch())
    assert take(connection, journal.batch(4))[0].status is Status.ACCEPTED


def test_a_wrong_running_balance_is_a_conflict(connection: Connection) -> None:
    journal = MeterJournal()
    journal.top_up(100)
    journal.append(EntryKind.TOP_UP, 100, balance=201)
    answer = take(connection, journal.batch())[0]
    assert (answer.status, answer.sequence) == (Status.CONFLICT, 0)
    assert evidence(connection) == [(2, "wrong_balance", None, journal.entries[1].row())]


def test_a_batch_is_booked_whole_or_not_at_all(connection: Connection) -> None:
    journal = usual_journal()
    forged = [*journal.entries[:5], replace(journal.entries[5], digest=b"x" * 16)]
    answer = take(connection, batch_of(TITLE, 1, forged))[0]
    assert (answer.status, answer.sequence, answer.digest) == (
        Status.CONFLICT,
        0,
        JournalHead.empty(TITLE).digest,
    )
    assert snapshot(connection)["entries"] == []


def test_a_gap_is_told_and_nothing_is_kept(connection: Connection) -> None:
    journal = usual_journal()
    take(connection, journal.batch(1, 2))
    held = snapshot(connection)
    answer = take(connection, journal.batch(4))[0]
    assert (answer.status, answer.sequence, answer.digest) == (Status.GAP, 2, journal.entries[1].digest)
    assert answer.detail == "entry 3 is wanted first"
    assert snapshot(connection) == held


def test_an_empty_batch_asks_where_the_ledger_is(connection: Connection) -> None:
    journal = usual_journal()
    take(connection, journal.batch(1, 2))
    assert take(connection, batch_of(TITLE, 3, []))[0].sequence == 2
    assert take(connection, batch_of(TITLE, 5, []))[0].status is Status.GAP


def test_an_unknown_meter_is_counted_and_nothing_is_kept(connection: Connection) -> None:
    strange = usual_journal(UNKNOWN_TITLE)
    for _ in range(2):
        answer = take(connection, strange.batch())[0]
        assert (answer.status, answer.sequence) == (Status.UNKNOWN_METER, 0)
    assert connection.execute(select(schema.unknown_meter)).all() == [(1, str(UNKNOWN_TITLE), 2, 12)]
    assert snapshot(connection)["entries"] == []


def test_one_bad_meter_never_blocks_the_others(connection: Connection) -> None:
    good, bad = usual_journal(OTHER_TITLE), usual_journal()
    rows = bytearray(bad.batch().rows)
    rows[2 * ROW_LENGTH] ^= 0xFF
    broken = replace(bad.batch(), rows=bytes(rows))
    answers, malformed = ingest(connection, [broken, usual_journal(UNKNOWN_TITLE).batch(), good.batch()])
    assert [answer.status for answer in answers] == [Status.UNKNOWN_METER, Status.ACCEPTED]
    assert [(each.title, each.sequence) for each in malformed] == [(TITLE, 3)]
    assert len(snapshot(connection)["entries"]) == 6


def test_rows_out_of_number_are_malformed(connection: Connection) -> None:
    journal = usual_journal()
    entries = [journal.entries[0], journal.entries[2]]
    answers, malformed = ingest(connection, [batch_of(TITLE, 1, entries)])
    assert answers == []
    assert [(each.sequence, each.detail) for each in malformed] == [(2, "the row is numbered 3")]


def test_the_one_amount_without_an_opposite_is_malformed(connection: Connection) -> None:
    journal = MeterJournal()
    journal.append(EntryKind.ADJUSTMENT, -(2**63))
    _answers, malformed = ingest(connection, [journal.batch()])
    assert malformed[0].detail == "no ledger can hold the counter-posting of -2^63"


def test_the_greatest_amounts_are_booked_exactly(connection: Connection) -> None:
    journal = MeterJournal()
    greatest = 2**63 - 1
    for amount in (greatest, -greatest, -greatest, greatest):
        journal.append(EntryKind.ADJUSTMENT, amount)
    assert take(connection, journal.batch())[0].status is Status.ACCEPTED
    assert purse_sums(connection, [1]) == {1: 0}
    assert take(connection, journal.batch())[0].status is Status.ACCEPTED


def test_another_currency_is_a_conflict(connection: Connection) -> None:
    journal = usual_journal()
    take(connection, journal.batch(1, 2))
    batch = replace(journal.batch(3), currency=Currency("EUR", -2))
    answer = take(connection, batch)[0]
    assert answer.status is Status.CONFLICT
    assert answer.detail is not None
    assert "EUR" in answer.detail


def test_books_that_do_not_add_up_take_nothing_more(connection: Connection) -> None:
    """The deliberate fault: money slipped into the books behind the ledger's back."""
    journal = usual_journal()
    take(connection, journal.batch(1, 2))
    connection.execute(update(schema.meter).values(balance_minor=1))
    answer = take(connection, journal.batch(3))[0]
    assert answer.status is Status.CONFLICT
    assert answer.detail == "the last entry is 2 and leaves 150000, the books say 2 and 1"


class TestPayees:
    """Which payee a deduction is owed to."""

    def payable(self, connection: Connection) -> dict[str, int]:
        return {name: total for name, total in accounts(connection).items() if name.startswith("payable:")}

    def test_a_deduction_goes_to_the_payee_of_its_revision(self, connection: Connection) -> None:
        moved = replace(RENT, revision=2, payee="new landlord")
        journal = MeterJournal()
        journal.deduct(100, RENT)
        journal.deduct(20, moved)
        take(connection, journal.batch(items=[RENT, moved]))
        assert self.payable(connection) == {"payable:landlord": 100, "payable:new landlord": 20}

    def test_an_unknown_revision_takes_the_newest_known_below_it(self, connection: Connection) -> None:
        moved = replace(RENT, revision=5, payee="new landlord")
        journal = MeterJournal()
        journal.deduct(100, replace(RENT, revision=4))
        journal.deduct(20, replace(RENT, revision=9))
        take(connection, journal.batch(items=[RENT, moved]))
        assert self.payable(connection) == {"payable:landlord": 100, "payable:new landlord": 20}

    @pytest.mark.parametrize("items", [[], [replace(RENT, revision=2)], [WATER], [replace(RENT, payee="")]])
    def test_without_a_payee_it_is_unassigned_and_booked_all_the_same(
        self, connection: Connection, items: list[Descriptor]
    ) -> None:
        journal = MeterJournal()
        journal.deduct(100, RENT)
        assert take(connection, journal.batch(items=items))[0].status is Status.ACCEPTED
        assert self.payable(connection) == {"payable:unassigned": 100}

    def test_a_descriptor_is_remembered_and_a_later_word_for_its_revision_is_ignored(
        self, connection: Connection
    ) -> None:
        journal = MeterJournal()
        journal.deduct(100, RENT)
        journal.deduct(20, RENT)
        take(connection, journal.batch(1, 1, items=[RENT]))
        take(connection, journal.batch(2, 2, items=[replace(RENT, payee="someone else")]))
        assert self.payable(connection) == {"payable:landlord": 120}


def test_the_books_cannot_be_changed_behind_the_ledger(connection: Connection) -> None:
    take(connection, usual_journal().batch())
    for table in (schema.entry, schema.posting, schema.notice):
        for change in (delete(table), update(table).values(meter_id=2)):
            with pytest.raises(IntegrityError, match="append-only"), connection.begin_nested():
                connection.execute(change)
    posted = connection.execute(select(schema.posting)).mappings().first()
    assert posted is not None
    with pytest.raises(Exception, match="(?i)unique"):
        connection.execute(insert(schema.posting).values(dict(posted)))
