"""What gurux-dlms 1.0.203 does not name, or names wrongly. Only `names` imports it.

Sources: class names as the standard prints them; S-FSK, CoAP, security setup and association as in Gurux.DLMS.Net;
data protection and ZigBee as in the Wireshark dissector; register table as in jDLMS.
"""

from collections.abc import Mapping

CLASS_NAMES: Mapping[int, str] = {
    12: "Association SN",
    15: "Association LN",
    17: "SAP assignment",
    19: "IEC local port setup",
    22: "Single action schedule",
    23: "IEC HDLC setup",
    24: "IEC twisted pair setup",
    25: "M-Bus slave port setup",
    41: "TCP-UDP setup",
    42: "IPv4 setup",
    43: "MAC address setup",
    44: "PPP setup",
    45: "GPRS modem setup",
    47: "GSM diagnostic",
    48: "IPv6 setup",
    72: "M-Bus client",
    73: "Wireless mode Q channel",
    74: "M-Bus master port setup",
    80: "61334-4-32 LLC SSCS setup",
    81: "PRIME NB OFDM PLC physical layer counters",
    82: "PRIME NB OFDM PLC MAC setup",
    83: "PRIME NB OFDM PLC MAC functional parameters",
    84: "PRIME NB OFDM PLC MAC counters",
    85: "PRIME NB OFDM PLC MAC network administration data",
    86: "PRIME NB OFDM PLC applications identification",
    90: "G3-PLC MAC layer counters",
    91: "G3-PLC MAC setup",
    92: "G3-PLC 6LoWPAN adaptation layer setup",
    100: "NTP setup",
    101: "ZigBee SAS startup",
    102: "ZigBee SAS join",
    103: "ZigBee SAS APS fragmentation",
    116: "IEC 62055-41 attributes",
    151: "LTE monitoring",
    153: "CoAP diagnostic",
    160: "G3-PLC hybrid RF MAC layer counters",
    161: "G3-PLC hybrid RF MAC setup",
    162: "G3-PLC hybrid 6LoWPAN adaptation layer setup",
}

MISSING_CLASSES: Mapping[int, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    30: (
        "Data protection",
        (
            "protection_buffer",
            "protection_object_list",
            "protection_parameters_get",
            "protection_parameters_set",
            "required_protection",
        ),
        ("get_protected_attributes", "set_protected_attributes", "invoke_protected_method"),
    ),
    46: (
        "SMTP setup",
        ("server_port", "user_name", "login_password", "server_address", "sender_address"),
        (),
    ),
    50: (
        "S-FSK Phy&MAC setup",
        (
            "initiator_electrical_phase",
            "delta_electrical_phase",
            "max_receiving_gain",
            "max_transmitting_gain",
            "search_initiator_threshold",
            "frequencies",
            "mac_address",
            "mac_group_addresses",
            "repeater",
            "repeater_status",
            "min_delta_credit",
            "initiator_mac_address",
            "synchronization_locked",
            "transmission_speed",
        ),
        (),
    ),
    51: ("S-FSK active initiator", ("active_initiator",), ("reset_new_not_synchronized",)),
    52: (
        "S-FSK MAC synchronization timeouts",
        (
            "search_initiator_timeout",
            "synchronization_confirmation_timeout",
            "time_out_not_addressed",
            "time_out_frame_not_ok",
        ),
        (),
    ),
    53: (
        "S-FSK MAC counters",
        (
            "synchronization_register",
            "desynchronization_listing",
            "broadcast_frames_counter",
            "repetitions_counter",
            "transmissions_counter",
            "crc_ok_frames_counter",
            "crc_nok_frames_counter",
        ),
        ("reset",),
    ),
    55: ("IEC 61334-4-32 LLC setup", ("max_frame_length", "reply_status_list"), ()),
    56: ("S-FSK reporting system list", ("reporting_system_list",), ()),
    57: ("ISO/IEC 8802-2 LLC type 1 setup", ("max_octets_ui_pdu",), ()),
    61: ("Register table", ("table_cell_values", "table_cell_definition", "scaler_unit"), ("reset", "capture")),
    62: (
        "Compact data",
        ("buffer", "capture_objects", "template_id", "template_description", "capture_method"),
        ("reset", "capture"),
    ),
    63: ("Status mapping", ("status_word", "mapping_table"), ()),
    68: (
        "Arbitrator",
        ("actions", "permissions_table", "weightings_table", "most_recent_requests_table", "last_outcome"),
        ("request_action", "reset"),
    ),
    104: (
        "ZigBee network control",
        ("enable_disable_joining", "join_timeout", "active_devices"),
        (
            "register_device",
            "unregister_device",
            "unregister_all_devices",
            "backup_pan",
            "restore_pan",
            "identify_device",
            "remove_mirror",
            "update_network_key",
            "update_link_key",
            "create_pan",
            "remove_pan",
        ),
    ),
    152: (
        "CoAP setup",
        (
            "udp_reference",
            "ack_timeout",
            "ack_random_factor",
            "max_retransmit",
            "nstart",
            "delay_ack_timeout",
            "exponential_back_off",
            "probing_rate",
            "coap_uri_path",
            "transport_mode",
            "wrapper_version",
            "token_length",
        ),
        (),
    ),
}
"""By class id: name, attributes from the second on, methods from the first on."""

# By class: the attribute's number, its name, and the version it came with.
_ADDED = {
    15: ((9, "security_setup_reference", 1), (10, "user_list", 2), (11, "current_user", 2)),
    72: ((13, "configuration", 1), (14, "encryption_key_status", 1)),
}
_SECURITY_SETUP = (
    "security_activate",
    "key_transfer",
    "key_agreement",
    "generate_key_pair",
    "generate_certificate_request",
    "import_certificate",
    "export_certificate",
    "remove_certificate",
)


def attributes_added(class_id: int, version: int) -> dict[int, str]:
    """The attributes of a class that gurux counts and does not name."""
    return {number: name for number, name, since in _ADDED.get(class_id, ()) if version >= since}


def methods_of(class_id: int, version: int, as_in_gurux: tuple[str, ...]) -> tuple[str, ...]:
    """The methods of a class: gurux's names, but for those it has wrong."""
    if class_id == 64:
        return _SECURITY_SETUP if version else _SECURITY_SETUP[:2]
    if class_id == 15 and version < 2:
        return as_in_gurux[:4]
    return ("reset",) if class_id == 124 else as_in_gurux
