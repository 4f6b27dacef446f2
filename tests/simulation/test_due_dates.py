"""Due dates against a slow reference that looks at every day and at the clock on the wall, in every zone with changes.

Every change of offset 2020-2037 of every zone is looked at under every rule, and other days beside; more than 20 000
pairs of zone and rule. A gap that is moved backwards is found out, and so is a second pass that counts.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from dlms_objects.purse import deduction
from dlms_objects.purse.draft import Draft
from dlms_objects.purse.schedule import Frequency, Schedule, just_before
from dlms_objects.purse.state import PurseState, Settings
from dlms_objects.values import civil
from tests.support.purses import CNY, TITLE
from tests.support.seeded import seeded
from tests.support.slow_schedule import slow_occurrences
from tests.support.zone_reference import FIRST_YEAR, LAST_YEAR, changes, first_reached, shown, zones_with_changes

DAY = timedelta(days=1)
TIMES = (time(0), time(0, 30), time(2), time(2, 30), time(3), time(23, 59))
ELSEWHERE = 6  # occurrences of each pair that are compared wherever they lie
LEAST_PAIRS = 20_000
LAST_DAY = date(LAST_YEAR, 12, 31)
DueTest = Callable[[datetime, Draft, datetime], bool]


def rules() -> list[Schedule]:
    """Each frequency at each time of day: days 29, 30, 31, the last one, 29 February, each weekday, other intervals."""
    first = date(FIRST_YEAR, 1, 31)
    kinds = [
        {"frequency": Frequency.DAILY},
        {"frequency": Frequency.DAILY, "interval": 3},
        *({"frequency": Frequency.WEEKLY, "day": day} for day in (1, 4, 5, 6, 7)),
        {"frequency": Frequency.WEEKLY, "day": 7, "interval": 2},
        *({"frequency": Frequency.MONTHLY, "day": day} for day in (1, 29, 30, 31, -1)),
        {"frequency": Frequency.MONTHLY, "day": 31, "interval": 5},
        {"frequency": Frequency.YEARLY, "day": 29, "first": date(FIRST_YEAR, 2, 1)},
        {"frequency": Frequency.YEARLY, "day": -1, "first": date(FIRST_YEAR, 3, 1)},
    ]
    return [Schedule(**{"first": first, **kind, "time": clock}) for kind in kinds for clock in TIMES]


@cache
def occurrences(rule: Schedule) -> list[datetime]:
    return list(slow_occurrences(rule, LAST_DAY))


def looked_at(rule: Schedule, name: str) -> Iterator[datetime]:
    """The due times of a rule around every change of the zone, and some others."""
    every, zone = occurrences(rule), ZoneInfo(name)
    for change in changes(name):
        wall = shown(change, zone)
        at = bisect_left(every, wall - DAY)
        while at < len(every) and every[at] <= wall + DAY:
            yield every[at]
            at += 1
    yield from every[:: max(1, len(every) // ELSEWHERE)]


@dataclass
class Comparison:
    """The rules of the product, or others, compared with the reference."""

    instant_of: Callable[[datetime, ZoneInfo], datetime] = civil.instant_of
    is_due: DueTest = deduction.is_due
    compared: int = 0

    def differences(self, rule: Schedule, name: str) -> list[str]:
        """What differs for one pair."""
        found, zone = [], ZoneInfo(name)
        state = PurseState.new(TITLE, CNY, Settings(time_zone=name))
        for due in looked_at(rule, name):
            self.compared += 1
            instant = first_reached(due, name)
            if rule.first_after(just_before(due)) != due or self.instant_of(due, zone) != instant:
                found.append(f"{name}, {due}: {self.instant_of(due, zone)}, not {instant}")
            for now, comes in ((instant - timedelta(minutes=1), False), (instant, True)):
                draft = Draft(state, now)
                if self.is_due(due, draft, draft.civil()) is not comes:
                    found.append(f"{name}, {due}: at {now} it is {'not ' * comes}due")
        return found


@pytest.mark.slow
def test_every_due_date_is_that_of_the_reference_in_every_zone_with_changes() -> None:
    comparison = Comparison()
    pairs = [(rule, name) for name in zones_with_changes() for rule in rules()]
    assert len(pairs) >= LEAST_PAIRS
    assert [found for rule, name in pairs for found in comparison.differences(rule, name)] == []
    assert comparison.compared > 10 * len(pairs)


def test_every_occurrence_of_every_rule_is_found_from_day_to_day() -> None:
    for rule in rules():
        found: list[datetime] = []
        due = rule.first_after(datetime(FIRST_YEAR, 1, 1))
        while due is not None and due.date() <= LAST_DAY:
            found.append(due)
            due = rule.first_after(due)
        assert found == occurrences(rule)


def test_the_zones_that_are_hard_are_among_them() -> None:
    names = zones_with_changes()
    skips_midnight = [name for name in names if any(skips(name, change) for change in changes(name))]
    assert {"Asia/Beirut", "Africa/Cairo", "America/Havana", "America/Asuncion"} & set(skips_midnight)
    assert {"Australia/Lord_Howe", "Africa/Casablanca", "Europe/Berlin", "America/New_York"} <= set(names)
    assert any(change.minute % 15 for name in names for change in changes(name))


def skips(name: str, change: datetime) -> bool:
    """Whether the local midnight does not exist at that change."""
    zone = ZoneInfo(name)
    before, after = shown(change - timedelta(minutes=1), zone), shown(change, zone)
    return before.time() == time(23, 59) and after.date() > before.date() and after.time() > time(0)


def test_a_gap_that_is_moved_backwards_is_found_out() -> None:
    backwards = seeded(civil, "instant_of", r"return _end_of_gap\(civil, zone\)", "return instant - timedelta(hours=1)")
    comparison = Comparison(instant_of=backwards)
    assert [found for rule in rules() for found in comparison.differences(rule, "Europe/Berlin")]


def test_a_due_time_that_goes_by_the_second_pass_is_found_out() -> None:
    comparison = Comparison(is_due=lambda due, draft, now: due <= now and shown_later(draft))
    assert [found for rule in rules() for found in comparison.differences(rule, "Europe/Berlin")]


def shown_later(draft: Draft) -> bool:
    """The deliberate fault: of a repeated hour only the second pass counts."""
    local = draft.now.astimezone(draft.zone)
    return local.fold == 1 or local.replace(fold=1).utcoffset() == local.utcoffset()
