"""Class 20103 Courier, version 0: sealed batches and sealed instructions, as the object model fixes it.

Both are general-glo-ciphering APDUs; what is inside, and with which key, is not this class's business.
"""

from dlms_objects.classes.interface import Method, interface_class
from dlms_objects.classes.standard import OCTETS, UNSIGNED
from dlms_objects.values.logical_name import LogicalName

COURIER_NAME = LogicalName.parse("0.0.128.2.0.255")

COURIER_SAP = 0
"""What the courier's keys and counters are kept under: the SAP that means no station, so no association has it."""

COURIER_NUMBER = 9
"""The E of the security setup that holds the courier's keys."""

INSTRUCTIONS = ("acknowledge", "top_up")
"""The methods of the purse that a sealed instruction may call; anything else is refused."""

DEFAULT_MAX_ROWS = 20

COURIER = interface_class(
    20103,
    0,
    "Courier",
    (("batch", OCTETS), ("max_rows", UNSIGNED)),
    Method(1, "deliver", OCTETS, OCTETS),
)
