"""What a server sends unasked: data-notification and event-notification-request. Values stay raw A-XDR octets.

Received date-times may have the octet-string tag 09 before their length, as Kaifa and Hexing meters write them: no
date-time is 9 octets long, and 09 is no presence octet, so nothing else can be meant. We never write it.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar

from dlms_objects.errors import InvalidValueError
from dlms_objects.values.logical_name import AttributeDescriptor
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.invoke import check_tag, decode_attribute, encode_descriptor, pack
from dlms_objects.wire.lengths import decode_length
from dlms_objects.wire.simple_types import take

DATA_NOTIFICATION = 0x0F
EVENT_NOTIFICATION_REQUEST = 0xC2
DATE_TIME_OCTETS = 12

_LONG_INVOKE_ID = struct.Struct(">I")
_TAGGED_DATE_TIME = b"\x09\x0c"


class LongInvoked:
    """The parts of the long-invoke-id-and-priority of an APDU (32 bits); mixed into each of them."""

    __slots__ = ()
    long_invoke_id_and_priority: int

    @property
    def long_invoke_id(self) -> int:
        """0 .. 2^24 - 1: which request a response answers."""
        return self.long_invoke_id_and_priority & 0xFF_FFFF

    @property
    def is_self_descriptive(self) -> bool:
        """True when the response is to repeat what was asked (bit 28)."""
        return bool(self.long_invoke_id_and_priority & 1 << 28)

    @property
    def breaks_on_error(self) -> bool:
        """True when nothing after the first failure is to be done (processing option, bit 29)."""
        return bool(self.long_invoke_id_and_priority & 1 << 29)

    @property
    def is_confirmed(self) -> bool:
        """True when an answer is wanted (service class, bit 30)."""
        return bool(self.long_invoke_id_and_priority & 1 << 30)

    @property
    def has_high_priority(self) -> bool:
        """True for high priority (bit 31)."""
        return bool(self.long_invoke_id_and_priority & 1 << 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataNotification(LongInvoked):
    """Values a server pushes: `body` is one value; `date_time` the 12 octets of a COSEM date-time, or None."""

    TAG: ClassVar[int] = DATA_NOTIFICATION
    body: bytes
    date_time: bytes | None = None
    long_invoke_id_and_priority: int = 0

    def __post_init__(self) -> None:
        """Refuse a date-time that is not 12 octets (InvalidValueError)."""
        check_date_time(self.date_time)

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when the long-invoke-id-and-priority does not fit 32 bits."""
        return b"\x0f" + encode_long_head(self.long_invoke_id_and_priority, self.date_time) + self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNotificationRequest:
    """The value of one attribute, sent when something happened; `time` the 12 octets of a COSEM date-time, or None."""

    TAG: ClassVar[int] = EVENT_NOTIFICATION_REQUEST
    attribute: AttributeDescriptor
    value: bytes
    time: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse a time that is not 12 octets (InvalidValueError)."""
        check_date_time(self.time)

    def encode(self) -> bytes:
        """The APDU; InvalidValueError when a number does not fit its field."""
        time = b"\x00" if self.time is None else b"\x01\x0c" + self.time
        return b"\xc2" + time + encode_descriptor(self.attribute) + self.value


def decode_data_notification(octets: bytes) -> DataNotification:
    """A data-notification; MalformedError for anything else."""
    check_tag(octets, DATA_NOTIFICATION)
    long_invoke_id_and_priority, date_time, offset = decode_long_head(octets)
    return DataNotification(
        body=_rest(octets, offset),
        date_time=date_time,
        long_invoke_id_and_priority=long_invoke_id_and_priority,
    )


def decode_event_notification(octets: bytes) -> EventNotificationRequest:
    """An event-notification-request; MalformedError for anything else."""
    check_tag(octets, EVENT_NOTIFICATION_REQUEST)
    time, offset = None, 2
    if octets[1:3] in (_TAGGED_DATE_TIME, b"\x01\x0c"):
        time, offset = take(octets, DATE_TIME_OCTETS, 3)
    elif octets[1:2] != b"\x00":
        raise MalformedError(f"neither a time of {DATE_TIME_OCTETS} octets nor none: {octets[1:3].hex() or 'nothing'}")
    attribute, offset = decode_attribute(octets, offset)
    return EventNotificationRequest(attribute=attribute, value=_rest(octets, offset), time=time)


def check_date_time(date_time: bytes | None) -> None:
    """Refuse a date-time that is not 12 octets (InvalidValueError)."""
    if date_time is not None and len(date_time) != DATE_TIME_OCTETS:
        raise InvalidValueError(f"a date-time is {DATE_TIME_OCTETS} octets, not {len(date_time)}")


def encode_long_head(long_invoke_id_and_priority: int, date_time: bytes | None) -> bytes:
    """long-invoke-id-and-priority and date-time; InvalidValueError when the first does not fit 32 bits."""
    return pack(_LONG_INVOKE_ID, long_invoke_id_and_priority) + (b"\x00" if date_time is None else b"\x0c" + date_time)


def decode_long_head(octets: bytes) -> tuple[int, bytes | None, int]:
    """long-invoke-id-and-priority and date-time after the tag, and the offset after them; MalformedError otherwise."""
    number, offset = take(octets, _LONG_INVOKE_ID.size, 1)
    if octets.startswith(_TAGGED_DATE_TIME, offset):
        offset += 1
    length, offset = decode_length(octets, offset)
    if length not in (0, DATE_TIME_OCTETS):
        raise MalformedError(f"a date-time is {DATE_TIME_OCTETS} octets or none, not {length}")
    date_time, offset = take(octets, length, offset)
    return int.from_bytes(number, "big"), date_time or None, offset


def _rest(octets: bytes, offset: int) -> bytes:
    if offset >= len(octets):
        raise MalformedError("a notification without a value")
    return octets[offset:]
