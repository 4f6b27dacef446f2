"""Class 20102 Fee item, version 0: the parameters and the state of one fee, as the object model fixes it."""

from dlms_objects.classes.interface import Method, interface_class
from dlms_objects.classes.purse_class import OUTCOME
from dlms_objects.classes.shape import (
    DATE,
    DATE_TIME,
    IDENTIFIER,
    LOGICAL_NAME,
    TIME,
    Array,
    Leaf,
    Nullable,
    Structure,
)
from dlms_objects.classes.standard import (
    BOOLEAN,
    DOUBLE_LONG_UNSIGNED,
    INTEGER,
    LONG64,
    LONG_UNSIGNED,
    UNSIGNED,
)
from dlms_objects.values.data import DataType
from dlms_objects.values.logical_name import LogicalName

FEE_ITEM_COUNT = 32

FEE_KIND = Leaf(
    DataType.ENUM,
    names=(
        "other",
        "rent",
        "property_management",
        "water",
        "electricity",
        "gas",
        "heating",
        "parking",
        "internet",
    ),
)
AMOUNT_SOURCE = Leaf(DataType.ENUM, names=("fixed", "manual", "cloud", "metered"))
SCHEDULE = Structure(
    (
        ("frequency", Leaf(DataType.ENUM, names=("once", "daily", "weekly", "monthly", "yearly"))),
        ("interval", UNSIGNED),
        ("day", INTEGER),
        ("time", TIME),
        ("first", DATE),
        ("last", DATE),
        ("count", LONG_UNSIGNED),
    )
)
UNIT_PRICE = Structure(
    (
        ("price", DOUBLE_LONG_UNSIGNED),
        ("scaler", INTEGER),
        (
            "register",
            Structure((("class_id", LONG_UNSIGNED), ("logical_name", LOGICAL_NAME), ("attribute", INTEGER))),
        ),
    )
)
PARAMETERS = Structure(
    (
        ("kind", FEE_KIND),
        ("label", Leaf(DataType.UTF8_STRING, 64, at_most=True)),
        ("payee", Leaf(DataType.VISIBLE_STRING, 32, at_most=True)),
        ("enabled", BOOLEAN),
        ("priority", UNSIGNED),
        ("amount_source", AMOUNT_SOURCE),
        ("amount", LONG64),
        ("unit_price", UNIT_PRICE),
        ("schedule", SCHEDULE),
    )
)
_DUE = Structure((("due", DATE),))

FEE_ITEM = interface_class(
    20102,
    0,
    "Fee item",
    (
        ("parameters", PARAMETERS),
        ("passive_parameters", Nullable(PARAMETERS)),
        ("activation_time", Nullable(DATE_TIME)),
        ("revision", DOUBLE_LONG_UNSIGNED),
        (
            "pending_amounts",
            Array(Structure((("due", DATE), ("amount", LONG64), ("reference", IDENTIFIER), ("source", AMOUNT_SOURCE)))),
        ),
        (
            "status",
            Structure(
                (
                    (
                        "state",
                        Leaf(
                            DataType.ENUM,
                            names=("disabled", "scheduled", "waiting_amount", "waiting_balance", "finished"),
                        ),
                    ),
                    ("next_due", DATE_TIME),
                    ("next_amount", LONG64),
                    ("last_deducted", DATE_TIME),
                    ("last_amount", LONG64),
                    ("total_deducted", LONG64),
                    ("missed", LONG_UNSIGNED),
                )
            ),
        ),
    ),
    Method(1, "set_amount", Structure((("due", DATE), ("amount", LONG64), ("reference", IDENTIFIER))), OUTCOME),
    Method(2, "cancel_amount", _DUE, OUTCOME),
    Method(3, "activate_passive", INTEGER, OUTCOME),
    Method(4, "cancel_passive", INTEGER, OUTCOME),
    Method(5, "delete", INTEGER, OUTCOME),
)


def fee_item_name(number: int) -> LogicalName:
    """The logical name 0.0.128.1.e.255 of fee item e, 1..32."""
    return LogicalName(bytes((0, 0, 128, 1, number, 255)))
