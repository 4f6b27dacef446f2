"""SET as a client's exchange: one attribute or a list, the values whole or in blocks. Imported by `client`."""

from dlms_objects.values.results import DataAccessResult
from dlms_objects.wire.apdu import Apdu
from dlms_objects.wire.blocks import Piece
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.events import ClientEvent, Set, SetDone
from dlms_objects.wire.exchange import CuttingExchange, Limits, one_for_each, unexpected
from dlms_objects.wire.list_events import SetList, SetListDone
from dlms_objects.wire.lists import encode_list
from dlms_objects.wire.set import SetRequestNormal, SetRequestWithList, SetResponseNormal, SetResponseWithList
from dlms_objects.wire.set_blocks import (
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
)


class SetExchange(CuttingExchange):
    """SET of one attribute."""

    __slots__ = ("_command",)

    def __init__(self, command: Set, invoke: int, limits: Limits) -> None:
        """What to write."""
        super().__init__(invoke, limits)
        self._command = command

    def begin(self) -> bytes:
        """A request of type normal, or the first block."""
        command, invoke = self._command, self.invoke
        plain = SetRequestNormal(
            attribute=command.attribute,
            value=command.value,
            selection=command.selection,
            invoke_id_and_priority=invoke,
        ).encode()

        def first(piece: Piece) -> bytes:
            return SetRequestWithFirstDatablock(
                attribute=command.attribute,
                selection=command.selection,
                invoke_id_and_priority=invoke,
                **piece._asdict(),
            ).encode()

        return self.cut(plain, Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE, command.value, first)

    def take(self, response: Apdu) -> bytes | ClientEvent:
        """Whether it was written, or that the next block is wanted."""
        if isinstance(response, SetResponseNormal | SetResponseLastDatablock):
            self.check_end(success=response.result is DataAccessResult.SUCCESS)
            return SetDone(response.result)
        if isinstance(response, SetResponseDatablock):
            piece = self.next_piece(response.block_number)
            return SetRequestWithDatablock(invoke_id_and_priority=self.invoke, **piece._asdict()).encode()
        raise unexpected(response)


class SetListExchange(CuttingExchange):
    """SET with a list."""

    __slots__ = ("_command",)

    def __init__(self, command: SetList, invoke: int, limits: Limits) -> None:
        """What to write; LocalError when lists were not agreed."""
        super().__init__(invoke, limits)
        self.need(Conformance.MULTIPLE_REFERENCES)
        self._command = command

    def begin(self) -> bytes:
        """A request with a list, or the first block of its values."""
        command, invoke = self._command, self.invoke
        plain = SetRequestWithList(
            attributes=command.attributes, values=command.values, invoke_id_and_priority=invoke
        ).encode()

        def first(piece: Piece) -> bytes:
            return SetRequestWithListAndFirstDatablock(
                attributes=command.attributes, invoke_id_and_priority=invoke, **piece._asdict()
            ).encode()

        raw = encode_list(command.values)
        return self.cut(plain, Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE, raw, first)

    def take(self, response: Apdu) -> bytes | ClientEvent:
        """A result for each attribute, or that the next block is wanted; one failure alone counts for each."""
        count = len(self._command.attributes)
        if isinstance(response, SetResponseWithList | SetResponseLastDatablockWithList):
            self.check_end(success=DataAccessResult.SUCCESS in response.results)
            return SetListDone(one_for_each(response.results, count))
        if isinstance(response, SetResponseLastDatablock) and response.result is not DataAccessResult.SUCCESS:
            return SetListDone((response.result,) * count)
        if isinstance(response, SetResponseDatablock):
            piece = self.next_piece(response.block_number)
            return SetRequestWithDatablock(invoke_id_and_priority=self.invoke, **piece._asdict()).encode()
        raise unexpected(response)
