"""Money: whole minor units of one currency. No float, no division, no rounding anywhere."""

import re
from dataclasses import dataclass
from typing import Self

from dlms_objects.errors import InvalidValueError

MINIMUM_MINOR = -(2**63)
MAXIMUM_MINOR = 2**63 - 1

_AMOUNT = re.compile(r"(-?)(\d{1,30})(?:\.(\d{1,30}))?", re.ASCII)  # more digits never fit 64 bits


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency code (ISO 4217, three letters) and its scale: one minor unit is 10^scale of the currency, -9..0."""

    code: str
    scale: int

    def __post_init__(self) -> None:
        """Refuse a code that is not three capitals, or a scale outside -9..0 (InvalidValueError)."""
        if re.fullmatch(r"[A-Z]{3}", self.code) is None:
            raise InvalidValueError(f"a currency code is three capital letters, not {self.code!r}")
        if not -9 <= self.scale <= 0:
            raise InvalidValueError(f"a currency scale is -9..0, not {self.scale}")


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `minor` whole minor units (a signed 64-bit number, as long64 carries it) of one currency."""

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        """Refuse what a long64 cannot hold exactly (InvalidValueError)."""
        if type(self.minor) is not int:
            raise InvalidValueError(f"money is a whole number of minor units, not {self.minor!r}")
        if not MINIMUM_MINOR <= self.minor <= MAXIMUM_MINOR:
            raise InvalidValueError(f"{self.minor} minor units do not fit 64 bits")

    @classmethod
    def parse(cls, text: str, currency: Currency) -> Self:
        """Read `3500`, `3500.00` or `-0.5`; more decimals than the currency has are refused, never rounded."""
        match = _AMOUNT.fullmatch(text.strip())
        if match is None:
            raise InvalidValueError(f"not an amount: {text!r}")
        sign, whole, fraction = match[1], match[2], match[3] or ""
        digits = -currency.scale
        if len(fraction) > digits:
            raise InvalidValueError(f"{text!r} has more than the {digits} decimals of {currency.code}")
        minor = int(whole + fraction.ljust(digits, "0"))
        return cls(-minor if sign else minor, currency)

    def __add__(self, other: Self) -> Self:
        """The exact sum; InvalidValueError for two currencies or a sum that does not fit."""
        self._require_same_currency(other)
        return type(self)(self.minor + other.minor, self.currency)

    def __sub__(self, other: Self) -> Self:
        """The exact difference; InvalidValueError as for the sum."""
        self._require_same_currency(other)
        return type(self)(self.minor - other.minor, self.currency)

    def __neg__(self) -> Self:
        """The amount the other way round."""
        return type(self)(-self.minor, self.currency)

    def decimal_text(self) -> str:
        """The amount without its currency, all decimals shown: `-3500.00`."""
        digits = -self.currency.scale
        text = str(abs(self.minor)).rjust(digits + 1, "0")
        sign = "-" if self.minor < 0 else ""
        return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)

    def __str__(self) -> str:
        """`3500.00 CNY`."""
        return f"{self.decimal_text()} {self.currency.code}"

    def _require_same_currency(self, other: Self) -> None:
        if self.currency != other.currency:
            raise InvalidValueError(f"{self.currency.code} and {other.currency.code} cannot be added")
