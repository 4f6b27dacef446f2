"""The keeper of the pushes: what the meter tells unasked, and to whom. Sans-I/O but for its store; `pusher` sends.

Every new journal entry and every new event becomes one data-notification of the push_object_list: device name, last
entry, last event. It is sealed anew for each attempt (general-glo-ciphering, the management association's keys in
force, the meter's title), so that no invocation counter is used twice. Nothing depends on a push: who misses one
collects the journal by sequence. After a restart the power-up event is the first push.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from dlms_objects.classes.catalogue import DEVICE_NAME, SERVER_SAP
from dlms_objects.classes.interface import InterfaceClass
from dlms_objects.classes.purse_class import PURSE, PURSE_NAME
from dlms_objects.classes.standard import DATA
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.account_objects import entry_data, event_data
from dlms_objects.meter.cosem_object import capture_object
from dlms_objects.meter.device_objects import device_name
from dlms_objects.meter.key_keeper import KeyKeeper
from dlms_objects.meter.profile_objects import LAST_ENTRY_ATTRIBUTE, LAST_EVENT_ATTRIBUTE
from dlms_objects.meter.purse_keeper import PurseKeeper
from dlms_objects.meter.push_settings import PushSettings
from dlms_objects.meter.store import MeterStore, NumberedEvent, StorageError
from dlms_objects.purse.entry import Entry
from dlms_objects.purse.state import LAST_SEQUENCE
from dlms_objects.values import data as cosem
from dlms_objects.values.civil import time_zone
from dlms_objects.values.data import Data
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.wire import axdr
from dlms_objects.wire.ciphered import GENERAL_GLO_CIPHERING
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.notification import DataNotification
from dlms_objects.wire.policy import SecurityPolicy
from dlms_objects.wire.security import SecurityContext
from dlms_objects.wire.wrapper import encode_frame

PUSH_CLIENT_SAP: Final = 1
"""Whose keys seal the pushes: the management association's, which a gateway holds."""

MOST_AT_ONCE: Final = 100  # entries, and events, taken up at a time
_INVOKE_IDS: Final = 1 << 24
_KEPT_AS: Final = "push/{attribute}"
_OBJECTS: Final[tuple[tuple[InterfaceClass, LogicalName, int], ...]] = (
    (DATA, DEVICE_NAME, 2),
    (PURSE, PURSE_NAME, LAST_ENTRY_ATTRIBUTE),
    (PURSE, PURSE_NAME, LAST_EVENT_ATTRIBUTE),
)


def push_object_list() -> Data:
    """What every push holds, as attribute 2 of the push setup."""
    return cosem.array(capture_object(interface.class_id, name, number, 0) for interface, name, number in _OBJECTS)


class PushKeeper:
    """Holds the push settings of one meter, and how far its journal and event log have been taken up."""

    def __init__(self, store: MeterStore, purse: PurseKeeper, keys: KeyKeeper, server_sap: int = SERVER_SAP) -> None:
        """Load the settings; what was stored before is not pushed. StorageError when they were altered to none."""
        self._store = store
        self._purse = purse
        self._keys = keys
        self._server_sap = server_sap
        self._invocations = 0
        self._asked = False
        self.settings = self._kept_settings()
        self._entries, self._events = self._newest()

    def change(self, attribute: int, value: Data) -> None:
        """Replace one setting (attributes 3..7), durably; InvalidValueError or StorageError, nothing changed then."""
        settings = self.settings.with_attribute(attribute, value)
        self._store.keep({_KEPT_AS.format(attribute=attribute): axdr.encode(value)}, [])
        if not self.settings.destinations:
            self._entries, self._events = self._newest()
        self.settings = settings

    def ask(self) -> None:
        """Someone wants a push at once, with the newest entry and event."""
        self._asked = True

    def take_up(self, now: datetime) -> list[bytes]:
        """The plain data-notifications of what is new; StorageError when it cannot be read. Empty without destination.

        More than MOST_AT_ONCE of a kind are taken up by further calls.
        """
        if not self.settings.destinations:
            return []
        has_new = self._newest() != (self._entries, self._events)
        made = [self._notification(now, entry, event) for entry, event in self._new()] if has_new else []
        if self._asked:
            self._asked = False
            made.append(self._notification(now, self._newest_entry(), self._store.last_event()))
        return made

    def is_open(self, now: datetime) -> bool:
        """Whether a communication window is open."""
        return self.settings.is_open(now, time_zone(self._purse.state.settings.time_zone))

    def seal(self, notification: bytes) -> bytes:
        """A ready frame of the wrapper; CounterExhausted or StorageError when no invocation counter is to be had."""
        context = SecurityContext(
            keys=self._keys.keys(PUSH_CLIENT_SAP),
            own_title=self._purse.state.title,
            counters=self._keys.counters(PUSH_CLIENT_SAP),
            policy=SecurityPolicy.AUTHENTICATED_ENCRYPTED,
            is_server=True,
        )
        return encode_frame(self._server_sap, PUSH_CLIENT_SAP, context.protect(GENERAL_GLO_CIPHERING, notification))

    def _new(self) -> Iterator[tuple[Entry | None, NumberedEvent | None]]:
        """Each new entry, then each new event; beside it stands the newest of the other kind."""
        event = self._store.last_event()
        for row in self._store.rows(self._entries + 1, LAST_SEQUENCE, MOST_AT_ONCE):
            entry = Entry.from_row(row)
            self._entries = entry.sequence
            yield entry, event
        newest = self._newest_entry()
        for found in self._store.events(self._events + 1, LAST_SEQUENCE, MOST_AT_ONCE):
            self._events = found.number
            yield newest, found

    def _newest(self) -> tuple[int, int]:
        return self._purse.state.head.sequence, self._store.event_numbers()[1]

    def _newest_entry(self) -> Entry | None:
        return self._store.entry(self._purse.state.head.sequence)

    def _notification(self, now: datetime, entry: Entry | None, event: NumberedEvent | None) -> bytes:
        self._invocations = (self._invocations + 1) % _INVOKE_IDS
        body = cosem.structure(
            cosem.octet_string(device_name(self._purse.state.title)), entry_data(entry), event_data(event)
        )
        return DataNotification(
            body=axdr.encode(body),
            date_time=self._purse.stamp(now).octets,
            long_invoke_id_and_priority=self._invocations,
        ).encode()

    def _kept_settings(self) -> PushSettings:
        settings = PushSettings()
        for attribute in settings.attributes():
            kept = self._store.kept(_KEPT_AS.format(attribute=attribute))
            if kept is not None:
                try:
                    settings = settings.with_attribute(attribute, axdr.decode(kept))
                except (InvalidValueError, MalformedError) as error:
                    raise StorageError(f"the meter's store holds no push settings: {error}") from error
        return settings
