"""The household file: a household, the settings of its purse, and its fee items, in a form that people write.

`meterpurse dlms fee-set` and the demo read it with `deploy.configuration.load`; amounts are text, exact to the minor
unit. `deploy/examples/household.toml` is one.
"""

from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from dlms_objects.classes.fee_item_class import AMOUNT_SOURCE, FEE_ITEM_COUNT, FEE_KIND
from dlms_objects.classes.standard import REGISTER
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.values.money import Currency, Money

Amount = Annotated[str, StringConstraints(pattern=r"^-?\d+(\.\d+)?$")]
Plain = dict[str, Any]

_FREQUENCIES = Literal["once", "daily", "weekly", "monthly", "yearly"]
_NO_REGISTER = {"class_id": 0, "logical_name": "0.0.0.0.0.0", "attribute": 0}
_VALUE_ATTRIBUTE = 2


def _one_of(names: tuple[str, ...]) -> AfterValidator:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"one of {', '.join(names)} is wanted, not {name!r}")
        return name

    return AfterValidator(check)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CurrencyTable(_Table):
    """A currency code and its scale."""

    code: str = Field(pattern=r"^[A-Z]{3}$")
    scale: int = Field(ge=-9, le=0)


class HouseholdTable(_Table):
    """Whose purse it is."""

    name: str
    language: Literal["en", "zh-CN"] = "en"
    currency: CurrencyTable


class SettingsTable(_Table):
    """The purse's settings; amounts as text."""

    low_balance_threshold: Amount = "0"
    overdraft_limit: Amount = "0"
    maximum_balance: Amount = "0"
    maximum_top_up: Amount = "0"
    check_period_s: int = Field(default=60, ge=1, le=2**32 - 1)
    look_ahead_s: int = Field(default=604_800, ge=0, le=366 * 86_400)
    insufficient_policy: Literal["pay_what_fits", "hold_lower"] = "pay_what_fits"
    max_catch_up: int = Field(default=12, ge=1, le=255)
    time_zone: str = "Asia/Shanghai"


class UnitPriceTable(_Table):
    """price x 10^scaler minor units per unit of the register."""

    price: int = Field(ge=0, le=2**32 - 1)
    scaler: int = Field(ge=-9, le=9)
    register_name: Annotated[str, AfterValidator(lambda text: str(LogicalName.parse(text)))] = Field(alias="register")


class ScheduleTable(_Table):
    """When the fee falls due, in the meter's civil time."""

    frequency: _FREQUENCIES
    interval: int = Field(default=1, ge=1, le=255)
    day: int = Field(default=0, ge=-1, le=31)
    time: time
    first: date
    last: date | None = None
    count: int = Field(default=0, ge=0, le=65_535)


class FeeItemTable(_Table):
    """One fee."""

    number: int = Field(ge=1, le=FEE_ITEM_COUNT)
    kind: Annotated[str, _one_of(FEE_KIND.names)]
    label: str
    payee: str = ""
    enabled: bool = True
    priority: int = Field(default=0, ge=0, le=255)
    amount_source: Annotated[str, _one_of(AMOUNT_SOURCE.names)]
    amount: Amount = "0"
    unit_price: UnitPriceTable | None = None
    schedule: ScheduleTable


class DemoTable(_Table):
    """What the demo's year brings: two top-ups, and twelve bills by fee item."""

    first_top_up: Amount
    second_top_up: Amount
    bills: dict[int, list[Amount]] = Field(default_factory=dict)


class Household(_Table):
    """A whole household file."""

    household: HouseholdTable
    settings: SettingsTable = SettingsTable()
    fee_item: list[FeeItemTable] = Field(default_factory=list)
    demo: DemoTable | None = None

    @property
    def currency(self) -> Currency:
        """The household's currency."""
        return Currency(self.household.currency.code, self.household.currency.scale)

    def minor(self, amount: str) -> int:
        """An amount of this file in minor units."""
        return Money.parse(amount, self.currency).minor

    def settings_plain(self) -> Plain:
        """The settings as the purse's attribute 4 in plain values."""
        plain = self.settings.model_dump()
        for name in ("low_balance_threshold", "overdraft_limit", "maximum_balance", "maximum_top_up"):
            plain[name] = self.minor(plain[name])
        return plain

    def parameters_plain(self, item: FeeItemTable) -> Plain:
        """A fee item's parameters as structure P in plain values."""
        plain = item.model_dump(exclude={"number"})
        plain["amount"] = self.minor(item.amount)
        price = item.unit_price
        plain["unit_price"] = {
            "price": 0 if price is None else price.price,
            "scaler": 0 if price is None else price.scaler,
            "register": _NO_REGISTER
            if price is None
            else {
                "class_id": REGISTER.class_id,
                "logical_name": price.register_name,
                "attribute": _VALUE_ATTRIBUTE,
            },
        }
        schedule = item.schedule
        plain["schedule"] = schedule.model_dump() | {
            "time": schedule.time.isoformat(),
            "first": schedule.first.isoformat(),
            "last": None if schedule.last is None else schedule.last.isoformat(),
        }
        return plain
