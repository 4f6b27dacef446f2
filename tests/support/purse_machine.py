"""A household's life in any order: the laws of the purse under random operations, clock steps, restarts and changes.

Used by the tests of `check`, which also put a fault into it to see the laws catch it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dlms_objects.purse import operations, snapshot
from dlms_objects.purse.chain import fold, verify
from dlms_objects.purse.check import check
from dlms_objects.purse.entry import EntryKind, JournalHead
from dlms_objects.purse.fee_item import AmountSource, Frequency, Parameters, Schedule
from dlms_objects.purse.outcome import OutcomeCode
from dlms_objects.purse.state import Change, InsufficientPolicy, Settings
from tests.support.purses import ENERGY, TITLE, Purse, billed, fixed, identifier, metered

OVERDRAFT = 300
NUMBERS = st.integers(1, 3)
NAMES = st.integers(1, 8)
SCHEDULES = st.builds(
    Schedule,
    frequency=st.sampled_from([Frequency.ONCE, Frequency.DAILY, Frequency.WEEKLY]),
    interval=st.integers(1, 3),
    day=st.integers(1, 7),
    time=st.sampled_from([time(0), time(2, 30), time(23, 59, 59)]),
    first=st.dates(date(2026, 3, 20), date(2026, 4, 5)),
    count=st.sampled_from([0, 0, 5]),
) | st.builds(
    Schedule,
    frequency=st.sampled_from([Frequency.MONTHLY, Frequency.YEARLY]),
    day=st.sampled_from([-1, 1, 29, 31]),
    time=st.just(time(2, 30)),
    first=st.dates(date(2025, 12, 1), date(2026, 4, 5)),
)
PARAMETERS = st.one_of(
    st.builds(fixed, st.integers(0, 400), SCHEDULES, priority=st.integers(0, 2), enabled=st.booleans()),
    st.builds(billed, st.sampled_from([AmountSource.CLOUD, AmountSource.MANUAL]), SCHEDULES),
    st.builds(metered, st.integers(1, 60), st.integers(-3, 0), SCHEDULES),
)


class PurseMachine(RuleBasedStateMachine):
    """A purse in Berlin around the night that has no half past two (29 March 2026)."""

    purse: Purse
    checks = staticmethod(check)

    @initialize(policy=st.sampled_from(InsufficientPolicy), catch_up=st.integers(1, 4))
    def begin(self, policy: InsufficientPolicy, catch_up: int) -> None:
        """A purse that was never touched."""
        settings = Settings(
            overdraft_limit=OVERDRAFT,
            insufficient_policy=policy,
            max_catch_up=catch_up,
            time_zone="Europe/Berlin",
            maximum_balance=50_000,
        )
        self.purse = Purse(settings, now=datetime(2026, 3, 20, tzinfo=UTC))
        self.purse.checks = self.checks

    @rule(step=st.timedeltas(timedelta(0), timedelta(days=20)))
    def time_passes(self, step: timedelta) -> None:
        """The clock goes on, or is set forward."""
        self.purse.check(self.purse.now + step)

    @rule(step=st.timedeltas(timedelta(0), timedelta(days=30)))
    def the_clock_is_set_back(self, step: timedelta) -> None:
        """The clock was wrong."""
        self.purse.check(self.purse.now - step)

    @rule()
    def the_clock_is_lost_and_set(self) -> None:
        """A check without a clock, then one with it."""
        self.purse.clock_valid = False
        before = len(self.purse.journal.entries)
        self.purse.check()
        assert len(self.purse.journal.entries) == before
        self.purse.clock_valid = True
        self.purse.check()

    @rule()
    def power_goes_and_comes(self) -> None:
        """Only the snapshot is left."""
        self.purse.restart()

    @rule(units=st.integers(-20, 500))
    def the_register_moves(self, units: int) -> None:
        """Consumption, or a roll-back."""
        self.purse.registers = {ENERGY: max(0, self.purse.registers[ENERGY] + units)}

    @rule(number=NUMBERS, parameters=PARAMETERS)
    def an_item_is_configured(self, number: int, parameters: Parameters) -> None:
        """At once."""
        self.purse.configure(number, parameters)

    @rule(number=NUMBERS, parameters=PARAMETERS, days=st.integers(-3, 10))
    def a_change_is_future_dated(self, number: int, parameters: Parameters, days: int) -> None:
        """Or dated in the past, which is at once."""
        purse, at = self.purse, self.purse.now + timedelta(days=days)
        purse.keep(operations.set_passive(purse.state, purse.now, number, parameters))
        purse.keep(operations.set_activation_time(purse.state, purse.now, number, at))
        purse.check()

    @rule(number=NUMBERS)
    def an_item_is_deleted(self, number: int) -> None:
        """With what it owes."""
        self.purse.keep(operations.delete_item(self.purse.state, self.purse.now, number))

    @rule(name=NAMES, amount=st.integers(-10, 3000))
    def money_is_put_in(self, name: int, amount: int) -> None:
        """Under an identifier that may be used."""
        purse = self.purse
        self._answered_twice(lambda: operations.top_up(purse.state, purse.journal, purse.now, identifier(name), amount))

    @rule(name=NAMES, amount=st.integers(-500, 500))
    def the_balance_is_corrected(self, name: int, amount: int) -> None:
        """Either way."""
        purse = self.purse
        self._answered_twice(lambda: operations.adjust(purse.state, purse.journal, purse.now, identifier(name), amount))

    @rule(name=NAMES, sequence=st.integers(0, 30))
    def an_entry_is_reversed(self, name: int, sequence: int) -> None:
        """If there is one."""
        purse = self.purse
        self._answered_twice(
            lambda: operations.reverse(purse.state, purse.journal, purse.now, identifier(name), sequence)
        )

    @rule(name=st.integers(20, 25), number=NUMBERS, ahead=st.integers(0, 2), amount=st.integers(0, 500))
    def an_amount_is_set(self, name: int, number: int, ahead: int, amount: int) -> None:
        """For one of the next occurrences."""
        purse = self.purse
        occurrences = zip(range(ahead + 1), purse.item(number).open_occurrences(), strict=False)
        days = [occurrence.due.date() for _, occurrence in occurrences]
        assume(days)
        self._answered_twice(
            lambda: operations.set_amount(
                purse.state, purse.journal, purse.now, number, days[-1], amount, identifier(name), AmountSource.CLOUD
            )
        )

    @rule()
    def the_head_end_acknowledges(self) -> None:
        """All there is."""
        state = self.purse.state
        self.purse.keep(operations.acknowledge(state, self.purse.journal, state.head.sequence, state.head.digest))

    @invariant()
    def money_is_conserved(self) -> None:
        """The sum of entries is the balance, and the journal is whole."""
        entries, state = self.purse.journal.entries, self.purse.state
        assert fold(entries) == state.balance
        assert verify(entries, JournalHead.empty(TITLE), 0) == state.head
        assert state.balance >= -OVERDRAFT

    @invariant()
    def an_occurrence_is_deducted_at_most_once(self) -> None:
        """Whatever happened to clock, power and terms."""
        taken = Counter(
            (entry.fee_item, entry.due.octets)
            for entry in self.purse.journal.entries
            if entry.kind is EntryKind.DEDUCTION
        )
        assert not [occurrence for occurrence, times in taken.items() if times > 1]

    @invariant()
    def totals_are_those_of_the_journal(self) -> None:
        """Each item's total is the sum of its deductions."""
        for number in (1, 2, 3):
            taken = sum(amount for _due, amount in self.purse.deductions(number))
            assert self.purse.item(number).total_deducted == taken

    @invariant()
    def the_state_survives_its_snapshot(self) -> None:
        """Losslessly."""
        assert snapshot.decode(snapshot.encode(self.purse.state)) == self.purse.state

    def _answered_twice(self, ask: Callable[[], Change]) -> None:
        """Ask, ask again: done once, and the repeat is given the first answer."""
        first: Change = self.purse.keep(ask())
        second: Change = self.purse.keep(ask())
        if first.outcome is OutcomeCode.DONE:
            assert second == replace(first, outcome=OutcomeCode.REPEATED, entries=(), events=(), used_ids=())
        elif first.outcome is not OutcomeCode.REPEATED:
            assert first.state is second.state
            assert first.outcome is second.outcome
        self.purse.check()
