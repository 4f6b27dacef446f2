"""One question asked by every value of the money rules: is this a whole number within its range?

Imported by the other modules of this room; holds no rule of its own.
"""

from dlms_objects.errors import InvalidValueError


def require_whole(field: str, value: int, low: int, high: int) -> None:
    """Refuse anything but a plain whole number low..high; InvalidValueError names the field."""
    if type(value) is not int or not low <= value <= high:
        raise InvalidValueError(f"{field} is a whole number {low}..{high}, not {value!r}")
