"""A fee item's parameters as plain values, as commands and people write them: rent of 3500.00 on the first."""

from typing import Any

RENT: dict[str, Any] = {
    "kind": "rent",
    "label": "Rent",
    "payee": "landlord",
    "enabled": True,
    "priority": 0,
    "amount_source": "fixed",
    "amount": 350_000,
    "unit_price": {
        "price": 0,
        "scaler": 0,
        "register": {"class_id": 3, "logical_name": "1.0.1.8.0.255", "attribute": 2},
    },
    "schedule": {
        "frequency": "monthly",
        "interval": 1,
        "day": 1,
        "time": "08:00:00",
        "first": "2026-01-01",
        "last": None,
        "count": 0,
    },
}
