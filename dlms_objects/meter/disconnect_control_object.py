"""The disconnect control (class 70, version 0): the household's supply, read and commanded over DLMS."""

from dlms_objects.classes.standard import DISCONNECT_CONTROL
from dlms_objects.meter.cosem_object import ReadOnlyObject, Requester
from dlms_objects.meter.purse_keeper import PurseKeeper
from dlms_objects.meter.supply_keeper import SupplyKeeper
from dlms_objects.values import data as cosem
from dlms_objects.values.data import Data


class DisconnectControlObject(ReadOnlyObject):
    """The load switch of one meter. The control mode follows from its configuration: 4, or 6 with a supply policy."""

    def __init__(self, supply: SupplyKeeper, purse: PurseKeeper) -> None:
        """Read and command through the supply's keeper; the purse says whether a fee waits."""
        self._supply = supply
        self._purse = purse
        super().__init__(
            {
                2: lambda _requester: cosem.boolean(supply.is_on),
                3: lambda _requester: cosem.enum(supply.control),
                4: lambda _requester: cosem.enum(supply.mode),
            }
        )

    def invoke(self, method: int, parameter: Data, requester: Requester) -> Data | None:
        """remote_disconnect or remote_reconnect; one that changes nothing is a success too."""
        command = {"remote_disconnect": self._supply.disconnect, "remote_reconnect": self._supply.reconnect}
        command[DISCONNECT_CONTROL.method(method).name](
            self._purse.state, requester.now, requester.association.client_sap
        )
        return None
