"""ACCESS as a client's exchange: reads, writes and methods in one request. Imported by `client`."""

from typing import Final

from dlms_objects.errors import RemoteError
from dlms_objects.wire.access import AccessRequest, AccessResponse
from dlms_objects.wire.apdu import Apdu
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.events import ClientEvent
from dlms_objects.wire.exchange import Exchange, Limits, unexpected
from dlms_objects.wire.list_events import Access, AccessDone, services_of

_BREAK_ON_ERROR: Final = 1 << 29
_CONFIRMED: Final = 1 << 30
_HIGH_PRIORITY: Final = 1 << 31


class AccessExchange(Exchange):
    """ACCESS; its long invoke id is the short one of `invoke`."""

    __slots__ = ("_command",)

    def __init__(self, command: Access, invoke: int, limits: Limits) -> None:
        """What to do; LocalError when ACCESS was not agreed."""
        super().__init__(invoke, limits)
        self.need(Conformance.ACCESS)
        self._command = command

    def begin(self) -> bytes:
        """The request."""
        command = self._command
        options = _CONFIRMED | _HIGH_PRIORITY | (_BREAK_ON_ERROR if command.breaks_on_error else 0)
        return AccessRequest(
            specifications=command.specifications,
            values=command.values,
            long_invoke_id_and_priority=options | self.invoke & 0x0F,
        ).encode()

    def take(self, response: Apdu) -> bytes | ClientEvent:
        """A value and a result for each specification; RemoteError when they are of another service."""
        if type(response) is not AccessResponse:
            raise unexpected(response)
        if [result.service for result in response.results] != services_of(self._command.specifications):
            raise RemoteError("the results of an ACCESS do not answer what was asked")
        return AccessDone(response.values, response.results)
