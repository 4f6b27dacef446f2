"""Laws of notices as they are stored."""

from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.purse.entry import EntryKind
from headend.notices import OF_ENTRY, OF_EVENT_CODE, Facts, NoticeKind, facts_of, facts_of_entry, row_of
from tests.support.headend_books import RENT, MeterJournal


def test_every_kind_of_entry_is_told_and_every_kind_of_notice_comes_from_somewhere() -> None:
    assert set(OF_ENTRY) == set(EntryKind)
    assert {*OF_ENTRY.values(), *OF_EVENT_CODE.values(), NoticeKind.STATEMENT} == set(NoticeKind)


def test_an_entry_leaves_all_its_facts() -> None:
    journal = MeterJournal()
    journal.top_up(500)
    entry = journal.deduct(350, RENT)
    assert facts_of_entry(entry, label="房租", payee="landlord") == Facts(
        time=entry.time.octets.hex(),
        fee_item=1,
        label="房租",
        payee="landlord",
        due=entry.due.octets.hex(),
        amount_minor=-350,
        before_minor=500,
        after_minor=150,
    )


def test_a_top_up_has_no_due_time_and_no_fee() -> None:
    facts = facts_of_entry(MeterJournal().top_up(5), label="", payee="")
    assert (facts.due, facts.fee_item, facts.label) == (None, 0, "")


@given(label=st.text(max_size=64), value=st.integers(-(2**63), 2**63 - 1))
def test_facts_come_back_as_they_went(label: str, value: int) -> None:
    facts = Facts(time="00" * 12, label=label, value_minor=value)
    assert facts_of(str(row_of(1, NoticeKind.SETTLED, 1, facts)["facts"])) == facts
