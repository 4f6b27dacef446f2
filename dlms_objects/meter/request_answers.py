"""What the meter answers to a request of any service: each item of a list on its own, in order, with its own result.

Here: with-list forms and ACCESS taken apart and put together, and the one place that catches an error nobody foresaw:
it is logged and answered `other-reason` for the item it befell; what was done before it stays done and is said so.
Not here: rights and types (`logical_device`). Imported by `connection`.
"""

from collections.abc import Callable
from typing import TypeVar

from twisted.logger import Logger

from dlms_objects.meter.cosem_object import Requester
from dlms_objects.meter.logical_device import ActionOutcome, LogicalDevice
from dlms_objects.values.logical_name import AttributeDescriptor, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import events, list_events
from dlms_objects.wire.access import (
    AccessAction,
    AccessGet,
    AccessResult,
    AccessService,
    AccessSet,
    AccessSpecification,
)
from dlms_objects.wire.action import ActionResponseWithOptionalData
from dlms_objects.wire.selection import SelectiveAccess

log = Logger()

Request = events.GetRequested | events.SetRequested | events.ActionRequested | list_events.ListRequested
Result = TypeVar("Result")

_NULL_DATA = b"\x00"


class RequestAnswers:
    """The answers to the requests of one association."""

    def __init__(self, device: LogicalDevice, requester: Callable[[], Requester]) -> None:
        """`requester` says who asks, and when; it is called for every item."""
        self._device = device
        self._requester = requester

    def answer(self, request: Request) -> events.Answer:
        """The answer, of the kind of the request."""
        match request:
            case events.GetRequested():
                return events.GetAnswer(self._get(request.attribute, request.selection))
            case events.SetRequested():
                return events.SetAnswer(self._set(request.attribute, request.selection, request.value))
            case events.ActionRequested():
                outcome = self._action(request.method, request.parameters)
                return events.ActionAnswer(outcome.result, outcome.value)
            case _:
                return self._answer_list(request)

    def _answer_list(self, request: list_events.ListRequested) -> events.Answer:
        match request:
            case list_events.GetListRequested():
                values = [self._get(item.attribute, item.selection) for item in request.attributes]
                return list_events.GetListAnswer(tuple(values))
            case list_events.SetListRequested():
                pairs = zip(request.attributes, request.values, strict=True)
                results = [self._set(item.attribute, item.selection, value) for item, value in pairs]
                return list_events.SetListAnswer(tuple(results))
            case list_events.ActionListRequested():
                calls = zip(request.methods, request.parameters, strict=True)
                outcomes = [self._action(method, parameters) for method, parameters in calls]
                responses = [
                    ActionResponseWithOptionalData(result=outcome.result, value=outcome.value) for outcome in outcomes
                ]
                return list_events.ActionListAnswer(tuple(responses))
            case _:
                return self._access(request)

    def _access(self, request: list_events.AccessRequested) -> list_events.AccessAnswer:
        """Every item in order; after a failure that breaks it off the rest is not done and answered `other-reason`."""
        values, results, is_broken_off = [], [], False
        for specification, given in zip(request.specifications, request.values, strict=True):
            value, result = _NOT_DONE[type(specification)] if is_broken_off else self._access_item(specification, given)
            is_broken_off = is_broken_off or (request.breaks_on_error and result.result != DataAccessResult.SUCCESS)
            values.append(value)
            results.append(result)
        return list_events.AccessAnswer(tuple(values), tuple(results))

    def _access_item(self, specification: AccessSpecification, given: bytes) -> tuple[bytes, AccessResult]:
        if isinstance(specification, AccessAction):
            outcome = self._action(specification.method, given)
            return outcome.value or _NULL_DATA, AccessResult(service=AccessService.ACTION, result=outcome.result)
        if isinstance(specification, AccessGet):
            value = self._get(specification.attribute, specification.selection)
            if isinstance(value, DataAccessResult):
                return _NULL_DATA, AccessResult(service=AccessService.GET, result=value)
            return value, AccessResult(service=AccessService.GET, result=DataAccessResult.SUCCESS)
        result = self._set(specification.attribute, specification.selection, given)
        return _NULL_DATA, AccessResult(service=AccessService.SET, result=result)

    def _get(self, attribute: AttributeDescriptor, selection: SelectiveAccess | None) -> bytes | DataAccessResult:
        def ask(requester: Requester) -> bytes | DataAccessResult:
            return self._device.get(attribute, selection, requester)

        refused: bytes | DataAccessResult = DataAccessResult.OTHER_REASON
        return self._asked(ask, refused)

    def _set(self, attribute: AttributeDescriptor, selection: SelectiveAccess | None, value: bytes) -> DataAccessResult:
        return self._asked(
            lambda requester: self._device.set(attribute, selection, value, requester), DataAccessResult.OTHER_REASON
        )

    def _action(self, method: MethodDescriptor, parameters: bytes | None) -> ActionOutcome:
        return self._asked(
            lambda requester: self._device.action(method, parameters, requester),
            ActionOutcome(ActionResult.OTHER_REASON),
        )

    def _asked(self, ask: Callable[[Requester], Result], otherwise: Result) -> Result:
        """What the logical device says; an error nobody foresaw is logged, and `otherwise` is said."""
        try:
            return ask(self._requester())
        except Exception:  # noqa: BLE001 - the seam: the process must outlive a fault in one request
            log.failure("a request failed")
            return otherwise


_NOT_DONE: dict[type[AccessSpecification], tuple[bytes, AccessResult]] = {
    kind: (_NULL_DATA, AccessResult(service=service, result=result))
    for kind, service, result in (
        (AccessGet, AccessService.GET, DataAccessResult.OTHER_REASON),
        (AccessSet, AccessService.SET, DataAccessResult.OTHER_REASON),
        (AccessAction, AccessService.ACTION, ActionResult.OTHER_REASON),
    )
}
