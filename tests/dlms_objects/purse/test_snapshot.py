"""A state survives its octets, whatever is in it; octets that are no state are refused."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse import snapshot
from dlms_objects.purse.entry import JournalHead
from dlms_objects.purse.fee_item import (
    AmountSource,
    FeeItem,
    FeeKind,
    Frequency,
    Metering,
    Parameters,
    PendingAmount,
    Schedule,
    Terms,
    UnitPrice,
)
from dlms_objects.purse.state import Crossings, InsufficientPolicy, PurseState, Settings
from tests.support.purses import CNY, ENERGY, TITLE, billed, fixed, identifier, metered, monthly

NEW_YEAR = datetime(2026, 1, 1, 0, 0, 0, 123456)
FULL_ITEM = FeeItem(
    number=7,
    parameters=Parameters(
        kind=FeeKind.RENT,
        label="房租 été",
        payee="landlord",
        priority=3,
        amount_source=AmountSource.METERED,
        unit_price=UnitPrice(price=56, scaler=-3, register=ENERGY),
        schedule=Schedule(
            frequency=Frequency.YEARLY, interval=2, day=-1, time=time(8, 1, 2), first=date(2026, 1, 1),
            last=date(2030, 1, 1), count=3,
        ),
    ),
    passive=billed(),
    activation_time=datetime(2026, 3, 1, tzinfo=UTC),
    revision=9,
    pending=(PendingAmount(due=date(2026, 2, 1), amount=5, reference=identifier(3), source=AmountSource.MANUAL),),
    since=NEW_YEAR,
    former=(Terms(parameters=fixed(5), revision=8, since=NEW_YEAR, until=None),),
    paid_through=NEW_YEAR,
    last_deducted=datetime(2026, 1, 1, tzinfo=UTC),
    last_amount=2**63 - 1,
    total_deducted=2**70,
    metering=Metering(unit_price=metered(1).unit_price, reading=2**64, carried=2**100),
    short_due=NEW_YEAR,
    asked_due=NEW_YEAR,
)  # fmt: skip
FULL_STATE = PurseState(
    title=TITLE,
    currency=CNY,
    settings=Settings(insufficient_policy=InsufficientPolicy.HOLD_LOWER, time_zone="Asia/Shanghai"),
    balance=-(2**63),
    head=JournalHead(sequence=2**32 - 1, digest=bytes(range(16))),
    acknowledged=JournalHead.empty(TITLE),
    items=(FeeItem(number=1), FULL_ITEM),
    crossings=Crossings(clock_invalid=True, low_balance=True, shortfall_ahead=True, journal_full=True),
    tamper=True,
)


def round_trip(state: PurseState) -> PurseState:
    return snapshot.decode(snapshot.encode(state))


def test_every_field_is_set_to_something_else_than_its_default() -> None:
    for column in fields(FeeItem):
        if column.init and column.name != "number":
            assert getattr(FULL_ITEM, column.name) != column.default, column.name


def test_a_state_with_everything_in_it_survives() -> None:
    found = round_trip(FULL_STATE)
    assert found == FULL_STATE
    assert found.item(7).next_occurrence == FULL_ITEM.next_occurrence
    assert type(found.item(7).passive) is Parameters


TIMES = st.none() | st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1))
PARAMETERS = st.none() | st.builds(
    Parameters,
    label=st.text(max_size=16),
    kind=st.sampled_from(FeeKind),
    amount=st.integers(0, 2**63 - 1),
    enabled=st.booleans(),
    schedule=st.sampled_from([monthly(), monthly(-1, count=5)]),
)
ITEMS = st.builds(
    FeeItem,
    number=st.integers(1, 32),
    parameters=PARAMETERS,
    passive=PARAMETERS,
    activation_time=st.none() | st.datetimes(timezones=st.just(UTC)),
    since=TIMES,
    paid_through=TIMES,
    total_deducted=st.integers(0),
    last_deducted=st.none() | st.datetimes(timezones=st.just(UTC)),
    short_due=TIMES,
)


@settings(max_examples=50)
@given(
    st.lists(ITEMS, max_size=4, unique_by=lambda item: item.number),
    st.integers(-(2**63), 2**63 - 1),
    st.binary(min_size=16, max_size=16),
)
def test_every_state_survives(items: list[FeeItem], balance: int, digest: bytes) -> None:
    state = replace(
        PurseState.new(TITLE, CNY, Settings()),
        balance=balance,
        head=JournalHead(sequence=1, digest=digest),
        items=tuple(sorted(items, key=lambda item: item.number)),
    )
    assert round_trip(state) == state


@pytest.mark.parametrize(
    "spoil",
    [
        lambda octets: b"",
        lambda octets: b"\x02" + octets[1:],
        lambda octets: octets[:-1],
        lambda octets: octets[:1],
        lambda octets: octets.replace(b'"balance"', b'"money"'),
        lambda octets: octets.replace(b'"number":7', b'"number":33'),
        lambda octets: octets.replace(b"Asia/Shanghai", b"Asia/Nowhere1"),
    ],
)
def test_octets_that_are_no_state_are_refused(spoil) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidValueError, match="snapshot of a purse"):
        snapshot.decode(spoil(snapshot.encode(FULL_STATE)))
