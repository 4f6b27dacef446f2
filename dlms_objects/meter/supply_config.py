"""The table `[supply]` of `meter.toml`: the policy by which the meter may cut off and give back the supply itself.

Without the table it never does; people may over DLMS. Imported by `config`.
"""

from datetime import date, time, timedelta
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.fee_item import FeeKind
from dlms_objects.purse.supply import SupplyPolicy

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
KindName = Literal[
    "other", "rent", "property_management", "water", "electricity", "gas", "heating", "parking", "internet"
]


class SupplyConfig(BaseModel):
    """When an unpaid fee may cut the supply: of which kinds, how long after it was due, in which hours, on which days.

    `cut_from` and `cut_until` are civil times within 08:00..20:00; `grace_h` hours, 1..8784.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: tuple[KindName, ...] = Field(default=("electricity",), min_length=1)
    grace_h: int = Field(default=72, ge=1, le=8784)
    cut_from: time = time(10)
    cut_until: time = time(15)
    spared_weekdays: tuple[Weekday, ...] = ("saturday", "sunday")
    spared_days: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _is_a_policy(self) -> Self:
        try:
            self.policy()
        except InvalidValueError as error:
            raise ValueError(str(error)) from None
        return self

    def policy(self) -> SupplyPolicy:
        """The policy for the rules."""
        return SupplyPolicy(
            kinds=frozenset(FeeKind[name.upper()] for name in self.kinds),
            grace=timedelta(hours=self.grace_h),
            cut_from=self.cut_from,
            cut_until=self.cut_until,
            spared_days=frozenset(self.spared_days),
            spared_weekdays=frozenset(_WEEKDAYS.index(day) + 1 for day in self.spared_weekdays),
        )
