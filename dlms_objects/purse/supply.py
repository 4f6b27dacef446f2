"""The supply: when an unpaid fee may cost a household its electricity, and what gives it back.

Pure rules over the control states of a disconnect control (class 70). Without a policy the meter never cuts anything
off by itself. Imported by the meter's supply keeper and its configuration.

With one, it cuts only within the cutting hours of a day that is not spared, never at night, never while the clock is
not to be trusted, and only after the household had `grace` to pay; it reconnects at any hour, as soon as nothing waits.
What a person cut off (or gave back) over DLMS only a person changes.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.fee_item import FeeItem, FeeKind
from dlms_objects.purse.state import PurseState
from dlms_objects.values.civil import civil_of, time_zone

DAY_BEGINS, DAY_ENDS = time(8), time(20)
SHORTEST_GRACE, LONGEST_GRACE = timedelta(hours=1), timedelta(days=366)


class ControlState(IntEnum):
    """The control_state of a disconnect control; the supply is on in CONNECTED alone."""

    DISCONNECTED = 0
    CONNECTED = 1
    READY_FOR_RECONNECTION = 2


class ControlMode(IntEnum):
    """The control_modes in use: remote control alone, or remote control and the meter's own policy."""

    REMOTE = 4
    REMOTE_AND_LOCAL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyPolicy:
    """When an occurrence that waits for balance may cut the supply off.

    `kinds`: of which fees. `grace`: how long after its due time, 1 hour..366 days. `cut_from`..`cut_until`: the only
    hours of the day in which it happens, within 08:00..20:00 civil time, the second excluded. `spared_days`: on which
    it never happens; `spared_weekdays` likewise, 1 = Monday..7.
    """

    kinds: frozenset[FeeKind] = frozenset({FeeKind.ELECTRICITY})
    grace: timedelta = timedelta(days=3)
    cut_from: time = time(10)
    cut_until: time = time(15)
    spared_days: frozenset[date] = frozenset()
    spared_weekdays: frozenset[int] = frozenset({6, 7})

    def __post_init__(self) -> None:
        """Refuse a policy that could cut at night, at once, or for nothing (InvalidValueError names the field)."""
        if not self.kinds:
            raise InvalidValueError("kinds: at least one kind of fee is wanted")
        if not DAY_BEGINS <= self.cut_from < self.cut_until <= DAY_ENDS:
            raise InvalidValueError(
                f"cut_from, cut_until: hours within {DAY_BEGINS:%H:%M}..{DAY_ENDS:%H:%M}, the first before the second,"
                f" are wanted, not {self.cut_from:%H:%M}..{self.cut_until:%H:%M}"
            )
        if not SHORTEST_GRACE <= self.grace <= LONGEST_GRACE:
            raise InvalidValueError(f"grace: 1 hour to 366 days is wanted, not {self.grace}")
        if not self.spared_weekdays < frozenset(range(1, 8)):
            raise InvalidValueError("spared_weekdays: days 1 (Monday) to 7, and not all of them, are wanted")

    def may_cut(self, civil: datetime) -> bool:
        """Whether the supply may be cut off at that civil time."""
        return (
            self.cut_from <= civil.time() < self.cut_until
            and civil.date() not in self.spared_days
            and civil.isoweekday() not in self.spared_weekdays
        )


@dataclass(frozen=True, slots=True)
class Switching:
    """A new control state, and the fee that brought it about: its item's number and civil due time (0, None: none)."""

    control: ControlState
    number: int = 0
    due: datetime | None = None


def local_switching(
    policy: SupplyPolicy | None, control: ControlState, state: PurseState, now: datetime
) -> Switching | None:
    """What the meter itself does to the supply at the instant `now`, after a check; None: it stays as it is."""
    if control is ControlState.READY_FOR_RECONNECTION and (policy is None or not _waiting(policy, state)):
        return Switching(ControlState.CONNECTED)
    if control is not ControlState.CONNECTED or policy is None or state.tamper or not state.is_clock_valid(now):
        return None
    civil = civil_of(now, time_zone(state.settings.time_zone))
    if not policy.may_cut(civil):
        return None
    overdue = [found for found in _waiting(policy, state) if civil - found[0] >= policy.grace]
    if not overdue:
        return None
    due, number = min(overdue)
    return Switching(ControlState.READY_FOR_RECONNECTION, number, due)


def remote_disconnect(control: ControlState) -> Switching | None:
    """The supply is to be off until a person gives it back; None where it is so already."""
    return None if control is ControlState.DISCONNECTED else Switching(ControlState.DISCONNECTED)


def remote_reconnect(policy: SupplyPolicy | None, control: ControlState) -> Switching | None:
    """A person gives the supply back; with a policy it comes on when nothing waits. None where nothing changes."""
    if control is not ControlState.DISCONNECTED:
        return None
    return Switching(ControlState.CONNECTED if policy is None else ControlState.READY_FOR_RECONNECTION)


def _waiting(policy: SupplyPolicy, state: PurseState) -> list[tuple[datetime, int]]:
    """(due, number) of each item of the policy whose oldest occurrence waits for balance."""
    found = ((item, _waiting_due(item)) for item in state.items)
    return [
        (due, item.number)
        for item, due in found
        if due is not None and item.parameters is not None and item.parameters.kind in policy.kinds
    ]


def _waiting_due(item: FeeItem) -> datetime | None:
    occurrence = item.next_occurrence
    return None if occurrence is None or item.short_due != occurrence.due else occurrence.due
