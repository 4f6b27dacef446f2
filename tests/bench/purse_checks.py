"""The meter's side without its disk: a check of the purse that finds nothing due, and one that deducts."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from dlms_objects.purse.check import check
from dlms_objects.purse.fee_item import Frequency, Schedule
from tests.bench.rounds import Case, operation
from tests.bench.sessions import Disagreement
from tests.support.purses import ENERGY, Purse, billed, fixed, metered, monthly

NOTHING_DUE, ONE_DEDUCTION = "check, 5 fee items, nothing due", "check, 5 fee items, one deduction"

_NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
_DAILY_AT_NOON = Schedule(frequency=Frequency.DAILY, time=time(12, 30), first=date(2025, 1, 1))


def household() -> Purse:
    """The household of the demo: fixed rent and property fee, two billed fees, one metered; nothing due at _NOW."""
    purse = Purse(now=_NOW)
    purse.top_up(10_000_000)
    purse.configure(1, fixed(350_000))
    purse.configure(2, fixed(28_000, monthly(day=5)))
    purse.configure(3, billed(schedule=monthly(day=20)))
    purse.configure(4, fixed(1_000, _DAILY_AT_NOON))
    purse.configure(5, metered(60, scaler=-3, schedule=monthly(day=28)))
    return purse


def check_cases() -> dict[str, Case]:
    """Checks of one state, again and again; they are shown to deduct what they should first, else Disagreement."""
    purse = household()
    registers = {ENERGY: 1_000_000}
    idle = check(purse.state, _NOW, registers)
    state = idle.state
    later = _NOW + timedelta(minutes=31)
    deducted = check(state, later, registers)
    if idle.entries or [entry.amount for entry in deducted.entries] != [-1_000]:
        raise Disagreement("the checks do not deduct what they are measured for")
    if check(replace(state), _NOW, registers).state != state:
        raise Disagreement("an idle check changes the purse")
    return {
        NOTHING_DUE: operation(lambda: check(state, _NOW, registers)),
        ONE_DEDUCTION: operation(lambda: check(state, later, registers)),
    }
