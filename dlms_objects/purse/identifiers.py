"""Caller-made identifiers: each is used once, for ever; a repeat is given the first answer.

Imported by the operations.
"""

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.draft import refused
from dlms_objects.purse.entry import NO_REFERENCE
from dlms_objects.purse.outcome import Operation, OutcomeCode
from dlms_objects.purse.state import Change, Journal, PurseState


def require_identifier(identifier: bytes) -> None:
    """Refuse what is not 16 octets, or all zeros, which stands for none (InvalidValueError)."""
    if type(identifier) is not bytes or len(identifier) != len(NO_REFERENCE) or identifier == NO_REFERENCE:
        raise InvalidValueError(f"an identifier is 16 octets, not all zero: {identifier!r}")


def answer_of(
    state: PurseState, journal: Journal, identifier: bytes, operation: Operation, arguments: str
) -> Change | None:
    """The answer to an identifier that was used before, or None when it is new."""
    used = journal.used_id(identifier)
    if used is None:
        return None
    if (used.operation, used.arguments) != (operation, arguments):
        return refused(state, OutcomeCode.ID_USED_WITH_OTHER_VALUES)
    return Change(state=state, outcome=OutcomeCode.REPEATED, sequence=used.sequence, balance=used.balance)
