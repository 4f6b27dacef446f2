"""What a meter would refuse for its form is refused at once, with the place."""

import pytest

from headend.command_kinds import CommandError, CommandKind, checked
from tests.support.plain_fee_item import RENT

TX = "ab" * 16
GOOD: list[tuple[CommandKind, dict[str, object]]] = [
    (CommandKind.SET_FEE_ITEM, {"number": 1, "parameters": RENT, "activation_time": "2026-08-01T00:00:00+08:00"}),
    (CommandKind.CANCEL_FEE_ITEM_CHANGE, {"number": 1}),
    (CommandKind.DELETE_FEE_ITEM, {"number": 32}),
    (CommandKind.SET_AMOUNT, {"number": 1, "due": "2026-08-01", "amount_minor": 1, "reference": TX}),
    (CommandKind.CANCEL_AMOUNT, {"number": 1, "due": "2026-08-01"}),
    (CommandKind.TOP_UP, {"amount_minor": 5, "transaction_id": TX}),
    (CommandKind.REVERSE, {"sequence": 4, "transaction_id": TX}),
    (CommandKind.ADJUST, {"amount_minor": -5, "transaction_id": TX}),
    (CommandKind.CLOCK, {"maximum_step_s": 60}),
    (CommandKind.SUPPLY, {"connected": False}),
    (CommandKind.READ, {"class_id": 3, "logical_name": "1.0.1.8.0.255", "attribute": 2}),
    (CommandKind.READ_FEE_ITEM, {"number": 1}),
    (
        CommandKind.KEY_TRANSFER,
        {
            "role": "reader",
            "generation": 2,
            "keys": [{"key_id": "authentication_key", "key_wrapped": "00" * 24}],
        },
    ),
    (
        CommandKind.SETTINGS,
        {
            "low_balance_threshold": 1,
            "overdraft_limit": 0,
            "maximum_balance": 0,
            "maximum_top_up": 0,
            "check_period_s": 60,
            "look_ahead_s": 60,
            "insufficient_policy": "hold_lower",
            "max_catch_up": 12,
            "time_zone": "Asia/Shanghai",
        },
    ),
]


@pytest.mark.parametrize(("kind", "parameters"), GOOD)
def test_what_a_meter_takes_is_kept_as_it_travels(kind: CommandKind, parameters: dict[str, object]) -> None:
    travels = checked(kind, parameters)
    assert set(parameters) <= set(travels)
    assert checked(kind, travels) == travels


def test_every_kind_is_tried() -> None:
    assert {kind for kind, _parameters in GOOD} == set(CommandKind)


@pytest.mark.parametrize(
    ("kind", "parameters", "words"),
    [
        (CommandKind.SET_FEE_ITEM, {"number": 33, "parameters": RENT}, "parameters.number"),
        (CommandKind.SET_FEE_ITEM, {"number": 1, "parameters": RENT | {"amount": -1}}, "set_fee_item: parameters"),
        (CommandKind.SET_FEE_ITEM, {"number": 1, "parameters": RENT | {"label": "x" * 65}}, "label"),
        (CommandKind.SET_FEE_ITEM, {"number": 1, "parameters": {}}, "parameters.parameters"),
        (CommandKind.TOP_UP, {"amount_minor": 0, "transaction_id": TX}, "parameters.amount_minor"),
        (CommandKind.TOP_UP, {"amount_minor": 1.5, "transaction_id": TX}, "parameters.amount_minor"),
        (CommandKind.TOP_UP, {"amount_minor": 2**63, "transaction_id": TX}, "parameters.amount_minor"),
        (CommandKind.TOP_UP, {"amount_minor": 1}, "parameters.transaction_id"),
        (CommandKind.ADJUST, {"amount_minor": 0, "transaction_id": TX}, "an adjustment by nothing is none"),
        (CommandKind.READ, {"class_id": 3, "logical_name": "1.2.3", "attribute": 2}, "parameters.logical_name"),
        (CommandKind.SUPPLY, {"connected": True, "more": 1}, "parameters.more"),
        (CommandKind.SETTINGS, {}, "settings: parameters"),
    ],
)
def test_what_it_would_refuse_is_refused_with_the_place(
    kind: CommandKind, parameters: dict[str, object], words: str
) -> None:
    with pytest.raises(CommandError) as caught:
        checked(kind, parameters)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
