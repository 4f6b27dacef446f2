"""What a caller may ask of one fee item: its parameters, now or later, and the amounts of its occurrences.

Pure, as `operations`, through which the classes and the meter call this. NO_SUCH_ENTRY says that there is nothing of
the kind to act on. Numbers outside 1..32 and values that are none are InvalidValueError.
"""

from dataclasses import replace
from datetime import date, datetime

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.draft import Draft, refused
from dlms_objects.purse.entry import NO_REFERENCE
from dlms_objects.purse.fee_item import AmountSource, FeeItem, Parameters, PendingAmount, takes_amount
from dlms_objects.purse.identifiers import answer_of, require_identifier
from dlms_objects.purse.outcome import EventCode, Operation, OutcomeCode
from dlms_objects.purse.state import Change, Journal, PurseState
from dlms_objects.values.money import MAXIMUM_MINOR

MAXIMUM_PENDING = 64  # amounts set in advance per item


def set_parameters(state: PurseState, now: datetime, number: int, parameters: Parameters) -> Change:
    """Configure the item at once; the same parameters again change nothing, not even the revision."""
    draft = Draft(state, now)
    item = state.item(number)
    if parameters != item.parameters:
        item = item.amended(parameters, draft.civil_if_valid())
        draft.put(item)
        draft.note(EventCode.PARAMETERS_CHANGED, fee_item=number, value=item.revision)
    return draft.change()


def set_passive(state: PurseState, now: datetime, number: int, passive: Parameters | None) -> Change:
    """Keep parameters for the activation time (None: keep none); in force at once where that has passed."""
    return _arm(state, now, replace(state.item(number), passive=passive))


def set_activation_time(state: PurseState, now: datetime, number: int, activation_time: datetime | None) -> Change:
    """Say when the passive parameters come into force; a time that has passed already means at once, not then."""
    return _arm(state, now, replace(state.item(number), activation_time=activation_time))


def activate_passive(state: PurseState, now: datetime, number: int) -> Change:
    """Bring the passive parameters into force now."""
    item = state.item(number)
    if item.passive is None:
        return refused(state, OutcomeCode.NO_SUCH_ENTRY)
    draft = Draft(state, now)
    _activate(draft, item)
    return draft.change()


def cancel_passive(state: PurseState, now: datetime, number: int) -> Change:
    """Forget the passive parameters and their activation time."""
    item = state.item(number)
    if item.passive is None and item.activation_time is None:
        return refused(state, OutcomeCode.NO_SUCH_ENTRY)
    draft = Draft(state, now)
    draft.put(replace(item, passive=None, activation_time=None))
    return draft.change()


def delete_item(state: PurseState, now: datetime, number: int) -> Change:
    """Unconfigure the item, with what it still owes; the number remembers how far it was paid."""
    item = state.item(number)
    if item.parameters is None and item.passive is None:
        return refused(state, OutcomeCode.NO_SUCH_ENTRY)
    draft = Draft(state, now)
    item = item.deleted()
    draft.put(item)
    draft.note(EventCode.PARAMETERS_CHANGED, fee_item=number, value=item.revision)
    return draft.change()


def set_amount(  # noqa: PLR0913 - the method's three arguments, and who asks when
    state: PurseState,
    journal: Journal,
    now: datetime,
    number: int,
    due: date,
    amount: int,
    reference: bytes,
    source: AmountSource,
) -> Change:
    """Set the amount (minor units, 0..2^63-1) of the occurrence of the day `due`, until it is deducted.

    A further amount for the same day takes the place of the first. `source` MANUAL or CLOUD is who asks: a cloud item
    takes no amount by hand. A `reference` of zeros is none; any other is used up and goes into the journal with the
    deduction. NO_SUCH_ENTRY: no open occurrence on that day that takes this amount.
    """
    if source not in (AmountSource.MANUAL, AmountSource.CLOUD):
        raise InvalidValueError(f"an amount is set by hand or by the cloud, not {source!r}")
    item = state.item(number)
    arguments = f"{number} {due.isoformat()} {amount} {source:d}"
    if reference != NO_REFERENCE:
        require_identifier(reference)
        answer = answer_of(state, journal, reference, Operation.SET_AMOUNT, arguments)
        if answer is not None:
            return answer
    if not 0 <= amount <= MAXIMUM_MINOR:
        return refused(state, OutcomeCode.AMOUNT_OUT_OF_RANGE)
    occurrence = item.open_on(due)
    if occurrence is None or not takes_amount(occurrence.parameters.amount_source, source):
        return refused(state, OutcomeCode.NO_SUCH_ENTRY)
    item = item.with_pending(PendingAmount(due=due, amount=amount, reference=reference, source=source))
    if len(item.pending) > MAXIMUM_PENDING:
        return refused(state, OutcomeCode.JOURNAL_FULL)
    draft = Draft(state, now)
    draft.put(item)
    draft.note(EventCode.AMOUNT_SET, fee_item=number, value=amount, due=occurrence.due)
    if reference != NO_REFERENCE:
        draft.spend(reference, Operation.SET_AMOUNT, arguments)
    return draft.change()


def cancel_amount(state: PurseState, now: datetime, number: int, due: date) -> Change:
    """Forget the amount set for the occurrence of the day `due`; its reference stays used."""
    item = state.item(number)
    pending = item.pending_on(due)
    if pending is None or pending.source is AmountSource.METERED:
        return refused(state, OutcomeCode.NO_SUCH_ENTRY)
    draft = Draft(state, now)
    draft.put(item.without_pending(due))
    return draft.change()


def _arm(state: PurseState, now: datetime, item: FeeItem) -> Change:
    draft = Draft(state, now)
    has_passed = item.activation_time is not None and item.activation_time <= now
    if item.passive is not None and has_passed and state.is_clock_valid(now):
        _activate(draft, item)
    else:
        draft.put(item)
    return draft.change()


def _activate(draft: Draft, item: FeeItem) -> None:
    item = item.activated(draft.civil_if_valid())
    draft.put(item)
    draft.note(EventCode.PASSIVE_ACTIVATED, fee_item=item.number, value=item.revision)
