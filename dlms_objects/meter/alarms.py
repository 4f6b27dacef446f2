"""The alarm register's bits: which condition and which event sets each.

An event's bit stays until management clears it; the store sets it in the transaction of the event, so no power cut
parts them. A bit whose condition lasts is set as long as it does, cleared or not. Imported by the store and the meter.
"""

from enum import IntFlag

from dlms_objects.purse.outcome import EventCode
from dlms_objects.purse.prompt import StatusFlag


class Alarm(IntFlag):
    """The bits, 0 the least significant of the double-long-unsigned."""

    LOW_BALANCE = 1 << 0
    SHORTFALL_AHEAD = 1 << 1
    WAITING_BALANCE = 1 << 2
    WAITING_AMOUNT = 1 << 3
    CLOCK_INVALID = 1 << 4
    JOURNAL_FULL = 1 << 5
    TAMPER = 1 << 6
    STORAGE_FAILED = 1 << 7
    REGISTER_ROLL_BACK = 1 << 8
    ASSOCIATION_REFUSED = 1 << 9
    DECRYPTION_FAILED = 1 << 10
    REPLAY_REFUSED = 1 << 11
    SUPPLY_OFF = 1 << 12


ALARM_OF_EVENT = {
    EventCode.LOW_BALANCE: Alarm.LOW_BALANCE,
    EventCode.SHORTFALL_AHEAD: Alarm.SHORTFALL_AHEAD,
    EventCode.INSUFFICIENT: Alarm.WAITING_BALANCE,
    EventCode.WAITING_AMOUNT: Alarm.WAITING_AMOUNT,
    EventCode.CLOCK_INVALID: Alarm.CLOCK_INVALID,
    EventCode.JOURNAL_FULL: Alarm.JOURNAL_FULL,
    EventCode.TAMPER: Alarm.TAMPER,
    EventCode.STORAGE_FAILED: Alarm.STORAGE_FAILED,
    EventCode.REGISTER_ROLL_BACK: Alarm.REGISTER_ROLL_BACK,
    EventCode.ASSOCIATION_REFUSED: Alarm.ASSOCIATION_REFUSED,
    EventCode.DECRYPTION_FAILED: Alarm.DECRYPTION_FAILED,
    EventCode.REPLAY_REFUSED: Alarm.REPLAY_REFUSED,
    EventCode.SUPPLY_OFF: Alarm.SUPPLY_OFF,
}


def standing(flags: StatusFlag, *, has_supply: bool) -> Alarm:
    """The bits whose conditions last now; the purse's flags have the register's first seven bits."""
    return Alarm(int(flags)) | (Alarm(0) if has_supply else Alarm.SUPPLY_OFF)


def alarm_case(code: str) -> str:
    """The bit of an event code, as an SQL expression over that column; 0 for an event that is no alarm."""
    cases = " ".join(f"WHEN {event:d} THEN {alarm:d}" for event, alarm in ALARM_OF_EVENT.items())
    return f"CASE {code} {cases} ELSE 0 END"
