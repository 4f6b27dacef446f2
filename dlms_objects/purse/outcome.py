"""What an operation answers and what it leaves behind beside the balance: outcomes, events, used identifiers.

Holds no rule. Imported by the rest of this room, and by the classes, the store and the gateway.
"""

from dataclasses import dataclass
from enum import IntEnum

from dlms_objects.values.cosem_time import CosemDateTime


class OutcomeCode(IntEnum):
    """The answer to an operation; refusals are tested in ascending order, so the lowest that applies is given."""

    DONE = 0
    REPEATED = 1
    ID_USED_WITH_OTHER_VALUES = 2
    AMOUNT_OUT_OF_RANGE = 3
    WOULD_EXCEED_MAXIMUM_BALANCE = 4
    NO_SUCH_ENTRY = 5
    ALREADY_REVERSED = 6
    NOT_REVERSIBLE = 7
    JOURNAL_FULL = 8
    STORAGE_FAILED = 9


class EventCode(IntEnum):
    """The codes of the event log (object model)."""

    POWER_UP = 1
    CLOCK_SET = 2
    CLOCK_INVALID = 3
    LOW_BALANCE = 10
    SHORTFALL_AHEAD = 11
    INSUFFICIENT = 12
    SETTLED = 13
    WAITING_AMOUNT = 14
    PARAMETERS_CHANGED = 20
    PASSIVE_ACTIVATED = 21
    AMOUNT_SET = 22
    ASSOCIATION_REFUSED = 30
    DECRYPTION_FAILED = 31
    REPLAY_REFUSED = 32
    KEY_CHANGED = 33
    JOURNAL_FULL = 40
    STORAGE_FAILED = 41
    TAMPER = 42
    REGISTER_ROLL_BACK = 43
    SUPPLY_OFF = 50
    SUPPLY_ON = 51


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One row of the event log before the store numbers it.

    `fee_item` 0..32 (0: none); `due` a civil time or None. `value` (long64) by code: low_balance the balance,
    shortfall_ahead what is missing within the look-ahead, insufficient what is missing for this occurrence, settled
    and amount_set the amount, parameters_changed and passive_activated the new revision, journal_full the
    unacknowledged entries, register_roll_back the register's reading.
    """

    time: CosemDateTime
    code: EventCode
    fee_item: int = 0
    value: int = 0
    due: CosemDateTime | None = None


class Operation(IntEnum):
    """What a caller-made identifier was used for."""

    TOP_UP = 1
    REVERSE = 2
    ADJUST = 3
    SET_AMOUNT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedId:
    """A caller-made identifier (16 octets) that is spent for ever, and the answer that every repeat is given.

    `arguments` is decimal text that is the same for a repeat with the same values; for a reversal it is the sequence
    number reversed (`str(sequence)`), by which the store answers `Journal.is_reversed`.
    """

    identifier: bytes
    operation: Operation
    arguments: str
    outcome: OutcomeCode
    sequence: int
    balance: int
