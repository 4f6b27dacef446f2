"""What a caller may ask of a purse: money in, back and corrected, the head-end's acknowledgement, settings.

Operations on fee items are in `item_operations` and offered here too. Each is pure and returns a `Change`; a refusal
changes nothing and is an outcome, tested in ascending order of its code as far as it applies. A caller's 16-octet
identifier is used up by the operation that is done with it, not by one that is refused. After a change of balance,
settings or parameters the caller runs `check`. Imported by the classes and the meter.
"""

from dataclasses import replace
from datetime import datetime

from dlms_objects.purse.draft import Draft, refused
from dlms_objects.purse.entry import EntryKind, JournalHead
from dlms_objects.purse.identifiers import answer_of, require_identifier
from dlms_objects.purse.item_operations import (
    activate_passive,
    cancel_amount,
    cancel_passive,
    delete_item,
    set_activation_time,
    set_amount,
    set_parameters,
    set_passive,
)
from dlms_objects.purse.outcome import EventCode, Operation, OutcomeCode
from dlms_objects.purse.state import Change, Journal, PurseState, Settings
from dlms_objects.values.money import MAXIMUM_MINOR, MINIMUM_MINOR

__all__ = [
    "acknowledge",
    "activate_passive",
    "adjust",
    "cancel_amount",
    "cancel_passive",
    "delete_item",
    "mark_tamper",
    "reverse",
    "set_activation_time",
    "set_amount",
    "set_parameters",
    "set_passive",
    "set_settings",
    "top_up",
]


def top_up(state: PurseState, journal: Journal, now: datetime, transaction_id: bytes, amount: int) -> Change:
    """Put money in: `amount` 1..maximum_top_up minor units, up to the maximum balance."""
    require_identifier(transaction_id)
    arguments = str(amount)
    answer = answer_of(state, journal, transaction_id, Operation.TOP_UP, arguments)
    if answer is not None:
        return answer
    refusal = _lowest(
        (OutcomeCode.AMOUNT_OUT_OF_RANGE, not 1 <= amount <= (state.settings.maximum_top_up or MAXIMUM_MINOR)),
        (OutcomeCode.WOULD_EXCEED_MAXIMUM_BALANCE, _rises_too_high(state, amount)),
        (OutcomeCode.JOURNAL_FULL, state.is_journal_full),
    )
    if refusal is not None:
        return refused(state, refusal)
    draft = Draft(state, now)
    draft.enter(EntryKind.TOP_UP, amount, reference=transaction_id)
    draft.spend(transaction_id, Operation.TOP_UP, arguments)
    return draft.change()


def reverse(state: PurseState, journal: Journal, now: datetime, transaction_id: bytes, sequence: int) -> Change:
    """Undo one deduction (the money comes back) or top-up (it is taken), once.

    Taking a top-up back never brings the balance below -overdraft_limit (amount out of range); money that comes back
    is held against what 64 bits hold, not against the maximum balance, for it was here before. The occurrence of a
    reversed deduction stays deducted. Reversals and adjustments are not reversible: adjust again.
    """
    require_identifier(transaction_id)
    arguments = str(sequence)
    answer = answer_of(state, journal, transaction_id, Operation.REVERSE, arguments)
    if answer is not None:
        return answer
    entry = journal.entry(sequence) if 1 <= sequence <= state.head.sequence else None
    if entry is None:
        return refused(state, OutcomeCode.NO_SUCH_ENTRY)
    reversible = entry.kind in (EntryKind.DEDUCTION, EntryKind.TOP_UP)
    amount = -entry.amount
    refusal = _lowest(
        (OutcomeCode.AMOUNT_OUT_OF_RANGE, reversible and _falls_too_low(state, amount)),
        (OutcomeCode.WOULD_EXCEED_MAXIMUM_BALANCE, reversible and state.balance + amount > MAXIMUM_MINOR),
        (OutcomeCode.ALREADY_REVERSED, journal.is_reversed(sequence)),
        (OutcomeCode.NOT_REVERSIBLE, not reversible),
        (OutcomeCode.JOURNAL_FULL, state.is_journal_full),
    )
    if refusal is not None:
        return refused(state, refusal)
    draft = Draft(state, now)
    draft.enter(EntryKind.REVERSAL, amount, reference=transaction_id, fee_item=entry.fee_item, revision=entry.revision)
    draft.spend(transaction_id, Operation.REVERSE, arguments)
    return draft.change()


def adjust(state: PurseState, journal: Journal, now: datetime, transaction_id: bytes, amount: int) -> Change:
    """Correct the balance by `amount` (signed minor units, not 0), down to -overdraft_limit, up to the maximum."""
    require_identifier(transaction_id)
    arguments = str(amount)
    answer = answer_of(state, journal, transaction_id, Operation.ADJUST, arguments)
    if answer is not None:
        return answer
    in_range = amount != 0 and MINIMUM_MINOR <= amount <= MAXIMUM_MINOR
    refusal = _lowest(
        (OutcomeCode.AMOUNT_OUT_OF_RANGE, not in_range or _falls_too_low(state, amount)),
        (OutcomeCode.WOULD_EXCEED_MAXIMUM_BALANCE, _rises_too_high(state, amount)),
        (OutcomeCode.JOURNAL_FULL, state.is_journal_full),
    )
    if refusal is not None:
        return refused(state, refusal)
    draft = Draft(state, now)
    draft.enter(EntryKind.ADJUSTMENT, amount, reference=transaction_id)
    draft.spend(transaction_id, Operation.ADJUST, arguments)
    return draft.change()


def acknowledge(state: PurseState, journal: Journal, sequence: int, digest: bytes) -> Change:
    """The head-end holds every entry up to `sequence`, whose digest it names; moves forward only.

    NO_SUCH_ENTRY when there is no entry of that number and digest, REPEATED when it was acknowledged before. The
    answer's sequence is the one acknowledged.
    """
    known = _digest_at(state, journal, sequence)
    if known is None or known != digest:
        return _acknowledged(state, OutcomeCode.NO_SUCH_ENTRY)
    if sequence <= state.acknowledged.sequence:
        return _acknowledged(state, OutcomeCode.REPEATED)
    moved = replace(state, acknowledged=JournalHead(sequence=sequence, digest=digest))
    return _acknowledged(moved, OutcomeCode.DONE)


def set_settings(state: PurseState, now: datetime, settings: Settings) -> Change:
    """Replace all settings at once; a balance that a lower overdraft limit leaves too low stays and only rises."""
    draft = Draft(state, now)
    if settings != state.settings:
        draft.state = replace(state, settings=settings)
        draft.note(EventCode.PARAMETERS_CHANGED)
    return draft.change()


def mark_tamper(state: PurseState, now: datetime) -> Change:
    """The store found the journal's chain broken: nothing is deducted from now on; the event comes once."""
    draft = Draft(state, now)
    if not state.tamper:
        draft.state = replace(state, tamper=True)
        draft.note(EventCode.TAMPER, value=state.head.sequence)
    return draft.change()


def _lowest(*reasons: tuple[OutcomeCode, bool]) -> OutcomeCode | None:
    """The refusal that takes precedence among those that apply; None when none does."""
    return min((code for code, applies in reasons if applies), default=None)


def _rises_too_high(state: PurseState, amount: int) -> bool:
    return amount > 0 and state.balance + amount > (state.settings.maximum_balance or MAXIMUM_MINOR)


def _falls_too_low(state: PurseState, amount: int) -> bool:
    return amount < 0 and state.balance + amount < -state.settings.overdraft_limit


def _digest_at(state: PurseState, journal: Journal, sequence: int) -> bytes | None:
    """The digest of entry `sequence` of this journal (0: of the empty one), or None when it is not known."""
    ends = (JournalHead.empty(state.title), state.acknowledged, state.head)
    for head in ends:
        if head.sequence == sequence:
            return head.digest
    entry = journal.entry(sequence) if 0 < sequence < state.head.sequence else None
    return None if entry is None else entry.digest


def _acknowledged(state: PurseState, outcome: OutcomeCode) -> Change:
    return Change(state=state, outcome=outcome, sequence=state.acknowledged.sequence, balance=state.balance)
