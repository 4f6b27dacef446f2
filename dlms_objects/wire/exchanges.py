"""The exchange that each command of a client begins, and the input that each response is to the state table.

Only tables live here. Imported by `client`.
"""

from collections.abc import Callable
from typing import Any, Final

from dlms_objects.wire.access import AccessResponse
from dlms_objects.wire.access_exchange import AccessExchange
from dlms_objects.wire.action import ActionResponseNormal, ActionResponseWithList
from dlms_objects.wire.action_blocks import ActionResponseNextPblock, ActionResponseWithPblock
from dlms_objects.wire.action_exchange import ActionExchange, ActionListExchange
from dlms_objects.wire.apdu import Apdu
from dlms_objects.wire.events import Action, ClientCommand, Get, Set
from dlms_objects.wire.exchange import Exchange, Limits
from dlms_objects.wire.get import GetResponseBlock, GetResponseNormal, GetResponseWithList
from dlms_objects.wire.get_exchange import GetExchange, GetListExchange
from dlms_objects.wire.list_events import Access, ActionList, GetList, SetList
from dlms_objects.wire.set import SetResponseNormal, SetResponseWithList
from dlms_objects.wire.set_blocks import (
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
)
from dlms_objects.wire.set_exchange import SetExchange, SetListExchange
from dlms_objects.wire.states import ClientInput

Begin = Callable[[Any, int, Limits], Exchange]
"""Makes the exchange of a command with an invoke-id-and-priority; LocalError when its service was not agreed."""

EXCHANGES: Final[dict[type[ClientCommand], tuple[ClientInput, Begin]]] = {
    Get: (ClientInput.GET, GetExchange),
    Set: (ClientInput.SET, SetExchange),
    Action: (ClientInput.ACTION, ActionExchange),
    GetList: (ClientInput.GET, GetListExchange),
    SetList: (ClientInput.SET, SetListExchange),
    ActionList: (ClientInput.ACTION, ActionListExchange),
    Access: (ClientInput.ACCESS, AccessExchange),
}

RESPONSES: Final[dict[type[Apdu], ClientInput]] = {
    GetResponseNormal: ClientInput.GET_RESPONSE,
    GetResponseBlock: ClientInput.GET_RESPONSE,
    GetResponseWithList: ClientInput.GET_RESPONSE,
    SetResponseNormal: ClientInput.SET_RESPONSE,
    SetResponseWithList: ClientInput.SET_RESPONSE,
    SetResponseDatablock: ClientInput.SET_RESPONSE,
    SetResponseLastDatablock: ClientInput.SET_RESPONSE,
    SetResponseLastDatablockWithList: ClientInput.SET_RESPONSE,
    ActionResponseNormal: ClientInput.ACTION_RESPONSE,
    ActionResponseWithList: ClientInput.ACTION_RESPONSE,
    ActionResponseWithPblock: ClientInput.ACTION_RESPONSE,
    ActionResponseNextPblock: ClientInput.ACTION_RESPONSE,
    AccessResponse: ClientInput.ACCESS_RESPONSE,
}
