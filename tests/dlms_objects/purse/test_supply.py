"""The supply: cut off only for what its policy names, only by day, only after the grace; given back as soon as paid."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.fee_item import FeeKind
from dlms_objects.purse.supply import (
    ControlState,
    SupplyPolicy,
    Switching,
    local_switching,
    remote_disconnect,
    remote_reconnect,
)
from tests.support.purses import Purse, at, fixed, household, monthly

POLICY = SupplyPolicy()
DISCONNECTED, CONNECTED, READY = ControlState
DUE = datetime(2026, 2, 1, 8)
FROM_FEBRUARY = monthly(first=date(2026, 2, 1))
GRACE_ENDS = at(2, 4)  # a Wednesday, 08:00
CUTTABLE = at(2, 4, 10)


def unpaid(**changes: object) -> Purse:
    """A household without money whose electricity fell due on 1 February at 08:00 UTC."""
    purse = household()
    purse.configure(1, fixed(5_000, FROM_FEBRUARY, **{"kind": FeeKind.ELECTRICITY, **changes}))
    purse.check(at(2, 1))
    return purse


def test_an_unpaid_electricity_fee_cuts_the_supply_after_the_grace_and_names_itself() -> None:
    wanted = Switching(READY, 1, DUE)
    assert local_switching(POLICY, CONNECTED, unpaid().state, CUTTABLE) == wanted


@pytest.mark.parametrize(
    "moment",
    [
        at(2, 1, 10),  # within the grace
        GRACE_ENDS,  # grace over, before the hours
        at(2, 4, 9, 59),
        at(2, 4, 15),  # the end is excluded
        at(2, 4, 23),
        at(2, 7, 12),  # Saturday
        at(2, 8, 12),  # Sunday
    ],
)
def test_it_is_not_cut_before_that_nor_at_night_nor_on_spared_weekdays(moment: datetime) -> None:
    assert local_switching(POLICY, CONNECTED, unpaid().state, moment) is None


def test_it_is_never_cut_at_any_hour_of_a_night_whatever_the_policy() -> None:
    widest = SupplyPolicy(cut_from=time(8), cut_until=time(20), spared_weekdays=frozenset())
    state = unpaid().state
    cut = {hour for hour in range(24) if local_switching(widest, CONNECTED, state, at(2, 9, hour))}
    assert cut == set(range(8, 20))


def test_listed_days_are_spared() -> None:
    spared = replace(POLICY, spared_days=frozenset({date(2026, 2, 4)}))
    state = unpaid().state
    assert local_switching(spared, CONNECTED, state, CUTTABLE) is None
    assert local_switching(spared, CONNECTED, state, CUTTABLE + timedelta(days=1)) is not None


def test_hours_are_those_of_the_meters_zone() -> None:
    purse = household(time_zone="Asia/Shanghai")
    purse.configure(1, fixed(5_000, FROM_FEBRUARY, kind=FeeKind.ELECTRICITY))
    purse.check(at(2, 1))
    assert local_switching(POLICY, CONNECTED, purse.state, at(2, 4, 7)) is None  # 15:00 there
    assert local_switching(POLICY, CONNECTED, purse.state, at(2, 4, 6, 59)) == Switching(READY, 1, DUE)


def test_fees_of_other_kinds_and_disabled_items_cost_nobody_the_supply() -> None:
    assert local_switching(POLICY, CONNECTED, unpaid(kind=FeeKind.RENT).state, CUTTABLE) is None
    purse = unpaid()
    purse.configure(1, fixed(5_000, FROM_FEBRUARY, kind=FeeKind.ELECTRICITY, enabled=False))
    assert local_switching(POLICY, CONNECTED, purse.state, CUTTABLE) is None


def test_the_oldest_overdue_fee_is_the_one_named() -> None:
    purse = unpaid()
    purse.configure(2, fixed(5_000, FROM_FEBRUARY, kind=FeeKind.ELECTRICITY))
    assert local_switching(POLICY, CONNECTED, purse.state, at(3, 6, 12)) == Switching(READY, 1, DUE)


def test_a_clock_or_journal_that_is_not_to_be_trusted_cuts_nothing() -> None:
    purse = unpaid()
    assert local_switching(POLICY, CONNECTED, replace(purse.state, tamper=True), CUTTABLE) is None
    purse.clock_valid = False
    purse.check(CUTTABLE)
    assert local_switching(POLICY, CONNECTED, purse.state, CUTTABLE) is None


def test_without_a_policy_the_meter_cuts_nothing_and_gives_back_what_one_had_cut() -> None:
    state = unpaid().state
    assert local_switching(None, CONNECTED, state, CUTTABLE) is None
    assert local_switching(None, READY, state, CUTTABLE) == Switching(CONNECTED)


def test_the_supply_comes_back_at_any_hour_once_nothing_waits() -> None:
    purse = unpaid()
    midnight = at(2, 5, 0)
    assert local_switching(POLICY, READY, purse.state, midnight) is None
    purse.top_up(5_000)
    assert local_switching(POLICY, READY, purse.state, midnight) == Switching(CONNECTED)


def test_what_a_person_cut_off_stays_so_whatever_is_paid() -> None:
    assert local_switching(POLICY, DISCONNECTED, household(9_000).state, CUTTABLE) is None


def test_remote_commands_follow_the_control_modes_4_and_6() -> None:
    assert [remote_disconnect(state) for state in ControlState] == [
        None,
        Switching(DISCONNECTED),
        Switching(DISCONNECTED),
    ]
    assert [remote_reconnect(None, state) for state in ControlState] == [Switching(CONNECTED), None, None]
    assert [remote_reconnect(POLICY, state) for state in ControlState] == [Switching(READY), None, None]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"kinds": frozenset()}, "kinds"),
        ({"cut_from": time(7, 59)}, "cut_from"),
        ({"cut_until": time(20, 1)}, "cut_until"),
        ({"cut_from": time(15)}, "cut_from"),
        ({"grace": timedelta(minutes=59)}, "grace"),
        ({"grace": timedelta(days=367)}, "grace"),
        ({"spared_weekdays": frozenset(range(1, 8))}, "spared_weekdays"),
        ({"spared_weekdays": frozenset({0})}, "spared_weekdays"),
    ],
)
def test_a_policy_that_could_cut_at_night_or_at_once_is_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidValueError, match=named):
        SupplyPolicy(**changes)  # type: ignore[arg-type]
