"""Parameters are valid or not constructible, and the refusal names the field."""

from typing import Any

import pytest

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.parameters import (
    NO_UNIT_PRICE,
    AmountSource,
    FeeKind,
    Parameters,
    RegisterReference,
    UnitPrice,
)
from dlms_objects.values.logical_name import LogicalName
from tests.support.purses import ENERGY, monthly

NO_NAME = LogicalName(bytes(6))


def parameters(**changes: Any) -> Parameters:
    columns: dict[str, Any] = {"kind": FeeKind.RENT, "label": "Rent", "payee": "landlord", "schedule": monthly()}
    return Parameters(**{**columns, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 0},
        {"amount": 2**63 - 1},
        {"priority": 255},
        {"label": "房租" * 10},
        {"label": "x" * 64},
        {"payee": ""},
        {"payee": "p" * 32},
        {"amount_source": AmountSource.METERED, "unit_price": UnitPrice(price=56, scaler=-3, register=ENERGY)},
    ],
)
def test_parameters_within_their_ranges_are_taken(changes: dict[str, Any]) -> None:
    subject = parameters(**changes)
    assert {name: getattr(subject, name) for name in changes} == changes


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("kind", {"kind": 9}),
    ("kind", {"kind": 1}),
    ("amount_source", {"amount_source": 0}),
    ("enabled", {"enabled": 1}),
    ("priority", {"priority": 256}),
    ("priority", {"priority": -1}),
    ("amount", {"amount": -1}),
    ("amount", {"amount": 2**63}),
    ("label", {"label": "x" * 65}),
    ("label", {"label": "房" * 22}),
    ("label", {"label": "\ud800"}),
    ("payee", {"payee": "p" * 33}),
    ("payee", {"payee": "房"}),
    ("payee", {"payee": "a\n"}),
    ("unit_price.register", {"amount_source": AmountSource.METERED}),
    (
        "unit_price.register",
        {
            "amount_source": AmountSource.METERED,
            "unit_price": UnitPrice(price=1, scaler=0, register=RegisterReference(3, NO_NAME, 0)),
        },
    ),
]


@pytest.mark.parametrize(("field", "changes"), REFUSED)
def test_invalid_parameters_are_refused_whole_by_the_name_of_the_field(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match=f"^{field} "):
        parameters(**changes)


@pytest.mark.parametrize(
    ("field", "price", "scaler", "register"),
    [
        ("unit_price.price", -1, 0, ENERGY),
        ("unit_price.price", 2**32, 0, ENERGY),
        ("unit_price.scaler", 1, 10, ENERGY),
        ("unit_price.scaler", 1, -10, ENERGY),
        ("unit_price.register.class_id", 1, 0, RegisterReference(65536, NO_NAME, 2)),
        ("unit_price.register.attribute", 1, 0, RegisterReference(3, NO_NAME, 128)),
    ],
)
def test_a_unit_price_out_of_range_is_refused(field: str, price: int, scaler: int, register: RegisterReference) -> None:
    with pytest.raises(InvalidValueError, match=f"^{field} "):
        UnitPrice(price=price, scaler=scaler, register=register)


def test_an_item_that_is_not_metered_needs_no_unit_price() -> None:
    assert parameters().unit_price is NO_UNIT_PRICE
