"""The value of any attribute in plain form, by the classes that this project declares. Imported by `operations.py`."""

from dlms_objects.classes.courier_class import COURIER
from dlms_objects.classes.fee_item_class import FEE_ITEM
from dlms_objects.classes.payment import ACCOUNT, CHARGE, CREDIT
from dlms_objects.classes.purse_class import PURSE
from dlms_objects.classes.shape import plain_data, to_plain
from dlms_objects.classes.standard import (
    ASSOCIATION_LN,
    CLOCK,
    DATA,
    DISCONNECT_CONTROL,
    IEC_HDLC_SETUP,
    PROFILE_GENERIC,
    PUSH_SETUP,
    REGISTER,
    SAP_ASSIGNMENT,
    SECURITY_SETUP,
    TCP_UDP_SETUP,
)
from dlms_objects.errors import InvalidValueError
from dlms_objects.wire import axdr
from gateway.commands.model import Result

LARGEST_VALUE_OCTETS = 65_536

_CLASSES = {
    interface.class_id: interface
    for interface in (
        ASSOCIATION_LN,
        CLOCK,
        DATA,
        DISCONNECT_CONTROL,
        IEC_HDLC_SETUP,
        PROFILE_GENERIC,
        PUSH_SETUP,
        REGISTER,
        SAP_ASSIGNMENT,
        SECURITY_SETUP,
        TCP_UDP_SETUP,
        COURIER,
        FEE_ITEM,
        PURSE,
        ACCOUNT,
        CHARGE,
        CREDIT,
    )
}


def plain_value(class_id: int, attribute: int, octets: bytes) -> Result:
    """`value` in plain form where the class is known, else the A-XDR octets in hexadecimal digits.

    Refused when it is longer than LARGEST_VALUE_OCTETS; MalformedError where it is no value at all.
    """
    if len(octets) > LARGEST_VALUE_OCTETS:
        return Result.refused(f"the value is {len(octets)} octets long, the limit is {LARGEST_VALUE_OCTETS}")
    interface = _CLASSES.get(class_id)
    if interface is None:
        return Result.confirmed(value=octets.hex())
    value = axdr.decode(octets)
    try:
        shape = interface.attribute(attribute).shape
        return Result.confirmed(value=plain_data(value) if shape is None else to_plain(shape, value))
    except InvalidValueError:  # another version of the class
        return Result.confirmed(value=octets.hex())
