"""Consumption into money: exact integers, with the remainder carried to the next collection.

A carried amount is a whole number of 10^-9 minor units: with a scaler of -9..9 every product of consumption and price
is one, so nothing is ever rounded away and slicing consumption differently never changes the total. Imported by
`fee_item` and `check`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from dlms_objects.purse.parameters import SCALER_LIMIT, RegisterReference, UnitPrice
from dlms_objects.purse.ranges import require_whole
from dlms_objects.values.money import MAXIMUM_MINOR

CARRIED_PER_MINOR = 10**SCALER_LIMIT

Registers = Mapping[RegisterReference, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metering:
    """Where the collection of one metered item stands.

    `reading` is the register's value (in its own unit) up to which consumption is accounted for, None while none is
    counted (the item is disabled, or its register was never read). What was consumed and not yet collected is
    `carried`, in 10^-9 minor units. `unit_price` holds for consumption from `reading` on.
    """

    unit_price: UnitPrice
    reading: int | None
    carried: int = 0

    def __post_init__(self) -> None:
        """Refuse a carried amount below 0 (InvalidValueError)."""
        require_whole("metering.carried", self.carried, 0, 2**256)

    def rolled_back(self, reading: int) -> bool:
        """Whether the register now shows less than was accounted for."""
        return self.reading is not None and reading < self.reading

    def advanced(self, reading: int) -> Self:
        """The same, accounted for up to `reading`; what a register that rolled back consumed is not charged."""
        units = 0 if self.reading is None else max(0, reading - self.reading)
        return replace(self, reading=reading, carried=self.carried + units * self._carried_per_unit)

    def highest_reading_for(self, amount: int) -> int | None:
        """The highest reading up to which no more than `amount` minor units, of which there are now, are collected.

        None where there is no such limit, because a unit costs nothing or none is counted.
        """
        if self.reading is None or not self._carried_per_unit:
            return None
        room = (amount + 1) * CARRIED_PER_MINOR - 1 - self.carried
        return self.reading + div_floor(room, self._carried_per_unit)[0]

    @property
    def _carried_per_unit(self) -> int:
        """The price of one unit of the register, in 10^-9 minor units."""
        per_unit: int = self.unit_price.price * 10 ** (SCALER_LIMIT + self.unit_price.scaler)
        return per_unit

    def collected(self) -> tuple[int, Self]:
        """The whole minor units that are carried (as many as one entry holds), and the metering with the rest."""
        amount = min(div_floor(self.carried, CARRIED_PER_MINOR)[0], MAXIMUM_MINOR)
        return amount, replace(self, carried=self.carried - amount * CARRIED_PER_MINOR)


def div_floor(numerator: int, denominator: int) -> tuple[int, int]:
    """Quotient rounded down, and remainder: the only division of money, and both halves are kept."""
    return divmod(numerator, denominator)
