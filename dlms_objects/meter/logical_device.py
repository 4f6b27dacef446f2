"""The logical device: finds the object, checks the right from the catalogue, checks the type, then asks the object.

Sans-I/O: requests and answers are A-XDR octets and result codes; the service feeds it from the server association.
A value that cannot be (or that its type cannot hold exactly) is answered `other-reason`, a store that fails
`temporary-failure`; either way nothing has changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dlms_objects.classes.catalogue import CATALOGUE, ObjectDeclaration
from dlms_objects.classes.shape import Shape, conforms
from dlms_objects.errors import InvalidValueError
from dlms_objects.meter.cosem_object import AccessRefusedError, ActionRefusedError, CosemObject, Requester
from dlms_objects.meter.store import StorageError
from dlms_objects.values.data import NULL, Data, octet_string
from dlms_objects.values.logical_name import AttributeDescriptor, LogicalName, MethodDescriptor
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.wire import axdr
from dlms_objects.wire.errors import MalformedError
from dlms_objects.wire.selection import SelectiveAccess

LOGICAL_NAME_ATTRIBUTE = 1


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """What a method answers: its result, and on success the return value where it has one (A-XDR octets)."""

    result: ActionResult
    value: bytes | None = None


class LogicalDevice:
    """The objects of one meter behind the access table."""

    def __init__(self, objects: Mapping[LogicalName, CosemObject]) -> None:
        """`objects` holds the behaviour of every object of the catalogue."""
        self._objects = objects

    def get(
        self, attribute: AttributeDescriptor, selection: SelectiveAccess | None, requester: Requester
    ) -> bytes | DataAccessResult:
        """The value of an attribute as A-XDR octets, or why it is not to be had."""
        try:
            declaration = _declaration(attribute.class_id, attribute.logical_name)
            _require(
                attribute.attribute,
                declaration.rights_of(requester.association.role).read,
                [declared.number for declared in declaration.interface.attributes],
            )
            if attribute.attribute == LOGICAL_NAME_ATTRIBUTE:
                if selection is not None:
                    return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
                return axdr.encode(octet_string(attribute.logical_name.octets))
            value = self._objects[attribute.logical_name].get(attribute.attribute, selection, requester)
        except AccessRefusedError as refusal:
            return refusal.result
        except InvalidValueError:
            return DataAccessResult.OTHER_REASON
        except StorageError:
            return DataAccessResult.TEMPORARY_FAILURE
        return axdr.encode(value) if isinstance(value, Data) else value

    def set(
        self, attribute: AttributeDescriptor, selection: SelectiveAccess | None, value: bytes, requester: Requester
    ) -> DataAccessResult:
        """Write an attribute, all of it or nothing."""
        try:
            declaration = _declaration(attribute.class_id, attribute.logical_name)
            _require(
                attribute.attribute,
                declaration.rights_of(requester.association.role).write,
                [declared.number for declared in declaration.interface.attributes],
            )
            if selection is not None:
                return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
            typed = _typed(value, declaration.interface.attribute(attribute.attribute).shape)
            if typed is None:
                return DataAccessResult.TYPE_UNMATCHED
            self._objects[attribute.logical_name].set(attribute.attribute, typed, requester)
        except AccessRefusedError as refusal:
            return refusal.result
        except InvalidValueError:
            return DataAccessResult.OTHER_REASON
        except StorageError:
            return DataAccessResult.TEMPORARY_FAILURE
        return DataAccessResult.SUCCESS

    def action(self, method: MethodDescriptor, parameter: bytes | None, requester: Requester) -> ActionOutcome:
        """Carry out a method."""
        try:
            declaration = _declaration(method.class_id, method.logical_name)
            _require(
                method.method,
                declaration.rights_of(requester.association.role).call,
                [declared.number for declared in declaration.interface.methods],
            )
            typed = _typed(parameter, declaration.interface.method(method.method).parameter)
            if typed is None:
                return ActionOutcome(ActionResult.TYPE_UNMATCHED)
            answer = self._objects[method.logical_name].invoke(method.method, typed, requester)
        except AccessRefusedError as refusal:
            return ActionOutcome(ActionResult(refusal.result))
        except ActionRefusedError as refusal:
            return ActionOutcome(refusal.result)
        except InvalidValueError:
            return ActionOutcome(ActionResult.OTHER_REASON)
        except StorageError:
            return ActionOutcome(ActionResult.TEMPORARY_FAILURE)
        return ActionOutcome(ActionResult.SUCCESS, None if answer is None else axdr.encode(answer))


def _declaration(class_id: int, logical_name: LogicalName) -> ObjectDeclaration:
    declaration = CATALOGUE.get(logical_name)
    if declaration is None:
        raise AccessRefusedError(DataAccessResult.OBJECT_UNDEFINED)
    if declaration.interface.class_id != class_id:
        raise AccessRefusedError(DataAccessResult.OBJECT_CLASS_INCONSISTENT)
    return declaration


def _require(number: int, granted: frozenset[int], existing: list[int]) -> None:
    if number in granted:
        return
    exists = number in existing
    raise AccessRefusedError(DataAccessResult.READ_WRITE_DENIED if exists else DataAccessResult.OBJECT_UNDEFINED)


def _typed(octets: bytes | None, shape: Shape | None) -> Data | None:
    """The octets as typed data of the declared shape; None when they are of another type or no A-XDR at all."""
    try:
        value = NULL if octets is None else axdr.decode(octets)
    except MalformedError:
        return None
    return value if shape is None or conforms(shape, value) else None
