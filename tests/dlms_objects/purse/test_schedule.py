"""Occurrences: the named rules as tables, and the arithmetic against a slow reference that counts days."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse import schedule as schedule_module
from dlms_objects.purse.schedule import Frequency, Schedule, just_before
from tests.support.slow_schedule import slow_occurrences

EIGHT = time(8)
BEFORE_ALL = datetime(1970, 1, 1)


def schedule(frequency: Frequency, **changes: Any) -> Schedule:
    columns: dict[str, Any] = {"frequency": frequency, "time": EIGHT, "first": date(2026, 1, 1)}
    return Schedule(**{**columns, **changes})


def days(subject: Schedule, number: int = 5, after: datetime = BEFORE_ALL) -> list[str]:
    return [due.date().isoformat() for due in islice(subject.after(after), number)]


TABLE: list[tuple[str, Schedule, list[str]]] = [
    ("once", schedule(Frequency.ONCE, interval=0), ["2026-01-01"]),
    ("once after last never is", schedule(Frequency.ONCE, last=date(2026, 1, 1)), ["2026-01-01"]),
    ("daily", schedule(Frequency.DAILY, count=3), ["2026-01-01", "2026-01-02", "2026-01-03"]),
    ("every tenth day", schedule(Frequency.DAILY, interval=10, count=2), ["2026-01-01", "2026-01-11"]),
    (
        "Mondays from a Thursday",
        schedule(Frequency.WEEKLY, day=1, count=2),
        ["2026-01-05", "2026-01-12"],
    ),
    ("Sundays from a Thursday", schedule(Frequency.WEEKLY, day=7, count=2), ["2026-01-04", "2026-01-11"]),
    (
        "every second Monday counts from the week of first",
        schedule(Frequency.WEEKLY, day=1, interval=2, count=2),
        ["2026-01-12", "2026-01-26"],
    ),
    (
        "the 31st is the last day of shorter months",
        schedule(Frequency.MONTHLY, day=31, count=4),
        ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"],
    ),
    (
        "the 29th in a leap year and another",
        schedule(Frequency.MONTHLY, day=29, first=date(2027, 2, 1), interval=12, count=2),
        ["2027-02-28", "2028-02-29"],
    ),
    (
        "the last day of the month",
        schedule(Frequency.MONTHLY, day=-1, count=3),
        ["2026-01-31", "2026-02-28", "2026-03-31"],
    ),
    (
        "a day before first waits a month",
        schedule(Frequency.MONTHLY, day=5, first=date(2026, 1, 20), count=2),
        ["2026-02-05", "2026-03-05"],
    ),
    (
        "a clamped day before first waits a month",
        schedule(Frequency.MONTHLY, day=-1, first=date(2026, 1, 31), interval=1, count=2),
        ["2026-01-31", "2026-02-28"],
    ),
    (
        "every quarter",
        schedule(Frequency.MONTHLY, day=15, interval=3, count=3),
        ["2026-01-15", "2026-04-15", "2026-07-15"],
    ),
    (
        "29 February each year is clamped",
        schedule(Frequency.YEARLY, day=29, first=date(2024, 2, 1), count=5),
        ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"],
    ),
    (
        "every second year, last day of June",
        schedule(Frequency.YEARLY, day=-1, first=date(2026, 6, 1), interval=2, count=2),
        ["2026-06-30", "2028-06-30"],
    ),
    (
        "a yearly day before first waits a year",
        schedule(Frequency.YEARLY, day=1, first=date(2026, 6, 2), count=1),
        ["2027-06-01"],
    ),
    (
        "last is included",
        schedule(Frequency.DAILY, last=date(2026, 1, 2)),
        ["2026-01-01", "2026-01-02"],
    ),
    ("last before the first due leaves none", schedule(Frequency.MONTHLY, day=15, last=date(2026, 1, 14)), []),
    (
        "count counts from first, whatever is asked",
        schedule(Frequency.MONTHLY, day=1, first=date(2025, 1, 1), count=12),
        [f"2025-{month:02d}-01" for month in range(1, 6)],
    ),
    (
        "the shorter of last and count",
        schedule(Frequency.DAILY, last=date(2026, 1, 2), count=9),
        ["2026-01-01", "2026-01-02"],
    ),
    (
        "nothing after the last year",
        schedule(Frequency.YEARLY, day=31, first=date(9997, 12, 1)),
        ["9997-12-31", "9998-12-31"],
    ),
    (
        "no days after the last year",
        schedule(Frequency.DAILY, first=date(9998, 12, 31)),
        ["9998-12-31"],
    ),
]


@pytest.mark.parametrize(("subject", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_a_schedule_falls_due_on_these_days(subject: Schedule, expected: list[str]) -> None:
    assert days(subject) == expected


def test_a_due_time_is_the_time_of_the_schedule() -> None:
    assert schedule(Frequency.DAILY).first_after(BEFORE_ALL) == datetime(2026, 1, 1, 8)


def test_after_is_later_than_and_just_before_makes_it_at_or_after() -> None:
    due = datetime(2026, 1, 5, 8)
    daily = schedule(Frequency.DAILY)
    assert daily.first_after(due) == due + timedelta(days=1)
    assert daily.first_after(just_before(due)) == due


@pytest.mark.parametrize(
    ("day", "found"),
    [
        (date(2026, 2, 28), True),
        (date(2026, 2, 27), False),
        (date(2025, 12, 31), False),
        (date(1969, 12, 31), False),
        (date(9999, 12, 31), False),
    ],
)
def test_a_day_has_an_occurrence_or_none(day: date, found: bool) -> None:
    due = schedule(Frequency.MONTHLY, day=31).on(day)
    assert due == (datetime.combine(day, EIGHT) if found else None)


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("schedule.frequency", {"frequency": 3}),
    ("schedule.interval", {"interval": 0}),
    ("schedule.interval", {"interval": 256}),
    ("schedule.count", {"count": 65536}),
    ("schedule.day", {"day": 0}),
    ("schedule.day", {"day": 32}),
    ("schedule.day", {"day": -2}),
    ("schedule.day of a weekly fee", {"frequency": Frequency.WEEKLY, "day": 0}),
    ("schedule.day of a weekly fee", {"frequency": Frequency.WEEKLY, "day": 8}),
    ("schedule.day", {"frequency": Frequency.YEARLY, "day": 0}),
    ("schedule.time", {"time": time(8, 0, 0, 1)}),
    ("schedule.time", {"time": time(8, tzinfo=UTC)}),
    ("schedule.time", {"time": "08:00"}),
    ("schedule.first", {"first": date(1969, 12, 31)}),
    ("schedule.first", {"first": datetime(2026, 1, 1)}),
    ("schedule.last", {"last": date(9999, 1, 1)}),
    ("schedule.last", {"last": date(2025, 12, 31)}),
]


@pytest.mark.parametrize(("field", "changes"), REFUSED)
def test_an_impossible_schedule_is_refused_by_the_name_of_its_field(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match=f"^{field} "):
        schedule(**{"frequency": Frequency.MONTHLY, "day": 1, **changes})


LAST_SEEN = date(2034, 12, 31)
DATES = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    frequency = draw(st.sampled_from(Frequency))
    weekday, day_of_month = st.integers(1, 7), st.sampled_from([-1, *range(1, 32)])
    first = draw(DATES)
    return Schedule(
        frequency=frequency,
        interval=draw(st.integers(1, 5)),
        day=draw(weekday if frequency is Frequency.WEEKLY else day_of_month),
        time=draw(st.times().map(lambda clock: clock.replace(microsecond=0))),
        first=first,
        last=draw(st.none() | st.dates(first, date(2034, 1, 1))),
        count=draw(st.just(0) | st.integers(1, 40)),
    )


@settings(max_examples=60)
@given(schedules(), st.data())
def test_no_occurrence_is_missed_or_invented_against_a_count_of_days(subject: Schedule, draws: st.DataObject) -> None:
    expected = list(slow_occurrences(subject, LAST_SEEN))
    found = [due for due in islice(subject.after(BEFORE_ALL), 5000) if due.date() <= LAST_SEEN]
    assert found == expected
    moment = draws.draw(
        st.datetimes(datetime(2023, 1, 1), datetime(2034, 12, 31)) | st.sampled_from(expected or [BEFORE_ALL])
    )
    later = [due for due in expected if due > moment]
    jumped = subject.first_after(moment)
    if later:
        assert jumped == later[0]
    else:
        assert jumped is None or jumped.date() > LAST_SEEN
    through = draws.draw(st.datetimes(datetime(2023, 1, 1), datetime(2034, 12, 31)))
    assert subject.count_between(moment, through) == len([due for due in later if due <= through])


def test_the_comparison_catches_a_day_that_is_clamped_too_far(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = schedule(Frequency.MONTHLY, day=31, last=date(2027, 1, 31))
    expected = list(slow_occurrences(subject, LAST_SEEN))
    assert list(subject.after(BEFORE_ALL)) == expected
    monkeypatch.setattr(schedule_module, "_day_of_month", lambda year, month, _day: date(year, month, 28))
    assert list(subject.after(BEFORE_ALL)) != expected
