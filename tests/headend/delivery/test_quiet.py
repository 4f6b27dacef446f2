"""Quiet hours and digests in civil time, across daylight saving."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.delivery.quiet import first_allowed, next_digest
from tests.support.deliveries import recipient

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def berliner(begins: str, ends: str):  # type: ignore[no-untyped-def]
    return recipient(time_zone="Europe/Berlin", quiet_from=begins, quiet_until=ends)


@pytest.mark.parametrize(
    ("begins", "ends", "wanted", "allowed"),
    [
        ("22:00", "07:00", "2026-01-10T21:59:59+01:00", "2026-01-10T21:59:59+01:00"),
        ("22:00", "07:00", "2026-01-10T22:00:00+01:00", "2026-01-11T07:00:00+01:00"),
        ("22:00", "07:00", "2026-01-11T06:59:59+01:00", "2026-01-11T07:00:00+01:00"),
        ("22:00", "07:00", "2026-01-11T07:00:00+01:00", "2026-01-11T07:00:00+01:00"),
        ("12:00", "14:00", "2026-01-11T13:00:00+01:00", "2026-01-11T14:00:00+01:00"),
        # spring: 02:00 -> 03:00 on 29 March; the night is an hour shorter
        ("22:00", "07:00", "2026-03-28T23:00:00+01:00", "2026-03-29T07:00:00+02:00"),
        ("22:00", "02:30", "2026-03-29T01:59:00+01:00", "2026-03-29T03:00:00+02:00"),
        ("02:15", "02:45", "2026-03-29T03:00:00+02:00", "2026-03-29T03:00:00+02:00"),
        ("02:30", "06:00", "2026-03-29T03:00:00+02:00", "2026-03-29T06:00:00+02:00"),
        # autumn: 03:00 -> 02:00 on 25 October; the night is an hour longer, a repeated time is its first pass
        ("22:00", "07:00", "2026-10-24T23:00:00+02:00", "2026-10-25T07:00:00+01:00"),
        ("22:00", "02:30", "2026-10-25T02:29:00+02:00", "2026-10-25T02:30:00+02:00"),
        ("22:00", "02:30", "2026-10-25T02:15:00+01:00", "2026-10-25T02:15:00+01:00"),
        ("02:30", "06:00", "2026-10-25T02:15:00+01:00", "2026-10-25T06:00:00+01:00"),
    ],
)
def test_a_message_waits_for_the_end_of_the_quiet_time(begins: str, ends: str, wanted: str, allowed: str) -> None:
    assert first_allowed(berliner(begins, ends), at(wanted)) == at(allowed)


@given(
    minutes=st.integers(0, 366 * 1440),
    begins=st.times().map(lambda time: time.replace(second=0, microsecond=0)),
    ends=st.times().map(lambda time: time.replace(second=0, microsecond=0)),
)
def test_what_is_allowed_is_not_quiet_and_never_earlier_nor_a_day_later(minutes: int, begins, ends) -> None:  # type: ignore[no-untyped-def]
    quiet = recipient(time_zone="Europe/Berlin", quiet_from=begins, quiet_until=ends)
    wanted = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    allowed = first_allowed(quiet, wanted)
    assert wanted <= allowed <= wanted + timedelta(hours=25)
    if begins != ends:
        assert first_allowed(quiet, allowed) == allowed


@pytest.mark.parametrize(
    ("now", "digest"),
    [
        ("2026-03-28T08:00:00+01:00", "2026-03-28T08:00:00+01:00"),
        ("2026-03-28T08:00:01+01:00", "2026-03-29T08:00:00+02:00"),
        ("2026-10-24T09:00:00+02:00", "2026-10-25T08:00:00+01:00"),
    ],
)
def test_a_digest_comes_at_the_recipients_own_time(now: str, digest: str) -> None:
    daily = recipient(time_zone="Europe/Berlin", digest_at="08:00")
    assert daily.digest_at is not None
    assert next_digest(daily, daily.digest_at, at(now)) == at(digest)
