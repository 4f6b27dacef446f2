"""What a date-time that a client writes means: an instant, nothing at all, or a mistake."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.moments import full_instant, instant_meant

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("octets", "instant"),
    [
        ("07ea0601ff14000000fe2000", NOON),  # 20:00, 480 minutes east of UTC
        ("07ea0601ff0c000000000000", NOON),  # 12:00 UTC
        ("07ea0601ff140000ff8000ff", NOON),  # 20:00 civil time
        ("07ea0601ff141e00ff8000ff", NOON.replace(minute=30)),
    ],
)
def test_a_full_date_time_is_an_instant_by_its_deviation_or_the_meters_zone(octets, instant):
    assert instant_meant(bytes.fromhex(octets), SHANGHAI) == instant
    assert full_instant(bytes.fromhex(octets), SHANGHAI) == instant


@pytest.mark.parametrize("octets", ["ffffffffffffffffff8000ff", "ffffffff03ffffff008000ff"])
def test_one_that_specifies_nothing_is_no_instant(octets):
    assert instant_meant(bytes.fromhex(octets), SHANGHAI) is None
    with pytest.raises(InvalidValueError):
        full_instant(bytes.fromhex(octets), SHANGHAI)


@pytest.mark.parametrize(
    "octets",
    [
        "07ea0601ffffffffff8000ff",  # a day without a time
        "ffffffffff0c0000008000ff",  # a time without a day
        "07ea021eff000000008000ff",  # 30 February
        "07ea06",
        "000101010100000000fcb800",  # year 1, 840 minutes east
        "000101010100000000" + "8000ff",  # year 1 in Shanghai
        "270f0c1fff173b3b000348" + "00",  # the end of 9999, 840 minutes west
    ],
)
def test_a_partial_impossible_or_unreachable_date_time_is_refused(octets):
    with pytest.raises(InvalidValueError):
        instant_meant(bytes.fromhex(octets), SHANGHAI)
