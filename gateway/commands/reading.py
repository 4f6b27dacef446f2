"""The value of any attribute in plain form, by the classes that this project declares. Imported by `operations.py`."""

from dlms_objects.classes.catalogue import CLASSES
from dlms_objects.classes.shape import plain_data, to_plain
from dlms_objects.errors import InvalidValueError
from dlms_objects.wire import axdr
from gateway.commands.model import Result

LARGEST_VALUE_OCTETS = 65_536


def plain_value(class_id: int, attribute: int, octets: bytes) -> Result:
    """`value` in plain form where the class is known, else the A-XDR octets in hexadecimal digits.

    Refused when it is longer than LARGEST_VALUE_OCTETS; MalformedError where it is no value at all.
    """
    if len(octets) > LARGEST_VALUE_OCTETS:
        return Result.refused(f"the value is {len(octets)} octets long, the limit is {LARGEST_VALUE_OCTETS}")
    interface = CLASSES.get(class_id)
    if interface is None:
        return Result.confirmed(value=octets.hex())
    value = axdr.decode(octets)
    try:
        shape = interface.attribute(attribute).shape
        return Result.confirmed(value=plain_data(value) if shape is None else to_plain(shape, value))
    except InvalidValueError:  # another version of the class
        return Result.confirmed(value=octets.hex())
