"""Laws of the pictures: the same figures make the same octets, whole numbers only, words for who cannot see."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.values.money import MAXIMUM_MINOR, MINIMUM_MINOR
from headend.notices import FeeTotal
from headend.pictures import HEADER, balance_svg, shares_svg
from headend.series import DayBalance, Month
from tests.support.headend_books import CNY

SVG = "{http://www.w3.org/2000/svg}"


def month(*balances: int, totals: tuple[FeeTotal, ...] = ()) -> Month:
    first = date(2026, 3, 1)
    days = tuple(
        DayBalance(day=first + timedelta(days=step), balance_minor=minor) for step, minor in enumerate(balances)
    )
    return Month(month="2026-03", days=days, totals=totals)


RENT = FeeTotal(fee_item=1, label="Rent <1>", payee="l", amount_minor=350_000)
WATER = FeeTotal(fee_item=3, label="", payee="", amount_minor=50_000)


def test_the_words_are_exact() -> None:
    root = ET.fromstring(balance_svg(month(500_000, 150_000), language="en", currency=CNY))  # noqa: S314
    assert root.findtext(f"{SVG}title") == "Balance in March 2026"
    assert root.findtext(f"{SVG}desc") == ("From CN¥5,000.00 to CN¥1,500.00; lowest CN¥1,500.00, highest CN¥5,000.00.")
    root = ET.fromstring(shares_svg(month(1, totals=(WATER, RENT)), language="zh-CN", currency=CNY))  # noqa: S314
    assert root.findtext(f"{SVG}title") == "2026年3月各项费用"
    assert root.findtext(f"{SVG}desc") == "Rent <1>：¥3,500.00；缴费项目3：¥500.00；合计¥4,000.00。"


def test_bars_are_as_long_as_their_shares() -> None:
    root = ET.fromstring(shares_svg(month(1, totals=(WATER, RENT)), language="en", currency=CNY))  # noqa: S314
    widths = [int(bar.attrib["width"]) for bar in root.iter(f"{SVG}rect")][1:]
    assert widths == [568, 568, 568, 568 * 50_000 // 350_000]


@pytest.mark.parametrize("draw", [balance_svg, shares_svg])
def test_nothing_is_said_to_be_nothing(draw) -> None:  # type: ignore[no-untyped-def]
    assert "Nothing was booked." in draw(month(), language="en", currency=CNY)


@given(balances=st.lists(st.integers(MINIMUM_MINOR, MAXIMUM_MINOR), min_size=1, max_size=31))
def test_any_balance_stays_inside_the_picture_in_whole_units(balances: list[int]) -> None:
    svg = balance_svg(month(*balances), language="en", currency=CNY)
    assert svg == balance_svg(month(*balances), language="en", currency=CNY)
    root = ET.fromstring(svg)  # noqa: S314
    for path in root.iter(f"{SVG}path"):
        for left, top in re.findall(r"[MV]?(\d+)?(?:,|V)(\d+)", path.attrib["d"]):
            assert not left or 0 <= int(left) <= 600
            assert HEADER <= int(top) <= 200
        assert "." not in path.attrib["d"]
    assert "<script" not in svg
