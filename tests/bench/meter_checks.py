"""The meter's side with its store: a check of a running meter that finds nothing due, and one that deducts durably.

The store lies in memory where that can be had: what a disk takes to sync is the disk's.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from dlms_objects.meter.purse_keeper import PurseKeeper
from dlms_objects.meter.store import MeterStore
from dlms_objects.purse import operations
from tests.bench.purse_checks import household
from tests.bench.rounds import Case, operation
from tests.bench.sessions import Disagreement
from tests.support.purses import ENERGY, identifier
from tests.support.recorded_disk import folder_in_memory

IDLE, DURABLE = "idle check of the meter, 5 fee items", "a day's deduction, journaled and committed"
_DAY = timedelta(days=1)
_MONEY = 10**12


@contextmanager
def meter_cases() -> Iterator[dict[str, Case]]:
    """Checks of a meter with the household of `purse_checks`; Disagreement when they do not what they should."""
    with tempfile.TemporaryDirectory(prefix="meterpurse-bench-", dir=folder_in_memory()) as place:
        purse, path = household(), Path(place, "meter.sqlite")
        MeterStore.create(path, "0001", purse.state)
        store = MeterStore.open(path)
        keeper = PurseKeeper(store, lambda _now: {ENERGY: 1_000_000})
        begin = purse.now
        keeper.carry_out(begin, lambda state: operations.top_up(state, store, begin, identifier(1), _MONEY))
        today = begin
        idle = PurseKeeper(store, lambda _now: {ENERGY: 1_000_000})
        for _ in range(3):
            idle.check(begin)

        def pass_idle_minute() -> None:
            if idle.check(begin):
                raise Disagreement("the meter deducts where nothing is due")

        def pass_day() -> None:
            nonlocal today
            today += _DAY
            if not keeper.check(today):
                raise Disagreement("the meter does not deduct on a day on which something is due")

        yield {IDLE: operation(pass_idle_minute), DURABLE: operation(pass_day)}
        store.close()
