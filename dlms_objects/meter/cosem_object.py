"""What every object of the meter offers to the logical device: get, set and invoke, after access was checked.

The objects are declared in `classes`; here they get their behaviour. They know nothing of APDUs, roles' rights or I/O.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dlms_objects.classes.catalogue import AssociationDeclaration
from dlms_objects.errors import RefusedError
from dlms_objects.values import data as cosem
from dlms_objects.values.data import Data
from dlms_objects.values.logical_name import LogicalName
from dlms_objects.values.results import ActionResult, DataAccessResult
from dlms_objects.values.system_title import SystemTitle
from dlms_objects.wire.conformance import Conformance
from dlms_objects.wire.selection import SelectiveAccess


class AccessRefusedError(RefusedError):
    """A get or set is refused with this data-access-result; nothing was changed."""

    def __init__(self, result: DataAccessResult) -> None:
        """Keep the result for the answer."""
        super().__init__(result.name)
        self.result = result


class ActionRefusedError(RefusedError):
    """A method is refused with this action-result; nothing was changed."""

    def __init__(self, result: ActionResult) -> None:
        """Keep the result for the answer."""
        super().__init__(result.name)
        self.result = result


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who asks: the association, the peer's system title (None: unciphered), what was negotiated, and when."""

    association: AssociationDeclaration
    client_title: SystemTitle | None
    conformance: Conformance
    max_pdu: int
    now: datetime


class CosemObject(Protocol):
    """One object. Attribute 1 is answered by the logical device; values are checked against their shapes before."""

    def get(self, attribute: int, selection: SelectiveAccess | None, requester: Requester) -> Data | bytes:
        """The value as typed data, or already encoded; AccessRefusedError for a legal no."""

    def set(self, attribute: int, value: Data, requester: Requester) -> None:
        """Write an attribute; AccessRefusedError for a legal no."""

    def invoke(self, method: int, parameter: Data, requester: Requester) -> Data | None:
        """Carry out a method; ActionRefusedError for a legal no."""


Getter = Callable[[Requester], Data]


class ReadOnlyObject:
    """An object whose attributes are computed when they are read; nothing can be written or invoked."""

    def __init__(self, getters: Mapping[int, Getter]) -> None:
        """Map attribute numbers (from 2) to what computes them."""
        self._getters = getters

    def get(self, attribute: int, selection: SelectiveAccess | None, requester: Requester) -> Data:
        """The computed value; selective access is refused."""
        if selection is not None:
            raise AccessRefusedError(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        getter = self._getters.get(attribute)
        if getter is None:
            raise AccessRefusedError(DataAccessResult.OBJECT_UNDEFINED)
        return getter(requester)

    def set(self, attribute: int, value: Data, requester: Requester) -> None:
        """Nothing can be written."""
        raise AccessRefusedError(DataAccessResult.READ_WRITE_DENIED)

    def invoke(self, method: int, parameter: Data, requester: Requester) -> Data | None:
        """There is no method."""
        raise ActionRefusedError(ActionResult.READ_WRITE_DENIED)


def constant(value: Data) -> Getter:
    """A getter that always answers the same."""
    return lambda _requester: value


def capture_object(class_id: int, logical_name: LogicalName, attribute: int, data_index: int) -> Data:
    """A capture object definition of a profile."""
    return cosem.structure(
        cosem.long_unsigned(class_id),
        cosem.octet_string(logical_name.octets),
        cosem.integer(attribute),
        cosem.long_unsigned(data_index),
    )
