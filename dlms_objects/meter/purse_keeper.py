"""The keeper of the purse: the one place where the meter's purse changes. Decide, commit, then show.

It asks the pure rules for a change, makes it durable, and only then lets anyone see the new state. Whatever cannot be
stored did not happen. Nothing here reads a clock.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from twisted.logger import Logger

from dlms_objects.errors import RemoteError
from dlms_objects.meter.clock import EARLIEST
from dlms_objects.meter.store import MeterStore, StorageError
from dlms_objects.purse.chain import verify_octets
from dlms_objects.purse.check import check
from dlms_objects.purse.draft import refused
from dlms_objects.purse.entry import JournalHead
from dlms_objects.purse.idle import Idle, idle_after
from dlms_objects.purse.operations import mark_tamper
from dlms_objects.purse.outcome import Event, EventCode, OutcomeCode
from dlms_objects.purse.state import LAST_SEQUENCE, Change, PurseState
from dlms_objects.values.civil import time_zone
from dlms_objects.values.cosem_time import CosemDateTime
from dlms_objects.values.logical_name import AttributeDescriptor

Registers = Callable[[datetime], Mapping[AttributeDescriptor, int]]
Rule = Callable[[PurseState], Change]
AfterCheck = Callable[[PurseState, datetime], None]

VERIFIED_ROWS = 1000  # of the journal at a time
LARGEST_REPLAY = 200  # checks at a time

log = Logger()


def _nothing(_state: PurseState, _now: datetime) -> None:
    pass


class PurseKeeper:
    """Holds the state of one purse and carries out the rules on it."""

    def __init__(self, store: MeterStore, registers: Registers, after_check: AfterCheck = _nothing) -> None:
        """Load the state; `registers` reads the registers that metered items may name, at an instant.

        `after_check` is told the state and the time after every check, whatever came of it.
        """
        self._store = store
        self._registers = registers
        self._after_check = after_check
        self._state = store.state()
        self._next_check: datetime | None = None
        self._idle: Idle | None = None  # as long as it holds, a check would do nothing
        self._failures = 0  # of the store since its last event of one

    @property
    def state(self) -> PurseState:
        """The state as last made durable."""
        return self._state

    @property
    def next_check(self) -> datetime:
        """When the next check comes due; long ago before the first."""
        return EARLIEST if self._next_check is None else self._next_check

    def verify_journal(self, now: datetime) -> None:
        """Check the whole journal against the state; one that does not add up sets tamper: no more deductions.

        StorageError when the journal cannot be read, or tamper cannot be stored.
        """
        state = self._state
        head, balance = JournalHead.empty(state.title), 0
        sound = True
        try:
            while rows := self._store.rows(head.sequence + 1, LAST_SEQUENCE, VERIFIED_ROWS):
                head, balance = verify_octets(b"".join(rows), head, balance)
        except RemoteError as error:
            log.error("the journal does not add up: {error}", error=error)
            sound = False
        if not sound or (head, balance) != (state.head, state.balance):
            change = mark_tamper(state, now)
            if change.state is not state:
                self._store.commit(change)
                self.show(change)

    def registers(self, now: datetime) -> Mapping[AttributeDescriptor, int]:
        """The registers that metered items may name, as they read at that instant."""
        return self._registers(now)

    def stamp(self, now: datetime) -> CosemDateTime:
        """An instant as the journal and the event log write it."""
        return CosemDateTime.from_instant(now, time_zone(self._state.settings.time_zone))

    def advance(self, now: datetime, *, replay: bool) -> None:
        """Make the checks that have come due."""
        for due in self.due(now, replay=replay):
            self.check(due)

    def due(self, now: datetime, *, replay: bool) -> list[datetime]:
        """The check whose time has come since the last call; who asks makes it.

        `replay` (a clock that runs faster than anyone can look): the checks in between are made too, each at its own
        time; where there are more than LARGEST_REPLAY, that many, evenly spread.
        """
        period = timedelta(seconds=self._state.settings.check_period_s)
        following = self._next_check
        if following is None or following > now + period:
            following = now  # at the start, and when the clock went back without being set
        elif not replay:
            following = max(following, now)
        step = max(period, (now - following) // LARGEST_REPLAY)
        due = []
        while following <= now:
            due.append(following)
            following += step
        self._next_check = min(following, now + period)
        return due

    def clock_was_set(self, now: datetime, step: timedelta) -> None:
        """Note a step of the clock, and check at once by the new time."""
        self.note(now, EventCode.CLOCK_SET, value=int(step.total_seconds()))
        self.check(now)
        self._next_check = now + timedelta(seconds=self._state.settings.check_period_s)

    def check(self, now: datetime) -> int:
        """Deduct what is due; the number of entries made. A store that fails means that nothing happened."""
        change = self.decide(now)
        made = len(change.entries) if change is not None and self._commit(change) else 0
        self.conclude(now)
        return made

    def decide(self, now: datetime) -> Change | None:
        """What a check makes of the purse; None: nothing. To be stored, then shown with `show`; at last `conclude`."""
        if self._failures:
            self._note_failures(now)
        state, registers = self._state, self._registers(now)
        if self._idle is not None and self._idle.holds(state, now, registers):
            return None
        change = check(state, now, registers)
        if not _is_nothing(change, state):
            return change
        self._idle = idle_after(state, now, registers)
        return None

    def show(self, change: Change) -> None:
        """The change is durable: from now on everyone sees the new state."""
        self._state = change.state

    def conclude(self, now: datetime) -> None:
        """The check of that instant is over, whatever came of it."""
        self._after_check(self._state, now)

    def carry_out(self, now: datetime, rule: Rule) -> Change:
        """Apply one rule to the state and then check; the outcome is STORAGE_FAILED when the store failed."""
        try:
            change = rule(self._state)
        except StorageError as error:
            self._failed(error)
            return self._not_stored()
        if not self._commit(change):
            return self._not_stored()
        self.check(now)
        return change

    def note(self, now: datetime, code: EventCode, *, value: int = 0) -> bool:
        """Append an event that changes no money; False when it could not be stored and is dropped, as the log says."""
        try:
            self._store.log(Event(time=self.stamp(now), code=code, value=value))
        except StorageError as error:
            log.error("event {code} could not be stored: {error}", code=code.name, error=error)
            return False
        return True

    def _commit(self, change: Change) -> bool:
        if _is_nothing(change, self._state):
            return True
        try:
            self._store.commit(change)
        except StorageError as error:
            self._failed(error)
            return False
        self.show(change)
        return True

    def _not_stored(self) -> Change:
        return refused(self._state, OutcomeCode.STORAGE_FAILED)

    def _failed(self, error: StorageError) -> None:
        self._failures += 1
        log.error("a change of the purse could not be stored and did not happen: {error}", error=error)

    def _note_failures(self, now: datetime) -> None:
        """Tell of the failures of the store as soon as it stores again: their number is the event's value."""
        if self.note(now, EventCode.STORAGE_FAILED, value=self._failures):
            self._failures = 0


def _is_nothing(change: Change, state: PurseState) -> bool:
    return change.state is state and not (change.entries or change.events or change.used_ids)
