"""The standard interface classes a MeterPurse meter serves (attribute types as in gurux-dlms 1.0.203)."""

from dlms_objects.classes.interface import Method, interface_class
from dlms_objects.classes.shape import DATE_TIME, LOGICAL_NAME, Array, Leaf, Structure
from dlms_objects.values.data import DataType

INTEGER = Leaf(DataType.INTEGER)
LONG = Leaf(DataType.LONG)
DOUBLE_LONG = Leaf(DataType.DOUBLE_LONG)
UNSIGNED = Leaf(DataType.UNSIGNED)
LONG_UNSIGNED = Leaf(DataType.LONG_UNSIGNED)
DOUBLE_LONG_UNSIGNED = Leaf(DataType.DOUBLE_LONG_UNSIGNED)
LONG64 = Leaf(DataType.LONG64)
ENUM = Leaf(DataType.ENUM)
BOOLEAN = Leaf(DataType.BOOLEAN)
OCTETS = Leaf(DataType.OCTET_STRING)

CAPTURE_OBJECT = Structure(
    (
        ("class_id", LONG_UNSIGNED),
        ("logical_name", LOGICAL_NAME),
        ("attribute_index", INTEGER),
        ("data_index", LONG_UNSIGNED),
    )
)

DATA = interface_class(1, 0, "Data", (("value", None),))

REGISTER = interface_class(
    3,
    0,
    "Register",
    (("value", None), ("scaler_unit", Structure((("scaler", INTEGER), ("unit", ENUM))))),
)

PROFILE_GENERIC = interface_class(
    7,
    1,
    "Profile generic",
    (
        ("buffer", None),
        ("capture_objects", Array(CAPTURE_OBJECT)),
        ("capture_period", DOUBLE_LONG_UNSIGNED),
        ("sort_method", ENUM),
        ("sort_object", CAPTURE_OBJECT),
        ("entries_in_use", DOUBLE_LONG_UNSIGNED),
        ("profile_entries", DOUBLE_LONG_UNSIGNED),
    ),
)

CLOCK = interface_class(
    8,
    0,
    "Clock",
    (
        ("time", DATE_TIME),
        ("time_zone", LONG),
        ("status", UNSIGNED),
        ("daylight_savings_begin", DATE_TIME),
        ("daylight_savings_end", DATE_TIME),
        ("daylight_savings_deviation", INTEGER),
        ("daylight_savings_enabled", BOOLEAN),
        ("clock_base", ENUM),
    ),
    Method(6, "shift_time", LONG),
)

_RIGHTS = Structure(
    (
        (
            "attribute_access",
            Array(
                Structure(
                    (
                        ("attribute_id", INTEGER),
                        ("access_mode", ENUM),
                        ("access_selectors", Leaf(DataType.NULL_DATA)),
                    )
                )
            ),
        ),
        ("method_access", Array(Structure((("method_id", INTEGER), ("access_mode", ENUM))))),
    )
)

OBJECT_LIST = Array(
    Structure(
        (
            ("class_id", LONG_UNSIGNED),
            ("version", UNSIGNED),
            ("logical_name", LOGICAL_NAME),
            ("access_rights", _RIGHTS),
        )
    )
)

ASSOCIATION_LN = interface_class(
    15,
    2,
    "Association LN",
    (
        ("object_list", OBJECT_LIST),
        ("associated_partners_id", Structure((("client_sap", INTEGER), ("server_sap", LONG_UNSIGNED)))),
        ("application_context_name", OCTETS),
        (
            "xdlms_context_info",
            Structure(
                (
                    ("conformance", Leaf(DataType.BIT_STRING, 24)),
                    ("max_receive_pdu_size", LONG_UNSIGNED),
                    ("max_send_pdu_size", LONG_UNSIGNED),
                    ("dlms_version_number", UNSIGNED),
                    ("quality_of_service", INTEGER),
                    ("cyphering_info", OCTETS),
                )
            ),
        ),
        ("authentication_mechanism_name", OCTETS),
        ("secret", OCTETS),
        ("association_status", ENUM),
        ("security_setup_reference", LOGICAL_NAME),
        ("user_list", Array(Structure((("user_id", UNSIGNED), ("user_name", Leaf(DataType.VISIBLE_STRING)))))),
        ("current_user", Structure((("user_id", UNSIGNED), ("user_name", Leaf(DataType.VISIBLE_STRING))))),
    ),
    Method(1, "reply_to_HLS_authentication", OCTETS, OCTETS),
)

KEY_ID = Leaf(
    DataType.ENUM,
    names=("global_unicast_encryption_key", "global_broadcast_encryption_key", "authentication_key", "master_key"),
)

SECURITY_SETUP = interface_class(
    64,
    1,
    "Security setup",
    (
        ("security_policy", ENUM),
        ("security_suite", ENUM),
        ("client_system_title", OCTETS),
        ("server_system_title", OCTETS),
        (
            "certificates",
            Array(
                Structure(
                    (
                        ("entity", ENUM),
                        ("type", ENUM),
                        ("serial_number", OCTETS),
                        ("issuer", OCTETS),
                        ("subject", OCTETS),
                        ("subject_alt_name", OCTETS),
                    )
                )
            ),
        ),
    ),
    Method(1, "security_activate", ENUM),
    Method(2, "key_transfer", Array(Structure((("key_id", KEY_ID), ("key_wrapped", OCTETS))))),
)

SAP_ASSIGNMENT = interface_class(
    17,
    0,
    "SAP assignment",
    (
        (
            "SAP_assignment_list",
            Array(Structure((("SAP", LONG_UNSIGNED), ("logical_device_name", OCTETS)))),
        ),
    ),
)

IEC_HDLC_SETUP = interface_class(
    23,
    1,
    "IEC HDLC setup",
    (
        ("comm_speed", ENUM),
        ("window_size_transmit", UNSIGNED),
        ("window_size_receive", UNSIGNED),
        ("max_info_field_length_transmit", LONG_UNSIGNED),
        ("max_info_field_length_receive", LONG_UNSIGNED),
        ("inter_octet_time_out", LONG_UNSIGNED),
        ("inactivity_time_out", LONG_UNSIGNED),
        ("device_address", LONG_UNSIGNED),
    ),
)

TCP_UDP_SETUP = interface_class(
    41,
    0,
    "TCP-UDP setup",
    (
        ("TCP_UDP_port", LONG_UNSIGNED),
        ("IP_reference", OCTETS),
        ("MSS", LONG_UNSIGNED),
        ("nb_of_sim_conn", UNSIGNED),
        ("inactivity_time_out", LONG_UNSIGNED),
    ),
)

DISCONNECT_CONTROL = interface_class(
    70,
    0,
    "Disconnect control",
    (("output_state", BOOLEAN), ("control_state", ENUM), ("control_mode", ENUM)),
    Method(1, "remote_disconnect", INTEGER),
    Method(2, "remote_reconnect", INTEGER),
)

PUSH_SETUP = interface_class(
    40,
    0,
    "Push setup",
    (
        ("push_object_list", Array(CAPTURE_OBJECT)),
        (
            "send_destination_and_method",
            Structure((("transport_service", ENUM), ("destination", OCTETS), ("message", ENUM))),
        ),
        ("communication_window", Array(Structure((("start_time", DATE_TIME), ("end_time", DATE_TIME))))),
        ("randomisation_start_interval", LONG_UNSIGNED),
        ("number_of_retries", UNSIGNED),
        ("repetition_delay", LONG_UNSIGNED),
    ),
    Method(1, "push", INTEGER),
)
