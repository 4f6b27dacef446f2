"""GET as a client's exchange: one attribute or a list, the value whole or in blocks. Imported by `client`."""

from abc import abstractmethod

from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire.apdu import Apdu
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.events import ClientEvent, Get, GetDone, GetFailed
from dlms_objects.wire.exchange import Exchange, Limits, one_for_each, unexpected
from dlms_objects.wire.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseBlock,
    GetResponseNormal,
    GetResponseWithList,
    decode_get_results,
)
from dlms_objects.wire.list_events import GetList, GetListDone


class _ReadingExchange(Exchange):
    """What GET of one attribute and of a list have in common: the blocks of the response."""

    __slots__ = ()

    @abstractmethod
    def whole(self, raw: bytes) -> ClientEvent:
        """What the joined blocks come to."""

    def take_block(self, response: Apdu) -> bytes | ClientEvent:
        """A block: the request for the next one, or the end."""
        if type(response) is not GetResponseBlock:
            raise unexpected(response)
        result = response.result
        if isinstance(result, DataAccessResult):
            return GetFailed(result)
        raw = self.join(response.block_number, result, last=response.last)
        if raw is None:
            return GetRequestNext(block_number=response.block_number, invoke_id_and_priority=self.invoke).encode()
        return self.whole(raw)


class GetExchange(_ReadingExchange):
    """GET of one attribute."""

    __slots__ = ("_command",)

    def __init__(self, command: Get, invoke: int, limits: Limits) -> None:
        """What to read."""
        super().__init__(invoke, limits)
        self._command = command

    def begin(self) -> bytes:
        """A request of type normal."""
        command = self._command
        return GetRequestNormal(
            attribute=command.attribute, selection=command.selection, invoke_id_and_priority=self.invoke
        ).encode()

    def take(self, response: Apdu) -> bytes | ClientEvent:
        """A value, whole or in blocks."""
        if type(response) is GetResponseNormal and self._incoming is None:
            result = response.result
            return GetFailed(result) if isinstance(result, DataAccessResult) else GetDone(result)
        return self.take_block(response)

    def whole(self, raw: bytes) -> ClientEvent:
        """The value."""
        return GetDone(raw)


class GetListExchange(_ReadingExchange):
    """GET with a list."""

    __slots__ = ("_attributes",)

    def __init__(self, command: GetList, invoke: int, limits: Limits) -> None:
        """What to read; LocalError when lists were not agreed."""
        super().__init__(invoke, limits)
        self.need(Conformance.MULTIPLE_REFERENCES)
        self._attributes = command.attributes

    def begin(self) -> bytes:
        """A request with a list; it is never cut into blocks of its own."""
        return GetRequestWithList(attributes=self._attributes, invoke_id_and_priority=self.invoke).encode()

    def take(self, response: Apdu) -> bytes | ClientEvent:
        """A result for each attribute, whole or in blocks."""
        if type(response) is GetResponseWithList and not self.is_joining:
            return self._results(response.results)
        return self.take_block(response)

    def whole(self, raw: bytes) -> ClientEvent:
        """The results."""
        return self._results(decode_get_results(raw))

    def _results(self, results: tuple[bytes | DataAccessResult, ...]) -> ClientEvent:
        return GetListDone(one_for_each(results, len(self._attributes)))
