"""Money is exact, of one currency, within 64 bits; or it is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.money import MAXIMUM_MINOR, MINIMUM_MINOR, Currency, Money

CNY, JPY, KWD = Currency("CNY", -2), Currency("JPY", 0), Currency("KWD", -3)
MINOR = st.integers(MINIMUM_MINOR, MAXIMUM_MINOR)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("3500", CNY, 350_000),
        ("3500.00", CNY, 350_000),
        (" -0.5 ", CNY, -50),
        ("0.05", CNY, 5),
        ("-0", CNY, 0),
        ("007", JPY, 7),
        ("1.234", KWD, 1234),
        ("92233720368547758.07", CNY, MAXIMUM_MINOR),
        ("-92233720368547758.08", CNY, MINIMUM_MINOR),
    ],
)
def test_an_amount_is_read_exactly(text: str, currency: Currency, minor: int) -> None:
    assert Money.parse(text, currency).minor == minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        ".5",
        "5.",
        "1,000",
        "1e3",
        "+1",
        "0x1",
        "1 000",
        "٣",
        "nan",
        "0.005",
        "92233720368547758.08",
        pytest.param("9" * 5000, id="long"),
    ],
)
def test_what_is_no_exact_amount_is_refused_never_rounded(text: str) -> None:
    with pytest.raises(InvalidValueError):
        Money.parse(text, CNY)


@pytest.mark.parametrize("minor", [MAXIMUM_MINOR + 1, MINIMUM_MINOR - 1, True, 1.0, "1", None])
def test_what_a_long64_cannot_hold_is_refused(minor: int) -> None:
    with pytest.raises(InvalidValueError):
        Money(minor, CNY)


@pytest.mark.parametrize(("code", "scale"), [("cny", -2), ("CN", -2), ("CNÝ", -2), ("CNY", 1), ("CNY", -10)])
def test_a_currency_that_is_none_is_refused(code: str, scale: int) -> None:
    with pytest.raises(InvalidValueError):
        Currency(code, scale)


@given(MINOR, st.sampled_from([CNY, JPY, KWD]))
def test_every_amount_survives_its_text(minor: int, currency: Currency) -> None:
    money = Money(minor, currency)
    assert Money.parse(money.decimal_text(), currency) == money
    assert str(money) == f"{money.decimal_text()} {currency.code}"


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [(-5, CNY, "-0.05 CNY"), (350_000, CNY, "3500.00 CNY"), (7, JPY, "7 JPY"), (0, KWD, "0.000 KWD")],
)
def test_all_decimals_are_shown(minor: int, currency: Currency, text: str) -> None:
    assert str(Money(minor, currency)) == text


@given(st.integers(-(2**61), 2**61), st.integers(-(2**61), 2**61))
def test_sums_and_differences_are_exact(one: int, other: int) -> None:
    first, second = Money(one, CNY), Money(other, CNY)
    assert (first + second).minor == one + other
    assert first - second == first + -second


def test_a_sum_that_does_not_fit_is_refused() -> None:
    most, least, unit = Money(MAXIMUM_MINOR, CNY), Money(MINIMUM_MINOR, CNY), Money(1, CNY)
    for sum_of in (lambda: most + unit, lambda: least - unit, lambda: -least):
        with pytest.raises(InvalidValueError, match="64 bits"):
            sum_of()


def test_two_currencies_are_never_added() -> None:
    with pytest.raises(InvalidValueError, match="CNY and JPY"):
        _ = Money(1, CNY) + Money(1, JPY)
    with pytest.raises(InvalidValueError, match="CNY and JPY"):
        _ = Money(1, CNY) - Money(1, JPY)
