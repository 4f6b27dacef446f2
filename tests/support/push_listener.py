"""Who listens for a meter's pushes: opens them with the management keys as a gateway does, and keeps what it heard."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dlms_objects.transport.credentials import MeterCredentials
from dlms_objects.values.data import Data
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire import axdr
from dlms_objects.wire.counters import Counters, MemoryReceivedCounters, MemorySentCounters
from dlms_objects.wire.notification import DataNotification
from dlms_objects.wire.notification_receiver import (
    NotificationReceived,
    NotificationReceiver,
    NotificationRefused,
    ReceiverParameters,
)
from dlms_objects.wire.security import SecurityContext


@dataclass
class Heard:
    """One push: whose, when, and what last_entry and last_event were (typed data of their rows)."""

    title: SystemTitle
    date_time: bytes | None
    device_name: bytes
    entry: tuple[Data, ...]
    event: tuple[Data, ...]

    @property
    def sequence(self) -> int:
        """The sequence number of the entry; 0: none yet."""
        return int(self.entry[1].value)

    @property
    def code(self) -> int:
        """The code of the event; 0: none yet."""
        return int(self.event[2].value)


class PushListener:
    """A receiver with one meter's management keys; its counters live as long as it does."""

    def __init__(self, credentials: MeterCredentials, title: SystemTitle) -> None:
        """Listen as the system `title`."""
        counters = Counters(sent=MemorySentCounters(), received=MemoryReceivedCounters())
        context = SecurityContext(keys=credentials.cipher_keys(), own_title=title, counters=counters)
        known = {credentials.system_title: context}
        self._parameters = ReceiverParameters(contexts=known.get)
        self.heard: list[Heard] = []
        self.refused: list[NotificationRefused] = []

    def hear(self, octets: bytes, now: datetime) -> None:
        """Take what came over one connection, or in one datagram."""
        receiver = NotificationReceiver(self._parameters)
        receiver.receive_data(octets, now)
        while (event := receiver.next_event()) is not None:
            match event:
                case NotificationReceived(notification=DataNotification() as notification):
                    self.heard.append(_heard(event, notification))
                case NotificationRefused():
                    self.refused.append(event)
                case _:
                    raise AssertionError(f"a meter pushes data-notifications, not {event}")


def _heard(event: NotificationReceived, notification: DataNotification) -> Heard:
    name, entry, last_event = _members(axdr.decode(notification.body))
    assert event.system_title is not None
    return Heard(event.system_title, notification.date_time, name.value, _members(entry), _members(last_event))


def _members(value: Data) -> tuple[Any, ...]:
    return tuple(value.value)
