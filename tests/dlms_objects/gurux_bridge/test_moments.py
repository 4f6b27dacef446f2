"""Times read as people write them, and what is left open in them is not lost."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.gurux_bridge.moments import date_text, moment_text, time_text
from dlms_objects.values.cosem_time import CosemDate, CosemDateTime, CosemTime


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("07ea0301070c00000000fe2000".replace("00fe", "fe"), "2026-03-01 12:00:00+08:00"),
        ("07ea0301070c00000080 00ff", "2026-03-01 12:00:00"),
        ("ffffffffffffffffff8000ff", "not specified"),
        ("ffff03feff02000000800000", "*-03-last 02:00:00"),
        ("ffff03fe0702000000800080", "*-03-last Sun 02:00:00"),
        ("fffffefdff02000000ffc400", "*-daylight-savings-begin-second-last 02:00:00 +01:00"),
        ("ffffff0fff00ff00ff8000ff", "*-*-15 00:*:00"),
        ("07ea0de1ff000000008000ff", "07ea0de1ff000000008000ff"),
    ],
)
def test_a_date_time_keeps_what_is_open_in_it(octets: str, text: str) -> None:
    assert moment_text(bytes.fromhex(octets.replace(" ", ""))) == text


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)))
def test_a_full_date_time_reads_as_iso_8601(civil: datetime) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    instant = civil.replace(microsecond=0, tzinfo=zone)
    text = moment_text(CosemDateTime.from_instant(instant, zone).octets)
    assert datetime.fromisoformat(text).replace(tzinfo=None) == civil.replace(microsecond=0)


@given(st.dates(min_value=date(1, 1, 1)), st.times())
def test_a_full_date_and_time_read_back(day: date, clock: time) -> None:
    clock = clock.replace(microsecond=0)
    assert date.fromisoformat(date_text(CosemDate.from_date(day).octets)) == day
    assert time.fromisoformat(time_text(CosemTime.from_time(clock).octets)) == clock


@given(st.binary(min_size=12, max_size=12))
def test_any_octets_read_as_some_text(octets: bytes) -> None:
    assert moment_text(octets)
    assert date_text(octets[:5])
    assert time_text(octets[:4])


def test_open_dates_and_times_are_marked() -> None:
    assert date_text(bytes.fromhex("ffff0c19ff")) == "*-12-25"
    assert date_text(bytes.fromhex("ffffffffff")) == "not specified"
    assert date_text(bytes.fromhex("ffffffE5ff")) == "*-*-E5h"
    assert time_text(bytes.fromhex("ffffffff")) == "not specified"
    assert time_text(bytes.fromhex("081e00ff")) == "08:30:00"
    assert time_text(bytes.fromhex("081e0032")) == "08:30:00.50"
