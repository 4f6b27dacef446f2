"""What a fee is: the parameters of a fee item, structure P of the object model, valid or not constructible.

Holds no history of an item (that is `fee_item`) and moves no money. Imported by the rest of this room and by the
classes that show a fee item over COSEM.
"""

from dataclasses import dataclass
from enum import IntEnum

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.ranges import require_whole
from dlms_objects.purse.schedule import Schedule
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName
from dlms_objects.values.money import MAXIMUM_MINOR

MAXIMUM_LABEL_OCTETS = 64
MAXIMUM_PAYEE_LENGTH = 32
SCALER_LIMIT = 9

RegisterReference = AttributeDescriptor


class FeeKind(IntEnum):
    """What a fee pays for."""

    OTHER = 0
    RENT = 1
    PROPERTY_MANAGEMENT = 2
    WATER = 3
    ELECTRICITY = 4
    GAS = 5
    HEATING = 6
    PARKING = 7
    INTERNET = 8


class AmountSource(IntEnum):
    """Where the amount of an occurrence comes from."""

    FIXED = 0
    MANUAL = 1
    CLOUD = 2
    METERED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """The price of metered consumption: price x 10^scaler minor units per unit of the register.

    `price` 0..2^32-1, `scaler` -9..9. A price for a register that is none (class 0) is only for items that are not
    metered: `NO_UNIT_PRICE`.
    """

    price: int
    scaler: int
    register: RegisterReference

    def __post_init__(self) -> None:
        """Refuse what the structure P cannot carry; InvalidValueError names the field."""
        require_whole("unit_price.price", self.price, 0, 2**32 - 1)
        require_whole("unit_price.scaler", self.scaler, -SCALER_LIMIT, SCALER_LIMIT)
        require_whole("unit_price.register.class_id", self.register.class_id, 0, 65535)
        require_whole("unit_price.register.attribute", self.register.attribute, 0, 127)


NO_UNIT_PRICE = UnitPrice(price=0, scaler=0, register=RegisterReference(0, LogicalName(bytes(6)), 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The terms of one fee: what, to whom, when, how much (structure P of the object model).

    `amount` in minor units, 0..2^63-1, is what a fixed fee takes at each occurrence; the other sources ignore it.
    `priority` 0..255, 0 is paid first. `label` up to 64 octets of UTF-8, `payee` up to 32 printable ASCII characters.
    """

    kind: FeeKind = FeeKind.OTHER
    label: str = ""
    payee: str = ""
    enabled: bool = True
    priority: int = 0
    amount_source: AmountSource = AmountSource.FIXED
    amount: int = 0
    unit_price: UnitPrice = NO_UNIT_PRICE
    schedule: Schedule

    def __post_init__(self) -> None:
        """Refuse the parameters whole when one of them is invalid; InvalidValueError names the field."""
        if not isinstance(self.kind, FeeKind):
            raise InvalidValueError(f"kind is none of 0..8: {self.kind!r}")
        if not isinstance(self.amount_source, AmountSource):
            raise InvalidValueError(f"amount_source is none of 0..3: {self.amount_source!r}")
        if type(self.enabled) is not bool:
            raise InvalidValueError(f"enabled is True or False, not {self.enabled!r}")
        require_whole("priority", self.priority, 0, 255)
        require_whole("amount", self.amount, 0, MAXIMUM_MINOR)
        _check_label(self.label)
        if not (len(self.payee) <= MAXIMUM_PAYEE_LENGTH and self.payee.isascii() and self.payee.isprintable()):
            raise InvalidValueError(f"payee is up to {MAXIMUM_PAYEE_LENGTH} printable ASCII characters: {self.payee!r}")
        register = self.unit_price.register
        if self.amount_source is AmountSource.METERED and (register.class_id == 0 or register.attribute == 0):
            raise InvalidValueError("unit_price.register of a metered fee names one attribute of one object")


def _check_label(label: str) -> None:
    try:
        octets = label.encode()
    except UnicodeEncodeError as error:
        raise InvalidValueError(f"label is not UTF-8: {label!r}") from error
    if len(octets) > MAXIMUM_LABEL_OCTETS:
        raise InvalidValueError(f"label is {len(octets)} octets of UTF-8, more than {MAXIMUM_LABEL_OCTETS}")
