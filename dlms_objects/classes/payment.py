"""The standard's payment classes: Account, Credit and Charge (attribute types as in gurux-dlms 1.0.203).

They are views for other head-ends. What the purse is stands in `purse_class` and `fee_item_class`.
"""

from dlms_objects.classes.interface import interface_class
from dlms_objects.classes.shape import DATE_TIME, LOGICAL_NAME, Array, Leaf, Structure
from dlms_objects.classes.standard import (
    DOUBLE_LONG,
    DOUBLE_LONG_UNSIGNED,
    ENUM,
    INTEGER,
    LONG,
    LONG_UNSIGNED,
    OCTETS,
    UNSIGNED,
)
from dlms_objects.values.data import DataType

FLAGS = Leaf(DataType.BIT_STRING, 8)

ACCOUNT = interface_class(
    111,
    0,
    "Account",
    (
        ("account_mode_and_status", Structure((("payment_mode", ENUM), ("account_status", ENUM)))),
        ("current_credit_in_use", UNSIGNED),
        ("current_credit_status", FLAGS),
        ("available_credit", DOUBLE_LONG),
        ("amount_to_clear", DOUBLE_LONG),
        ("clearance_threshold", DOUBLE_LONG),
        ("aggregated_debt", DOUBLE_LONG),
        ("credit_reference_list", Array(LOGICAL_NAME)),
        ("charge_reference_list", Array(LOGICAL_NAME)),
        (
            "credit_charge_configuration",
            Array(
                Structure(
                    (
                        ("credit_reference", LOGICAL_NAME),
                        ("charge_reference", LOGICAL_NAME),
                        ("collection_configuration", FLAGS),
                    )
                )
            ),
        ),
        (
            "token_gateway_configuration",
            Array(Structure((("credit_reference", LOGICAL_NAME), ("token_proportion", UNSIGNED)))),
        ),
        ("account_activation_time", DATE_TIME),
        ("account_closure_time", DATE_TIME),
        (
            "currency",
            Structure((("currency_name", Leaf(DataType.UTF8_STRING)), ("currency_scale", INTEGER), ("unit", ENUM))),
        ),
        ("low_credit_threshold", DOUBLE_LONG),
        ("next_credit_available_threshold", DOUBLE_LONG),
        ("max_provision", LONG_UNSIGNED),
        ("max_provision_period", DOUBLE_LONG),
    ),
)

CREDIT = interface_class(
    112,
    0,
    "Credit",
    (
        ("current_credit_amount", DOUBLE_LONG),
        ("credit_type", ENUM),
        ("priority", UNSIGNED),
        ("warning_threshold", DOUBLE_LONG),
        ("limit", DOUBLE_LONG),
        ("credit_configuration", FLAGS),
        ("credit_status", ENUM),
        ("preset_credit_amount", DOUBLE_LONG),
        ("credit_available_threshold", DOUBLE_LONG),
        ("period", DATE_TIME),
    ),
)

UNIT_CHARGE = Structure(
    (
        ("charge_per_unit_scaling", Structure((("commodity_scale", INTEGER), ("price_scale", INTEGER)))),
        (
            "commodity_reference",
            Structure((("class_id", LONG_UNSIGNED), ("logical_name", LOGICAL_NAME), ("attribute_index", INTEGER))),
        ),
        ("charge_table", Array(Structure((("index", OCTETS), ("charge_per_unit", LONG))))),
    )
)

CHARGE = interface_class(
    113,
    0,
    "Charge",
    (
        ("total_amount_paid", DOUBLE_LONG),
        ("charge_type", ENUM),
        ("priority", UNSIGNED),
        ("unit_charge_active", UNIT_CHARGE),
        ("unit_charge_passive", UNIT_CHARGE),
        ("unit_charge_activation_time", DATE_TIME),
        ("period", DOUBLE_LONG_UNSIGNED),
        ("charge_configuration", FLAGS),
        ("last_collection_time", Leaf(DataType.DATE_TIME, view=DATE_TIME.view)),
        ("last_collection_amount", DOUBLE_LONG),
        ("total_amount_remaining", DOUBLE_LONG),
        ("proportion", LONG_UNSIGNED),
    ),
)
