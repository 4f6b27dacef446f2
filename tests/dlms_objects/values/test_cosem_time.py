"""COSEM date-time, date and time: the octets are the value; not specified is None, impossible is refused."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.civil import time_zone
from dlms_objects.values.cosem_time import (
    STATUS_DAYLIGHT_SAVING,
    STATUS_INVALID,
    STATUS_NOT_SPECIFIED,
    CosemDate,
    CosemDateTime,
    CosemTime,
)

SHANGHAI, BERLIN = time_zone("Asia/Shanghai"), time_zone("Europe/Berlin")
NOON = bytes.fromhex("07ea0201070c00000000 0000".replace(" ", ""))


def changed(offset: int, *octets: int) -> bytes:
    return NOON[:offset] + bytes(octets) + NOON[offset + len(octets) :]


def test_an_instant_is_written_as_local_time_with_deviation() -> None:
    written = CosemDateTime.from_instant(datetime(2026, 2, 1, 0, 0, 5, tzinfo=UTC), SHANGHAI)
    assert written.octets.hex() == "07ea02010708000500fe2000"
    assert (written.deviation_minutes, written.status) == (-480, 0)
    assert str(written) == "2026-02-01 08:00:05+08:00"
    assert repr(written) == "CosemDateTime(07ea02010708000500fe2000)"


def test_daylight_saving_is_flagged_beside_the_status_given() -> None:
    summer = CosemDateTime.from_instant(datetime(2026, 7, 1, tzinfo=UTC), BERLIN, status=STATUS_INVALID)
    assert summer.status == STATUS_INVALID | STATUS_DAYLIGHT_SAVING
    assert CosemDateTime.from_instant(datetime(2026, 1, 1, tzinfo=UTC), BERLIN).status == 0


def test_a_civil_time_has_neither_deviation_nor_status() -> None:
    written = CosemDateTime.from_civil(datetime(2026, 2, 1, 8))
    assert (written.deviation_minutes, written.status) == (None, STATUS_NOT_SPECIFIED)
    assert written.civil() == datetime(2026, 2, 1, 8)
    assert written.instant() is None
    assert str(written) == "2026-02-01 08:00:00"


def test_west_of_greenwich_the_deviation_is_positive() -> None:
    written = CosemDateTime.from_instant(datetime(2026, 2, 1, tzinfo=UTC), time_zone("America/St_Johns"))
    assert written.deviation_minutes == 210
    assert str(written).endswith("-03:30")


def test_not_specified_is_nothing_at_all() -> None:
    nothing = CosemDateTime.NOT_SPECIFIED
    assert (nothing.civil(), nothing.instant(), nothing.is_specified) == (None, None, False)
    assert str(nothing) == "not specified"
    assert CosemDate.NOT_SPECIFIED.date() is None


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), st.booleans())
def test_every_instant_survives_to_the_second(instant: datetime, berlin: bool) -> None:
    written = CosemDateTime.from_instant(instant, BERLIN if berlin else SHANGHAI)
    assert written.instant() == instant.replace(microsecond=0)
    assert CosemDateTime(written.octets) == written


def test_hundredths_are_read() -> None:
    found = CosemDateTime(changed(8, 25)).civil()
    assert found == datetime(2026, 2, 1, 12, 0, 0, 250_000)
    assert CosemDateTime(changed(8, 0xFF)).civil() == datetime(2026, 2, 1, 12)


@pytest.mark.parametrize(
    "octets",
    [
        changed(0, 0xFF, 0xFF),  # no year
        changed(0, 0, 0),  # year 0
        changed(2, 0xFE),  # daylight saving begins
        changed(3, 0xFE),  # last day of the month
        changed(2, 2, 30),  # 30 February
        changed(5, 0xFF),
        changed(6, 0xFF),
        changed(7, 0xFF),
    ],
)
def test_a_time_with_a_wildcard_or_on_no_such_day_is_no_civil_time(octets: bytes) -> None:
    subject = CosemDateTime(octets)
    assert subject.civil() is None
    assert subject.instant() is None


@pytest.mark.parametrize("octets", ["270f0c1f05173b3b000348 00", "0001010101000000 00fcb800"])
def test_an_instant_outside_the_calendar_is_none(octets: str) -> None:
    subject = CosemDateTime(bytes.fromhex(octets))
    assert subject.civil() is not None
    assert subject.instant() is None


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (NOON[:11], "12 octets"),
        (changed(2, 0), "a month"),
        (changed(2, 13), "a month"),
        (changed(3, 0), "a day of month"),
        (changed(3, 32), "a day of month"),
        (changed(4, 0), "a day of week"),
        (changed(4, 8), "a day of week"),
        (changed(5, 24), "an hour"),
        (changed(6, 60), "a minute"),
        (changed(7, 60), "a second"),
        (changed(8, 100), "hundredths"),
        (changed(9, 0x03, 0x49), "a deviation"),
        (changed(9, 0xFC, 0xB7), "a deviation"),
        (bytearray(NOON), "12 octets"),
    ],
)
def test_an_impossible_date_time_is_refused(octets: bytes, words: str) -> None:
    with pytest.raises(InvalidValueError, match=words):
        CosemDateTime(octets)


@given(st.dates())
def test_every_date_survives(day: date) -> None:
    written = CosemDate.from_date(day)
    assert written.date() == day
    assert written.octets[4] == day.isoweekday()


@pytest.mark.parametrize("octets", ["07ea02ffff", "07ea021eff", "ffff0101ff"])
def test_a_date_with_a_wildcard_or_no_such_day_is_none(octets: str) -> None:
    assert CosemDate(bytes.fromhex(octets)).date() is None


@pytest.mark.parametrize("octets", [b"", bytes(6), bytes(5), bytes.fromhex("07ea0d01ff")])
def test_an_impossible_date_is_refused(octets: bytes) -> None:
    with pytest.raises(InvalidValueError):
        CosemDate(octets)


@given(st.times())
def test_every_time_of_hundredths_survives_and_finer_ones_are_refused(clock: time) -> None:
    exact = clock.replace(microsecond=clock.microsecond // 10_000 * 10_000)
    assert CosemTime.from_time(exact).time() == exact
    if exact != clock:
        with pytest.raises(InvalidValueError, match="hundredths"):
            CosemTime.from_time(clock)


@pytest.mark.parametrize("octets", ["ff000000", "00ff0000", "0000ff00"])
def test_a_time_with_a_wildcard_is_none(octets: str) -> None:
    assert CosemTime(bytes.fromhex(octets)).time() is None


def test_hundredths_that_are_not_specified_are_none_at_all() -> None:
    assert CosemTime(bytes.fromhex("080102ff")).time() == time(8, 1, 2)


@pytest.mark.parametrize("octets", ["18000000", "003c0000", "00003c00", "00000064", "0000", ""])
def test_an_impossible_time_is_refused(octets: str) -> None:
    with pytest.raises(InvalidValueError):
        CosemTime(bytes.fromhex(octets))
