"""Laws of reading the books."""

from dataclasses import replace

from sqlalchemy import Connection, insert, text

from dlms_objects.purse.entry import EntryKind
from headend import schema
from headend.ingest import ingest
from headend.statements import entries, fee_items, mailbox, purse, purses, reconciliation
from headend.visibility import EVERY_METER
from tests.support.headend_books import CNY, OTHER_TITLE, RENT, TITLE, UNKNOWN_TITLE, WATER, batch_of, usual_journal
from tests.support.ledgers import drop_trigger


def test_purses_stand_by_title(connection: Connection) -> None:
    ingest(connection, [usual_journal(OTHER_TITLE).batch()])
    found = purses(connection, EVERY_METER)
    assert [(each.system_title, each.balance, each.sequence, each.currency) for each in found] == [
        (str(TITLE), 0, 0, None),
        (str(OTHER_TITLE), 149_994, 6, CNY),
    ]
    assert purse(connection, str(OTHER_TITLE), EVERY_METER) == found[1]
    assert purse(connection, str(UNKNOWN_TITLE), EVERY_METER) is None


def test_entries_come_in_pages_with_the_account_and_the_name_of_the_fee(connection: Connection) -> None:
    journal = usual_journal()
    ingest(connection, [journal.batch()])
    first, second = entries(connection, 1, after=1, limit=2)
    assert (first.entry, first.account, first.descriptor) == (journal.entries[1], "payable:landlord", RENT)
    assert (second.entry, second.account, second.descriptor) == (journal.entries[2], "payable:waterworks", WATER)
    rest = entries(connection, 1, after=4, limit=100)
    assert [each.account for each in rest] == ["clearing:top_up", "adjustment"]
    assert entries(connection, 2, after=0, limit=100) == []


def test_fee_items_are_the_newest_known(connection: Connection) -> None:
    newer = replace(RENT, revision=2, label="Rent")
    ingest(connection, [usual_journal().batch(items=[RENT, newer, WATER])])
    assert fee_items(connection, 1) == (newer, WATER)
    assert fee_items(connection, 2) == ()


def test_a_mailbox_speaks_the_language_of_its_household_unless_asked(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch(1, 1)])
    reader = purse(connection, str(TITLE), EVERY_METER)
    assert reader is not None
    letter = mailbox(connection, reader, language=None, after=0, limit=10)[0]
    assert letter.text.subject == "充值¥5,000.00已到账"
    english = mailbox(connection, reader, language="en", after=0, limit=10)[0]
    assert english.text.subject == "Top-up of CN¥5,000.00 received"
    assert mailbox(connection, reader, language="en", after=letter.notice_id, limit=10) == []


def test_a_mailbox_holds_the_notices_of_its_own_meter_in_pages(connection: Connection) -> None:
    ingest(connection, [usual_journal(OTHER_TITLE).batch(), usual_journal().batch()])
    reader = purse(connection, str(OTHER_TITLE), EVERY_METER)
    assert reader is not None
    seen = []
    after = 0
    while page := mailbox(connection, reader, language=None, after=after, limit=4):
        after = page[-1].notice_id
        seen += [letter.number for letter in page]
    assert seen == [1, 2, 3, 4, 5, 6]


def test_a_reconciliation_counts_afresh(connection: Connection) -> None:
    ingest(connection, [usual_journal().batch()])
    other = usual_journal()
    other.entries = other.entries[:5]
    ingest(connection, [batch_of(TITLE, 6, [other.append(EntryKind.ADJUSTMENT, 1)])])
    counted = reconciliation(connection, str(TITLE), EVERY_METER)
    assert counted is not None
    assert counted.is_balanced
    assert counted.entries_sum == counted.postings_sum == counted.purse.balance == 149_994
    assert [each.cause for each in counted.evidence] == ["different_row"]
    assert counted.purse.conflicts == 1
    assert reconciliation(connection, str(UNKNOWN_TITLE), EVERY_METER) is None


def test_an_empty_book_is_balanced(connection: Connection) -> None:
    counted = reconciliation(connection, str(TITLE), EVERY_METER)
    assert counted is not None
    assert counted.is_balanced
    assert set(counted.counts.values()) == {0}


def test_a_reconciliation_finds_a_lost_posting_a_false_posting_and_a_false_balance(connection: Connection) -> None:
    """Deliberate faults, planted past the triggers."""
    ingest(connection, [usual_journal().batch(), usual_journal(OTHER_TITLE).batch()])
    for table in ("posting", "entry"):
        for change in ("update", "delete"):
            drop_trigger(connection, table, f"{table}_refuses_{change}")
    faults = [
        "DELETE FROM posting WHERE meter_id = 1 AND sequence = 6 AND line = 1",
        "UPDATE posting SET amount_minor = amount_minor + 1 WHERE meter_id = 1 AND sequence = 2 AND line = 1",
        "UPDATE posting SET amount_minor = amount_minor + 1 WHERE meter_id = 1 AND sequence = 2",
        "UPDATE entry SET amount_minor = amount_minor + 1 WHERE meter_id = 1 AND sequence = 2",
        "UPDATE meter SET balance_minor = balance_minor + 1 WHERE id = 1",
        "UPDATE meter SET sequence = sequence + 1 WHERE id = 1",
    ]
    for fault in faults:
        with connection.begin_nested() as planted:
            connection.execute(text(fault))
            counted = reconciliation(connection, str(TITLE), EVERY_METER)
            assert counted is not None
            assert not counted.is_balanced
            other = reconciliation(connection, str(OTHER_TITLE), EVERY_METER)
            assert other is not None
            assert other.is_balanced
            planted.rollback()


def test_no_more_evidence_is_shown_than_can_be_read(connection: Connection) -> None:
    rows = [
        {"meter_id": 1, "sequence": number, "cause": "fork", "detail": "", "received_row": b"x"}
        for number in range(1, 150)
    ]
    connection.execute(insert(schema.evidence), rows)
    counted = reconciliation(connection, str(TITLE), EVERY_METER)
    assert counted is not None
    assert len(counted.evidence) == 100
    assert counted.purse.conflicts == 149
