"""Laws of double entry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from dlms_objects.purse.entry import EntryKind
from dlms_objects.values.money import MAXIMUM_MINOR, MINIMUM_MINOR, Currency
from headend.ledger import (
    ADJUSTMENT,
    CLEARING,
    POSTING_COLUMNS,
    UNASSIGNED,
    Accounts,
    counter_account,
    is_bookable,
    needs_payee,
    payable_account,
    postings,
    purse_account,
    purse_sums,
)
from headend.schema import COUNTER_LINE, PURSE_LINE
from headend.users import add_organisation
from tests.support.headend_books import CNY


@pytest.mark.parametrize(
    ("kind", "fee_item", "payee", "account"),
    [
        (EntryKind.DEDUCTION, 1, "landlord", "payable:landlord"),
        (EntryKind.DEDUCTION, 1, "", UNASSIGNED),
        (EntryKind.TOP_UP, 0, "", CLEARING),
        (EntryKind.REVERSAL, 1, "landlord", "payable:landlord"),
        (EntryKind.REVERSAL, 1, "", UNASSIGNED),
        (EntryKind.REVERSAL, 0, "", CLEARING),
        (EntryKind.ADJUSTMENT, 0, "", ADJUSTMENT),
        (EntryKind.ADJUSTMENT, 1, "landlord", ADJUSTMENT),
    ],
)
def test_each_kind_has_its_other_side(kind: EntryKind, fee_item: int, payee: str, account: str) -> None:
    assert counter_account(kind, fee_item, payee) == account
    assert needs_payee(kind, fee_item) == account.startswith("payable:")


def test_accounts_of_purses_and_payees_never_mix() -> None:
    assert purse_account("unassigned") != payable_account("unassigned") == UNASSIGNED


@given(amount=st.integers(MINIMUM_MINOR + 1, MAXIMUM_MINOR))
def test_the_postings_of_an_entry_sum_to_zero_and_move_the_purse_by_its_amount(amount: int) -> None:
    purse, counter = (
        dict(zip(POSTING_COLUMNS, each, strict=True))
        for each in postings(meter_id=1, sequence=9, amount=amount, purse_id=2, counter_id=3)
    )
    assert purse["amount_minor"] == amount
    assert purse["amount_minor"] + counter["amount_minor"] == 0
    assert (purse["account_id"], counter["account_id"]) == (2, 3)
    assert (purse["line"], counter["line"]) == (PURSE_LINE, COUNTER_LINE)
    assert is_bookable(amount)


def test_only_the_amount_without_an_opposite_is_not_bookable() -> None:
    assert not is_bookable(MINIMUM_MINOR)


def test_an_account_is_opened_once_per_organisation_and_currency(connection: Connection) -> None:
    accounts = Accounts(connection)
    number = accounts.number(1, CLEARING, CNY)
    assert accounts.number(1, CLEARING, CNY) == number
    assert accounts.number(1, CLEARING, Currency("CNY", -4)) != number
    assert Accounts(connection).number(1, CLEARING, CNY) == number
    at_once = Accounts(connection)
    at_once.look_up([CLEARING, ADJUSTMENT])
    assert at_once.number(1, CLEARING, CNY) == number
    assert at_once.number(1, ADJUSTMENT, CNY) != number
    other = add_organisation(connection, "another")
    assert at_once.number(other, CLEARING, CNY) not in (number, at_once.number(1, ADJUSTMENT, CNY))
    assert Accounts(connection).number(1, ADJUSTMENT, CNY) == at_once.number(1, ADJUSTMENT, CNY)


def test_a_meter_without_postings_has_no_sum(connection: Connection) -> None:
    assert purse_sums(connection, [1, 2]) == {}
