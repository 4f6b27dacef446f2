"""Civil time and instants: one rule for gaps, repeated hours and every zone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.civil import civil_of, instant_of, time_zone

BERLIN = time_zone("Europe/Berlin")
ZONES = ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Asia",
        "Asia/Nowhere",
        "asia/shanghai",
        "../etc/passwd",
        "/etc/passwd",
        "a\0b",
        pytest.param("x" * 300, id="long"),
    ]
    + ["localtime", "posixrules", "posix/Asia/Shanghai", "right/Asia/Shanghai"],
)
def test_what_is_no_iana_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidValueError, match="no such time zone"):
        time_zone(name)


def test_an_ordinary_time_goes_there_and_back() -> None:
    shanghai = time_zone("Asia/Shanghai")
    assert instant_of(datetime(2026, 2, 1, 8), shanghai) == datetime(2026, 2, 1, 0, tzinfo=UTC)
    assert civil_of(datetime(2026, 2, 1, 0, tzinfo=UTC), shanghai) == datetime(2026, 2, 1, 8)


@pytest.mark.parametrize("minute", [0, 1, 30, 59])
def test_a_time_in_a_gap_is_the_first_instant_after_it(minute: int) -> None:
    assert instant_of(datetime(2026, 3, 29, 2, minute, minute), BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_repeated_hour_is_its_first_pass_and_reads_the_same_twice() -> None:
    first = instant_of(datetime(2026, 10, 25, 2, 30), BERLIN)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert civil_of(first + timedelta(hours=1), BERLIN) == civil_of(first, BERLIN)


def test_a_gap_of_a_whole_day_is_crossed() -> None:
    apia = time_zone("Pacific/Apia")
    assert instant_of(datetime(2011, 12, 30, 5), apia) == instant_of(datetime(2011, 12, 31), apia)


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2010, 1, 1), datetime(2040, 1, 1)),
    st.timedeltas(timedelta(0), timedelta(days=3)),
)
def test_a_later_civil_time_is_never_an_earlier_instant(name: str, civil: datetime, step: timedelta) -> None:
    zone = time_zone(name)
    assert instant_of(civil, zone) <= instant_of(civil + step, zone)


@given(st.sampled_from(ZONES), st.datetimes(datetime(2010, 1, 1), datetime(2040, 1, 1)))
def test_the_instant_of_a_civil_time_reads_that_time_or_the_end_of_its_gap(name: str, civil: datetime) -> None:
    zone = time_zone(name)
    instant = instant_of(civil, zone)
    assert civil_of(instant, zone) >= civil
    if civil_of(instant, zone) > civil:
        assert civil_of(instant - timedelta(seconds=1), zone) < civil
    assert instant_of(civil_of(instant, zone), zone) <= instant
