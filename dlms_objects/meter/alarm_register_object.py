"""The alarm register (class 1): what events have set and nobody cleared, and what lasts now. Bits: `alarms`."""

from collections.abc import Callable
from datetime import datetime

from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.alarms import Alarm
from dlms_objects.meter.cosem_object import ReadOnlyObject, Requester
from dlms_objects.meter.store import MeterStore
from dlms_objects.values import data as cosem
from dlms_objects.values.data import Data, DataType


class AlarmRegisterObject(ReadOnlyObject):
    """The register; whoever writes it clears bits and can set none."""

    def __init__(self, store: MeterStore, standing: Callable[[datetime], Alarm]) -> None:
        """The store keeps what events set; `standing` gives the bits whose conditions last at an instant."""
        self._store = store
        self._standing = standing
        super().__init__({2: lambda requester: cosem.double_long_unsigned(self._alarms(requester.now))})

    def set(self, attribute: int, value: Data, requester: Requester) -> None:
        """Keep the bits that are 1 in the value, clear the others; InvalidValueError for one that is not set.

        A bit whose condition lasts stays set.
        """
        if value.type is not DataType.DOUBLE_LONG_UNSIGNED:
            raise InvalidValueError(f"an alarm register is double-long-unsigned, not {value.type.name.lower()}")
        if value.value & ~self._alarms(requester.now):
            raise InvalidValueError(f"no alarm is raised by writing {value.value:#x}")
        self._store.save_alarms(self._store.alarms() & value.value)

    def _alarms(self, now: datetime) -> int:
        return self._store.alarms() | int(self._standing(now))
