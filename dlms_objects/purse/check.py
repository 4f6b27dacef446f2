"""The check: terms come into force, what is due is deducted, what crossed a line is announced.

Called by the meter every `check_period_s` and after every change of balance, parameters or clock. Pure: the same state,
instant and registers give the same change. Taking the money is `deduction`, reading the registers `collection`.
"""

from dataclasses import replace
from datetime import datetime

from dlms_objects.purse.collection import set_base
from dlms_objects.purse.deduction import deduct
from dlms_objects.purse.draft import Draft
from dlms_objects.purse.metering import Registers
from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.prompt import find_shortfall
from dlms_objects.purse.state import CLOCK_VALID_FROM, Change, Crossings, PurseState
from dlms_objects.values.civil import civil_of


def check(state: PurseState, now: datetime, registers: Registers, *, clock_valid: bool = True) -> Change:
    """Deduct what is due at the instant `now` (aware), and announce what crossed a line since the last check.

    `registers` holds the present value of each register that metered items name, in the register's unit; one that is
    missing is an amount not known yet. `clock_valid` False says that the meter lost its time: nothing is deducted until
    a check without it. At most `max_catch_up` deductions are made, by (priority, number), each item's oldest first.
    """
    draft = Draft(state, now)
    if not _clock_is_valid(draft, clock_valid=clock_valid):
        return draft.change()
    _bring_into_force(draft)
    for item in draft.state.items:
        set_base(draft, item, registers)
    if not state.tamper:
        deduct(draft, registers)
    _announce(draft, registers)
    return draft.change()


def _clock_is_valid(draft: Draft, *, clock_valid: bool) -> bool:
    valid = clock_valid and draft.now >= CLOCK_VALID_FROM
    crossings = draft.state.crossings
    if crossings.clock_invalid is valid:
        draft.state = replace(draft.state, crossings=replace(crossings, clock_invalid=not valid))
        if not valid:
            draft.note(EventCode.CLOCK_INVALID)
    return valid


def _bring_into_force(draft: Draft) -> None:
    """Start what waited for a valid clock, and activate passive parameters whose time has come."""
    for item in draft.state.items:
        if item.parameters is not None and item.since is None:
            draft.put(item.started(draft.civil()))
        if item.passive is not None and item.activation_time is not None and item.activation_time <= draft.now:
            active = draft.state.item(item.number).activated(civil_of(item.activation_time, draft.zone))
            draft.put(active)
            draft.note(EventCode.PASSIVE_ACTIVATED, fee_item=item.number, value=active.revision)


def _announce(draft: Draft, registers: Registers) -> None:
    """Events of the whole purse, once per crossing.

    A shortfall is ahead as long as the first occurrence in want is still to come; after that it is insufficient, and
    announced as that. When it is settled, the next one in want is ahead again.
    """
    state, before = draft.state, draft.state.crossings
    shortfall = find_shortfall(state, draft.now, registers)
    if shortfall is not None and shortfall.first_due <= draft.civil():
        shortfall = None
    after = Crossings(
        low_balance=state.balance < state.settings.low_balance_threshold,
        shortfall_ahead=shortfall is not None,
        journal_full=state.is_journal_full,
    )
    if after == before:
        return
    if after.low_balance and not before.low_balance:
        draft.note(EventCode.LOW_BALANCE, value=state.balance)
    if shortfall is not None and not before.shortfall_ahead:
        draft.note(
            EventCode.SHORTFALL_AHEAD, fee_item=shortfall.number, value=shortfall.missing, due=shortfall.first_due
        )
    if after.journal_full and not before.journal_full:
        draft.note(EventCode.JOURNAL_FULL, value=state.unacknowledged)
    draft.state = replace(state, crossings=after)
