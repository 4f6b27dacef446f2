"""gateway/commands/operations.py: parameters are checked before a meter hears of them (the rest: test_runner.py)."""

from typing import Any

import pytest

from dlms_objects.errors import InvalidValueError
from gateway.commands.operations import KINDS, parse


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("top_up", {"transaction_id": "0b" * 16, "amount_minor": 1.5}),
        ("top_up", {"transaction_id": "0b" * 16, "amount_minor": 2**63}),
        ("supply", {"connected": 1}),
        ("set_fee_item", {"number": 1, "parameters": {}}),
        ("delete_fee_item", {"number": 33}),
        ("settings", {}),
        ("clock", {"maximum_step_s": -1}),
        ("key_transfer", {}),
    ],
)
def test_wrong_parameters_are_invalid(kind: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        parse(kind, parameters)


def test_what_moves_money_is_known() -> None:
    assert {kind for kind, order in KINDS.items() if order.is_money} == {
        "top_up",
        "reverse",
        "adjust",
        "set_amount",
        "cancel_amount",
    }
