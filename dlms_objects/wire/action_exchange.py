"""ACTION as a client's exchange: one method or a list, parameters and return values whole or in blocks.

Imported by `client`.
"""

from abc import abstractmethod

from dlms_objects.values.results import ActionResult
from dlms_objects.wire.action import (
    ActionRequestNormal,
    ActionRequestWithList,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithOptionalData,
    decode_responses,
    decode_single_response,
)
from dlms_objects.wire.action_blocks import (
    ActionRequestNextPblock,
    ActionRequestWithFirstPblock,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseWithPblock,
)
from dlms_objects.wire.apdu import Apdu
from dlms_objects.wire.blocks import Piece
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.events import Action, ActionDone, ClientEvent
from dlms_objects.wire.exchange import CuttingExchange, Limits, one_for_each, unexpected
from dlms_objects.wire.list_events import ActionList, ActionListDone
from dlms_objects.wire.lists import encode_list


class _InvokingExchange(CuttingExchange):
    """ACTION, single or with a list: blocks may go both ways."""

    __slots__ = ()

    @abstractmethod
    def whole(self, raw: bytes) -> ClientEvent:
        """What the joined blocks of the response come to."""

    def take_block(self, response: Apdu) -> bytes | ClientEvent:
        """A block of the response, or that the server has one of ours."""
        if isinstance(response, ActionResponseNextPblock) and not self.is_joining:
            piece = self.next_piece(response.block_number)
            return ActionRequestWithPblock(invoke_id_and_priority=self.invoke, **piece._asdict()).encode()
        if isinstance(response, ActionResponseWithPblock):
            self.check_end(success=True)
            raw = self.join(response.block_number, response.raw, last=response.last)
            if raw is not None:
                return self.whole(raw)
            number = response.block_number
            return ActionRequestNextPblock(block_number=number, invoke_id_and_priority=self.invoke).encode()
        raise unexpected(response)


class ActionExchange(_InvokingExchange):
    """ACTION of one method."""

    __slots__ = ("_command",)

    def __init__(self, command: Action, invoke: int, limits: Limits) -> None:
        """What to invoke."""
        super().__init__(invoke, limits)
        self._command = command

    def begin(self) -> bytes:
        """A request of type normal, or the first block of the parameters."""
        command, invoke = self._command, self.invoke
        plain = ActionRequestNormal(
            method=command.method, parameters=command.parameters, invoke_id_and_priority=invoke
        ).encode()

        def first(piece: Piece) -> bytes:
            return ActionRequestWithFirstPblock(
                method=command.method, invoke_id_and_priority=invoke, **piece._asdict()
            ).encode()

        return self.cut(plain, Conformance.BLOCK_TRANSFER_WITH_ACTION, command.parameters or b"", first)

    def take(self, response: Apdu) -> bytes | ClientEvent:
        """What became of it, or that a block is wanted or has come."""
        if type(response) is ActionResponseNormal and not self.is_joining:
            self.check_end(success=response.result is ActionResult.SUCCESS)
            return ActionDone(response.result, response.value)
        return self.take_block(response)

    def whole(self, raw: bytes) -> ClientEvent:
        """The response."""
        response = decode_single_response(raw)
        return ActionDone(response.result, response.value)


class ActionListExchange(_InvokingExchange):
    """ACTION with a list."""

    __slots__ = ("_command",)

    def __init__(self, command: ActionList, invoke: int, limits: Limits) -> None:
        """What to invoke; LocalError when lists were not agreed."""
        super().__init__(invoke, limits)
        self.need(Conformance.MULTIPLE_REFERENCES)
        self._command = command

    def begin(self) -> bytes:
        """A request with a list, or the first block of all parameters."""
        command, invoke = self._command, self.invoke
        plain = ActionRequestWithList(
            methods=command.methods, parameters=command.parameters, invoke_id_and_priority=invoke
        ).encode()

        def first(piece: Piece) -> bytes:
            return ActionRequestWithListAndFirstPblock(
                methods=command.methods, invoke_id_and_priority=invoke, **piece._asdict()
            ).encode()

        raw = encode_list(command.parameters)
        return self.cut(plain, Conformance.BLOCK_TRANSFER_WITH_ACTION, raw, first)

    def take(self, response: Apdu) -> bytes | ClientEvent:
        """What became of each, or that a block is wanted or has come; one failure alone counts for each."""
        if type(response) is ActionResponseWithList and not self.is_joining:
            succeeded = any(item.result is ActionResult.SUCCESS for item in response.responses)
            self.check_end(success=succeeded)
            return self._responses(response.responses)
        if type(response) is ActionResponseNormal and response.result is not ActionResult.SUCCESS:
            failure = ActionResponseWithOptionalData(result=response.result, value=response.value)
            return ActionListDone((failure,) * len(self._command.methods))
        return self.take_block(response)

    def whole(self, raw: bytes) -> ClientEvent:
        """The responses."""
        return self._responses(decode_responses(raw))

    def _responses(self, responses: tuple[ActionResponseWithOptionalData, ...]) -> ClientEvent:
        return ActionListDone(one_for_each(responses, len(self._command.methods)))
