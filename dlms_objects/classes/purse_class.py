"""Class 20101 Purse, version 0: the balance and the account of the household, as the object model fixes it."""

from dlms_objects.classes.interface import Method, interface_class
from dlms_objects.classes.shape import DATE_TIME, IDENTIFIER, Leaf, Nullable, Structure
from dlms_objects.classes.standard import (
    DOUBLE_LONG_UNSIGNED,
    INTEGER,
    LONG64,
    LONG_UNSIGNED,
    UNSIGNED,
)
from dlms_objects.values.data import DataType
from dlms_objects.values.logical_name import LogicalName

PURSE_NAME = LogicalName.parse("0.0.128.0.0.255")
JOURNAL_NAME = LogicalName.parse("0.0.99.128.0.255")
EVENT_LOG_NAME = LogicalName.parse("0.0.99.98.0.255")

OUTCOME = Leaf(
    DataType.ENUM,
    names=(
        "done",
        "repeated",
        "id_used_with_other_values",
        "amount_out_of_range",
        "would_exceed_maximum_balance",
        "no_such_entry",
        "already_reversed",
        "not_reversible",
        "journal_full",
        "storage_failed",
    ),
)
_OUTCOME_OF_ENTRY = Structure((("outcome", OUTCOME), ("sequence", DOUBLE_LONG_UNSIGNED), ("balance", LONG64)))
_HEAD = Structure((("sequence", DOUBLE_LONG_UNSIGNED), ("digest", IDENTIFIER)))

ENTRY_KIND = Leaf(DataType.ENUM, names=("none", "deduction", "top_up", "reversal", "adjustment"))
JOURNAL_ROW = Structure(
    (
        ("time", DATE_TIME),
        ("sequence", DOUBLE_LONG_UNSIGNED),
        ("kind", ENTRY_KIND),
        ("fee_item", UNSIGNED),
        ("due", DATE_TIME),
        ("amount", LONG64),
        ("balance", LONG64),
        ("reference", IDENTIFIER),
        ("revision", DOUBLE_LONG_UNSIGNED),
        ("digest", IDENTIFIER),
    )
)
EVENT_ROW = Structure(
    (
        ("time", DATE_TIME),
        ("number", DOUBLE_LONG_UNSIGNED),
        ("code", LONG_UNSIGNED),
        ("fee_item", UNSIGNED),
        ("value", LONG64),
        ("due", Nullable(DATE_TIME)),
    )
)
SETTINGS = Structure(
    (
        ("low_balance_threshold", LONG64),
        ("overdraft_limit", LONG64),
        ("maximum_balance", LONG64),
        ("maximum_top_up", LONG64),
        ("check_period_s", DOUBLE_LONG_UNSIGNED),
        ("look_ahead_s", DOUBLE_LONG_UNSIGNED),
        ("insufficient_policy", Leaf(DataType.ENUM, names=("pay_what_fits", "hold_lower"))),
        ("max_catch_up", UNSIGNED),
        ("time_zone", Leaf(DataType.VISIBLE_STRING)),
    )
)

PURSE = interface_class(
    20101,
    0,
    "Purse",
    (
        ("balance", LONG64),
        ("currency", Structure((("code", Leaf(DataType.VISIBLE_STRING)), ("scale", INTEGER)))),
        ("settings", SETTINGS),
        ("journal_head", _HEAD),
        ("acknowledged", _HEAD),
        (
            "status",
            Structure(
                (
                    ("flags", Leaf(DataType.BIT_STRING, 16)),
                    ("shortfall", LONG64),
                    ("next_due", DATE_TIME),
                    ("next_amount", LONG64),
                )
            ),
        ),
        ("last_entry", JOURNAL_ROW),
        ("last_event", EVENT_ROW),
    ),
    Method(1, "top_up", Structure((("transaction_id", IDENTIFIER), ("amount", LONG64))), _OUTCOME_OF_ENTRY),
    Method(
        2, "reverse", Structure((("transaction_id", IDENTIFIER), ("sequence", DOUBLE_LONG_UNSIGNED))), _OUTCOME_OF_ENTRY
    ),
    Method(3, "adjust", Structure((("transaction_id", IDENTIFIER), ("amount", LONG64))), _OUTCOME_OF_ENTRY),
    Method(4, "acknowledge", _HEAD, OUTCOME),
    Method(5, "check_now", INTEGER, Structure((("entries_made", UNSIGNED),))),
)
