"""The push setup (class 40, version 0): the settings of the pushes, and `push` to send one at once."""

from dlms_objects.meter.cosem_object import Getter, ReadOnlyObject, Requester, constant
from dlms_objects.meter.push_keeper import PushKeeper, push_object_list
from dlms_objects.meter.push_settings import PushSettings
from dlms_objects.values.data import Data


class PushSetupObject(ReadOnlyObject):
    """The push setup of one meter; push_object_list is the meter's own, the other attributes may be written."""

    def __init__(self, keeper: PushKeeper) -> None:
        """Read and write through the keeper."""
        self._keeper = keeper
        super().__init__({2: constant(push_object_list())} | {number: self._getter(number) for number in _WRITABLE})

    def set(self, attribute: int, value: Data, requester: Requester) -> None:
        """Replace one setting; InvalidValueError says what is wrong with it."""
        self._keeper.change(attribute, value)

    def invoke(self, method: int, parameter: Data, requester: Requester) -> Data | None:
        """push: everything that waits and the newest entry and event are sent at the next tick."""
        self._keeper.ask()
        return None

    def _getter(self, attribute: int) -> Getter:
        return lambda _requester: self._keeper.settings.attributes()[attribute]


_WRITABLE = tuple(PushSettings().attributes())
