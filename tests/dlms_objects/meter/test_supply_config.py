"""The table [supply]: what it says is the policy; what could cut at night or at once is refused with its name."""

from datetime import date, time, timedelta

import pytest
from pydantic import ValidationError

from dlms_objects.meter.supply_config import SupplyConfig
from dlms_objects.purse.fee_item import FeeKind
from dlms_objects.purse.supply import SupplyPolicy


def test_the_defaults_of_the_table_are_those_of_the_rule():
    assert SupplyConfig().policy() == SupplyPolicy()


def test_every_field_reaches_the_policy():
    config = SupplyConfig.model_validate(
        {
            "kinds": ["electricity", "heating"],
            "grace_h": 24,
            "cut_from": time(9),
            "cut_until": time(12),
            "spared_weekdays": ["friday"],
            "spared_days": [date(2026, 10, 1)],
        }
    )
    assert config.policy() == SupplyPolicy(
        kinds=frozenset({FeeKind.ELECTRICITY, FeeKind.HEATING}),
        grace=timedelta(days=1),
        cut_from=time(9),
        cut_until=time(12),
        spared_days=frozenset({date(2026, 10, 1)}),
        spared_weekdays=frozenset({5}),
    )


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ({"cut_from": time(6)}, "cut_from"),
        ({"grace_h": 0}, "grace_h"),
        ({"kinds": ["beer"]}, "kinds"),
        ({"hours": 3}, "hours"),
        ({"spared_weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]}, "spared"),
    ],
)
def test_what_is_no_policy_is_refused_by_name(table, named):
    with pytest.raises(ValidationError, match=named):
        SupplyConfig.model_validate(table)
