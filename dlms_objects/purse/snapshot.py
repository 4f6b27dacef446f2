"""A purse's state as octets and back, without loss: how the meter's store keeps it between two powers-on.

JSON by msgspec behind one octet of format version. Imported by the store of the meter. An older format is read here, by
its version, for ever; nothing else may depend on the octets.
"""

import msgspec

from dlms_objects.errors import InvalidValueError
from dlms_objects.purse.state import PurseState

_VERSION = b"\x01"
_DERIVED = "_next"  # what a fee item works out for itself


def encode(state: PurseState) -> bytes:
    """The state as octets."""
    plain = msgspec.to_builtins(state)
    for item in plain["items"]:
        del item[_DERIVED]
    return _VERSION + msgspec.json.encode(plain)


def decode(octets: bytes) -> PurseState:
    """The state that was encoded; InvalidValueError when the octets are not one, or break a rule of its values."""
    if octets[:1] != _VERSION:
        raise InvalidValueError(f"no snapshot of a purse, or of another version: {octets[:1].hex() or 'empty'}")
    try:
        return msgspec.json.decode(octets[1:], type=PurseState)
    except msgspec.DecodeError as error:
        raise InvalidValueError(f"not a snapshot of a purse: {error}") from error
