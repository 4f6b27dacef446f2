"""The courier (class 20103) and the security setup that holds its keys."""

from dlms_objects.classes.catalogue import COURIER_PATH
from dlms_objects.meter.cosem_object import ReadOnlyObject, Requester
from dlms_objects.meter.courier_keeper import CourierKeeper
from dlms_objects.meter.security_setup_object import SecuritySetupObject, Transfer
from dlms_objects.values import data as cosem
from dlms_objects.values.data import Data
from dlms_objects.values.system_title import SystemTitle


class CourierObject(ReadOnlyObject):
    """The courier of one meter: batches out, instructions in."""

    def __init__(self, keeper: CourierKeeper) -> None:
        """Read and write through the keeper."""
        self._keeper = keeper
        super().__init__(
            {
                2: lambda requester: cosem.octet_string(keeper.batch(requester.now)),
                3: lambda _requester: cosem.unsigned(keeper.max_rows),
            }
        )

    def set(self, attribute: int, value: Data, requester: Requester) -> None:
        """Set max_rows (attribute 3); InvalidValueError for 0."""
        self._keeper.set_max_rows(value.value)

    def invoke(self, method: int, parameter: Data, requester: Requester) -> Data:
        """Deliver: carry out a sealed instruction, and give back the sealed answer."""
        return cosem.octet_string(self._keeper.deliver(parameter.value, requester))


class CourierSecuritySetup(SecuritySetupObject):
    """The security setup of the courier: its client is the head-end, whoever asks."""

    def __init__(self, own_title: SystemTitle, head_end_title: SystemTitle | None, transfer: Transfer) -> None:
        """`transfer` replaces the courier's keys, as in SecuritySetupObject."""
        self._head_end_title = head_end_title
        super().__init__(COURIER_PATH, own_title, transfer)

    def _client_title(self, requester: Requester) -> Data:
        return cosem.octet_string(self._head_end_title.octets if self._head_end_title else b"")
