"""The checks of all meters: each at its own time, those of one moment made durable in one transaction for each file.

Decided, committed, shown, as by a meter alone; when the commit of many fails, nothing of it happened, and each meter
makes its check alone. Called by the service's tick.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING

from twisted.logger import Logger

from dlms_objects.meter.fleet.hosted_meter import HostedMeter
from dlms_objects.meter.meter import Meter
from dlms_objects.meter.store import StorageError
from dlms_objects.purse.state import Change

if TYPE_CHECKING:
    from dlms_objects.meter.database import MeterDatabase

TOGETHER = 256
"""How many meters are checked before anything else has its turn."""

log = Logger()


@dataclass(frozen=True, slots=True)
class _Decision:
    host: HostedMeter
    meter: Meter
    moment: datetime
    change: Change


class FleetChecks:
    """Makes the checks of the meters; `counts` has checks, entries and commits, `worst_delay_s` the latest check."""

    def __init__(self, hosts: Sequence[HostedMeter]) -> None:
        """No check is made before `make`."""
        self.counts: Counter[str] = Counter()
        self.worst_delay_s = 0.0
        self._hosts = hosts

    def make(self, real_s: float) -> Iterator[None]:
        """Make every check that has come due by that real second; yields after each TOGETHER meters."""
        due = [host for host in self._hosts if host.check_due_s <= real_s and host.meter is not None]
        for first in range(0, len(due), TOGETHER):
            self._make_some(due[first : first + TOGETHER], real_s)
            yield

    def _make_some(self, hosts: Sequence[HostedMeter], real_s: float) -> None:
        due: list[tuple[HostedMeter, Meter, list[datetime]]] = []
        for host in hosts:
            meter = host.meter
            if meter is None:
                continue  # it lost power meanwhile
            if host.check_due_s:
                self.worst_delay_s = max(self.worst_delay_s, real_s - host.check_due_s)
            due.append((host, meter, meter.due(real_s)))
            host.check_due_s = meter.next_due_s
        for moments in zip_longest(*(moments for _, _, moments in due)):
            decided = [
                decision
                for (host, meter, _), moment in zip(due, moments, strict=True)
                if moment is not None and (decision := self._decide(host, meter, moment)) is not None
            ]
            self._settle(decided)
        for host, _, _ in due:
            host.look_after_pushes(real_s)

    def _decide(self, host: HostedMeter, meter: Meter, moment: datetime) -> _Decision | None:
        self.counts["checks"] += 1
        try:
            change = meter.keeper.decide(moment)
        except Exception:  # noqa: BLE001 - the seam: one meter's fault must not stop the others
            log.failure("a check of meter {sap} failed", sap=host.sap)
            return None
        if change is None:
            meter.keeper.conclude(moment)
            return None
        return _Decision(host, meter, moment, change)

    def _settle(self, decided: Sequence[_Decision]) -> None:
        by_file: dict[MeterDatabase, list[_Decision]] = defaultdict(list)
        for decision in decided:
            by_file[decision.host.database].append(decision)
        for database, decisions in by_file.items():
            self.counts["commits"] += 1
            try:
                database.change(
                    statement for each in decisions for statement in each.host.store.statements_of(each.change)
                )
            except StorageError as error:
                log.error(
                    "the checks of {count} meters are made one by one: {error}", count=len(decisions), error=error
                )
                self.counts["entries"] += sum(each.meter.keeper.check(each.moment) for each in decisions)
                continue
            for each in decisions:
                each.meter.keeper.show(each.change)
                each.meter.keeper.conclude(each.moment)
                self.counts["entries"] += len(each.change.entries)
